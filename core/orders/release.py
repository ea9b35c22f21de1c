"""A deposit's second half: the acceptor has the fiat, gate G3 looks, the escrow is paid out unless an alert is open."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from core import ids
from core.actor import Actor, Right
from core.errors import AmountDiffers, BadInput, Changed, NotFound, UnderReview, sentence
from core.orders import escrow
from core.orders.input import text
from core.orders.locking import actor_facts, after, event_row, moment
from core.orders.now import OrderNow
from core.orders.states import NEXT_ACTOR, AmountState, DisputeState, Event, NextActor, RiskState, State
from core.risk import gates
from core.steps import once
from core.steps import step as call

if TYPE_CHECKING:
    from core.money import Money
    from core.steps import Row

_LOOKS = 3
"""How often a confirmation looks at the order again when it changed under its hands."""

SAME_ORDER = "order_is_the_same"
"""What the database calls its refusal of a step whose order is not the one any more that was looked at."""

REVIEW_SECONDS = 24 * 3600
"""How long compliance has for an order it stopped."""


class Look(NamedTuple):
    """An order as it is now, without a lock, and what gate G3 asks about it."""

    order: OrderNow
    row: Row

    @property
    def flagged(self) -> bool:
        """Return whether an officer has yet to decide an alert that some gate raised on it."""
        return bool(self.row["open_alerts"])

    @property
    def confirmed(self) -> bool:
        """Return whether it is known what came in: by the acceptor's confirmation, or by the officers' ruling."""
        return self.row["received_units"] is not None

    def judged(self, *, payer_name: str, ruled: bool = False) -> gates.Gate:
        """Return what gate G3 says to its release, with the payer's name as the bank line bears it."""
        return gates.release(self.row, payer_name=payer_name, ruled=ruled)


def confirm(actor: Actor, ref: str, *, received: Money, payer_name: str) -> State:
    """The acceptor has the fiat: release the escrow, take the fee, book the commissions.

    `payer_name` is the name that the acceptor reads on its bank line: what the customer declared never stands in
    for it, so that gate G3 compares what came with who is known.

    Returns `completed`, or `paid_claimed` when the release waits for an officer: gate G3 stopped it, or an alert of
    gate G1 is still open.
    Refuses with wrong_state, amount_differs, under_review, not_found or bad_input.
    """
    seen_name = text(payer_name, "payer.name")
    for _ in range(_LOOKS - 1):
        try:
            return _confirm(actor, ref, received, seen_name)
        except Changed as changed:
            # Somebody was quicker: look again, so that the answer names the state the order is in now. Who waited for
            # a lock in vain has spent the time that an answer may take.
            if changed.facts.get("constraint") != SAME_ORDER:
                raise
    return _confirm(actor, ref, received, seen_name)


def _confirm(actor: Actor, ref: str, received: Money, seen_name: str) -> State:
    actor.must(Right.CONFIRM_RECEIPT)
    seen = look(ref)
    order = seen.order
    if not actor.owns(acceptor_id=order.acceptor_id):
        raise NotFound(sentence("there is no order %(ref)s among yours", ref=ref), ref=ref)
    target = after(order, Event.CONFIRM, actor)
    _must_be_free(seen)
    _must_be_what_is_due(order, received)
    gate = seen.judged(payer_name=seen_name)
    if gate.stops or seen.flagged:
        once("select order_stop(%s)", (json.dumps(stopped(actor, order, gate, received.units)),))
        return order.state
    call("order_release", pay_out(actor, order, target, gate=gate, received=received.units))
    return target


def look(ref: str) -> Look:
    """Return the order as it is now: what follows is guarded by its version. Refuses with not_found."""
    row = call("order_release_look", {"ref": ids.check(ref, "ord"), "at": moment()})
    if row is None:
        raise NotFound(sentence("there is no order %(ref)s among yours", ref=ref), ref=ref)
    return Look(OrderNow.read(row, ref), row)


