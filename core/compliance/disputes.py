"""Deciding an order in dispute: one officer decides, another agrees, then it is paid out or given back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import approvals, audit, ids, outbox
from core.actor import Right
from core.compliance import choices
from core.db import transaction
from core.errors import AlreadyDone, AmountDiffers, BadInput, NotFound, UnderReview, WrongState, sentence
from core.money import Money, fiat
from core.orders import rulings
from core.orders.input import text
from core.orders.states import AmountState, DisputeState, State

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

KIND: Final = "dispute_decision"
"""What a first officer's decision about a disputed order is called among the requests."""

_ORDER = (
    "select id, ref, version, state, dispute_state, currency, fiat_units, received_units from orders"
    " where ref = %s for no key update"
)
_STOPPED = (
    "select ref from alert where order_id = %s and state <> 'closed' and verdict <> 'allow'"
    " order by gate desc, id limit 1"
)


class Ruling(NamedTuple):
    """What became of a disputed order: `request` waits for a second officer until `decided`.

    `alert` is the first of those that keep the release back ("" else): then two officers decide that.
    """

    order_ref: str
    order_state: str
    request: str
    decided: bool
    alert: str = ""


class _Order(NamedTuple):
    id: int
    ref: str
    version: int
    state: str
    dispute_state: str
    currency: str
    fiat_units: int
    received_units: int | None


def decide(
    actor: Actor, order_ref: str, outcome: str, narrative: str, *, received: Money | None = None, payer_name: str = ""
) -> Ruling:
    """Say how a disputed order ends: `release` to the merchant or `refuse`; another officer must agree (`second`).

    A release stands in for the acceptor's confirmation, so it asks for the same: `received`, what came in on the
    acceptor's bank account by the evidence (all of what is due), and `payer_name`, the name on that bank line. Gate
    G3 looks as it always does; what it stops, or an open alert keeps, goes on as alerts that two officers decide.
    Refuses with forbidden, not_found, bad_input, amount_differs, wrong_state when there is no dispute, under_review
    while an alert keeps the order, and already_done while a decision waits for the second officer.
    """
    actor.must(Right.DECIDE_ALERT)
    if outcome not in {choices.RELEASE, choices.REFUSE}:
        raise BadInput(sentence("a dispute ends with release or refuse"), field="outcome", outcome=outcome[:20])
    said = choices.narrated(narrative)
    with transaction() as tx:
        order = _locked(tx, order_ref)
        payload: dict[str, Any] = {"outcome": outcome, "narrative": said}
        if outcome == choices.RELEASE:
            payload |= {"received_units": _received(order, received), "payer_name": text(payer_name, "payer.name")}
            said_by_gate = rulings.judged(order_ref, payer_name=payload["payer_name"])
            if said_by_gate.stops:
                return _stop(tx, actor, order, said_by_gate, payload)
        request = approvals.request(tx, actor, KIND, order_ref, payload, said)
        details = {"outcome": outcome, "request": request}
        audit.write(tx, actor, "dispute.decide", order_ref, reason=said, details=details, order_id=order.id)
    return Ruling(order_ref, order.state, request, decided=False)


def second(actor: Actor, order_ref: str, approve: bool, why: str) -> Ruling:  # noqa: FBT001 - yes or no
    """Agree to or turn down what another officer decided about a disputed order; return what that did.

    Agreed: the dispute is decided and the order ends, in one transaction. Turned down: the dispute stays open. A
    release that gate G3 would stop by now is refused with under_review: what is known has changed since.
    Refuses with forbidden (fact `rule` = `four_eyes` for the one who decided first), not_found, bad_input without a
    reason, and wrong_state when nothing waits.
    """
    actor.must(Right.DECIDE_ALERT)
    with transaction() as tx:
        order = _locked(tx, order_ref)
        waiting = approvals.waiting(tx, KIND, order_ref)
        if waiting is None:
            raise WrongState(
                sentence("no decision about %(order_ref)s waits for a second officer", order_ref=order_ref),
                ref=order_ref,
            )
        decided = approvals.decide(tx, actor, waiting.ref, approve, why)
        verb = "agree" if approve else "turn_down"
        audit.write(
            tx, actor, f"dispute.{verb}", order_ref, reason=decided.decided_why, details={"request": waiting.ref},
            order_id=order.id,
        )  # fmt: skip
        if not approve:
            return Ruling(order_ref, order.state, waiting.ref, decided=False)
        state = _carry_out(tx, actor, order, waiting.payload)
        outbox.tell(tx, "dispute.decided", order_ref, payload={"outcome": waiting.payload["outcome"]})
    return Ruling(order_ref, state, waiting.ref, decided=True)


