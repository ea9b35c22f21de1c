"""Tie-outs: a figure beside the ledger's own sum, the difference (which must be nothing), and the seal over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Right
from core.commissions import queries
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
    return head.words() if head else "nothing is sealed yet"


def commissions(tx: Transaction, actor: Actor, filters: Filters) -> TieOut:
    """Tie commission lines to the legs that paid them: the agents' credits in the releases of the same orders.

    Raises Forbidden without the right to see commissions.
    """
    actor.must(Right.SEE_COMMISSIONS)
    sums = queries.sums_in(tx, actor, filters)
    where, args = queries.condition(actor, filters)
    booked = tx.call(
        "select coalesce(sum(l.units), 0)::bigint"  # noqa: S608 - our own words
        "  from (select distinct c.order_id, a.id as account_id"
        "          from commission_line c join orders o on o.id = c.order_id join party g on g.id = c.agent_id"
        "          join party m on m.id = o.merchant_id"
        "          join ledger_account a on a.party_id = c.agent_id and a.asset = 'USDT'"
        f"        where {where}) x"
        "  join journal_entry e on e.order_id = x.order_id and e.reason = 'escrow_release'"
        "  join journal_leg l on l.entry_id = e.id and l.account_id = x.account_id",
        args,
    )
    return TieOut("commissions", Money(sums.units, USDT), Money(booked, USDT), sums.lines, sealed_by(tx))


def base(tx: Transaction, actor: Actor, filters: Filters) -> TieOut:
    """Tie the base of commission lines to what left escrow in the releases of their orders, each order once.

    Raises Forbidden without the right to see commissions.
    """
    actor.must(Right.SEE_COMMISSIONS)
    sums = queries.sums_in(tx, actor, filters)
    where, args = queries.condition(actor, filters)
    booked = tx.call(
        "select coalesce(-sum(l.units), 0)::bigint"  # noqa: S608 - our own words
        "  from (select distinct c.order_id from commission_line c join orders o on o.id = c.order_id"
        f"          join party g on g.id = c.agent_id join party m on m.id = o.merchant_id where {where}) x"
        "  join journal_entry e on e.order_id = x.order_id and e.reason = 'escrow_release'"
        "  join journal_leg l on l.entry_id = e.id and l.units < 0",
        args,
    )
    return TieOut("commission base", Money(sums.base_units, USDT), Money(booked, USDT), sums.orders, sealed_by(tx))


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
