"""What the pages of merchants, acceptors and agents share: the as-of day, the statement, cells of their lists."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import request, url_for
from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from core import clock
from core.actor import Right
from core.parties import listing, queries
from portal import columns as drawing
from portal import format as show
from portal.filters import BadList
from portal.roles import actor_or_none
from portal.views.home import Card
from portal.views.order_words import REASONS

if TYPE_CHECKING:
    from core.actor import Actor
    from portal.columns import Column

POCKETS = {"available": _l("reserve"), "escrow": _l("escrow"), "held": _l("held")}
STATES = (
    ("active", _l("Active")),
    ("suspended", _l("Suspended")),
    ("barred", _l("Barred")),
    ("imported", _l("Imported")),
)
MOVES = {
    **REASONS,
    "reserve_topup": _l("Reserve topped up"),
    "reserve_payout": _l("Reserve paid out"),
    "commission_payout": _l("Commission paid out"),
    "commission_hold": _l("Commission held"),
    "commission_hold_close": _l("Commission payable again"),
}


def _party(row: Any, column: Column, value: Any) -> Markup:
    """Return a party's code as a link to its page, for those lists whose rows have its ref."""
    if not value:
        return show.NONE
    return Markup('<a class="strong" href="{}">{}</a>').format(column.href.format(row.ref), value)


def _load(row: Any, _column: Column, value: Any) -> Markup:
    """Return open orders beside how many there may be."""
    return Markup('<span class="nums">{} <span class="muted">/ {}</span></span>').format(
        show.number(value), show.number(row.open_limit)
    )


def _of_opened(row: Any, _column: Column, value: Any) -> Markup:
    """Return how many orders completed beside how many were opened."""
    return Markup('<span class="nums">{} <span class="muted">/ {}</span></span>').format(
        show.number(value), show.number(row.created_30d)
    )


def _status(row: Any, _column: Column, value: Any) -> Markup:
    badge = show.badge(value)
    return badge + Markup('<span class="sub">{}</span>').format(row.paused) if row.paused else badge


drawing.kind("party", _party)
drawing.kind("load", _load)
drawing.kind("of_opened", _of_opened)
drawing.kind("acceptor_status", _status)


def as_of() -> datetime | None:
    """Return the end of the day asked for in the address (in the user's zone), None when none is.

    Refuses with `bad_list` what is no day of the past.
    """
    text = request.args.get("as_of", "").strip()
    return min(beginning(text, "as_of", days=1), clock.now()) if text else None


def beginning(text: str, argument: str, *, days: int = 0) -> datetime:
    """Return when the day written so began in the user's zone, or one so many days later; `bad_list` for no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return datetime(day.year, day.month, day.day, tzinfo=get_timezone() or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadList(_("'%(text)s' is not a day such as 2026-11-20.", text=text[:20]), argument=argument) from error


def midnight() -> datetime:
    """Return when today began, in the user's zone."""
    here = clock.now().astimezone(get_timezone())
    return here.replace(hour=0, minute=0, second=0, microsecond=0)


def completed_to_now(**whose: str) -> str:
    """Return the address of the orders completed in the 30 days to now, as lists and cards count them.

    Figures are kept by the hour: the days begin with the first whole one, and the running one is in them.
    """
    now, hour = clock.now(), timedelta(hours=1)
    since, until = (f"{moment:%Y-%m-%dT%H}:00:00Z" for moment in (now - listing.MONTH + hour, now + hour))
    return url_for("OrdersDesk.list", state="completed", ended_from=since, ended_to=until, **whose)


def sees_balances() -> bool:
    """Return whether who looks now is told what is on the accounts."""
    actor = actor_or_none()
    return actor is not None and listing.sees_balances(actor)


def statement(actor: Actor, ref: str) -> dict[str, Any]:
    """Return what a page needs to draw the statement of a party whose money the actor may see."""
    if not actor.may(Right.SEE_BALANCE):
        return {"statement": None}
    return {
        "statement": queries.statement(actor, ref, as_of()),
        "moves": MOVES,
        "pockets": POCKETS,
        "today": clock.now().astimezone(get_timezone() or UTC).date().isoformat(),
        "as_of": request.args.get("as_of", ""),
        "statement_href": url_for("StatementsView.export", ref=ref) if actor.may(Right.EXPORT) else "",
    }


def tied(difference: Any) -> tuple[str, str]:
    """Return the words and tone that say whether a figure ties to the ledger."""
    if not difference:
        return _("ties to the ledger"), ""
    return _("off by %(n)s", n=show.money_text(difference)), "down"


def money_card(label: str, units: int, code: str = "USDT", **more: str) -> Card:
    """Return the card of an amount."""
    return Card(label, show.amount(units, code), code, **more)


def strong(text: str) -> Markup:
    """Return text in bold, escaped."""
    return Markup("<b>{}</b>").format(escape(text))
