"""Lists of orders: the row a list shows, the actor's own rows, and conditions that stay fast at any size."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core import clock
from core.actor import Scope
from core.db import Base, reading
from core.orders.scope import condition
from core.orders.tables import Order, Waiting
from core.parties import finding
from core.parties.tables import AgentClosure, Customer, Party, PayerAccount, Pool

if TYPE_CHECKING:
    from core.actor import Actor

NEAR_SECONDS: Final = 5 * 60
"""How close a deadline is when it is near."""

STAGES: Final = ("open", "mine", "near", "review")
"""Parts of the orders that wait: all, those whose move is the actor's, near their deadline, with compliance."""

_MOVES: Final = {Scope.ACCEPTOR: "acceptor", Scope.MERCHANT: "customer", Scope.ALL: "compliance"}
_SHORTEST: Final = 5
"""Fewer letters of a payment code name too many orders."""

_fact = sa.table("risk_fact", sa.column("order_ref"), sa.column("payer_account_id"))
_merchant, _acceptor, _agent = aliased(Party), aliased(Party), aliased(Party)

# Left joins on keys only: PostgreSQL leaves out those whose columns a count or a sum does not read.
_ROWS: Final = (
    sa.select(
        Order.id, Order.ref, Order.external_ref, Order.kind, Order.state, Order.risk_state, Order.dispute_state,
        Order.amount_state, Order.timeliness, Order.next_actor, Order.merchant_id, Order.acceptor_id, Order.agent_id,
        Order.customer_id, Order.pool_id, Order.payer_account_id, Order.currency, Order.fiat_units, Order.usdt_units,
        Order.fee_units, Order.pay_code, Order.payer_name, Order.source, Order.created_at, Order.matched_at,
        Order.claimed_at, Order.completed_at, Order.ended_at, Order.deadline_at,
        _merchant.code.label("merchant"), _merchant.ref.label("merchant_ref"),
        _acceptor.code.label("acceptor"), _acceptor.ref.label("acceptor_ref"), _agent.code.label("agent"),
        Customer.external_id.label("customer"), Customer.verified_name.label("customer_name"),
        Pool.code.label("pool"), PayerAccount.masked.label("payer_account"),
        sa.case((Order.ended_at.is_(None), "open"), else_="ended").label("stage"),
    )
    .outerjoin(_merchant, _merchant.id == Order.merchant_id)
    .outerjoin(_acceptor, _acceptor.id == Order.acceptor_id)
    .outerjoin(_agent, _agent.id == Order.agent_id)
    .outerjoin(Customer, Customer.id == Order.customer_id)
    .outerjoin(Pool, Pool.id == Order.pool_id)
    .outerjoin(PayerAccount, PayerAccount.id == Order.payer_account_id)
    .subquery("o")
)  # fmt: skip


class OrderRow(Base):
    """One order as lists show it, its parties by their codes; read only."""

    __table__ = _ROWS
    __mapper_args__: dict[str, Any] = {"primary_key": [_ROWS.c.ref]}  # noqa: RUF012 - as SQLAlchemy reads it


def own(actor: Actor) -> sa.ColumnElement[bool]:
    """Return which rows the actor may see; the same as `scope.condition`, for lists."""
    if actor.scope is Scope.ALL:
        return sa.true()
    if actor.party_id is None:
        return sa.false()
    if actor.scope is Scope.MERCHANT:
        return _ROWS.c.merchant_id == actor.party_id
    if actor.scope is Scope.ACCEPTOR:
        return _ROWS.c.acceptor_id == actor.party_id
    if actor.scope is Scope.AGENT:
        below = sa.select(AgentClosure.descendant_id).where(AgentClosure.ancestor_id == actor.party_id)
        return _ROWS.c.agent_id.in_(below)
    return sa.false()


def of_party(kind: str, code: str) -> sa.ColumnElement[bool]:
    """Return the clause "of the merchant, acceptor or (directly) agent with that code"."""
    number = sa.select(Party.id).where(Party.kind == kind, Party.code == code).scalar_subquery()
    column: sa.ColumnElement[int] = _ROWS.c[f"{kind}_id"]
    return column == number


