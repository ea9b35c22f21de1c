"""Periods: the calendar months (UTC) by which commissions are stated, and whether one is locked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.errors import BadInput, sentence

if TYPE_CHECKING:
    from core.db import Transaction

_NAME = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])\Z")


class Period(NamedTuple):
    """One month: from `starts_at` up to (not with) `ends_at`, both UTC."""

    name: str
    starts_at: datetime
    ends_at: datetime

    def previous(self) -> Period:
        """Return the month before."""
        return of(self.starts_at - timedelta(days=1))


def read(name: str) -> Period:
    """Return the period written as year and month, such as 2026-10, else refuse with `bad_input`."""
    found = _NAME.match(name)
    if not found:
        raise BadInput(
            sentence("'%(name)s' is not a period; one is written as year and month: 2026-10", name=name[:20]),
            period=name[:20],
        )
    period = of(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC))
    if period.starts_at > clock.now():
        raise BadInput(sentence("%(name)s has not begun", name=name), period=name)
    return period


def of(moment: datetime) -> Period:
    """Return the period a moment falls into; every moment falls into exactly one."""
    utc = moment.astimezone(UTC)
    first = utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Period(f"{first:%Y-%m}", first, (first + timedelta(days=32)).replace(day=1))


def ended(period: Period) -> datetime | None:
    """Return the end of a period that is over, None while it runs: what it comes to is told as of then, or of now."""
    return period.ends_at if period.ends_at <= clock.now() else None


def locked(tx: Transaction, period: Period) -> bool:
    """Return whether any part of the period is locked against postings now."""
    found: bool = tx.call(
        "select exists (select 1 from period_lock where unlocked_at is null and starts_at < %s and ends_at > %s)",
        (period.ends_at, period.starts_at),
    )
    return found
