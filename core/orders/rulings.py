"""What an officer's decision does to an order that was stopped or is in dispute: release it, or refund the customer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from core import ids
from core.actor import Actor, Right
from core.orders.ending import end
from core.orders.locking import after, locked
from core.orders.release import look, pay_out, stopped
from core.orders.states import Event, NextActor, RiskState, State

if TYPE_CHECKING:
    from core.db import Transaction
    from core.orders.now import OrderNow
    from core.risk import gates


def _close_hold(tx: Transaction, actor: Actor, order: OrderNow, outcome: str) -> None:
    tx.call(
        "select hold_close(%s, %s, %s, %s, %s)",
        (order.id, ids.new("jrn"), order.at, actor.name, outcome),
    )


class Judged(NamedTuple):
    """What gate G3 says to a release in the acceptor's place, and the order as the gate saw it.

    `flagged` says that an alert of the order is open.
    """

    order: OrderNow
    gate: gates.Gate
    flagged: bool

    @property
    def stops(self) -> bool:
        """Return whether the release waits for officers to decide alerts."""
        return self.gate.stops or self.flagged


def judged(ref: str, *, payer_name: str) -> Judged:
    """Ask gate G3 about releasing an order whose acceptor is silent; the payer's name is what the evidence shows."""
    seen = look(ref)
    return Judged(seen.order, seen.judged(payer_name=payer_name, ruled=True), seen.flagged)


def stop(tx: Transaction, actor: Actor, said: Judged, *, received: int) -> None:
    """Keep an order back as the gate says: alerts for officers, and with a hold the escrow moves to held.

    Raises Forbidden.
    """
    actor.must(Right.DECIDE_ALERT)
    tx.call("select order_stop(%s)", (json.dumps(stopped(actor, said.order, said.gate, received)),))


def release(tx: Transaction, actor: Actor, ref: str, *, reason: str, gate: gates.Gate | None = None) -> State:
    """Release a stopped order whose fiat the acceptor has confirmed; a hold on it ends first.

    With `gate`, the answer that let a disputed order pass, its evaluation is stored with the release.
    Returns the state afterwards: `completed`, or `paid_claimed` when the acceptor has not confirmed yet
    (then nothing but the hold and the flag have gone). Runs in the caller's transaction.
    """
    order = locked(tx, actor, Right.DECIDE_ALERT, ref)
    target = after(order, Event.CONFIRM, actor)
    _close_hold(tx, actor, order, "released")
    if order.received_units is None:
        change = {"risk_state": RiskState.CLEAR, "next_actor": NextActor.ACCEPTOR}
        tx.call("select order_change(%s, %s, %s)", (order.id, order.version, json.dumps(change)))
        return order.state
    facts = pay_out(
        actor,
        order,
        target,
        gate=gate,
        received=order.received_units,
        reason=reason,
        risk_state=RiskState.CLEAR if gate is None else None,
    )
    names = ", ".join(f"p_{fact} => %({fact})s" for fact in facts)
    tx.run(f"select order_release({names})", facts)
    return target


def refund(tx: Transaction, actor: Actor, ref: str, *, reason: str) -> State:
    """Refuse a stopped order: the acceptor gets its reserve back and returns the fiat. Returns `refunded`.

    Runs in the caller's transaction.
    """
    order = locked(tx, actor, Right.DECIDE_ALERT, ref)
    target = after(order, Event.REFUND, actor)
    _close_hold(tx, actor, order, "refused")
    end(
        tx,
        actor,
        order,
        Event.REFUND,
        target,
        reason=reason,
        fact="order_refunded",
        risk_state=RiskState.REFUSED,
    )
    return target


def refuse_opening(tx: Transaction, actor: Actor, ref: str, *, reason: str) -> State:
    """Call off an order that gate G1 flagged, before anybody says it is paid. Returns `cancelled`."""
    order = locked(tx, actor, Right.DECIDE_ALERT, ref)
    target = after(order, Event.CANCEL, actor)
    end(
        tx,
        actor,
        order,
        Event.CANCEL,
        target,
        reason=reason,
        fact="order_cancelled",
        risk_state=RiskState.REFUSED,
    )
    return target
