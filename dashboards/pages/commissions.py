"""Commissions: what agents earned by day, agent, level and plan, what it costs, where the month gets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Actor, Right, Scope
from core.analytics.boards import commissions
from dashboards import compare, figures, frames, kept, links, pace, show
from dashboards import series as over_time
from dashboards.board import Board, ChartTile, NumberTile
from dashboards.parts import Cell, Drawn, Head, Number, Table
from dashboards.series import NOTHING as NOTHING_DRAWN
from dashboards.series import Series
from dashboards.theme import TONES, mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask_babel import LazyString

    from dashboards.asked import Asked
    from dashboards.places import Place

USDT = "USDT"
MOST_BARS = 12


WHOSE: dict[str, LazyString] = {
    "own": _l("your own"),
    "below": _l("agents below you"),
    "all": _l("you and the agents below you"),
}


def is_agent(actor: Actor) -> bool:
    """Return whether the reader is an agent, who is told its own commission and that of the agents below it apart."""
    return actor.scope is Scope.AGENT


def sees_all(actor: Actor) -> bool:
    """Return whether the reader sees every agent's commission."""
    return actor.scope is Scope.ALL


def _set(actor: Actor, question: Asked) -> dict[str, str]:
    """Return what narrows the list of lines to the question's."""
    if question.agent:
        return {"agent": question.agent}
    return {"whose": question.whose} if is_agent(actor) and question.whose != "all" else {}


def _whose(actor: Actor, question: Asked) -> str:
    """Return whose lines are shown, in words; nothing where the reader sees everybody's."""
    return str(WHOSE[question.whose]) if is_agent(actor) and not question.agent else ""


def _noted(*said: str) -> str:
    return " · ".join(each for each in said if each)


def _both(actor: Actor, question: Asked) -> tuple[commissions.Counts, commissions.Counts]:
    return kept.with_before(
        actor, "commissions", question, lambda asked: commissions.totals(actor, asked.on_days(), asked.narrowed())
    )


def earned(actor: Actor, question: Asked) -> Number:
    """Return what was earned."""
    now, before = _both(actor, question)
    foot, tone = compare.change(now.units, before.units, question.days, more_is_good=None)
    href = links.commissions(question.first, question.last, **_set(actor, question))
    return Number(show.amount(now.units, USDT), USDT, foot, tone, href)


def earned_by(whose: str) -> Callable[[Actor, Asked], Number]:
    """Return the figure of what an agent earned itself, or the agents below it, whatever the page is narrowed to."""

    def draw(actor: Actor, question: Asked) -> Number:
        return earned(actor, replace(question, agent="", whose=whose))

    return draw


def lines_counted(actor: Actor, question: Asked) -> Number:
    """Return the commission lines."""
    now, before = _both(actor, question)
    foot, tone = compare.change(now.lines, before.lines, question.days, more_is_good=None)
    href = links.commissions(question.first, question.last, **_set(actor, question))
    return Number(show.number(now.lines), "", _noted(_whose(actor, question), foot), tone, href)


def rate(actor: Actor, question: Asked) -> Number:
    """Return earned ÷ the gross of the orders it was earned on, each order once, in basis points."""
    now, before = _both(actor, question)
    here, then = (show.basis_points(each.units, each.base_units) for each in (now, before))
    whose = _whose(actor, question)
    if here is None:
        return Number(show.NONE, "", _noted(whose, _("nothing was earned")))
    foot = _noted(whose, _("on %(base)s USDT", base=show.amount(now.base_units, USDT)))
    if then is not None:
        foot = f"{show.signed(here - then, _('bps'))} · {foot}"
    return Number(show.decimal(here), _("bps"), foot)


def share_of_margin(actor: Actor, question: Asked) -> Number:
    """Return all commissions as a share of all fees; agents are not shown the platform's fees."""
    now = commissions.cost(actor, question.on_days())
    said = _(
        "%(part)s of %(whole)s USDT fees, all agents",
        part=show.amount(now.units, USDT),
        whole=show.amount(now.fee_units, USDT),
    )
    return Number(show.percent(show.share(now.units, now.fee_units)), "", said)


def forecast(actor: Actor, question: Asked) -> Number:
    """Return where the running month gets at its pace so far."""
    month = pace.of_month(actor, question)
    foot = _(
        "run-rate to %(day)s; %(units)s so far",
        day=month.last.isoformat(),
        units=show.amount(month.units, USDT),
    )
    return Number(show.amount(month.expected_units, USDT), USDT, _noted(_whose(actor, question), foot))


def _lines_of(actor: Actor, question: Asked, level: int) -> Callable[[Place], str]:
    given = _set(actor, question) | {"level": str(level)}
    return lambda place: links.commissions(place.first, place.last, **given)


def by_day(actor: Actor, question: Asked) -> Drawn:
    """Return what was earned by day and level."""
    rows, bucket = commissions.by_day(actor, question.on_days(), question.narrowed()), question.day_bucket
    if not rows:
        return NOTHING_DRAWN
    frame = frames.by_key(frames.of(rows, question, bucket), question, bucket, "units")
    series = [
        Series(level, _("Level %(level)s", level=level), *mark(n), _lines_of(actor, question, level))
        for n, level in enumerate(frame.columns)
    ]
    drawn = over_time.drawn(frame, question, bucket, series, first=_("UTC day"), unit=USDT, code=USDT)
    note = _("by the UTC day it was earned, and the agent's level above the merchant")
    return drawn._replace(note=_noted(_whose(actor, question), note))


