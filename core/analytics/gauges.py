"""What machines watch beside requests: backlogs, ages, open orders, money held, the last check; no personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core import health
from core.db import reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME: Final = "health.measure"
"""The job that measures; its last run's details are what is shown, so that asking costs one row."""

_ONE: Final = {
    # Not yet carried by the relay, and for how long.
    "outbox_waiting": "select count(*) from outbox where xid >= (select done_to from watermark where name = 'relay')",
    "outbox_oldest_seconds": "select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::bigint"
    " from outbox where xid >= (select done_to from watermark where name = 'relay')",
    # The oldest credit that is not yet in its account's balance.
    "fold_lag_seconds": "select coalesce(extract(epoch from clock_timestamp() - min(e.booked_at)), 0)::bigint"
    " from ledger_account a cross join lateral (select l.entry_id from journal_leg l where l.account_id = a.id"
    " and leg_waits(l.xid, a.folded) order by l.xid limit 1) w join journal_entry e on e.id = w.entry_id",
    "alerts_open": "select count(*) from alert where state = 'open'",
    "rules_version": "select coalesce(max(version), 0) from ruleset where state = 'active'",
    "orders_past_deadline": "select count(*) from order_waiting w join orders o on o.id = w.order_id"
    " where w.deadline_at < clock_timestamp() and o.deadline_at < clock_timestamp()",
}
_MANY: Final = {
    "orders_open": "select o.state, count(*) from order_waiting w join orders o on o.id = w.order_id group by 1",
    "usdt_units": "select p.pocket, p.units::text from (select sum(available) as reserve, sum(escrow) as escrow,"
    " sum(held) as held from ledger_account where kind = 'acceptor' and asset = 'USDT') s cross join lateral"
    " (values ('reserve', s.reserve), ('escrow', s.escrow), ('held', s.held)) p (pocket, units)"
    " where p.units is not null",
    "watermark_age_seconds": "select name, extract(epoch from clock_timestamp() - moved_at)::bigint from watermark"
    " where name <> 'fold'",
    "process_age_seconds": "select split_part(process, ':', 1), extract(epoch from clock_timestamp() - max(at))::bigint"
    " from heartbeat group by 1",
}
_VERIFIED: Final = """
select outcome = 'done', extract(epoch from clock_timestamp() - ended_at)::bigint from job_run
 where name = 'ledger.verify' and outcome <> 'running' order by id desc limit 1
"""


def measure(queued: Mapping[str, int], jobs: Sequence[str]) -> dict[str, Any]:
    """Return every figure: a number, or numbers by name. `queued` are the queues' lengths, `jobs` all jobs' names."""
    figures: dict[str, Any] = {"queue_jobs": dict(queued), "job_age_seconds": health.quiet_for(list(jobs))}
    with reading() as tx:
        for name, sql in _ONE.items():
            figures[name] = tx.call(sql)
        for name, sql in _MANY.items():
            figures[name] = {key: int(value) for key, value in tx.rows(sql)}
        verified = tx.rows(_VERIFIED)
    if verified:
        figures["verify_holds"], figures["verify_age_seconds"] = int(verified[0][0]), verified[0][1]
    return figures


def last() -> tuple[dict[str, Any], int] | None:
    """Return the figures measured last and how many seconds ago, None before the first time."""
    with reading() as tx:
        rows = tx.rows(
            "select details, extract(epoch from clock_timestamp() - ended_at)::bigint from job_run"
            " where name = %s and outcome = 'done' order by id desc limit 1",
            (NAME,),
        )
    return (rows[0][0] or {}, rows[0][1]) if rows else None
