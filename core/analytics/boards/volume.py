"""Orders and USDT from the hourly rollup: totals, by time, by party, by hour of the week.

Every count stands in the hour its step happened: `created` when an order was opened, `completed` when it was
released, and so on; USDT and fees are those of completed orders, in the hour of the release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Actor, Right
from core.analytics.boards.asking import BUCKETS, ORDERS, Ratio, hours, known, own_orders, where
from core.db import reading
from core.errors import BadInput, sentence

if TYPE_CHECKING:
    from datetime import datetime

    from core.analytics.boards.asking import Filters, Span

MOST_PARTIES = 200
_COLUMNS = (
    "created", "matched", "claimed", "completed", "expired", "cancelled", "refused", "refunded", "no_liquidity",
    "created_usdt_units", "usdt_units", "fee_units", "settle_seconds",
)  # fmt: skip
_COUNTS = ", ".join(f"coalesce(sum(r.{column}), 0)::bigint" for column in _COLUMNS)


class Counts(NamedTuple):
    """Steps that happened, USDT units opened and completed, fee units, seconds from claim to release, summed."""

    created: int
    matched: int
    claimed: int
    completed: int
    expired: int
    cancelled: int
    refused: int
    refunded: int
    no_liquidity: int
    created_usdt_units: int
    usdt_units: int
    fee_units: int
    settle_seconds: int

    @property
    def technical_success(self) -> Ratio:
        """Completed of the paid orders that ended.

        What never got paid is no failure of ours, and what still waits has not failed: a paid order ends completed
        or refunded.
        """
        return Ratio(self.completed, self.completed + self.refunded)

    @property
    def conversion(self) -> Ratio:
        """Completed of those that ended: what is still open has neither come nor gone."""
        return Ratio(self.completed, self.ended)

    @property
    def ended(self) -> int:
        """Orders that ended, in whichever way."""
        return sum((self.completed, self.expired, self.cancelled, self.refused, self.refunded, self.no_liquidity))

    @property
    def mean_settle_seconds(self) -> int | None:
        """Mean time from claim to release in whole seconds; None when nothing completed."""
        return self.settle_seconds // self.completed if self.completed else None


class BucketRow(NamedTuple):
    """The counts of one currency in the hour or day that begins at `start`."""

    start: datetime
    currency: str
    counts: Counts


class PartyRow(NamedTuple):
    """The counts of one merchant, acceptor, pool or currency."""

    code: str
    name: str
    counts: Counts


class HourRow(NamedTuple):
    """Orders opened and USDT units completed in one hour (0-23) of one weekday (Monday is 1) of the zone."""

    weekday: int
    hour: int
    created: int
    completed: int
    usdt_units: int


def totals(actor: Actor, span: Span, filters: Filters) -> Counts:
    """Return the sums over the span. Raises Forbidden."""
    condition, args = _where(actor, span, filters)
    with reading() as tx:
        return Counts(*tx.rows(f"select {_COUNTS} from rollup_hour r where {condition}", args)[0])  # noqa: S608


def by_bucket(actor: Actor, span: Span, filters: Filters) -> list[BucketRow]:
    """Return the sums by bucket of time and currency, oldest first; empty buckets have no row.

    Raises Forbidden, BadInput for a bucket that is none.
    """
    if span.bucket not in BUCKETS:
        raise BadInput(sentence("'%(bucket)s' is not a bucket", bucket=span.bucket), bucket=span.bucket)
    condition, args = _where(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            f"select date_trunc(%s, r.hour, %s), r.currency, {_COUNTS} from rollup_hour r"  # noqa: S608
            f" where {condition} group by 1, 2 order by 1, 2",
            (span.bucket, span.zone, *args),
        )
    return [BucketRow(start, currency, Counts(*counts)) for start, currency, *counts in rows]


_PARTIES = {
    "merchant": (
        "r.merchant_id",
        "join party p on p.id = g.key",
        "p.code, case when {knows} then p.name else p.code end",
    ),
    "acceptor": (
        "r.acceptor_id",
        "join party p on p.id = g.key",
        "p.code, case when {knows} then p.name else p.code end",
    ),
    "pool": ("r.pool_id", "join pool p on p.id = g.key", "p.code, p.currency || ' ' || p.method"),
    "currency": ("r.currency", "", "g.key, g.key"),
}


def by_party(actor: Actor, span: Span, filters: Filters, what: str) -> list[PartyRow]:
    """Return the sums by merchant, acceptor, pool or currency, most USDT first, at most 200.

    Orders that never found an acceptor belong to none; another's party is called by its code. Raises Forbidden,
    BadInput.
    """
    if what not in _PARTIES:
        raise BadInput(sentence("'%(what)s' is nothing to sum by", what=what[:20]), what=what[:20])
    key, join, said = _PARTIES[what]
    condition, args = _where(actor, span, filters)
    names = ", ".join(Counts._fields)
    knows, who = known(actor, what) if "{knows}" in said else ("", ())
    said = said.format(knows=knows)
    with reading() as tx:
        rows = tx.rows(
            f"with g (key, {names}) as (select {key}, {_COUNTS} from rollup_hour r where {condition} group by 1)"  # noqa: S608
            f" select {said}, {', '.join(f'g.{name}' for name in Counts._fields)} from g {join}"
            f" order by g.usdt_units desc, g.created desc, 1 limit {MOST_PARTIES}",
            (*args, *who),
        )
    return [PartyRow(code, name, Counts(*counts)) for code, name, *counts in rows]


def by_hour_of_week(actor: Actor, span: Span, filters: Filters) -> list[HourRow]:
    """Return the sums by weekday and hour of the span's zone; hours without orders have no row. Raises Forbidden."""
    condition, args = _where(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            "select extract(isodow from r.hour at time zone %s)::int, extract(hour from r.hour at time zone %s)::int,"  # noqa: S608
            " sum(r.created)::bigint, sum(r.completed)::bigint, sum(r.usdt_units)::bigint"
            f" from rollup_hour r where {condition} group by 1, 2 order by 1, 2",
            (span.zone, span.zone, *args),
        )
    return [HourRow(*row) for row in rows]


def _where(actor: Actor, span: Span, filters: Filters) -> tuple[str, tuple[object, ...]]:
    actor.must(Right.SEE_VOLUME)
    return where(filters, ORDERS, hours(span), own_orders(actor))