def of_pool(code: str) -> sa.ColumnElement[bool]:
    """Return the clause "served by the pool with that code"."""
    return _ROWS.c.pool_id == sa.select(Pool.id).where(Pool.code == code).scalar_subquery()


def of_customer(external_id: str) -> sa.ColumnElement[bool]:
    """Return the clause "of the customer with that number at its merchant" (several merchants may have it)."""
    return _ROWS.c.customer_id.in_(sa.select(Customer.id).where(Customer.external_id == external_id))


def at_stage(actor: Actor, stage: str) -> sa.ColumnElement[bool]:
    """Return the clause of one of `STAGES`; it is answered from the few orders that wait."""
    waiting = sa.select(Waiting.order_id)
    if stage == "near":
        waiting = waiting.where(Waiting.deadline_at < clock.now() + timedelta(seconds=NEAR_SECONDS))
    clause = _ROWS.c.id.in_(waiting)
    if stage == "mine":
        return clause & (_ROWS.c.next_actor == _MOVES.get(actor.scope, ""))
    return clause & (_ROWS.c.next_actor == "compliance") if stage == "review" else clause


def open_only() -> sa.ColumnElement[bool]:
    """Return the clause "waits for somebody", to put beside a filter on states that all wait."""
    return _ROWS.c.id.in_(sa.select(Waiting.order_id))


def found(actor: Actor, words: str) -> sa.ColumnElement[bool]:
    """Return the clause of a search: the beginning of an order's or the merchant's number or the payment code.

    A customer's number at its merchant is found when whole; for who may reveal a payer's whole account number as well,
    and that look is written down.
    """
    upper = words.upper()
    code = upper.replace(" ", "").replace("-", "")
    number = sa.select(Order.id)
    customers = sa.select(Customer.id).where(Customer.external_id == words)
    # Each way of naming an order has its own index: looked up one by one, not in one condition with "or".
    ways = [number.where(_begins(Order.external_ref, words)), number.where(Order.customer_id.in_(customers))]
    if upper.startswith("ORD_"):
        ways.append(number.where(_begins(Order.ref, "ord_" + upper.removeprefix("ORD_"))))
    elif code.isalnum() and len(code) >= _SHORTEST:
        ways.append(number.where(_begins(Order.pay_code, code)))
    payer = finding.payer_account(actor, words)
    if payer is not None:
        seen = sa.select(_fact.c.order_ref).where(_fact.c.payer_account_id == payer)
        ways.append(number.where(Order.ref.in_(seen)))
    # As one array: the planner then looks the rows up by their numbers, however it guesses how many there are.
    return _ROWS.c.id == sa.any_(sa.func.array(sa.union_all(*ways).scalar_subquery()))


def _begins(column: Any, words: str) -> sa.ColumnElement[bool]:
    """Return the clause "begins with": a range, which any index of the column serves, then read letter by letter."""
    beyond = words + "\U0010ffff"
    return sa.and_(column >= words, column < beyond, column.startswith(words, autoescape=True))


def exact(actor: Actor, words: str) -> str | None:
    """Return the ref of the one order of the actor that is named whole, by its, the merchant's or its payment code."""
    where, args = condition(actor)
    with reading() as tx:
        rows = tx.rows(
            "select o.ref from orders o where (o.ref = %s or o.external_ref = %s or o.pay_code = %s)"  # noqa: S608 - our own condition
            f" and {where} limit 2",
            (words.lower()[:4] + words.upper()[4:], words, words.upper().replace(" ", ""), *args),
        )
    return rows[0][0] if len(rows) == 1 else None


_COUNT_OPEN: Final = "select count(*) from order_waiting w join orders o on o.id = w.order_id where "


def count_open(actor: Actor) -> int:
    """Return how many of the actor's orders wait for somebody."""
    where, args = condition(actor)
    with reading() as tx:
        found: int = tx.call(_COUNT_OPEN + where, args)
    return found
