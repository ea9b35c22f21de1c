"""`desk reserve`: an acceptor's reserve topped up from the terminal, asked for by one user, approved by another."""

from __future__ import annotations

import json
import sys

import click

from core.actor import system
from core.errors import BadInput
from core.money import USDT, Money
from core.parties import naming, reserves
from portal.commands.signing import as_user, signed

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_WHY = click.option("--why", required=True, help="The reason, for the audit trail.")
_YES = click.option("--yes", is_flag=True, help="You have read what it does; needed where nobody can be asked.")


@click.group("reserve")
def command() -> None:
    """Top up reserves; what has arrived is booked when a second user has approved it."""


@command.command("list")
@_JSON
def show(as_json: bool) -> None:
    """Show what waits for approval."""
    for asked, told in reserves.all_waiting(system("terminal")):
        if as_json:
            facts = {"ref": asked.ref, "by": asked.requested_by, "acceptor": told.code, "amount": told.amount.text()}
            click.echo(json.dumps(facts | {"arrival": told.arrival, "what": told.words}))
        else:
            click.echo(f"{asked.ref}  {told.words}  ({told.arrival}, by {asked.requested_by}: {asked.reason})")


@command.command("top-up")
@click.argument("acceptor")
@click.argument("amount")
@click.option("--arrival", required=True, help="Names the arrival, such as its transaction hash: booked once.")
@_WHY
@_YES
@_JSON
@signed
def top_up(acceptor: str, amount: str, arrival: str, why: str, yes: bool, as_json: bool, name: str) -> None:
    """Ask that AMOUNT USDT that has arrived in custody be booked to ACCEPTOR's reserve."""
    ref = naming.party(system("terminal"), acceptor, "acceptor")
    money = Money.parse(amount, USDT)
    actor = as_user(name)
    told = reserves.check(actor, ref, money, arrival)
    _read_back(told, yes)
    request = reserves.ask(actor, ref, money, arrival, why)
    said = f"{request}\n  waits for another user: approve it with this reference"
    click.echo(json.dumps({"ref": request, "what": told.words}) if as_json else said)


@command.command("approve")
@click.argument("ref")
@click.option("--refuse", is_flag=True, help="Turn it down instead.")
@_WHY
@_YES
@signed
def approve(ref: str, refuse: bool, why: str, yes: bool, name: str) -> None:
    """Approve another user's top-up REF: it is booked at once; or turn it down."""
    actor = as_user(name)
    if not refuse:
        _read_back(reserves.asked(actor, ref), yes)
    entry = reserves.decide(actor, ref, not refuse, why)
    click.echo(f"{ref} is turned down; nothing is booked" if entry is None else f"it is booked: {entry}")


@command.command("withdraw")
@click.argument("ref")
@_WHY
@signed
def withdraw(ref: str, why: str, name: str) -> None:
    """Take back your own top-up REF while it waits."""
    reserves.withdraw(as_user(name), ref, why)
    click.echo(f"{ref} is withdrawn; nothing is booked")


def _read_back(told: reserves.TopUp, yes: bool) -> None:
    """Say what it does; go on when the person agrees. Raises BadInput where nobody can be asked."""
    click.echo(told.words, err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput("say --yes when you have read what it does", field="yes")
    click.confirm("Is that right?", abort=True, err=True)
