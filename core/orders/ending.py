"""The end of an order without a release: what was frozen returns to its acceptor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core import ids
from core.orders.locking import base, event_row
from core.orders.states import LIVE_ESCROW, NEXT_ACTOR, DisputeState, Event, RiskState, State

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction
    from core.orders.now import OrderNow


def end(
    tx: Transaction, actor: Actor, order: OrderNow, event: Event, target: State, *, reason: str, fact: str,
    risk_state: RiskState | None = None,
) -> None:  # fmt: skip
    """End a locked order without a release; the limits its dispatch took are given back too."""
    change: dict[str, object] = {
        "state": target,
        "next_actor": NEXT_ACTOR[target],
        "ended_at": order.at,
        "deadline_at": None,
        "risk_state": risk_state or order.risk_state,
    }
    if order.dispute_state == DisputeState.OPEN:
        change["dispute_state"] = DisputeState.DECIDED
    facts = base(order, actor) | {
        "change": change,
        "fact": fact,
        "event": event_row(event, order.state, target, reason=reason),
    }
    if order.state in LIVE_ESCROW:
        facts["entry"] = ids.new("jrn")
    tx.call("select order_end(%s)", (json.dumps(facts),))
