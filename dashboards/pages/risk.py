"""Risk: how many alerts, by which rules, how often they were right, what is held and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from core.actor import Actor, Right
from core.analytics.boards import risk
from core.compliance.choices import CLEARED
from core.risk.wording import NAMES as RULES
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
HOUR_SECONDS = 3600
MOST_BARS = 10
NAMES = ("rule", "merchant", "acceptor", "currency")

VERDICTS: dict[str, tuple[LazyString, str]] = {
    "allow": (_l("Allow"), TONES["ok"]),
    "review": (_l("Review"), TONES["info"]),
    "hold": (_l("Hold"), TONES["hold"]),
    "refuse": (_l("Refuse"), TONES["bad"]),
}


class End(NamedTuple):
    """What became of alerts: how it is called, how many they are, and what the list of alerts calls them."""

    name: str
    label: LazyString
    color: str
    pick: Callable[[pd.DataFrame], pd.Series]
    rows: dict[str, tuple[str, ...]]


ENDS = (
    End(
        "cleared",
        _l("Cleared"),
        TONES["ok"],
        lambda raised: raised["cleared"],
        {"disposition": CLEARED, "stage": ("closed",)},
    ),
    End(
        "confirmed",
        _l("Confirmed"),
        TONES["warn"],
        lambda raised: raised["confirmed"],
        {"disposition": ("confirmed_no_report", "confirmed_reported"), "stage": ("closed",)},
    ),
    End(
        "inconclusive",
        _l("Inconclusive"),
        TONES["hold"],
        lambda raised: raised["closed"] - raised["confirmed"] - raised["cleared"],
        {"disposition": ("inconclusive",), "stage": ("closed",)},
    ),
    End(
        "waiting",
        _l("Open"),
        TONES["idle"],
        lambda raised: raised["raised"] - raised["closed"],
        {"stage": ("waiting",)},
    ),
)


def rule_name(code: str) -> str:
    """Return what people call a rule; its code when it has no name."""
    return _(RULES[code]) if code in RULES else code


def _place(code: str) -> int:
    """Return the rule's place among all rules: it keeps its colour whichever others fired. Unknown ones come after."""
    known = list(RULES)
    return known.index(code) if code in known else len(known)


def _both(actor: Actor, question: Asked) -> tuple[risk.Counts, risk.Counts]:
    return kept.with_before(
        actor, "risk", question, lambda asked: risk.totals(actor, asked.on_days(), asked.narrowed())
    )


def alerts_raised(actor: Actor, question: Asked) -> Number:
    """Return the alerts raised, and how many that is for a thousand orders opened."""
    now, before = _both(actor, question)
    foot, tone = compare.change(now.raised, before.raised, question.days, more_is_good=False)
    opened = risk.opened(actor, question.on_days(), question.narrowed())
    if opened:
        rate = show.per_thousand(now.raised, opened)
        per_thousand = _("%(rate)s per 1,000 orders", rate=rate)  # apart: what stands inside braces is not collected
        foot = f"{foot} · {per_thousand}"
    return Number(
        show.number(now.raised), "", foot, tone, links.alerts(question.first, question.last, **question.filters(NAMES))
    )


def precision(actor: Actor, question: Asked) -> Number:
    """Return confirmed ÷ decided either way."""
    now, before = _both(actor, question)
    return compare.ratio(now.precision, before.precision, _("decided"))


def value_held(actor: Actor, _question: Asked) -> Number:
    """Return what compliance holds at this moment."""
    held = risk.held(actor)
    count, differs = show.number(held.holds), show.amount(held.units - held.ledger_units, USDT)
    foot = ngettext(
        "on %(count)s order now · ledger: difference %(differs)s",
        "on %(count)s orders now · ledger: difference %(differs)s",
        held.holds,
        count=count,
        differs=differs,
    )
    tone = "" if held.units == held.ledger_units else "down"
    return Number(show.amount(held.units, USDT), USDT, foot, tone, links.HELD)


def waiting(actor: Actor, _question: Asked) -> Number:
    """Return the alerts nobody has decided yet, at this moment."""
    ages = risk.open_by_age(actor)
    late = sum(age.late for age in ages)
    foot = ngettext("%(count)s past its due time", "%(count)s past their due time", late, count=show.number(late))
    return Number(
        show.number(sum(age.waiting for age in ages)), "", foot, "down" if late else "", links.ALERTS + "?stage=waiting"
    )


