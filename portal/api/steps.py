"""The API's commands: a checked body becomes one call of the core, and its order is the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.errors import Conflict, Forbidden, NotFound, Refusal, Unavailable
from core.money import Money, fiat
from core.orders import deposit, feed, queries, release
from core.orders.deposit import DepositRequest
from core.orders.input import text
from core.orders.states import Event
from core.pricing import quotes
from portal.api import shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.actor import Actor
    from core.orders.queries import OrderView

Body = dict[str, Any]
Answered = tuple[int, Body]
OK, CREATED = 200, 201
STOPPED = "stop"
"""The event of a confirmation that was taken and whose payout waits for officers."""
_REF = re.compile(r"ord_[0-9A-HJKMNP-TV-Z]{16}")


def quote(actor: Actor, body: Body, again: bool) -> Answered:  # noqa: ARG001, FBT001 - quoting twice is no harm
    """Freeze a price."""
    currency = fiat(body["currency"])
    amount = Money.parse(body["amount"], currency)
    view = quotes.quote(actor, body["kind"], currency, amount, method=body.get("method"))
    return CREATED, shapes.quote(view)


def open_deposit(actor: Actor, body: Body, again: bool) -> Answered:  # noqa: FBT001 - handed over by `once`
    """Open a deposit from a quote; a request that died after its order was stored finds that order.

    It does so whatever it is refused for by then: its number is taken by itself, its quote or its merchant has ended.
    """
    customer, payer = body["customer"], body["payer"]
    asked = DepositRequest(
        quote_ref=body["quote"],
        merchant_order_id=body["merchant_order_id"],
        customer_id=customer["id"],
        customer_name=customer["name"],
        customer_country=customer.get("country", ""),
        payer_name=payer["name"],
        payer_account=payer["account"],
    )
    try:
        ref: str | None = deposit.open_order(actor, asked).ref
    except (Conflict, Forbidden):
        number = text(asked.merchant_order_id, "merchant_order_id")
        ref = feed.own_order(actor, number, asked.quote_ref) if again else None
        if ref is None:
            raise
    return CREATED, _now(actor, str(ref))


def claim(ref: str) -> Callable[[Actor, Body, bool], Answered]:
    """Return the command that says the customer of this order has paid."""

    def do(actor: Actor, body: Body, again: bool) -> Answered:  # noqa: FBT001 - handed over by `once`
        payer = body["payer"]

        def step() -> None:
            deposit.claim_paid(
                actor,
                known(ref),
                payer_name=payer["name"],
                payer_account=payer["account"],
                paid_at=body.get("paid_at"),
            )

        return OK, _after(actor, ref, step, again, Event.CLAIM_PAID)

    return do


def cancel(ref: str) -> Callable[[Actor, Body, bool], Answered]:
    """Return the command that calls this order off."""

    def do(actor: Actor, body: Body, again: bool) -> Answered:  # noqa: FBT001 - handed over by `once`
        why = body.get("reason", "cancelled by the merchant")
        return OK, _after(actor, ref, lambda: deposit.cancel(actor, known(ref), reason=why), again, Event.CANCEL)

    return do


def confirm(ref: str) -> Callable[[Actor, Body, bool], Answered]:
    """Return the command that says the fiat of this order has come."""

    def do(actor: Actor, body: Body, again: bool) -> Answered:  # noqa: FBT001 - handed over by `once`
        received = Money.parse(body["received"], fiat(body["currency"]))

        def step() -> None:
            release.confirm(actor, known(ref), received=received, payer_name=body["payer_name"])

        return OK, _after(actor, ref, step, again, Event.CONFIRM, STOPPED)

    return do


def _after(actor: Actor, ref: str, step: Callable[[], object], again: bool, *events: str) -> Body:  # noqa: FBT001
    """Take the step and return the order as it is then.

    A request that comes `again` may have taken it before it died. Then the trail has it as one of `events`, and the
    answer is the order as it stands now, however far others have brought it since.
    """
    try:
        step()
    except Conflict:
        if not (again and feed.took(actor, ref, *events)):
            raise
    return _now(actor, ref)


def _now(actor: Actor, ref: str) -> Body:
    """Return an order that has just been changed.

    Raises Unavailable where it cannot be shown: a refusal of another kind would say that nothing has changed, and be
    stored as the answer or give the key away.
    """
    try:
        return shapes.order(actor, queries.order(actor, ref))
    except Unavailable:
        raise
    except Refusal as refusal:
        raise Unavailable("it was done, but cannot be shown now; send the same request again", ref=ref) from refusal


def known(ref: str) -> str:
    """Return the ref if it has the shape of an order's. Raises NotFound: an address that names nothing."""
    if not _REF.fullmatch(ref):
        raise NotFound("there is no such order among yours", ref=ref[:40])
    return ref


def one(actor: Actor, ref: str) -> OrderView:
    """Return one of the actor's deposits. Raises NotFound, Forbidden."""
    view = queries.order(actor, known(ref))
    if view.kind != "deposit":
        raise NotFound(f"there is no deposit {ref} among yours", ref=ref)
    return view
