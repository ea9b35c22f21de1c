"""How every step of an order begins: lock the row, ask whether the actor may, ask the life cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core import clock, ids
from core.errors import NotFound, sentence
from core.orders.now import LockedOrder
from core.orders.states import Event, State, step

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor, Right
    from core.db import Transaction
    from core.orders.now import OrderNow


def moment() -> datetime | None:
    """Return the controlled time, or None to let the database's own clock judge."""
    return clock.now() if clock.controlled() else None


def actor_facts(actor: Actor) -> dict[str, object]:
    """Return the actor as the steps store it in the journal and the audit trail."""
    return {"actor": actor.name, "role": actor.role, "user": actor.user_id, "trace": actor.trace_id}


def locked(tx: Transaction, actor: Actor, right: Right, ref: str) -> LockedOrder:
    """Lock an order for a step and return it.

    Refuses with `forbidden` without the right, and with `not_found` for no such order or another party's.
    """
    actor.must(right)
    row: dict[str, Any] | None = tx.call("select order_for_step(%s, %s)", (ids.check(ref, "ord"), moment()))
    if row is None or not actor.owns(merchant_id=row["merchant_id"], acceptor_id=row["acceptor_id"]):
        raise NotFound(sentence("there is no order %(ref)s among yours", ref=ref), ref=ref)
    return LockedOrder.read(
        row,
        ref,
        pool_id=row["pool_id"],
        attempts=row["attempts"],
        next_actor=row["next_actor"],
        received_units=row["received_units"],
        late=row["late"],
    )


def after(order: OrderNow, event: Event) -> State:
    """Return the state the order takes by `event`, else refuse with `wrong_state`."""
    return step(order.state, event)


def event_row(event: str, before: str | None, to: str | None, *, reason: str = "") -> dict[str, Any]:
    """Return one event as it is told, in the trail and so in the outbox."""
    return {"event": event, "from_state": before, "to_state": to, "reason": reason}


_BASE = (
    "ref", "version", "at", "usdt_units", "fiat_units", "customer_id", "merchant_id", "acceptor_id",
    "payer_account_id", "escrow_account_id", "pool_account_id", "matched_at",
)  # fmt: skip


def base(order: OrderNow, actor: Actor) -> dict[str, Any]:
    """Return the facts that every rarer step hands to its SQL function as JSON."""
    who = {"name": actor.name, "role": actor.role, "user_id": actor.user_id, "trace": actor.trace_id}
    return {"order_id": order.id, "actor": who, **{key: getattr(order, key) for key in _BASE}}
