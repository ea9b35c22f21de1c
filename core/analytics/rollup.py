"""Keeping the rollups: adding what is new by watermark, or counting everything again.

What one fact adds is said once, in `core/migrations/functions/rollup.sql`; the cost of advancing is that
of the new facts, whatever the history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.db import transaction

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction


class Mark(NamedTuple):
    """How fresh the rollups are: when they last moved (by the product's clock), and how many facts wait."""

    moved_at: datetime
    waiting: int


def advance() -> int:
    """Add every fact whose transaction has ended; return how many there were.

    One transaction; safe to run at any time and twice at once. Facts younger than the oldest running
    transaction wait for the next run, so none is counted twice or left out.
    """
    return _run("select rollup_advance()")


def rebuild() -> int:
    """Throw the rollups away and count the whole feed again; return how many facts there were.

    The result is the same row by row; `desk verify` compares the two without writing.
    """
    return _run("select rollup_rebuild()")


def mark(tx: Transaction) -> Mark:
    """Return how fresh the rollups are."""
    rows = tx.rows(
        # The mark is of the real clock; how long ago that was is the same on the product's.
        "select clock_timestamp() - w.moved_at, (select count(*) from"
        "   (select 1 from outbox b where b.xid >= w.done_to limit 10001) n)"
        "  from watermark w where w.name = 'rollup'",
    )
    since, waiting = rows[0]
    return Mark(clock.now() - since, waiting)


def _run(sql: str) -> int:
    with transaction() as tx:
        tx.run("set local statement_timeout = '15min'")
        tx.run("set local lock_timeout = '1min'")
        facts: int = tx.call(sql)
    return facts
