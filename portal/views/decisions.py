"""What an officer's decision will do, or has done, in words and amounts: asked before it is made, told after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape

from core.compliance import choices
from core.money import Money
from core.orders import disputing
from core.orders.states import State
from portal.format import money_text

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from core.orders.queries import OrderView

_FREE = frozenset({State.CREATED, State.MATCHING, State.OFFERED})
"""States in which nothing is frozen for the order yet."""


def effect(outcome: str, order: OrderView) -> str:
    """Return what the outcome will do to the order, as one sentence with amounts and parties."""
    who = {"merchant": order.merchant.code, "acceptor": order.acceptor.code if order.acceptor else "–"}
    fiat, usdt = money_text(order.fiat), money_text(order.usdt)
    if outcome == "release":
        paid = money_text(Money(order.usdt.units - order.fee.units, order.usdt.asset))
        return _(
            "Release %(paid)s to merchant %(merchant)s for %(fiat)s"
            " (%(usdt)s from the escrow of %(acceptor)s, less the fee of %(fee)s).",
            paid=paid, fiat=fiat, usdt=usdt, fee=money_text(order.fee), **who,
        )  # fmt: skip
    if outcome == "refuse":
        return _refused(order, who)
    if outcome == "dismiss":
        return _(
            "Dismiss the alert; the order over %(fiat)s of merchant %(merchant)s stays as it is.", fiat=fiat, **who
        )
    return outcome


def _refused(order: OrderView, who: dict[str, str]) -> str:
    """Return what a refusal returns and pays back: what has come by the acceptor's word, else what was due."""
    fiat, usdt = money_text(order.fiat), money_text(order.usdt)
    if order.state in _FREE:
        return _(
            "Call the order over %(fiat)s of merchant %(merchant)s off; nothing is frozen for it.", fiat=fiat, **who
        )
    if order.state in choices.UNPAID:
        return _(
            "Call the order over %(fiat)s of merchant %(merchant)s off"
            " and return %(usdt)s to the reserve of %(acceptor)s.",
            fiat=fiat, usdt=usdt, **who,
        )  # fmt: skip
    came = disputing.came(order)
    if came is not None and not came:
        return _(
            "Refuse the order: return %(usdt)s to the reserve of %(acceptor)s; by its word nothing has come,"
            " so nothing is paid back; merchant %(merchant)s is paid nothing.",
            usdt=usdt, **who,
        )  # fmt: skip
    if came is not None:
        return _(
            "Refuse the order: return %(usdt)s to the reserve of %(acceptor)s, who pays back to the payer"
            " what has come by its word, %(came)s of %(fiat)s; merchant %(merchant)s is paid nothing.",
            came=money_text(came), fiat=fiat, usdt=usdt, **who,
        )  # fmt: skip
    return _(
        "Refuse the order: return %(usdt)s to the reserve of %(acceptor)s, who pays %(fiat)s back to the payer;"
        " merchant %(merchant)s is paid nothing.",
        fiat=fiat, usdt=usdt, **who,
    )  # fmt: skip


def proposed(outcome: str, order: OrderView) -> str:
    """Return the same for a decision that only takes effect when another officer has agreed."""
    return _("%(what)s Nothing moves until another officer agrees.", what=effect(outcome, order))


def go_on(said: str, tone: str, decided: str) -> ResponseReturnValue:
    """Tell what was decided, on its own page; there the next alert is offered, and opened only when it is asked for."""
    back = Markup('<a href="{}">{}</a>').format(url_for("AlertsDesk.show", key=decided), decided)
    flash(escape(_("Decided %(alert)s: %(what)s")) % {"alert": back, "what": said}, tone)
    return redirect(url_for("AlertsDesk.show", key=decided))
