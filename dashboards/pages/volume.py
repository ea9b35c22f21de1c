"""Volume: orders and USDT by time and party, when they come, how far they get, and why some fail."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Actor, Right, Scope
from core.analytics.boards import volume
from dashboards import compare, figures, frames, kept, links, show
from dashboards import series as over_time
from dashboards.board import Board, ChartTile, NumberTile
from dashboards.parts import Cell, Drawn, Head, Number, Table
from dashboards.series import NOTHING, Series
from dashboards.theme import TONES, mark

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from flask_babel import LazyString

    from dashboards.asked import Asked
    from dashboards.places import Place

USDT = "USDT"
SEE_FEES = frozenset({Scope.ALL, Scope.MERCHANT})
"""Who is told the fees: those who see all, and the merchants who pay them."""
MOST_BARS = 12
NAMES = ("merchant", "acceptor", "pool", "currency")


class Outcome(NamedTuple):
    """One way an order ends: its state, which is also the count's name, and its colour."""

    state: str
    label: LazyString
    color: str


OUTCOMES = (
    Outcome("completed", _l("Completed"), TONES["ok"]),
    Outcome("expired", _l("Expired"), TONES["warn"]),
    Outcome("cancelled", _l("Cancelled"), TONES["idle"]),
    Outcome("no_liquidity", _l("No liquidity"), TONES["info"]),
    Outcome("refused", _l("Refused"), TONES["bad"]),
    Outcome("refunded", _l("Refunded"), TONES["hold"]),
)
FAILURES = OUTCOMES[1:]
PAID_ENDS = ("completed", "refunded")
"""How an order ends that was paid."""


def _both(actor: Actor, question: Asked) -> tuple[volume.Counts, volume.Counts]:
    return kept.with_before(
        actor, "volume", question, lambda asked: volume.totals(actor, asked.span(), asked.narrowed())
    )


def orders_opened(actor: Actor, question: Asked) -> Number:
    """Return the orders opened."""
    now, before = _both(actor, question)
    foot, tone = compare.change(now.created, before.created, question.days)
    href = links.orders(question.start, question.end, **question.filters(NAMES))
    return Number(show.number(now.created), "", foot, tone, href)


def usdt_completed(actor: Actor, question: Asked) -> Number:
    """Return the USDT of completed orders."""
    now, before = _both(actor, question)
    foot, tone = compare.change(now.usdt_units, before.usdt_units, question.days)
    href = links.ended(question.start, question.end, "completed", **question.filters(NAMES))
    return Number(show.amount(now.usdt_units, USDT), USDT, foot, tone, href)


def technical_success(actor: Actor, question: Asked) -> Number:
    """Return completed ÷ paid orders that ended: those still waiting are in neither."""
    now, before = _both(actor, question)
    href = links.ended(question.start, question.end, PAID_ENDS, **question.filters(NAMES))
    return compare.ratio(now.technical_success, before.technical_success, _("paid and ended"))._replace(href=href)


def conversion(actor: Actor, question: Asked) -> Number:
    """Return completed ÷ ended: those still open are in neither."""
    now, before = _both(actor, question)
    return compare.ratio(now.conversion, before.conversion, _("ended"))


def settle_time(actor: Actor, question: Asked) -> Number:
    """Return the mean time from claim to release."""
    now, before = _both(actor, question)
    mean = now.mean_settle_seconds
    if mean is None:
        return Number(show.NONE, "", _("no order was completed"))
    foot, tone = compare.change(mean, before.mean_settle_seconds or 0, question.days, more_is_good=False)
    return Number(show.span(mean), _("min"), foot, tone)


def _ended(question: Asked, state: str) -> Callable[[Place], str]:
    return lambda place: links.ended(place.start, place.end, state, **question.filters(NAMES))


def _orders_of(question: Asked, code: str) -> Callable[[Place], str]:
    return lambda place: links.orders(place.start, place.end, **question.filters(NAMES) | {"currency": code})


def _completed_of(question: Asked, code: str) -> Callable[[Place], str]:
    return lambda place: links.ended(
        place.start, place.end, "completed", **question.filters(NAMES) | {"currency": code}
    )


