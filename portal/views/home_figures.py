"""The figures of the home page that belong to no single list: the platform's last 24 hours, a merchant's own day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from babel.dates import format_skeleton
from flask import g, url_for
from flask_babel import format_time, get_locale, get_timezone
from flask_babel import gettext as _

from core import clock
from core.actor import Actor, Right
from core.analytics.boards import volume
from core.analytics.boards.asking import Filters, Span
from core.compliance import queries as alerts
from core.ledger import holdings, position
from core.money import USDT
from core.orders import listing, recent
from portal import format as show
from portal.views.alerts import figures as review_figures
from portal.views.home import Card, card
from portal.views.party_parts import midnight, money_card, tied

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
DESK = ("admin", "finance", "auditor")
BPS = 10_000


class Window(NamedTuple):
    """The last hours as the rollup keeps them: 23 whole ones and the running one.

    `now` counts all of them; `whole` the 23, up to `hour`, and `before` the same 23 of the day before: the running
    hour is no whole one yet, and is held against nothing.
    """

    start: datetime
    hour: datetime
    now: volume.Counts
    whole: volume.Counts
    before: volume.Counts

    @property
    def aside(self) -> str:
        """When it begins, in words."""
        day = format_skeleton("MMMd", self.start.astimezone(get_timezone() or UTC), locale=get_locale() or "en")
        return _("since %(moment)s", moment=f"{day} {format_time(self.start, 'HH:mm')}")

    @property
    def href(self) -> str:
        """The orders completed in it."""
        return url_for("OrdersDesk.list", state="completed", ended_from=f"{self.start:%Y-%m-%dT%H:%M:%SZ}")

    def trend(self, figure: str) -> tuple[str, str]:
        """Return how a figure of the whole hours compares with the same ones of the day before, and its tone."""
        now, before = getattr(self.whole, figure), getattr(self.before, figure)
        if not before:
            return _("nothing to compare with"), ""
        change = (now - before) * BPS // before
        sign = "+" if change >= 0 else "−"
        words = _(
            "%(change)s up to %(time)s, on the same hours of the day before",
            change=f"{sign}{show.share(abs(change))}",
            time=format_time(self.hour, "HH:mm"),
        )
        return words, "up" if change > 0 else "down" if change < 0 else ""


def _day(actor: Actor) -> Window:
    """Return the last hours beside those of the day before, read once a request."""
    found: Window | None = g.get("home_day")
    if found is None:
        now = clock.now()
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        start = hour - DAY + HOUR
        spans = (Span(start, now), Span(start, hour), Span(start - DAY, hour - DAY))
        found = g.home_day = Window(start, hour, *(volume.totals(actor, span, Filters()) for span in spans))
    return found


@card(Right.SEE_VOLUME, *DESK)
def _volume(actor: Actor) -> Card:
    day = _day(actor)
    foot, tone = day.trend("usdt_units")
    return money_card(_("Volume"), day.now.usdt_units, aside=day.aside, foot=foot, tone=tone, href=day.href)


@card(Right.SEE_VOLUME, *DESK)
def _completed(actor: Actor) -> Card:
    day = _day(actor)
    foot, tone = day.trend("completed")
    count = show.number(day.now.completed)
    return Card(_("Completed"), count, aside=day.aside, foot=foot, tone=tone, href=day.href)


@card(Right.SEE_VOLUME, *DESK)
def _fees(actor: Actor) -> Card:
    day = _day(actor)
    foot, tone = day.trend("fee_units")
    return money_card(_("Fees"), day.now.fee_units, aside=day.aside, foot=foot, tone=tone)


@card(Right.SEE_ORDERS, *DESK)
def _open(actor: Actor) -> Card:
    first = recent.waiting(actor, 1)
    late = bool(first and first[0].deadline_at and first[0].deadline_at < clock.now())
    foot = _("the next deadline has passed") if late else _("none past its deadline")
    href = url_for("OrdersDesk.list", stage="open", sort="deadline_at")
    tone = "down" if late else ""
    return Card(
        _("Open orders"), show.number(listing.count_open(actor)), aside=_("now"), foot=foot, tone=tone, href=href
    )


@card(Right.SEE_LEDGER, "finance")
def _held(actor: Actor) -> Card:
    found = position.position(actor)
    words, tone = tied(found.difference)
    foot = _("liabilities and custody: %(words)s", words=words)
    # Commissions held are in it, and orders in it are officers' to list: another figure than theirs, and no link.
    return money_card(_("Held USDT, orders and commissions"), found.held.units, aside=_("now"), foot=foot, tone=tone)


@card(Right.DECIDE_ALERT, "compliance")
def _past_due(actor: Actor) -> Card:
    late = alerts.counts(actor).late
    href = url_for("AlertsDesk.list", stage="late", sort="due_at")
    foot = _("decide these first") if late else _("all within their time")
    return Card(
        _("Past review time"), show.number(late), aside=_("now"), foot=foot, tone="down" if late else "", href=href
    )


@card(Right.DECIDE_ALERT, "compliance")
def _pace(actor: Actor) -> Card:
    return review_figures(alerts.counts(actor))[3]


@card(Right.CONFIRM_RECEIPT, "acceptor")
def _next_deadline(actor: Actor) -> Card | None:
    if actor.party_id is None:
        return None
    waiting = recent.waiting(actor, 1)
    if not waiting:
        return Card(_("Next deadline"), "–", foot=_("nothing waits for you"), href="/desk/")
    first = waiting[0]
    return Card(_("Next deadline"), show.left(first.deadline_at), foot=show.money_text(first.fiat), href="/desk/")


@card(Right.OPEN_ORDER, "merchant")
def _balance(actor: Actor) -> Card | None:
    held = [each for each in holdings.own(actor) if each.asset == USDT.code]
    return (
        money_card(_("Balance"), held[0].available, aside=_("now"), href=url_for("MerchantsDesk.list"))
        if held
        else None
    )


@card(Right.OPEN_ORDER, "merchant")
def _today(actor: Actor) -> Card:
    opened, completed = recent.opened_since(actor, midnight())
    foot = _("%(n)s completed", n=show.number(completed))
    href = url_for("OrdersDesk.list", **{"from": midnight().date().isoformat()})
    return Card(_("Orders today"), show.number(opened), aside=_("since midnight"), foot=foot, href=href)


@card(Right.OPEN_ORDER, "merchant")
def _conversion(actor: Actor) -> Card:
    now = clock.now()
    month = volume.totals(actor, Span(now - timedelta(days=30), now), Filters())
    part, whole = month.conversion
    foot = _("%(n)s of %(all)s that ended", n=show.number(part), all=show.number(whole))
    return Card(
        _("Conversion"), show.share(part * BPS // whole if whole else None), aside=_("30 days to now"), foot=foot
    )
