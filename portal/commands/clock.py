"""`desk clock`: the sandbox's clock, shown and moved on; production has only the real one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from core import timeshift
from core.actor import system
from core.errors import BadInput
from core.pricing import sandbox
from core.settings import settings

_STEP = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_BACK = re.compile(r"-[0-9].*")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Forward(click.Command):
    """A command that tells a step back from an option: `-5m` is no misspelt switch, and `-2h` does not ask for help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. Raises BadInput for a step back."""
        if any(_BACK.fullmatch(each) for each in args):
            raise BadInput(timeshift.FORWARD_ONLY)
        return super().parse_args(ctx, args)


@click.group("clock", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Show the product's time; `advance 2h` or `set 2026-12-01T00:00:00Z` moves it on in the sandbox."""
    if context.invoked_subcommand is None:
        _show()


@command.command("advance", cls=Forward)
@click.argument("by")
def advance(by: str) -> None:
    """Move the time on BY so much: 90s, 20m, 2h or 3d."""
    step = _STEP.fullmatch(by)
    if step is None:
        raise BadInput(f"'{by[:20]}' is not a step such as 90s, 20m, 2h or 3d")
    _move(timedelta(**{_UNITS[step.group(2)]: int(step.group(1))}))


@command.command("set")
@click.argument("moment")
def set_to(moment: str) -> None:
    """Move the time on to MOMENT, such as 2026-12-01T00:00:00Z."""
    try:
        asked = datetime.fromisoformat(moment)
    except ValueError:
        asked = None
    if asked is None or asked.tzinfo is None:
        raise BadInput(f"'{moment[:40]}' is not a time with its zone, such as 2026-12-01T00:00:00Z")
    _move(asked - (datetime.now(UTC) + timeshift.offset()))


def _move(by: timedelta) -> None:
    timeshift.advance(system("desk clock"), by)
    with timeshift.followed():
        # All rates are old at the new time: the sources speak at once, so that nobody waits a minute for a quote.
        sandbox.observe_all()
    _show()


def _show() -> None:
    ahead = timeshift.offset()
    at = (datetime.now(UTC) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = "the real time" if not ahead else f"{ahead} ahead of the real time"
    click.echo(f"{at}  ({settings().env}: {told})")
