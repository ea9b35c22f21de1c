"""An order goes to the dispute desk: its acceptor is silent, or says that something else has come."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from core.actor import Right
from core.db import reading, transaction
from core.errors import BadInput, UnderReview, sentence
from core.money import Money
from core.orders.input import text
from core.orders.locking import after, base, event_row, locked
from core.orders.states import AmountState, DisputeState, Event, NextActor

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction
    from core.money import Asset
    from core.orders.now import LockedOrder
    from core.orders.queries import OrderView

DISPUTE_SECONDS = 24 * 3600
"""How long the dispute desk has for an order; then it is asked again."""


def contest(actor: Actor, ref: str, *, received: Money, why: str) -> AmountState:
    """The acceptor says that another amount has come, or none (zero): two officers decide, the escrow stays frozen.

    Returns how what came compares with what is due. Refuses with wrong_state, under_review, not_found, bad_input.
    """
    said = text(why, "reason", longest=280)
    with transaction() as tx:
        order = locked(tx, actor, Right.CONFIRM_RECEIPT, ref)
        after(order, Event.CONFIRM, actor)
        if order.next_actor == NextActor.COMPLIANCE:
            raise UnderReview(sentence("this order is under review; nothing is needed from you"), ref=ref)
        if received.asset.code != order.currency:
            raise BadInput(
                sentence(
                    "this order is in %(currency)s, not %(code)s", currency=order.currency, code=received.asset.code
                ),
                currency=order.currency,
            )
        if received.units == order.fiat_units:
            raise BadInput(sentence("%(received)s is what is due: confirm it", received=received), field="received")
        amount_state = AmountState.UNDER if received.units < order.fiat_units else AmountState.OVER
        words = f"{received.show()}: {said}"
        hand_over(tx, actor, order, reason=words, amount_state=amount_state, received_units=received.units)
    return amount_state


def came(view: OrderView) -> Money | None:
    """Return what the acceptor says has come (`contest`), none of it being zero; None when it has not said.

    The facts of its step on the trail hold the amount: the order's own `received_units` is what a release counts as
    having come.
    """
    if view.amount_state not in {AmountState.UNDER, AmountState.OVER}:
        return None
    with reading() as tx:
        steps = tx.rows(
            "select (details ->> 'received_units')::bigint, reason from audit"
            " where order_id = %s and action = 'order.dispute' order by at desc, id desc limit 1",
            (view.id,),
        )
    if not steps:
        return None
    [(units, reason)] = steps
    return _in_words(reason, view.fiat.asset) if units is None else Money(units, view.fiat.asset)


_WORDS: Final = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?) ([A-Z]{3}): ")


def _in_words(reason: str, asset: Asset) -> Money | None:
    """Return the amount at the head of a reason; None where there is none.

    Only for steps of the days before the amount was among their facts: the trail is not written anew.
    """
    said = _WORDS.match(reason)
    if said is None or said[2] != asset.code:
        return None
    return Money.parse(said[1].replace(",", ""), asset, allow_zero=True)


def hand_over(
    tx: Transaction, actor: Actor, order: LockedOrder, *, reason: str, amount_state: AmountState | None = None,
    received_units: int | None = None,
) -> None:  # fmt: skip
    """Put a claimed order before the dispute desk; one that compliance has already is asked for again.

    The trail keeps with the step how much has come by the acceptor's word, in the order's currency (None: not said).
    Asking again gives the order its next deadline; the trail keeps which one was missed (`was_due`) and which comes.
    """
    has = order.next_actor == NextActor.COMPLIANCE
    until = (order.moment + timedelta(seconds=DISPUTE_SECONDS)).isoformat()
    change: dict[str, object] = {
        "deadline_at": until,
        "next_actor": NextActor.COMPLIANCE,
        "dispute_state": order.dispute_state if has else DisputeState.OPEN,
    }
    if amount_state is not None:
        change["amount_state"] = amount_state
    tx.call("select order_change(%s, %s, %s)", (order.id, order.version, json.dumps(change)))
    facts = base(order, actor)
    if not has:
        tx.run(
            "insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id,"
            " payer_account_id, usdt_units) values ('order_disputed', %(at)s, %(at)s, %(ref)s, %(customer_id)s,"
            " %(merchant_id)s, %(acceptor_id)s, %(payer_account_id)s, %(usdt_units)s)",
            facts,
        )
    missed = {"was_due": order.deadline_at, "next": until}
    said = None if received_units is None else {"received_units": received_units}
    event = event_row("remind" if has else "dispute", order.state, None, reason=reason, payload=missed if has else said)
    tx.call("select order_tell_from(%s, %s, %s, %s)", (order.id, json.dumps(facts), order.at, json.dumps(event)))