def _by_currency(frame: pd.DataFrame, href: Callable[[str], Callable[[Place], str]]) -> list[Series]:
    return [Series(code, str(code), *mark(n), href(code)) for n, code in enumerate(frame.columns)]


def orders_over_time(actor: Actor, question: Asked) -> Drawn:
    """Return orders by bucket: by how they ended in it, or by the currency they were opened in."""
    rows, bucket = volume.by_bucket(actor, question.span(), question.narrowed()), question.bucket
    if not rows:
        return NOTHING
    counted = frames.of(rows, question, bucket)
    if question.by == "currency":
        frame = frames.by_key(counted, question, bucket, "created")
        series = _by_currency(frame, partial(_orders_of, question))
        note = _("opened, by currency")
    else:
        frame = frames.by_count(counted, question, bucket, [each.state for each in OUTCOMES])
        series = [
            Series(each.state, str(each.label), each.color, "", _ended(question, each.state)) for each in OUTCOMES
        ]
        note = _("ended, by outcome")
    drawn = over_time.drawn(frame, question, bucket, series, first=_("From"), unit=_("orders"))
    return drawn._replace(note=note)


def usdt_over_time(actor: Actor, question: Asked) -> Drawn:
    """Return the USDT of completed orders by bucket and currency."""
    rows, bucket = volume.by_bucket(actor, question.span(), question.narrowed()), question.bucket
    if not rows:
        return NOTHING
    frame = frames.by_key(frames.of(rows, question, bucket), question, bucket, "usdt_units")
    series = _by_currency(frame, partial(_completed_of, question))
    drawn = over_time.drawn(frame, question, bucket, series, first=_("From"), unit=USDT, code=USDT)
    return drawn._replace(note=_("completed, by currency"))


def _ranking(what: str, label: LazyString) -> Callable[[Actor, Asked], Drawn]:
    def draw(actor: Actor, question: Asked) -> Drawn:
        rows = volume.by_party(actor, question.span(), question.narrowed(), what)
        fees = actor.scope in SEE_FEES
        given = question.filters(NAMES)
        done = [links.ended(question.start, question.end, "completed", **given | {what: row.code}) for row in rows]
        bars = [
            figures.Bar(
                row.code, show.scaled(row.counts.usdt_units, USDT), show.amount(row.counts.usdt_units, USDT), href
            )
            for row, href in zip(rows[:MOST_BARS], done, strict=False)
        ]
        lines = [
            (
                Cell(row.code if row.name == row.code else f"{row.code} · {row.name}", row.code, href),
                Cell(show.number(row.counts.created), str(row.counts.created)),
                Cell(show.number(row.counts.completed), str(row.counts.completed)),
                Cell(show.percent(show.share(*row.counts.conversion))),
                Cell(show.amount(row.counts.usdt_units, USDT), show.exact(row.counts.usdt_units, USDT)),
                Cell(show.amount(row.counts.fee_units, USDT), show.exact(row.counts.fee_units, USDT)),
            )[: None if fees else -1]
            for row, href in zip(rows, done, strict=True)
        ]
        heads = (
            Head(str(label)),
            Head(_("Opened"), numeric=True),
            Head(_("Completed"), numeric=True),
            Head(_("Conversion"), numeric=True),
            Head(USDT, numeric=True),
            Head(_("Fees USDT"), numeric=True),
        )[: None if fees else -1]
        return Drawn(Table(heads, lines), figures.ranked(bars, unit=USDT))

    return draw


WEEKDAYS = (_l("Mon"), _l("Tue"), _l("Wed"), _l("Thu"), _l("Fri"), _l("Sat"), _l("Sun"))


def hours_of_week(actor: Actor, question: Asked) -> Drawn:
    """Return when orders are opened: weekday by hour of the zone."""
    rows = volume.by_hour_of_week(actor, question.span(), question.narrowed())
    if not any(row.created for row in rows):
        return NOTHING
    grid = frames.grid(rows, "created")
    names = [str(day) for day in WEEKDAYS]
    hours = [f"{hour:02d}" for hour in range(24)]
    heads = (Head(_("Day")), *(Head(hour, numeric=True) for hour in hours))
    lines = [
        (Cell(name), *(Cell(show.number(count), str(count)) for count in row))
        for name, row in zip(names, grid, strict=True)
    ]
    note = _("orders opened, hours of %(zone)s", zone=question.zone.key)
    return Drawn(Table(heads, lines), figures.heat(hours, names, grid, name=_("orders")), note)