def decision_time(actor: Actor, question: Asked) -> Number:
    """Return the mean time from an alert to its decision."""
    now, before = _both(actor, question)
    mean = now.mean_decide_seconds
    if mean is None:
        return Number(show.NONE, "", _("nothing was decided"))
    foot, tone = compare.change(mean, before.mean_decide_seconds or 0, question.days, more_is_good=False)
    return Number(show.span(mean), "", foot, tone)


def _alerts_of(question: Asked, **rows: str | tuple[str, ...]) -> Callable[[Place], str]:
    return lambda place: links.alerts(place.first, place.last, **question.filters(NAMES) | rows)


def by_day(actor: Actor, question: Asked) -> Drawn:
    """Return the alerts by day and what became of them."""
    rows, bucket = risk.by_day(actor, question.on_days(), question.narrowed()), question.day_bucket
    if not rows:
        return NOTHING
    raised = frames.of(rows, question, bucket)
    ends = raised[["start"]].assign(**{end.name: end.pick(raised) for end in ENDS})
    frame = frames.by_count(ends, question, bucket, [end.name for end in ENDS])
    series = [Series(end.name, str(end.label), end.color, "", _alerts_of(question, **end.rows)) for end in ENDS]
    drawn = over_time.drawn(frame, question, bucket, series, first=_("UTC day"), unit=_("alerts"))
    return drawn._replace(note=_("by the UTC day they were raised"))


def by_rule_and_day(actor: Actor, question: Asked) -> Drawn:
    """Return the alerts by day and rule."""
    rows, bucket = risk.by_day(actor, question.on_days(), question.narrowed()), question.day_bucket
    if not rows:
        return NOTHING
    frame = frames.by_key(frames.of(rows, question, bucket), question, bucket, "raised")
    series = [
        Series(code, rule_name(code), *mark(_place(code)), _alerts_of(question, rule=code)) for code in frame.columns
    ]
    return over_time.drawn(frame, question, bucket, series, first=_("UTC day"), unit=_("alerts"))


def rules(actor: Actor, question: Asked) -> Drawn:
    """Return each rule's alerts, decisions and precision."""
    rows = risk.by_key(actor, question.on_days(), question.narrowed(), "rule")
    heads = (
        Head(_("Rule")),
        Head(_("Alerts"), numeric=True),
        Head(_("Decided"), numeric=True),
        Head(_("Precision"), numeric=True),
    )
    given = question.filters(NAMES)
    lines = [
        (
            Cell(
                rule_name(row.code), row.code, links.alerts(question.first, question.last, **given | {"rule": row.code})
            ),
            Cell(show.number(row.counts.raised), str(row.counts.raised)),
            Cell(show.number(row.counts.precision.whole), str(row.counts.precision.whole)),
            Cell(show.percent(show.share(*row.counts.precision))),
        )
        for row in rows
    ]
    return Drawn(Table(heads, lines))


def verdicts(actor: Actor, question: Asked) -> Drawn:
    """Return the alerts by what the gate answered."""
    rows = risk.by_key(actor, question.on_days(), question.narrowed(), "verdict")
    together = sum(row.counts.raised for row in rows)
    given = question.filters(NAMES)
    bars, lines = [], []
    for row in rows:
        label, color = VERDICTS.get(row.code, (row.code, TONES["idle"]))
        href = links.alerts(question.first, question.last, **given | {"verdict": row.code})
        part = show.percent(show.share(row.counts.raised, together))
        count = show.number(row.counts.raised)
        bars.append(figures.Bar(str(label), row.counts.raised, f"{count} · {part}", href, color))
        lines.append((Cell(str(label), row.code, href), Cell(count, str(row.counts.raised)), Cell(part)))
    heads = (Head(_("Verdict")), Head(_("Alerts"), numeric=True), Head(_("Share"), numeric=True))
    return Drawn(Table(heads, lines), figures.ranked(bars, unit=_("alerts")))


