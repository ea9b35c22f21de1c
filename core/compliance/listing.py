"""Lists of alerts: the row a list shows, which of them wait, and the alerts of one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core import approvals, clock
from core.actor import Right, Scope
from core.compliance import disputes
from core.compliance.tables import Alert, Hold
from core.db import Base, reading
from core.orders.listing import OrderRow
from core.orders.tables import Order
from core.parties.tables import Party, PayerAccount

if TYPE_CHECKING:
    from core.actor import Actor
    from core.approvals import Approval

STAGES: Final = ("waiting", "mine", "late", "second", "held", "closed")
"""Parts of the alerts: all that wait, those the actor took, past their time, for a second officer, with USDT held."""

_merchant, _acceptor = aliased(Party), aliased(Party)
_ROWS: Final = (
    sa.select(
        Alert.id, Alert.ref, Alert.order_id, Alert.gate, Alert.rule, Alert.verdict, Alert.score, Alert.state,
        Alert.disposition, Alert.outcome, Alert.reason, Alert.locked_by, Alert.locked_until, Alert.raised_at,
        Alert.due_at, Alert.closed_at, Alert.closed_by, Alert.narrative, Alert.proposed_by, Alert.proposed_at,
        Alert.confirmed_why,
        Order.ref.label("order_ref"), Order.state.label("order_state"), Order.risk_state, Order.currency,
        Order.fiat_units, Order.usdt_units, Order.payer_name, Order.merchant_id, Order.acceptor_id,
        _merchant.code.label("merchant"), _acceptor.code.label("acceptor"),
        sa.func.coalesce(PayerAccount.masked, "").label("payer_account"),
        sa.case((Alert.state == "closed", "closed"), else_="waiting").label("stage"),
    )
    .outerjoin(Order, Order.id == Alert.order_id)
    .outerjoin(_merchant, _merchant.id == Order.merchant_id)
    .outerjoin(_acceptor, _acceptor.id == Order.acceptor_id)
    .outerjoin(PayerAccount, PayerAccount.id == Order.payer_account_id)
    .subquery("a")
)  # fmt: skip


class AlertRow(Base):
    """One alert as lists show it, with its order; read only."""

    __table__ = _ROWS
    __mapper_args__: dict[str, Any] = {"primary_key": [_ROWS.c.ref]}  # noqa: RUF012 - as SQLAlchemy reads it


def own(actor: Actor) -> sa.ColumnElement[bool]:
    """Return which rows the actor may see: those with the right and all rows see all, others none."""
    return sa.true() if actor.scope is Scope.ALL and actor.may(Right.SEE_ALERTS) else sa.false()


def at_stage(actor: Actor, stage: str) -> sa.ColumnElement[bool]:
    """Return the clause of one of `STAGES`."""
    row, now = _ROWS.c, clock.now()
    if stage == "closed":
        return row.state == "closed"
    waits = row.state != "closed"
    if stage == "mine":
        return waits & (row.locked_by == actor.name) & (row.locked_until > now)
    if stage == "late":
        return waits & (row.due_at < now)
    if stage == "second":
        return row.state == "pending_second"
    if stage == "held":
        return waits & row.order_id.in_(sa.select(Hold.order_id).where(Hold.closed_at.is_(None)))
    return waits


def orders_held(_actor: Actor, _stage: str) -> sa.ColumnElement[bool]:
    """Return the clause "its USDT is held now" for a list of orders: each open hold is of one order."""
    return OrderRow.__table__.c.id.in_(sa.select(Hold.order_id).where(Hold.closed_at.is_(None)))


def found(words: str) -> sa.ColumnElement[bool]:
    """Return the clause of a search: the beginning of an alert's or its order's ref, or the merchant's number."""
    rest = words.upper()
    orders = sa.select(Order.id)
    named = orders.where(Order.external_ref == words)
    if rest.startswith("ORD_"):
        named = orders.where(Order.ref.startswith("ord_" + rest.removeprefix("ORD_"), autoescape=True))
    alert = _ROWS.c.ref.startswith("alr_" + rest.removeprefix("ALR_"), autoescape=True)
    return alert | _ROWS.c.order_id.in_(named)


class OrderAlert(NamedTuple):
    """One alert on an order's page."""

    ref: str
    gate: str
    rule: str
    verdict: str
    state: str
    disposition: str
    reason: dict[str, Any]


def of_order(actor: Actor, order_id: int) -> list[OrderAlert]:
    """Return the alerts of an order, those that wait first. Refuses with forbidden."""
    actor.must(Right.SEE_ALERTS)
    with reading() as tx:
        rows = tx.rows(
            "select ref, gate, rule, verdict, state, disposition, reason from alert where order_id = %s"
            " order by (state = 'closed'), id",
            (order_id,),
        )
    return [OrderAlert(*row) for row in rows]


def dispute_request(actor: Actor, order_ref: str) -> Approval | None:
    """Return the first officer's decision about a disputed order while it waits for a second.

    Refuses with forbidden.
    """
    actor.must(Right.SEE_ALERTS)
    with reading() as tx:
        return approvals.waiting(tx, disputes.KIND, order_ref)
