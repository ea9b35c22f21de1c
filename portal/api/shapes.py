"""Rows of the core as the API's JSON shows them: amounts as decimal strings, times as RFC 3339 in UTC."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from core.actor import Scope
from core.money import Money, asset
from core.orders import queries
from core.orders.states import NextActor, State
from portal.api import cursors

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.ledger.accounts import Balance
    from core.orders.feed import Event
    from core.orders.queries import OrderView
    from core.pricing.quotes import QuoteView

Shown = dict[str, Any]


def when(at: datetime | None) -> str | None:
    """Return a moment as RFC 3339, UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def quote(view: QuoteView) -> Shown:
    """Return a quote with every line of its fee."""
    return {
        "ref": view.ref,
        "kind": view.kind,
        "currency": view.currency,
        "method": view.method,
        "fiat_amount": view.fiat.text(),
        "usdt_amount": view.usdt.text(),
        "fee_usdt": view.fee.text(),
        "net_usdt": view.net.text(),
        "rate": view.rate.text(),
        "lines": [
            {
                "code": each.code,
                "amount": each.amount.text(),
                "currency": each.amount.asset.code,
                "part_of": each.part_of,
                "note": each.note,
            }
            for each in view.lines
        ],
        "expires_at": when(view.expires_at),
    }


MESSAGES: Final = {
    "under_review": "the order is under review; nothing is needed from you, and its money stays where it is meanwhile",
    "refused": "the order was refused; no money has moved and none should be paid for it",
    "matching": "no acceptor can take the order yet; we are looking for one until %(until)s. Nothing is to be paid"
    " before pay_to names an account; if nobody is found by then, the order ends as no_liquidity and no money moves",
    "no_liquidity": "no acceptor was found in time; no money has moved and none should be paid for it. Open a new order"
    " with a new quote",
}
"""What is told beside an order that does not go on by itself, by code; never why."""
_WAITS: Final[dict[str, str]] = {
    State.CREATED: "matching", State.MATCHING: "matching", State.NO_LIQUIDITY: "no_liquidity",
}  # fmt: skip
"""Of which states that have nothing to do with officers something is told, and under which code."""


def summary(view: OrderView) -> Shown:
    """Return an order without the bank account. That officers look at it is said in one word, as on the screens."""
    review = "under_review" if view.next_actor == NextActor.COMPLIANCE else ""
    risk = review or ("refused" if view.state == State.REFUSED else "")
    code = risk or _WAITS.get(view.state, "")
    return {
        "ref": view.ref,
        "kind": view.kind,
        "merchant_order_id": view.external_ref,
        "state": view.state,
        "risk_state": risk or "clear",
        "code": code or None,
        "message": MESSAGES[code] % {"until": when(view.deadline_at)} if code else None,
        "next_actor": view.next_actor,
        "deadline_at": when(view.deadline_at),
        "customer": {"id": view.customer_external_id},
        "acceptor": None if view.acceptor is None else {"ref": view.acceptor.ref, "name": view.acceptor.name},
        "currency": view.currency,
        "fiat_amount": view.fiat.text(),
        "usdt_amount": view.usdt.text(),
        "fee_usdt": view.fee.text(),
        "created_at": when(view.created_at),
        "matched_at": when(view.matched_at),
        "claimed_at": when(view.claimed_at),
        "completed_at": when(view.completed_at),
    }


def order(actor: Actor, view: OrderView) -> Shown:
    """Return an order; its merchant is told where the customer pays while it can be paid, or why not."""
    place, withheld = queries.paying(actor, view) if actor.scope is Scope.MERCHANT else (None, "")
    return summary(view) | {
        "pay_to": None if place is None else place._asdict(),
        "pay_to_reason": withheld or None,
    }


def balance(row: Balance) -> Shown:
    """Return what an account holds."""
    of = asset(row.asset)
    amounts = {"available": row.available, "escrow": row.escrow, "held": row.held}
    return {
        "account": row.account,
        "asset": row.asset,
        **{name: Money(units, of).text() for name, units in amounts.items()},
    }


def event(each: Event) -> Shown:
    """Return one event; its id is the cursor behind it."""
    return {
        "id": cursors.of_place(each.place),
        "type": f"order.{each.name}",
        "order": each.order_ref,
        "merchant_order_id": each.external_ref,
        "state": each.state,
        "at": when(each.at),
    }
