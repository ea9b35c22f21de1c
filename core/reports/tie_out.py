"""Tie-outs: a figure beside the ledger's own sum, the difference (which must be nothing), and the seal over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Right
from core.commissions import periods, queries
from core.errors import sentence
from core.ledger import seal
from core.money import USDT, Money

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.commissions.queries import Filters
    from core.db import Transaction


class TieOut(NamedTuple):
    """One figure and the ledger's sum of the same, with the rows behind it and the head it was computed under."""

    what: str
    figure: Money
    ledger: Money
    rows: int
    seal: str

    @property
    def difference(self) -> Money:
        """The figure less the ledger's sum; zero, or something is wrong."""
        return self.figure - self.ledger


def sealed_by(tx: Transaction) -> str:
    """Return the journal's head in words, for the foot of a report."""
    head = seal.head(tx)
    return head.words() if head else sentence("nothing is sealed yet")


_BOOKED = """
with x as materialized (
    select c.order_id, count(*) as lines, sum(c.units) as units, max(c.base_units) as base,
           array_agg(c.agent_id) as agents
      from commission_line c where {where} group by c.order_id
), booked as materialized (
    select sum(l.units) filter (where a.party_id = any (x.agents)) as paid,
           -sum(l.units) filter (where l.units < 0) as released
      from x join journal_entry e on e.order_id = x.order_id and e.reason = 'escrow_release' and {within}
      join journal_leg l on l.entry_id = e.id join ledger_account a on a.id = l.account_id
)
select coalesce(sum(x.lines), 0)::bigint, coalesce(sum(x.units), 0)::bigint,
       coalesce((select paid from booked), 0)::bigint, count(*), coalesce(sum(x.base), 0)::bigint,
       coalesce((select released from booked), 0)::bigint
  from x
"""


def commissions(tx: Transaction, actor: Actor, filters: Filters) -> tuple[TieOut, TieOut]:
    """Tie commission lines to the legs that paid them, and their base to what left escrow; each order once.

    The legs are the agents' credits in the releases of the same orders, and of the same period where one is asked
    for. Raises Forbidden without the right to see commissions.
    """
    actor.must(Right.SEE_COMMISSIONS)
    where, args = queries.condition(actor, filters)
    within: str = "true"
    span: tuple[datetime, ...] = ()
    if filters.period:
        period = periods.read(filters.period)
        within, span = "e.happened_at >= %s and e.happened_at < %s", (period.starts_at, period.ends_at)
    sql = _BOOKED.format(where=where, within=within)
    lines, units, paid, orders, base, released = tx.rows(sql, (*args, *span))[0]
    seal = sealed_by(tx)
    return (
        TieOut("commissions", Money(units, USDT), Money(paid, USDT), lines, seal),
        TieOut("commission base", Money(base, USDT), Money(released, USDT), orders, seal),
    )


def completed(tx: Transaction, starts_at: datetime, ends_at: datetime) -> TieOut:
    """Tie the rollups' completed volume of whole hours to what left escrow in the ledger's releases.

    Orders that completed after the rollups last moved are in neither sum.
    """
    figure, rows = tx.rows(
        "select coalesce(sum(usdt_units), 0)::bigint, coalesce(sum(completed), 0)::bigint from rollup_hour"
        " where hour >= %s and hour < %s",
        (starts_at, ends_at),
    )[0]
    booked = tx.call(
        "select coalesce(-sum(l.units), 0)::bigint from journal_entry e join journal_leg l on l.entry_id ="
        " e.id"
        " where e.reason = 'escrow_release' and l.units < 0"
        "   and e.happened_at >= %s and e.happened_at < %s"
        "   and e.xid < (select done_to from watermark where name = 'rollup')",
        (starts_at, ends_at),
    )
    return TieOut("completed volume", Money(figure, USDT), Money(booked, USDT), rows, sealed_by(tx))
