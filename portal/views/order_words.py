"""The words of an order's page: whose move it is, what happened, why an action is not possible now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup, escape

from core.actor import Actor, Right
from portal import format as show
from portal import risk_words
from portal.roles import current_actor
from portal.states import BADGES

if TYPE_CHECKING:
    from typing import Any

    from flask_babel import LazyString

    from core.orders.overdue import Overdue
    from core.orders.queries import OrderView, TimelineRow

REVIEW = Markup('<span class="b hold">{}</span>')

NEXT: dict[str, LazyString] = {
    "system": _l("the desk"),
    "acceptor": _l("the acceptor"),
    "customer": _l("the customer"),
    "compliance": _l("compliance"),
    "nobody": _l("nobody"),
}

EVENTS: dict[str, tuple[LazyString, str]] = {
    "order.open": (_l("Opened"), ""),
    "order.queue": (_l("Waits for an acceptor"), "warn"),
    "order.match": (_l("Matched"), ""),
    "order.claim_paid": (_l("Paid, claimed"), ""),
    "order.confirm": (_l("Received and paid out"), ""),
    "order.cancel": (_l("Cancelled"), "idle"),
    "order.expire": (_l("Expired"), "idle"),
    "order.give_up": (_l("No acceptor found"), "bad"),
    "order.refuse": (_l("Refused"), "bad"),
    "order.refund": (_l("Refused, reserve returned"), "hold"),
    "order.stop": (_l("Release stopped"), "hold"),
    "order.dispute": (_l("Handed to the dispute desk"), "hold"),
    "order.remind": (_l("Overdue, asked for again"), "warn"),
    "order.import": (_l("Imported"), "idle"),
    "alert.take": (_l("Alert taken"), "idle"),
    "alert.put_back": (_l("Alert put back"), "idle"),
    "alert.decide": (_l("Alert decided, waits for a second officer"), "hold"),
    "alert.reopen": (_l("Decision turned down"), "warn"),
    "alert.close": (_l("Alert closed"), ""),
    "dispute.stop": (_l("Gate stopped the release of the dispute"), "hold"),
    "dispute.decide": (_l("Dispute decided, waits for a second officer"), "hold"),
    "dispute.agree": (_l("Decision agreed to"), ""),
    "dispute.turn_down": (_l("Decision turned down"), "warn"),
    "reveal.customer": (_l("Customer's name revealed"), "idle"),
    "reveal.payer": (_l("Payer's name revealed"), "idle"),
    "reveal.declared_payer": (_l("Payer's declared name revealed"), "idle"),
    "reveal.payer_account": (_l("Payer's account revealed"), "idle"),
    "reveal.bank_account": (_l("Bank account revealed"), "idle"),
}

FEE_LINES: dict[str, LazyString] = {
    "platform_fee": _l("Platform fee"),
    "method_fee": _l("Fee of the payment method"),
    "acceptor_spread": _l("Acceptor's spread"),
}

REASONS: dict[str, LazyString] = {
    "escrow_freeze": _l("Escrow frozen"),
    "escrow_release": _l("Escrow released"),
    "escrow_return": _l("Escrow returned"),
    "hold_open": _l("Held"),
    "hold_close": _l("Hold ended"),
    "history_opening": _l("Opening of the history"),
}

ACCOUNT_PARTS: dict[str, LazyString] = {
    "acceptor": _l("acceptor"),
    "merchant": _l("merchant"),
    "agent": _l("agent"),
    "house": _l("platform"),
    "available": _l("available"),
    "reserve": _l("reserve"),
    "escrow": _l("escrow"),
    "held": _l("held"),
    "custody": _l("custody"),
    "fees": _l("fees"),
    "rounding": _l("rounding"),
}
"""The parts of a ledger account's name that are no party's code."""

POLICIES: dict[str, LazyString] = {
    "uniform_random": _l("drawn by lot"),
    "least_loaded": _l("the least busy one"),
}


SAID: dict[str, LazyString] = {
    "deadline passed": _l("the deadline passed"),
    "after review": _l("after review"),
    "gate G1": _l("gate G1"),
    "gate G3": _l("gate G3"),
}
"""What the desk itself says of a step; what people said stays as it is."""


def said_of(reason: str) -> str:
    """Return the reason of a step: the desk's own in the reader's language, a person's as it was written."""
    return str(SAID.get(reason, reason))


def detail_of(row: Any) -> Markup | str:
    """Return what is told beside a step of the trail: why, or which deadline was missed and which one comes."""
    missed = row.details or {}
    if row.action != "order.remind" or not missed.get("was_due"):
        return said_of(row.reason)
    due, coming = (show.when(datetime.fromisoformat(missed[name])) for name in ("was_due", "next"))
    told = _("the order's deadline was %(due)s, and the review is asked for again at %(next)s")
    return escape(told) % {"due": due, "next": coming}


