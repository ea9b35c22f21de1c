"""Judging who stands behind an order: its payer's account is listed or taken off, its customer barred or admitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import ids
from core.actor import Right
from core.errors import NotFound, Refusal
from core.orders import queries
from core.parties import standing
from core.risk import lists
from portal.desk import deed
from portal.roles import current_actor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from core.actor import Actor

SOURCES = {
    "officer": _l("What an officer knows"),
    "bank_notice": _l("Notice of a bank"),
    "police_letter": _l("Letter of the police"),
    "court_order": _l("Order of a court"),
    "merchant": _l("Word of a merchant"),
}


def standing_of(actor: Actor, order: Any) -> dict[str, Any] | None:
    """Return how payer and customer of an order stand and what may be done about it, None for who sees no alerts."""
    if not actor.may(Right.SEE_ALERTS):
        return None
    return {
        "order": order.ref,
        "payer": order.payer_account if order.payer_ref else "",
        "listed": lists.listed(actor, order.payer_ref) if order.payer_ref else "",
        "customer": order.customer_external_id,
        "customer_state": standing.of_customer(actor, order.customer_ref),
        "lists": bool(order.payer_ref) and actor.may(Right.DECIDE_ALERT),
        "bars": actor.may(Right.SET_STANDING),
        "sources": SOURCES,
        "most": lists.MOST_WORDS,
    }


class Judges:
    """The deeds about an order's payer and customer; the pages of orders and alerts show them."""

    @deed("list_payer", _l("List this payer's account"), Right.DECIDE_ALERT, look="bad", sign="ban")
    def list_payer(self, rows: Sequence[Any]) -> ResponseReturnValue | None:
        """List the account the order was or is to be paid from: gates stop what it pays."""
        actor, form = current_actor(), request.form
        lists.list_payer(actor, _payer(actor, rows[0].ref), form.get("reason", ""), form.get("source", ""))
        flash(_("The account is listed: what it pays is kept back from now on."), "ok")
        return _back()

    @deed("unlist_payer", _l("Take off the list"), Right.DECIDE_ALERT, sign="check")
    def unlist_payer(self, rows: Sequence[Any]) -> ResponseReturnValue | None:
        """Take the account off the list; what is held already stays held until it is decided."""
        actor = current_actor()
        lists.unlist_payer(actor, _payer(actor, rows[0].ref), request.form.get("reason", ""))
        flash(_("The account is off the list. What is held already stays held until it is decided."), "ok")
        return _back()

    @deed("bar_customer", _l("Bar this customer"), Right.SET_STANDING, look="bad", sign="ban")
    def bar_customer(self, rows: Sequence[Any]) -> ResponseReturnValue | None:
        """Refuse the customer every new order; open ones go on."""
        actor = current_actor()
        view = queries.order(actor, rows[0].ref)
        standing.bar_customer(actor, view.customer_ref, request.form.get("reason", ""))
        flash(_("Customer %(id)s is barred: no new orders.", id=view.customer_external_id), "ok")
        return _back()

    @deed("admit_customer", _l("Admit this customer again"), Right.SET_STANDING, sign="rotate-ccw")
    def admit_customer(self, rows: Sequence[Any]) -> ResponseReturnValue | None:
        """Let the customer open orders again."""
        actor = current_actor()
        view = queries.order(actor, rows[0].ref)
        standing.admit_customer(actor, view.customer_ref, request.form.get("reason", ""))
        flash(_("Customer %(id)s may open orders again.", id=view.customer_external_id), "ok")
        return _back()


def _payer(actor: Actor, order_ref: str) -> str:
    ref = queries.order(actor, order_ref).payer_ref
    if ref is None:
        raise NotFound(_("No payer's account is known for this order yet."), ref=order_ref)
    return ref


def _back() -> ResponseReturnValue | None:
    """Return to the alert the deed was done from, if it was."""
    try:
        alert = ids.check(request.form.get("alert", ""), "alr")
    except Refusal:
        return None
    return redirect(url_for("AlertsDesk.show", key=alert))
