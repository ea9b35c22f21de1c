"""`desk rate`: what one USDT costs, told by people or by a feed of one's own; quotes go by the median."""

from __future__ import annotations

import sys

import click

from core.actor import system
from core.errors import BadInput, Conflict, Refusal
from core.pricing import spoken
from portal.counted import counted

CELLS = 3


@click.group("rate")
def command() -> None:
    """Tell the desk exchange rates, or see those in force."""


@command.command("set")
@click.argument("currency")
@click.argument("price")
@click.option("--source", default="manual", show_default=True, help="Who says so; of several the median counts.")
@click.option("--why", required=True, help="The reason, for the audit trail.")
@click.option("--meant", is_flag=True, help="Although it is more than 5 % from the last known one.")
def set_to(currency: str, price: str, source: str, why: str, meant: bool) -> None:
    """Say that one USDT costs PRICE in CURRENCY now, e.g. BRL 5.42."""
    rate = spoken.tell(system("terminal"), currency, price, source=source, why=why, meant=meant)
    click.echo(f"{rate}, by {source}")


@command.command("read")
def read() -> None:
    """Read rates from stdin as they come, one a line: CURRENCY PRICE SOURCE. Bad lines are told and left out."""
    taken = left = 0
    for number, line in enumerate(sys.stdin, 1):
        cells = line.split()
        if not cells:
            continue
        try:
            if len(cells) != CELLS:
                raise BadInput("a line is CURRENCY PRICE SOURCE, such as BRL 5.42 mybank")
            spoken.tell(system("terminal"), cells[0], cells[1], source=cells[2], why="read from a feed")
            taken += 1
        except Refusal as refusal:
            left += 1
            click.echo(f"line {number}: {refusal.detail} [{refusal.code}]", err=True)
    click.echo(f"{counted(taken, 'rate')} taken, {left:,} left out")
    if left:
        raise Conflict(f"{counted(left, 'rate was', 'rates were')} left out; the lines above say why")


@command.command("list")
def show() -> None:
    """Show each currency's rate in force and what each source last said."""
    found = spoken.known(system("terminal"))
    if not found:
        click.echo("no rate is known: quotes are refused until `desk rate set` or `desk rate read` tells one")
    for code, (rate, told) in found.items():
        click.echo(f"{code}  {rate or 'none young enough: quotes are refused'}")
        for each in told:
            late = "" if each.counts else ", too old"
            click.echo(f"     {each.source:<24}{each.rate.text():>16}  {each.age_seconds:,} s ago{late}")