def overdue_words(found: Overdue, due: datetime | None = None) -> Markup | str:
    """Return that a review is overdue, since when by whose clock, and when it is asked for again; "" while it is not.

    `due` is the alert's own deadline, where that has passed: its time to be reviewed is another than the order's.
    """
    if due is None and (found.due is None or found.next is None):
        return ""
    said = {"due": show.when(due), "order": show.when(found.due), "next": show.when(found.next)}
    if found.next is None:
        told = _("Overdue: this alert's own review time ended at %(due)s. It stands among those past their review time"
                 " until it is decided.")  # fmt: skip
        return escape(told) % said
    if found.due is None:
        told = _("Overdue: this alert's own review time ended at %(due)s. The order's deadline is %(next)s: the review"
                 " is asked for again then.")  # fmt: skip
        return escape(told) % said
    said["n"] = show.number(found.asked)
    if due is None:
        told = ngettext(
            "Overdue: the order's deadline was %(order)s. The review was asked for again %(n)s time, and will be at"
            " %(next)s.",
            "Overdue: the order's deadline was %(order)s. The review was asked for again %(n)s times, and will be at"
            " %(next)s.",
            found.asked,
            **said,
        )
    else:
        told = ngettext(
            "Overdue: this alert's own review time ended at %(due)s, the order's deadline was %(order)s. The review was"
            " asked for again %(n)s time, and will be at %(next)s.",
            "Overdue: this alert's own review time ended at %(due)s, the order's deadline was %(order)s. The review was"
            " asked for again %(n)s times, and will be at %(next)s.",
            found.asked,
            **said,
        )
    return Markup(told)  # noqa: S704 - our own words, with times that are drawn already


def side(actor: Actor, row: Any) -> Markup:
    """Return the badges of the side axes: officers' own words, for everybody else "under review" and nothing more."""
    if not actor.may(Right.SEE_ALERTS):
        return REVIEW.format(_("Under review")) if row.next_actor == "compliance" else Markup("")
    found = [show.badge(row.risk_state)] if row.risk_state not in {"clear", row.state} else []
    if row.dispute_state != "none":
        words = {"open": _("In dispute"), "decided": _("Dispute decided")}
        found.append(REVIEW.format(words.get(row.dispute_state, row.dispute_state)))
    return Markup(" ").join(found)


def state_cell(row: Any, _column: Any, value: Any) -> Markup:
    """Return a list's cell with all the badges the actor may see."""
    return Markup(" ").join(part for part in (show.badge(value), side(current_actor(), row)) if part)


class Step(NamedTuple):
    """One step of the timeline as the template draws it."""

    title: str
    text: str
    at: datetime
    detail: Markup
    tone: str


def step(row: TimelineRow) -> Step:
    """Return what happened in words: by whom, why, and to which state it led."""
    known = EVENTS.get(row.action)
    title = str(known[0]) if known else row.action.replace(".", " ").replace("_", " ").capitalize()
    told = f"{title}: {risk_words.rule(row.rule)}" if row.rule else title  # an order may have several alerts
    by = _("by the desk") if row.actor == "desk" else _("by %(name)s", name=row.actor)
    to = BADGES[row.to].text if row.to in BADGES and row.to != row.before else ""
    said = detail_of(row)
    if row.action == "order.stop":  # it was the gate that stopped it, not the acceptor who confirmed
        by, said = (_("by %(name)s", name=said) if said else _("by the desk")), ""
    detail = Markup(" · ").join(part for part in (str(to) if str(to) != title else "", said) if part)
    return Step(told, by, row.at, detail, known[1] if known else "idle")


def next_move(actor: Actor, view: OrderView) -> str:
    """Return whose move it is, without telling a party who looks at its order."""
    if view.next_actor == "compliance" and not actor.may(Right.SEE_ALERTS):
        return str(NEXT["system"])
    return str(NEXT.get(view.next_actor, view.next_actor))


def search_words(view: OrderView) -> Markup | str:
    """Return what an order without an acceptor waits for, until when and what happens then; "" for any other."""
    if view.next_actor == "compliance":
        return ""
    if view.state in {"created", "matching"}:
        said = _(
            "We are looking for an acceptor until %(when)s. Nothing is to be paid before an account to pay to stands"
            " here; if nobody is found by then, the order ends and no money moves."
        )
        return escape(said) % {"when": show.when(view.deadline_at)}
    if view.state == "no_liquidity":
        return _("No acceptor was found in time: no money has moved and none is to be paid. Open a new order for it.")
    return ""


def unbooked(actor: Actor, view: OrderView) -> str:
    """Return what is true where the ledger shows no entry to who looks: a party sees its own accounts' only."""
    if view.ended_at is not None:
        return _("Nothing of this order was booked on your account.") if actor.party_id else _("Nothing was booked.")
    if view.acceptor is None:
        return _("Nothing is booked for this order yet: no acceptor has been found.")
    if actor.party_id:
        return _(
            "Nothing is booked on your account yet. %(amount)s of the acceptor's reserve is set aside for this order.",
            amount=show.money_text(view.usdt),
        )
    return _("Nothing is booked for this order yet.")


def why_not(name: str, view: OrderView) -> str:
    """Return why an action is not possible for the order now, "" when it is."""
    if name == "cancel":
        if view.state in {"created", "matching", "offered", "awaiting_payment"}:
            return ""
        if view.state == "paid_claimed":
            return _("The customer has said that it paid: only a receipt or a decision leads on.")
        return _("The order has ended.")
    if name in {"confirm", "contest"}:
        if view.state != "paid_claimed":
            waits = view.state in {"created", "matching", "offered", "awaiting_payment"}
            return _("The customer has not said yet that it paid.") if waits else _("The order has ended.")
        return _("The order is under review; nothing is needed from you.") if view.next_actor == "compliance" else ""
    return ""