def _stop(tx: Transaction, actor: Actor, order: _Order, said: rulings.Judged, payload: dict[str, Any]) -> Ruling:
    """Let the gate have its say: the order is kept back, and its alerts are decided by two officers."""
    if approvals.waiting(tx, KIND, order.ref) is not None:
        raise AlreadyDone(
            sentence("a request for this is waiting for a decision already"), kind=KIND, subject=order.ref
        )
    rulings.stop(tx, actor, said, received=payload["received_units"])
    alert: str = tx.call(_STOPPED, (order.id,))
    audit.write(
        tx, actor, "dispute.stop", order.ref, reason=payload["narrative"], details={"alert": alert}, order_id=order.id
    )
    return Ruling(order.ref, order.state, "", decided=False, alert=alert)


def _locked(tx: Transaction, order_ref: str) -> _Order:
    rows = tx.rows(_ORDER, (ids.check(order_ref, "ord"),))
    if not rows:
        raise NotFound(sentence("there is no order %(order_ref)s", order_ref=order_ref), ref=order_ref)
    order = _Order(*rows[0])
    if order.dispute_state != DisputeState.OPEN or order.state != State.PAID_CLAIMED:
        raise WrongState(
            sentence("%(order_ref)s is not in dispute", order_ref=order_ref),
            ref=order_ref,
            state=order.state,
            dispute=order.dispute_state,
        )
    # Before it is known what came in, an alert of gate G1 does not settle anything yet.
    alert = None if order.received_units is None else tx.call(_STOPPED, (order.id,))
    if alert is not None:
        raise UnderReview(
            sentence("%(alert)s keeps this order; decide the alert, it settles the order", alert=alert),
            ref=order_ref,
            alert=alert,
        )
    return order


def _received(order: _Order, received: Money | None) -> int:
    """Return what has come in, in units of the order's currency: what the acceptor said, else what is shown here."""
    if order.received_units is not None:
        return order.received_units
    currency = fiat(order.currency)
    if received is None:
        raise BadInput(sentence("say what came in on the acceptor's bank account"), field="received")
    if received.asset != currency:
        raise BadInput(
            sentence("this order is in %(currency)s, not %(code)s", currency=order.currency, code=received.asset.code),
            currency=order.currency,
        )
    if received.units != order.fiat_units:
        due = Money(order.fiat_units, currency)
        raise AmountDiffers(
            sentence(
                "%(due)s is due, not %(received)s; only a whole payment can be released", due=due, received=received
            ),
            due=due.text(),
            received=received.text(),
        )
    return received.units


def _carry_out(tx: Transaction, actor: Actor, order: _Order, said: dict[str, Any]) -> str:
    change: dict[str, Any] = {"dispute_state": DisputeState.DECIDED}
    gate = None
    if said["outcome"] == choices.RELEASE:
        change |= {"received_units": said["received_units"], "amount_state": AmountState.EXACT}
        again = rulings.judged(order.ref, payer_name=said.get("payer_name", ""))
        gate = again.gate
        if again.stops:
            raise UnderReview(
                sentence("more is known by now than when this was decided; turn it down and decide again"),
                ref=order.ref,
            )
    tx.call("select order_change(%s, %s, %s)", (order.id, order.version, json.dumps(change)))
    if gate is not None:
        return rulings.release(tx, actor, order.ref, reason="after review", gate=gate)
    return rulings.refund(tx, actor, order.ref, reason="after review")
