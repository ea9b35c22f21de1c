"""What an order's page shows beside the order: its fee's version, shares, legs and related orders, by who looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from core.actor import Right, Scope
from core.db import reading
from core.orders import queries
from core.pricing.quotes import read_lines

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.orders.queries import JournalRow, OrderView
    from core.pricing.quotes import QuoteLine

OTHERS = "others"
"""The account that stands for all that is none of a party's business."""


class Beside(NamedTuple):
    """Facts about an order that are not on its row. The counts are None for who may not see alerts.

    `lines` are its quote's: of the fee, and the acceptor's spread; none for an imported order.
    """

    schedule: str
    schedule_version: int | None
    lines: tuple[QuoteLine, ...]
    received_units: int | None
    customer_orders: int | None
    payer_orders: int | None
    payer_customers: int | None


_BESIDE = """
select coalesce(s.code, ''), s.version, coalesce(q.lines, '[]'), o.received_units, o.customer_id, o.payer_account_id
  from orders o left join fee_schedule s on s.id = o.fee_schedule_id left join quote q on q.id = o.quote_id
 where o.id = %s
"""
_PAYER = """
select count(distinct f.order_ref), count(distinct f.customer_id) from risk_fact f
 where f.payer_account_id = %s and f.order_ref <> ''
"""


def beside(actor: Actor, view: OrderView) -> Beside:
    """Return the facts beside an order that `queries.order` has let the actor see. Refuses with forbidden."""
    actor.must(Right.SEE_ORDERS)
    with reading() as tx:
        code, version, stored, received, customer, payer = tx.rows(_BESIDE, (view.id,))[0]
        lines = read_lines(stored)
        if not actor.may(Right.SEE_ALERTS):
            return Beside(code, version, lines, received, None, None, None)
        orders = tx.call("select count(*) from orders where customer_id = %s", (customer,))
        by_payer, customers = tx.rows(_PAYER, (payer,))[0] if payer is not None else (0, 0)
    return Beside(code, version, lines, received, orders, by_payer, customers)


def shares(actor: Actor, view: OrderView) -> list[dict[str, Any]]:
    """Return what agents earn of the order: all of it for the desk, an agent's own only, nothing for others."""
    if actor.scope is Scope.ALL:
        return view.split
    if actor.scope is Scope.AGENT:
        return [share for share in view.split if share["agent_id"] == actor.party_id]
    return []


class Entry(NamedTuple):
    """One journal entry of the order; its legs (account, units) sum to zero. `block` is its seal's, if sealed."""

    ref: str
    reason: str
    happened_at: datetime
    block: int | None
    legs: list[tuple[str, int]]


def entries(actor: Actor, view: OrderView) -> list[Entry]:
    """Return the order's journal entries, oldest first. Refuses with forbidden.

    A party sees its own accounts by name; the rest of each entry is one leg, `others`, so that it still balances.
    """
    told: dict[str, list[JournalRow]] = {}
    for row in queries.journal(actor, view):
        told.setdefault(row.entry_ref, []).append(row)
    mine = _own_account(actor, view)
    found = []
    for ref, rows in told.items():
        legs = [(row.account, row.units) for row in rows if mine is None or _is(row.account, mine)]
        rest = sum(row.units for row in rows) - sum(units for _, units in legs)
        if rest:
            legs.append((OTHERS, rest))
        if legs:
            first = rows[0]
            found.append(Entry(ref, first.reason, first.happened_at, first.block, legs))
    return found


def _own_account(actor: Actor, view: OrderView) -> str | None:
    """Return the account whose legs the actor sees, "" for none, None for all."""
    if actor.scope is Scope.ALL:
        return None
    if actor.scope is Scope.MERCHANT:
        return f"merchant:{view.merchant.code}"
    if actor.scope is Scope.ACCEPTOR and view.acceptor is not None:
        return f"acceptor:{view.acceptor.code}"
    return ""


def _is(account: str, own: str) -> bool:
    return own != "" and (account == own or account.startswith(f"{own}:"))
