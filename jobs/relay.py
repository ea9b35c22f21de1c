"""The relay: facts from the outbox become jobs; which have been carried is stored with a watermark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core.db import transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.db import Transaction

ROLLUP: Final = "analytics.rollup"
MATCH: Final = "orders.match"

ROUTES: Final[dict[str, tuple[str, ...]]] = {
    "order.": (ROLLUP,),
    "order.cancel": (ROLLUP, MATCH),
    "order.expire": (ROLLUP, MATCH),
    "order.refund": (ROLLUP, MATCH),
    "order.queue": (ROLLUP, MATCH),
    "alert.": (ROLLUP,),
    "reserve.topped_up": (MATCH,),
    "acceptor.online": (MATCH,),
    "acceptor.heard": (MATCH,),
    "acceptor.resumed": (MATCH,),
    "export.requested": ("exports.run",),
}
"""Which jobs a topic asks for; a name that ends in a point stands for every topic that begins with it."""

WITH_SUBJECT: Final = ("exports.run",)
"""Jobs that are about the one thing the fact is about."""


class Batch(NamedTuple):
    """What one carrying took: how many facts, and the jobs they ask for."""

    rows: int
    jobs: list[tuple[str, ...]]


def carry(send: Callable[..., object]) -> Batch:
    """Hand every fact whose transaction has ended to `send(name, *refs)`, once each job, and note it as sent.

    When `send` raises, nothing is noted and the next run carries it all again: jobs are safe to run twice.
    Two relays at once take turns.
    """
    with transaction() as tx:
        start, end = tx.rows(
            "select done_to::text, pg_snapshot_xmin(pg_current_snapshot())::text from watermark"
            " where name = 'relay' for update"
        )[0]
        if int(start) > int(end):
            start = "0"  # the database was restored and counts its transactions anew
        batch = _asked(tx, start, end)
        if not batch.rows:
            return batch
        for job in batch.jobs:
            send(*job)
        tx.run(
            "insert into outbox_batch (from_xid, to_xid, rows) values (%s::xid8, %s::xid8, %s)",
            (start, end, min(batch.rows, 2**31 - 1)),
        )
        tx.run(
            "update watermark set done_to = %s::xid8, moved_at = clock_timestamp() where name = 'relay'",
            (end,),
        )
    return batch


def _asked(tx: Transaction, start: str, end: str) -> Batch:
    told = [topic for topic in ROUTES if set(ROUTES[topic]) & set(WITH_SUBJECT)]
    rows = tx.rows(
        "select topic, count(*), array_agg(distinct subject) filter (where topic = any(%s)) from outbox"
        " where xid >= %s::xid8 and xid < %s::xid8 group by topic",
        (told, start, end),
    )
    jobs: dict[tuple[str, ...], None] = {}
    for topic, _, subjects in rows:
        for name in routes(topic):
            for ref in subjects or () if name in WITH_SUBJECT else (None,):
                jobs[(name,) if ref is None else (name, ref)] = None
    return Batch(sum(count for _, count, _ in rows), list(jobs))


def routes(topic: str) -> tuple[str, ...]:
    """Return the jobs a topic asks for: its own line of the table, else its family's, else none."""
    return ROUTES.get(topic) or ROUTES.get(topic.partition(".")[0] + ".", ())
