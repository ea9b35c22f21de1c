"""Lists of orders: the row a list shows, the actor's own rows, and conditions that stay fast at any size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core import clock, ids
from core.actor import Scope
from core.db import Base, reading
from core.orders import reference
from core.orders.scope import condition, sees_customers
from core.orders.states import WAITING
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

APART: Final = frozenset({"cancelled", "expired", "no_liquidity", "refused", "refunded", "reversed"})
"""Ends that few orders come to; the column `apart` holds them and nothing else, and has an index of its own."""
_FIRST: Final = datetime(1971, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)
_OFF: Final = timedelta(days=1)
"""So far the time in a reference may lie from `created_at`, were the clock that made it ever so wrong."""
_TIMED: Final = len("ord_") + 9
"""So many characters of a reference tell the time."""
_MOST: Final = 10_000
"""A search that names so many orders reads all, newest first, until the page is full."""

_fact = sa.table("risk_fact", sa.column("order_ref"), sa.column("payer_account_id"))
_merchant, _acceptor, _agent = aliased(Party), aliased(Party), aliased(Party)

# Left joins on keys only: PostgreSQL leaves out those whose columns a count or a sum does not read.
_ROWS: Final = (
    sa.select(
        Order.id, Order.ref, Order.external_ref, Order.kind, Order.state, Order.apart, Order.risk_state,
        Order.dispute_state, Order.amount_state, Order.timeliness, Order.next_actor, Order.merchant_id,
        Order.acceptor_id, Order.agent_id, Order.customer_id, Order.pool_id,
        Order.payer_account_id, Order.currency, Order.fiat_units, Order.usdt_units,
        # Of an order that ended otherwise than paid out nobody pays a fee, and its merchant receives nothing.
        sa.case((Order.apart.is_(None), Order.fee_units)).label("fee_units"),
        sa.case((Order.apart.is_(None), Order.usdt_units - Order.fee_units)).label("net_units"),
        Order.pay_code, Order.payer_name, Order.source, Order.created_at, Order.matched_at,
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
        # Their numbers, not the question for them: whether to read a few agents' orders or all, newest first, the
        # planner can tell only from how many orders these agents have.
        below = sa.select(AgentClosure.descendant_id).where(AgentClosure.ancestor_id == actor.party_id)
        with reading() as tx:
            agents = tx.connection.execute(below).scalars().all()
        return _ROWS.c.agent_id.in_(agents)
    return sa.false()


def in_states(chosen: list[str]) -> sa.ColumnElement[bool]:
    """Return the clause "in one of these states"; rare ends and what waits are looked up, not looked for."""
    if set(chosen) <= APART:
        return _ROWS.c.apart.in_(chosen)
    clause = _ROWS.c.state.in_(chosen)
    return clause & open_only() if set(chosen) <= set(map(str, WAITING)) else clause


def born(first: datetime | None, beyond: datetime | None) -> sa.ColumnElement[bool]:
    """Return the clause "created from `first` on, before `beyond`"; references sort by time and narrow the rows."""
    parts: list[sa.ColumnElement[bool]] = []
    if first is not None:
        parts += [_ROWS.c.created_at >= first, _ROWS.c.ref >= _at(first, -_OFF)]
    if beyond is not None:
        parts += [_ROWS.c.created_at < beyond, _ROWS.c.ref < _at(beyond, _OFF)]
    return sa.and_(*parts)


def _at(moment: datetime, off: timedelta) -> str:
    """Return where the references of about that moment begin."""
    return ids.new("ord", min(max(moment, _FIRST), _LAST) + off)[:_TIMED]


def of_pool(code: str) -> sa.ColumnElement[bool]:
    """Return the clause "served by the pool with that code"."""
    return _ROWS.c.pool_id == sa.select(Pool.id).where(Pool.code == code).scalar_subquery()


def of_customer(external_id: str) -> sa.ColumnElement[bool]:
    """Return the clause "of the customer with that number at its merchant" (several merchants may have it)."""
    return _ROWS.c.customer_id.in_(sa.select(Customer.id).where(Customer.external_id == external_id))


def of_payer(ref: str) -> sa.ColumnElement[bool]:
    """Return the clause "the payer's account with that reference was declared or claimed for it"."""
    payer = sa.select(PayerAccount.id).where(PayerAccount.ref == ref).scalar_subquery()
    told = sa.select(Order.id).join(_fact, _fact.c.order_ref == Order.ref).where(_fact.c.payer_account_id == payer)
    # As one array, like a search: the planner looks the rows up by their numbers.
    return _ROWS.c.id == sa.any_(sa.func.array(told.scalar_subquery()))


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
    """Return the clause of a search: the beginning of an order's or the merchant's number, or the whole payment code.

    A customer's number at its merchant is found when whole; for who may reveal a payer's whole account number as well,
    and that look is written down. Who may not know the customers finds by the numbers of orders alone.
    """
    payer = finding.payer_account(actor, words)  # once: that look is written down
    whole = sees_customers(actor)
    looked_up = [sa.select(Order.id).where(way) for way in _ways(Order, words, payer, whole=whole)]
    enough = [
        sa.select(sa.func.count()).select_from(way.limit(_MOST).subquery()).scalar_subquery() for way in looked_up
    ]
    with reading() as tx:
        named = tx.connection.execute(sa.select(*enough)).one()
    if max(named) == _MOST:  # so many that they lie everywhere: met on the way through all, newest first
        return sa.or_(*_ways(_ROWS.c, words, payer, whole=whole))
    # As one array: the planner then looks the rows up by their numbers, however it guesses how many there are.
    return _ROWS.c.id == sa.any_(sa.func.array(sa.union_all(*looked_up).scalar_subquery()))


def _ways(of: Any, words: str, payer: int | None, *, whole: bool) -> list[sa.ColumnElement[bool]]:
    """Return the ways these words may name an order. Each has its own index: looked up one by one, not with "or"."""
    upper = words.upper()
    code = upper.replace(" ", "").replace("-", "")
    customers = sa.select(Customer.id).where(Customer.external_id == words)
    ways = [_begins(of.external_ref, words)]
    if whole:
        ways.append(of.customer_id.in_(customers))
    if upper.startswith("ORD_"):
        ways.append(_begins(of.ref, "ord_" + upper.removeprefix("ORD_")))
    elif whole and reference.shaped(code):
        ways.append(of.pay_code == code)
    if payer is not None:
        ways.append(of.ref.in_(sa.select(_fact.c.order_ref).where(_fact.c.payer_account_id == payer)))
    return ways


def _begins(column: Any, words: str) -> sa.ColumnElement[bool]:
    """Return the clause "begins with": a range, which any index of the column serves, then read letter by letter."""
    beyond = words + "\U0010ffff"
    return sa.and_(column >= words, column < beyond, column.startswith(words, autoescape=True))


def exact(actor: Actor, words: str) -> str | None:
    """Return the ref of the one order of the actor that is named whole, by its, the merchant's or its payment code."""
    where, args = condition(actor)
    code = words.upper().replace(" ", "")
    paid = sees_customers(actor) and reference.shaped(code)
    with reading() as tx:
        rows = tx.rows(
            "select o.ref from orders o where (o.ref = %s or o.external_ref = %s"  # noqa: S608 - our own condition
            f"{' or o.pay_code = %s' if paid else ''}) and {where} limit 2",
            (words.lower()[:4] + words.upper()[4:], words, *((code,) if paid else ()), *args),
        )
    return rows[0][0] if len(rows) == 1 else None


_COUNT_OPEN: Final = "select count(*) from order_waiting w join orders o on o.id = w.order_id where "


def count_open(actor: Actor) -> int:
    """Return how many of the actor's orders wait for somebody."""
    where, args = condition(actor)
    with reading() as tx:
        found: int = tx.call(_COUNT_OPEN + where, args)
    return found
