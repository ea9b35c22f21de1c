"""How every step of an order begins: lock the row, ask whether the actor may, ask the life cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core import clock, ids
from core.actor import Right
from core.errors import NotFound, Sentence, WrongState, sentence
from core.orders.now import LockedOrder
from core.orders.states import EVENT_WORDS, DisputeState, Event, NextActor, RiskState, State, allowed, next_actor, step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction
    from core.orders.now import OrderNow


_RIGHTS: Final[Mapping[Event, tuple[Right, ...]]] = {
    Event.CLAIM_PAID: (Right.CLAIM_PAID,),
    Event.CONFIRM: (Right.CONFIRM_RECEIPT, Right.DECIDE_ALERT),
    Event.CANCEL: (Right.CANCEL_ORDER, Right.DECIDE_ALERT),
    Event.REFUND: (Right.DECIDE_ALERT,),
}
"""Whose step each event is; all others are the desk's own."""
_WAITS: Final[Mapping[State, Sentence]] = {
    State.CREATED: sentence("an acceptor is being looked for"),
    State.MATCHING: sentence("an acceptor is being looked for"),
    State.OFFERED: sentence("it waits for the acceptor to take it"),
    State.AWAITING_PAYMENT: sentence("it waits for the customer to pay and to say so"),
    State.PAID_CLAIMED: sentence("it waits for the acceptor to confirm the receipt"),
}


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
        deadline_at=row["deadline_at"],
        late=row["late"],
    )


def after(order: OrderNow, event: Event, actor: Actor) -> State:
    """Return the state the order takes by `event`, else refuse with `wrong_state` as `taken` does."""
    return taken(actor, order.state, event, RiskState(order.risk_state), DisputeState(order.dispute_state))


def taken(
    actor: Actor,
    state: State,
    event: Event,
    risk: RiskState = RiskState.CLEAR,
    dispute: DisputeState = DisputeState.NONE,
) -> State:
    """Return the state after `event`, else refuse with `wrong_state`.

    The refusal names the steps that the actor's own rights allow; where there is none, what the order waits for.
    """
    try:
        return step(state, event)
    except WrongState:
        if actor.role == "system":
            raise
        mover = next_actor(state, risk, dispute)
    reviewed = mover is NextActor.COMPLIANCE
    can = [each for each in allowed(state) if _may(actor, each, reviewed=reviewed)]
    told: dict[str, Any] = {"state": str(state), "event": EVENT_WORDS[event]}
    said = sentence(
        "the order is %(state)s: %(event)s is not possible now; possible: %(can)s",
        **told, can=[EVENT_WORDS[each] for each in can],
    ) if can else sentence(
        "the order is %(state)s: %(event)s is not possible now; %(waits)s",
        **told, waits=sentence("it is under review") if reviewed else _WAITS.get(state, sentence("it has ended")),
    )  # fmt: skip
    facts = {"state": str(state), "event": str(event), "allowed": [str(each) for each in can]}
    raise WrongState(said, **facts, next_actor=str(mover))


def _may(actor: Actor, event: Event, *, reviewed: bool) -> bool:
    """Return whether the actor may ever take a step: an order under review is moved by officers alone."""
    rights = {Right.DECIDE_ALERT} if reviewed else actor.rights
    return any(right in rights and actor.may(right) for right in _RIGHTS.get(event, ()))


def event_row(
    event: str, before: str | None, to: str | None, *, reason: str = "", payload: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return one event as it is told, in the trail and so in the outbox."""
    return {"event": event, "from_state": before, "to_state": to, "reason": reason, "payload": payload}


_BASE = (
    "ref", "version", "at", "usdt_units", "fiat_units", "customer_id", "merchant_id", "acceptor_id",
    "payer_account_id", "escrow_account_id", "pool_account_id", "matched_at",
)  # fmt: skip


def base(order: OrderNow, actor: Actor) -> dict[str, Any]:
    """Return the facts that every rarer step hands to its SQL function as JSON."""
    who = {"name": actor.name, "role": actor.role, "user_id": actor.user_id, "trace": actor.trace_id}
    return {"order_id": order.id, "actor": who, **{key: getattr(order, key) for key in _BASE}}
