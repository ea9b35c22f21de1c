"""Time passes: what is due is read from the orders themselves, so that no queue can lose it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from core.actor import Right, system
from core.db import reading, transaction
from core.errors import Refusal
from core.orders.ending import end
from core.orders.locking import after, base, event_row, locked, moment
from core.orders.states import DisputeState, Event, NextActor, State

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction
    from core.orders.now import LockedOrder

DISPUTE_SECONDS = 24 * 3600
"""How long the dispute desk has for an order whose acceptor is silent; then it is asked again."""

_EVENT = {
    State.CREATED: Event.GIVE_UP,
    State.MATCHING: Event.GIVE_UP,
    State.OFFERED: Event.EXPIRE,
    State.AWAITING_PAYMENT: Event.EXPIRE,
}


def due(limit: int = 500) -> list[str]:
    """Return the refs of waiting orders past their deadline, the oldest first."""
    with reading() as tx:
        rows = tx.rows(
            "select o.ref from order_waiting w join orders o on o.id = w.order_id"
            " where w.deadline_at < coalesce(%s, clock_timestamp()) order by w.deadline_at limit %s",
            (moment(), limit),
        )
    return [ref for (ref,) in rows]


def expire(ref: str) -> State:
    """Do what an order's passed deadline asks for; safe to run twice. Returns its state afterwards.

    Unpaid orders expire, unmatched ones end with no_liquidity; a claimed one whose acceptor is silent goes to
    the dispute desk, and its reserve stays frozen until somebody decides.
    """
    actor = system("deadlines")
    with transaction() as tx:
        order = locked(tx, actor, Right.CANCEL_ORDER, ref)
        state = order.state
        if not order.late:
            return state
        if state is State.PAID_CLAIMED:
            _to_dispute_desk(tx, actor, order)
            return state
        event = _EVENT[state]
        target = after(order, event)
        fact = "order_expired" if event is Event.EXPIRE else "order_unmatched"
        end(tx, actor, order, event, target, reason="deadline passed", fact=fact)
    return target


def _to_dispute_desk(tx: Transaction, actor: Actor, order: LockedOrder) -> None:
    """Hand a claimed order over; one that compliance has already is asked for again."""
    stopped = order.next_actor == NextActor.COMPLIANCE
    change = {
        "deadline_at": (order.moment + timedelta(seconds=DISPUTE_SECONDS)).isoformat(),
        "next_actor": NextActor.COMPLIANCE,
        "dispute_state": order.dispute_state if stopped else DisputeState.OPEN,
    }
    tx.call("select order_change(%s, %s, %s)", (order.id, order.version, json.dumps(change)))
    if not stopped:
        facts = base(order, actor)
        tx.run(
            "insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id,"
            " payer_account_id, usdt_units) values ('order_disputed', %(at)s, %(at)s, %(ref)s, %(customer_id)s,"
            " %(merchant_id)s, %(acceptor_id)s, %(payer_account_id)s, %(usdt_units)s)",
            facts,
        )
    tx.call(
        "select order_tell_from(%s, %s, %s, %s)",
        (
            order.id,
            json.dumps(base(order, actor)),
            order.at,
            json.dumps(event_row("remind" if stopped else "dispute", order.state, None, reason="deadline passed")),
        ),
    )


def expire_due(limit: int = 500) -> int:
    """Expire what is due; return how many orders were looked at. One that somebody else moves is left for later."""
    refs = due(limit)
    for ref in refs:
        try:
            expire(ref)
        except Refusal:
            continue
    return len(refs)
