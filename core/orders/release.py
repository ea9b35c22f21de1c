"""A deposit's second half: the acceptor has the fiat, gate G3 looks, the escrow is paid out."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core import ids
from core.actor import Actor, Right
from core.db import transaction
from core.errors import AmountDiffers, BadInput, UnderReview
from core.orders import escrow
from core.orders.deposit import text
from core.orders.locking import after, base, event_row, locked
from core.orders.states import NEXT_ACTOR, DisputeState, Event, NextActor, RiskState, State
from core.risk import gates

if TYPE_CHECKING:
    from core.db import Transaction
    from core.money import Money

REVIEW_SECONDS = 24 * 3600
"""How long compliance has for an order it stopped."""


def confirm(actor: Actor, ref: str, *, received: Money, payer_name: str = "") -> State:
    """The acceptor has the fiat: release the escrow, take the fee, book the commissions.

    Returns `completed`, or `paid_claimed` when gate G3 stopped the release for a person to look at.
    Refuses with wrong_state, amount_differs, under_review, not_found or bad_input.
    """
    seen_name = text(payer_name, "payer.name") if payer_name else ""
    with transaction() as tx:
        order = locked(tx, actor, Right.CONFIRM_RECEIPT, ref, gate=True)
        target = after(order, Event.CONFIRM)
        _must_be_free(order)
        _must_be_what_is_due(order, received)
        gate = gates.release(tx, order, payer_name=seen_name or order["payer_name"])
        if gate.stops:
            _stop(tx, actor, order, gate, received)
            return State(order["state"])
        pay_out(tx, actor, order, target, gate=gate, received=received.units)
    return target


def _must_be_free(order: dict[str, Any]) -> None:
    stopped = order["risk_state"] == RiskState.HELD or order["open_alerts"] > 0
    if stopped or order["dispute_state"] == DisputeState.OPEN:
        raise UnderReview("this order is under review; nothing is needed from you", ref=order["ref"])


def _must_be_what_is_due(order: dict[str, Any], received: Money) -> None:
    if received.asset.code != order["currency"]:
        raise BadInput(f"this order is in {order['currency']}, not {received.asset.code}", currency=order["currency"])
    if received.units != order["fiat_units"]:
        due = type(received)(order["fiat_units"], received.asset)
        raise AmountDiffers(
            f"{due.show()} is due, not {received.show()}; confirm only the whole amount, else open a dispute",
            due=due.text(),
            received=received.text(),
        )


def pay_out(
    tx: Transaction, actor: Actor, order: dict[str, Any], target: State, *, gate: gates.Gate | None,
    received: int, reason: str = "", risk_state: RiskState | None = None,
) -> None:  # fmt: skip
    """Release a locked order (locked with its gate's facts): one entry, the commission lines, the end."""
    legs = escrow.release(order)
    lines = [{"ref": ids.new("com"), **share} for share in order["split"] if share["units"] > 0]
    facts = base(order, actor) | {
        "change": {
            "state": target,
            "next_actor": NEXT_ACTOR[target],
            "received_units": received,
            "completed_at": order["at"],
            "ended_at": order["at"],
            "deadline_at": None,
            "risk_state": risk_state or order["risk_state"],
        },
        "entry": ids.new("jrn"),
        "accounts": legs.accounts,
        "pockets": legs.pockets,
        "units": legs.units,
        "lines": lines,
        "settle_seconds": order["claimed_seconds_ago"],
        "events": [event_row(Event.CONFIRM, order["state"], target, reason=reason)],
    }
    if gate is not None:
        facts["gate"] = gate.facts()
    tx.call("select order_release(%s)", (json.dumps(facts),))


def _stop(tx: Transaction, actor: Actor, order: dict[str, Any], gate: gates.Gate, received: Money) -> None:
    """Keep a confirmed order back: an alert for an officer, and with a hold the escrow moves to held."""
    at = datetime.fromisoformat(order["at"])
    facts = base(order, actor) | {
        "change": {
            "risk_state": gate.risk_state,
            "next_actor": NextActor.COMPLIANCE,
            "received_units": received.units,
            "deadline_at": (at + timedelta(seconds=REVIEW_SECONDS)).isoformat(),
        },
        "gate": gate.facts(),
        "events": [event_row("stop", order["state"], None, reason="gate G3")],
    }
    if gate.holds:
        facts |= {"hold": ids.new("hld"), "entry": ids.new("jrn")}
    tx.call("select order_stop(%s)", (json.dumps(facts),))