def _usdt(units: int) -> Cell:
    return Cell(show.amount(units, USDT), show.exact(units, USDT))


def _rows_of(what: str, row: commissions.KeyRow) -> dict[str, str]:
    """Return what narrows the list of lines to the row's; a plan's version is two words there."""
    if what == "plan":
        return {"plan": row.name, "plan_version": str(row.version)}
    return {what: row.code}


def _ranking(what: str, label: LazyString, color: str) -> Callable[[Actor, Asked], Drawn]:
    def draw(actor: Actor, question: Asked) -> Drawn:
        # Which agents earned is asked of all the reader sees: its own figure among them.
        wide = replace(question, whose="all") if what == "agent" else question
        rows = commissions.by_key(actor, wide.on_days(), wide.narrowed(), what)
        given = _set(actor, wide)
        bars, lines = [], []
        for row in rows:
            href = links.commissions(question.first, question.last, **given | _rows_of(what, row))
            said = _("Level %(level)s", level=row.code) if what == "level" else row.code
            long = said if row.name == row.code else f"{row.code} · {row.name}"
            bars.append(
                figures.Bar(said, show.scaled(row.counts.units, USDT), show.amount(row.counts.units, USDT), href, color)
            )
            bps = show.basis_points(row.counts.units, row.counts.base_units)
            lines.append(
                (
                    Cell(long, row.code, href),
                    Cell(show.number(row.counts.lines), str(row.counts.lines)),
                    _usdt(row.counts.base_units),
                    Cell(show.NONE if bps is None else show.decimal(bps)),
                    _usdt(row.counts.units),
                ),
            )
        heads = (
            Head(str(label)),
            Head(_("Lines"), numeric=True),
            Head(_("Volume USDT"), numeric=True),
            Head(_("bps"), numeric=True),
            Head(_("Earned USDT"), numeric=True),
        )
        return Drawn(Table(heads, lines), figures.ranked(bars[:MOST_BARS], unit=USDT), _whose(actor, wide))

    return draw


def pace_of_month(actor: Actor, question: Asked) -> Drawn:
    """Return the running month, earned so far, and where it gets at that pace."""
    month = pace.of_month(actor, question)
    if not month.units:
        return NOTHING_DRAWN
    begun = [step for step in month.steps if step.units is not None]
    ahead = month.steps[len(begun) - 1 :]
    labels = [show.full_day(step.day) for step in month.steps]
    actual = [step.units for step in begun if step.units is not None]
    gap: list[None] = [None] * (len(begun) - 1)
    figure = figures.run_rate(
        labels,
        [show.day(step.day) for step in month.steps],
        figures.Part(
            _("Earned"),
            TONES["ok"],
            [show.scaled(units, USDT) for units in actual],
            [show.amount(units, USDT) for units in actual],
        ),
        figures.Part(
            _("At this pace"),
            TONES["warn"],
            [*gap, *(show.scaled(step.expected_units, USDT) for step in ahead)],
            [*("" for _gap in gap), *(show.amount(step.expected_units, USDT) for step in ahead)],
        ),
        unit=USDT,
    )
    heads = (Head(_("UTC day")), Head(_("Earned so far"), numeric=True), Head(_("At this pace"), numeric=True))
    lines = [
        (
            Cell(show.full_day(step.day), step.day.isoformat()),
            Cell(show.NONE, "-") if step.units is None else _usdt(step.units),
            _usdt(step.expected_units),
        )
        for step in month.steps
    ]
    note = _("earned so far ÷ time passed × length of the month; no season or trend")
    return Drawn(Table(heads, lines), figure, _noted(_whose(actor, question), note))


NOTHING = _l("No commission was earned in these days. It is booked when an order of a referred merchant completes.")
CLICK = _l("click a bar for its lines")
BOARD = Board(
    "commissions",
    _l("Commission trend"),
    Right.SEE_COMMISSIONS,
    (
        NumberTile("earned", _l("Earned"), earned, shown=sees_all),
        NumberTile("own", _l("Your own commission"), earned_by("own"), shown=is_agent),
        NumberTile("below", _l("Agents below you"), earned_by("below"), shown=is_agent),
        NumberTile("lines", _l("Lines"), lines_counted),
        NumberTile("rate", _l("Mean rate"), rate),
        NumberTile("cost", _l("Share of fees"), share_of_margin, shown=sees_all),
        NumberTile("forecast", _l("This month, forecast"), forecast),
    ),
    (
        ChartTile("days", _l("Earned by day"), by_day, 7, empty=NOTHING, hint=CLICK),
        ChartTile("pace", _l("This month's pace"), pace_of_month, 5, empty=_l("Nothing was earned this month yet.")),
        ChartTile("agents", _l("By agent"), _ranking("agent", _l("Agent"), TONES["ok"]), 6, empty=NOTHING, hint=CLICK),
        ChartTile("levels", _l("By level"), _ranking("level", _l("Level"), TONES["info"]), 3, empty=NOTHING),
        ChartTile("plans", _l("By plan"), _ranking("plan", _l("Plan"), TONES["hold"]), 3, empty=NOTHING),
    ),
    filters=("agent",),
    buckets=("day", "week", "month"),
    whose=True,
)