def _age(age: risk.AgeRow, before: risk.AgeRow | None) -> str:
    start = (before.until_seconds or 0) // HOUR_SECONDS if before else 0
    if age.until_seconds is None:
        return _("%(start)s hours and more", start=start)
    return _("%(start)s to %(end)s hours", start=start, end=age.until_seconds // HOUR_SECONDS)


def open_by_age(actor: Actor, _question: Asked) -> Drawn:
    """Return the undecided alerts by how long they have waited, at this moment."""
    ages = risk.open_by_age(actor)
    if not any(age.waiting for age in ages):
        return NOTHING
    names = [_age(age, before) for age, before in zip(ages, [None, *ages], strict=False)]
    bars = [
        figures.Bar(
            name,
            age.waiting,
            show.number(age.waiting),
            links.ALERTS + "?stage=waiting",
            TONES["bad"] if age.late else TONES["info"],
        )
        for name, age in zip(names, ages, strict=True)
    ]
    lines = [
        (Cell(name), Cell(show.number(age.waiting), str(age.waiting)), Cell(show.number(age.late), str(age.late)))
        for name, age in zip(names, ages, strict=True)
    ]
    heads = (Head(_("Waiting for")), Head(_("Open"), numeric=True), Head(_("Past review time"), numeric=True))
    return Drawn(Table(heads, lines), figures.ranked(bars, unit=_("alerts")), _("now, whatever days are chosen"))


def _concentration(what: str, label: LazyString) -> Callable[[Actor, Asked], Drawn]:
    def draw(actor: Actor, question: Asked) -> Drawn:
        rows = risk.by_party(actor, question.on_days(), question.narrowed(), what)
        # The rows are of this moment, the sum may be a little older: no share is above the whole.
        together = max(_both(actor, question)[0].raised, sum(row.counts.raised for row in rows))
        given = question.filters(NAMES)
        bars, lines = [], []
        for row in rows:
            href = links.alerts(question.first, question.last, **given | {what: row.code})
            part = show.percent(show.share(row.counts.raised, together))
            count = show.number(row.counts.raised)
            bars.append(figures.Bar(row.code, row.counts.raised, f"{count} · {part}", href, TONES["info"]))
            lines.append(
                (
                    Cell(f"{row.code} · {row.name}", row.code, href),
                    Cell(count, str(row.counts.raised)),
                    Cell(part),
                    Cell(show.amount(row.usdt_units, USDT), show.exact(row.usdt_units, USDT)),
                    Cell(show.percent(show.share(*row.counts.precision))),
                ),
            )
        heads = (
            Head(str(label)),
            Head(_("Alerts"), numeric=True),
            Head(_("Share"), numeric=True),
            Head(USDT, numeric=True),
            Head(_("Precision"), numeric=True),
        )
        return Drawn(Table(heads, lines), figures.ranked(bars[:MOST_BARS], unit=_("alerts")))

    return draw


NO_ALERTS = _l("No alert was raised in these days with these filters.")
CLICK = _l("click a bar for its alerts")
BOARD = Board(
    "risk",
    _l("Risk"),
    Right.SEE_RISK,
    (
        NumberTile("alerts", _l("Alerts"), alerts_raised),
        NumberTile("precision", _l("Precision"), precision),
        NumberTile("held", _l("Value held"), value_held),
        NumberTile("waiting", _l("Waiting for a decision"), waiting),
        NumberTile("decision", _l("Raised to decided, mean"), decision_time),
    ),
    (
        ChartTile("days", _l("Alerts by day"), by_day, 7, empty=NO_ALERTS, hint=CLICK),
        ChartTile("rules", _l("Rules"), rules, 5, chart=False, empty=NO_ALERTS),
        ChartTile("kinds", _l("Rules by day"), by_rule_and_day, 7, empty=NO_ALERTS, hint=CLICK),
        ChartTile("verdicts", _l("Verdicts"), verdicts, 5, empty=NO_ALERTS),
        ChartTile(
            "merchants", _l("Concentration by merchant"), _concentration("merchant", _l("Merchant")), 4, empty=NO_ALERTS
        ),
        ChartTile(
            "acceptors", _l("Concentration by acceptor"), _concentration("acceptor", _l("Acceptor")), 4, empty=NO_ALERTS
        ),
        ChartTile("ages", _l("Open alerts by age"), open_by_age, 4, empty=_l("No alert waits for a decision.")),
    ),
    filters=NAMES,
    buckets=("day", "week", "month"),
)