def path(actor: Actor, question: Asked) -> Drawn:
    """Return how far orders get: opened, matched, paid, completed."""
    counts, _before = _both(actor, question)
    if not counts.created:
        return NOTHING
    given = question.filters(NAMES)
    steps = (
        (_("Opened"), counts.created, links.orders(question.start, question.end, **given)),
        (_("Matched"), counts.matched, ""),
        (_("Paid"), counts.claimed, ""),
        (_("Completed"), counts.completed, links.ended(question.start, question.end, "completed", **given)),
    )
    bars = [
        figures.Bar(name, count, f"{show.number(count)} · {show.percent(show.share(count, counts.created))}", href)
        for name, count, href in steps
    ]
    heads = (Head(_("Step")), Head(_("Orders"), numeric=True), Head(_("Of those opened"), numeric=True))
    lines = [
        (
            Cell(name, "", href),
            Cell(show.number(count), str(count)),
            Cell(show.percent(show.share(count, counts.created))),
        )
        for name, count, href in steps
    ]
    return Drawn(Table(heads, lines), figures.funnel(bars), _("each step counts in the hour it happened"))


def failures(actor: Actor, question: Asked) -> Drawn:
    """Return the orders that ended without success, by cause."""
    counts, _before = _both(actor, question)
    causes = [(each, getattr(counts, each.state)) for each in FAILURES if getattr(counts, each.state)]
    causes.sort(key=lambda cause: -cause[1])
    together = sum(count for _each, count in causes)
    given = question.filters(NAMES)
    hrefs = [links.ended(question.start, question.end, each.state, **given) for each, _count in causes]
    bars = [
        figures.Bar(str(each.label), count, show.number(count), href, each.color)
        for (each, count), href in zip(causes, hrefs, strict=True)
    ]
    heads = (Head(_("Cause")), Head(_("Orders"), numeric=True), Head(_("Share"), numeric=True))
    lines = [
        (
            Cell(str(each.label), "", href),
            Cell(show.number(count), str(count)),
            Cell(show.percent(show.share(count, together))),
        )
        for (each, count), href in zip(causes, hrefs, strict=True)
    ]
    return Drawn(Table(heads, lines), figures.ranked(bars, unit=_("orders")))


CLICK = _l("click a bar for its orders")
BOARD = Board(
    "volume",
    _l("Volume"),
    Right.SEE_VOLUME,
    (
        NumberTile("opened", _l("Orders opened"), orders_opened),
        NumberTile("usdt", _l("Completed"), usdt_completed),
        NumberTile("success", _l("Technical success"), technical_success),
        NumberTile("conversion", _l("Conversion"), conversion),
        NumberTile("settle", _l("Paid to released, mean"), settle_time),
    ),
    (
        ChartTile("orders", _l("Orders"), orders_over_time, 6, hint=CLICK),
        ChartTile("amounts", _l("USDT"), usdt_over_time, 6, hint=CLICK),
        ChartTile("path", _l("How far orders get"), path, 4),
        ChartTile("failures", _l("Why orders fail"), failures, 4, empty=_l("No order failed in these days.")),
        ChartTile("currencies", _l("By currency"), _ranking("currency", _l("Currency")), 4),
        ChartTile("merchants", _l("By merchant"), _ranking("merchant", _l("Merchant")), 6),
        ChartTile("acceptors", _l("By acceptor"), _ranking("acceptor", _l("Acceptor")), 6),
        ChartTile("week", _l("When orders come"), hours_of_week, 8),
        ChartTile("pools", _l("By pool"), _ranking("pool", _l("Pool")), 4),
    ),
    filters=NAMES,
    buckets=("hour", "day", "week", "month"),
    splits=("state", "currency"),
)