def _must_be_free(seen: Look) -> None:
    order = seen.order
    stopped_before = order.risk_state == RiskState.HELD or (seen.flagged and seen.confirmed)
    if stopped_before or order.dispute_state == DisputeState.OPEN:
        raise UnderReview(sentence("this order is under review; nothing is needed from you"), ref=order.ref)


def _must_be_what_is_due(order: OrderNow, received: Money) -> None:
    if received.asset.code != order.currency:
        raise BadInput(
            sentence("this order is in %(currency)s, not %(code)s", currency=order.currency, code=received.asset.code),
            currency=order.currency,
        )
    if received.units != order.fiat_units:
        due = type(received)(order.fiat_units, received.asset)
        raise AmountDiffers(
            sentence(
                "%(due)s is due, not %(received)s; confirm only the whole amount, else say what came",
                due=due,
                received=received,
            ),
            due=due.text(),
            received=received.text(),
        )


def pay_out(
    actor: Actor, order: OrderNow, target: State, *, gate: gates.Gate | None,
    received: int, reason: str = "", risk_state: RiskState | None = None,
) -> dict[str, object]:  # fmt: skip
    """Return what `order_release` needs to pay an order out: one entry, the commission lines, the end."""
    shares = order.split
    legs = escrow.release(
        escrow_account=order.escrow_account_id,
        merchant_account=order.merchant_account_id,
        usdt_units=order.usdt_units,
        fee_units=order.fee_units,
        shares=shares,
    )
    state = risk_state or (gate.risk_state if gate is not None and gate.risk_state != "clear" else order.risk_state)
    no_gate = dict.fromkeys(("gate", "ruleset", "verdict", "score", "features", "reasons", "alerts"))
    return {
        "at": order.at,
        "order": order.id,
        "version": order.version,
        "ref": order.ref,
        "from": order.state,
        "to": target,
        "next": NEXT_ACTOR[target],
        "received": received,
        "risk_state": state,
        "customer": order.customer_id,
        "merchant": order.merchant_id,
        "acceptor": order.acceptor_id,
        "payer": order.payer_account_id,
        "usdt": order.usdt_units,
        "pool_account": order.pool_account_id,
        "seconds": order.claimed_seconds_ago,
        "entry": ids.new("jrn"),
        "accounts": legs.accounts,
        "pockets": legs.pockets,
        "units": legs.units,
        "line_refs": [ids.new("com") for _ in shares],
        **(no_gate if gate is None else gate.facts()),
        "reason": reason,
        **actor_facts(actor),
    }


def stopped(actor: Actor, order: OrderNow, gate: gates.Gate, received: int) -> dict[str, Any]:
    """Return what keeps a confirmed order back: alerts for an officer, and with a hold the escrow moves to held.

    Where gate G3 itself lets it pass, it is an alert of gate G1 that nobody has decided yet.
    """
    told = gate.facts()
    facts = {
        "order_id": order.id,
        "actor": {"name": actor.name, "role": actor.role, "user_id": actor.user_id, "trace": actor.trace_id},
        **{key: getattr(order, key) for key in ("version", "at", "usdt_units", "acceptor_id", "escrow_account_id")},
        "ref": order.ref,
        "change": {
            "risk_state": gate.risk_state if gate.stops else RiskState.FLAGGED,
            "next_actor": NextActor.COMPLIANCE,
            "received_units": received,
            "amount_state": AmountState.EXACT,
            "deadline_at": (order.moment + timedelta(seconds=REVIEW_SECONDS)).isoformat(),
        },
        "gate": {
            **told,
            "ruleset_id": told["ruleset"],
            **{name: json.loads(str(told[name] or "null")) for name in ("features", "reasons", "alerts")},
        },
        "event": event_row("stop", order.state, None, reason="gate G3" if gate.stops else "gate G1"),
    }
    if gate.holds:
        facts |= {"hold": ids.new("hld"), "entry": ids.new("jrn")}
    return facts
