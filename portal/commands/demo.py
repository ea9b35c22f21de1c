"""`desk demo`: a seeded market played into the sandbox, and the users who sign in to look at it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from core.settings import settings
from core.simulator import run
from core.simulator.alone import alone
from core.simulator.people import DEMO_PARTIES
from portal.commands.init import initialise
from portal.counted import counted
from portal.security import setup

if TYPE_CHECKING:
    from core.simulator.people import Cast
    from core.simulator.run import Progress

USERS: Final = {
    "admin": ("admin", "Ada", "Moreau"),
    "compliance": ("compliance", "Celia", "Brandt"),
    "compliance2": ("compliance", "Conrad", "Osei"),
    "finance": ("finance", "Farah", "Lindqvist"),
    "finance2": ("finance", "Felix", "Okada"),
    "auditor": ("auditor", "Agnes", "Petrov"),
    "agent1": ("agent", "Amir", "Castell"),
    "agent2": ("agent", "Alma", "Whitfield"),
    "acceptor1": ("acceptor", "", ""),
    "acceptor2": ("acceptor", "", ""),
    "merchant1": ("merchant", "Mina", "Aurora"),
    "merchant2": ("merchant", "Mateo", "Bluepeak"),
}
"""Who may sign in: role, first and last name. An acceptor's user bears the acceptor's own name."""


@click.command("demo")
@click.option("--orders", type=click.IntRange(1, 1_000_000), default=20_000, show_default=True)
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True)
@click.option("--again", is_flag=True, help="Play although there are orders already.")
def command(orders: int, days: int, seed: int, again: bool) -> None:
    """Play a market of some months up to now, through the public commands only.

    One that was cut off is played on from where it stopped, with the sizes and the seed it was begun with.
    Two at once would open the same orders: the second is refused.
    """
    with alone():
        _play(orders, days, seed, again=again)


def _play(orders: int, days: int, seed: int, *, again: bool) -> None:
    known = run.may_play(again=again)
    initialise()
    if known and not again:
        click.echo(f"an earlier demo was cut off after {counted(known, 'order')}: playing on from there")
    began = time.monotonic()
    states = run.play(orders=orders, days=days, seed=seed, again=again, enrolled=_users, told=_told)
    total = sum(states.values())
    click.echo(f"{counted(total, 'order')} in {time.monotonic() - began:.0f} s:")
    for state, count in sorted(states.items(), key=lambda each: -each[1]):
        click.echo(f"  {state:<17}{count:>8,}")


def _users(cast: Cast) -> None:
    """Make the demo's users, those of parties with their party; who is there already keeps its password."""
    password = settings().demo_password.get_secret_value()
    by_code = {(each.actor.role, each.code): each for each in (*cast.merchants, *cast.agents, *cast.acceptors.values())}
    for user, (role, first, last) in USERS.items():
        party = by_code[DEMO_PARTIES[user]] if user in DEMO_PARTIES else None
        own = party.name.partition(" ") if party and not first else (first, "", last)
        number = party.id if party else None
        setup.ensure_user(user, role, password, first_name=own[0], last_name=own[2], party_id=number)
    click.echo(f"users: {', '.join(USERS)}")


def _told(progress: Progress) -> None:
    """Say how far it is, about ten times."""
    step = max(progress.days // 10, 1)
    if progress.day % step == 0 or progress.day == progress.days:
        done = progress.done
        click.echo(
            f"day {progress.day} of {progress.days}: {done['opened']:,} opened, {done['completed']:,} completed, "
            f"{done['stopped']:,} stopped for review"
        )
