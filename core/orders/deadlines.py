"""Time passes: what is due is read from the orders themselves, so that no queue can lose it."""

from __future__ import annotations

from core.actor import Right, system
from core.db import reading, transaction
from core.errors import Refusal
from core.orders.disputing import hand_over
from core.orders.ending import end
from core.orders.locking import after, locked, moment
from core.orders.states import Event, State

_EVENT = {
    State.CREATED: Event.GIVE_UP,
    State.MATCHING: Event.GIVE_UP,
    State.OFFERED: Event.EXPIRE,
    State.AWAITING_PAYMENT: Event.EXPIRE,
}


def due(limit: int = 500) -> list[str]:
    """Return the refs of waiting orders past their deadline, the oldest first.

    The sweep's own table may still name an earlier deadline: a claim moves only the order's.
    """
    with reading() as tx:
        rows = tx.rows(
            "select o.ref from order_waiting w join orders o on o.id = w.order_id"
            " where w.deadline_at < coalesce(%s, clock_timestamp()) and o.deadline_at < coalesce(%s, clock_timestamp())"
            " order by o.deadline_at limit %s",
            (moment(), moment(), limit),
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
            hand_over(tx, actor, order, reason="deadline passed")
            return state
        event = _EVENT[state]
        target = after(order, event, actor)
        fact = "order_expired" if event is Event.EXPIRE else "order_unmatched"
        end(tx, actor, order, event, target, reason="deadline passed", fact=fact)
    return target


def expire_due(limit: int = 500) -> int:
    """Expire what is due; return how many orders were looked at. One that somebody else moves is left for later."""
    refs = due(limit)
    for ref in refs:
        try:
            expire(ref)
        except Refusal:
            continue
    return len(refs)
