"""The running UTC month of commissions, and where it gets at the pace so far."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from core import clock
from core.analytics.boards import commissions
from core.analytics.boards.asking import Days
from dashboards import frames

if TYPE_CHECKING:
    from datetime import date

    from core.actor import Actor
    from dashboards.asked import Asked

DAY_SECONDS = 86_400


class Step(NamedTuple):
    """One day of the month: earned up to its end (None: not begun yet), and what the pace says; USDT units."""

    day: date
    units: int | None
    expected_units: int


class Pace(NamedTuple):
    """The month: earned until now, expected at its end, day by day; USDT units."""

    last: date
    units: int
    expected_units: int
    steps: list[Step]


def of_month(actor: Actor, question: Asked) -> Pace:
    """Return a plain run-rate: earned so far ÷ time passed × length of the month.

    Whole units, rounded down; no season or trend is assumed. Raises Forbidden.
    """
    now = clock.now()
    first = now.date().replace(day=1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    month = replace(question, range="custom", first=first, last=last, zone=ZoneInfo("UTC"))
    rows = commissions.by_day(actor, Days(first, last), question.narrowed())
    upto = [0] * last.day
    if rows:
        earned = frames.by_count(frames.of(rows, month, "day"), month, "day", ["units"])
        upto = frames.running(earned["units"])
    units = upto[-1]
    passed = max((now.date() - first).days * DAY_SECONDS + (now.hour * 60 + now.minute) * 60 + now.second, 1)
    steps = [
        Step(day, running if day <= now.date() else None, units * (n + 1) * DAY_SECONDS // passed)
        for n, running in enumerate(upto)
        for day in (first + timedelta(days=n),)
    ]
    return Pace(last, units, steps[-1].expected_units, steps)
