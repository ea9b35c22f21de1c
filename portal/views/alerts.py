"""Alerts: the review queue with its figures, and an alert's page on which an officer decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask import flash, has_request_context, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup, escape

from core import clock
from core.actor import Actor, Right
from core.compliance import alerts, choices, listing, queries, turns
from core.compliance.listing import AlertRow
from core.orders import overdue
from core.orders import queries as orders
from core.parties.listing import of_party
from core.risk import rulesets
from core.risk.rules import RULES
from core.risk.verdicts import UNJUDGED
from portal import columns as drawing
from portal import format as show
from portal import listing as listing_engine
from portal import menu, risk_words
from portal.columns import Column, Preset, Sum
from portal.desk import Desk, deed
from portal.filters import Choice
from portal.roles import current_actor
from portal.security.gate import needs
from portal.states import badge_of
from portal.views import decisions, judging, order_words, reading, revealing
from portal.views.alike import Crowds, like
from portal.views.disposing import DISPOSITIONS
from portal.views.home import Card, Panel, card, panel
from portal.views.order_filters import Currency, Named, Stage, Window
from portal.views.orders import read_yes
from portal.views.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from flask.typing import ResponseReturnValue

    from portal.desk import Button

STAGES = (
    ("waiting", _l("Waiting")),
    ("mine", _l("Mine")),
    ("late", _l("Past review time")),
    ("second", _l("Second officer")),
    ("held", _l("USDT held")),
    ("closed", _l("Closed")),
)
OUTCOMES = {
    "release": (_l("Release"), _l("the merchant is paid")),
    "refuse": (_l("Refuse"), _l("the reserve returns to the acceptor")),
    "dismiss": (_l("Dismiss"), _l("the order stays as it is")),
}
HOME_ROWS = 8
"""So many alerts stand on the home page."""
_MINUTE = 60


def _verdict(row: Any, _column: Column, value: Any) -> Markup:
    """Return the verdict's badge; what waits for a second officer or is closed says so instead."""
    if row.state == "closed":
        return show.badge(row.disposition or "closed")
    return show.badge("pending_second" if row.state == "pending_second" else value)


def _why(row: Any, _column: Column, value: Any) -> Markup:
    name = risk_words.RULES.get(str(value), value)
    taken = row.locked_by and row.locked_until and row.locked_until > clock.now() and row.state != "closed"
    who = Markup(' · <span class="muted">{}</span>').format(row.locked_by) if taken else ""
    return Markup("<b>{}</b>{}").format(name, who)


def _sla(row: Any, _column: Column, value: Any) -> Any:
    return show.left(value) if row.state != "closed" else escape("–")


drawing.kind("alert_verdict", _verdict)
drawing.kind("alert_why", _why)
drawing.kind("alert_sla", _sla)
drawing.kind(
    "alert_reason",
    lambda _row, _column, value: risk_words.told(value).text,
    lambda _row, _column, value: risk_words.told(value).text,
)


class AlertsDesk(Crowds, Reading, Desk):
    """What the gates want an officer to judge; nobody else sees that it exists."""

    route_base = "/alerts"
    datamodel = SQLAInterface(AlertRow)
    right = Right.SEE_ALERTS
    title = _l("Review queue")
    columns: ClassVar = (
        Column(
            "ref", _l("Alert"), "ref", narrow="ref", href="/alerts/show/{}",
            under=Column("order_ref", _l("Order"), "ref", href="/orders/show/{}"),
        ),
        Column("rule", _l("Why"), "alert_why", wrap=True, under=Column("reason", _l("What happened"), "alert_reason")),
        Column("verdict", _l("Verdict"), "alert_verdict", narrow="state"),
        Column(
            "fiat_units", _l("Amount"), "money", asset="currency", narrow="amount",
            under=Column("usdt_units", _l("USDT"), "money", asset="USDT"),
        ),
        Column(
            "payer_name", _l("Payer"), "person", personal=True,
            under=Column("payer_account", _l("Account")),
        ),
        Column("due_at", _l("Review within"), "alert_sla"),
        Column("raised_at", _l("Raised"), "ago"),
    )  # fmt: skip
    filed: ClassVar = (
        Column("state", _l("State")),
        Column("outcome", _l("Outcome")),
        Column("disposition", _l("Disposition")),
        Column("proposed_by", _l("Proposed by")),
        Column("proposed_at", _l("Proposed at"), "when"),
        Column("narrative", _l("Why it was decided so")),
        Column("closed_by", _l("Closed by")),
        Column("closed_at", _l("Closed at"), "when"),
        Column("confirmed_why", _l("Why the second officer agreed")),
    )
    filters: ClassVar = (
        Stage("stage", _l("Stage"), STAGES, at=listing.at_stage),
        Choice("rule", _l("Rule"), tuple((code, risk_words.RULES.get(code, code)) for code in (*RULES, UNJUDGED))),
        Choice("verdict", _l("Verdict"), tuple((v, badge_of(v).text) for v in ("allow", "review", "hold", "refuse"))),
        Choice("gate", _l("Gate"), (("G1", "G1"), ("G3", "G3"))),
        Choice("disposition", _l("Disposition"), tuple(DISPOSITIONS.items())),
        Named("merchant", _l("Merchant"), lambda code: of_party(AlertRow, "merchant", code)),
        Named("acceptor", _l("Acceptor"), lambda code: of_party(AlertRow, "acceptor", code)),
        Currency("currency", _l("Currency")),
        Window("raised_at", _l("Raised")),
    )
    presets: ClassVar = (
        Preset(_l("Waiting"), {"stage": "waiting", "sort": "due_at"}),
        Preset(_l("Mine"), {"stage": "mine", "sort": "due_at"}),
        Preset(_l("Past review time"), {"stage": "late", "sort": "due_at"}),
        Preset(_l("Second officer"), {"stage": "second", "sort": "due_at"}),
        Preset(_l("USDT held"), {"stage": "held", "sort": "due_at"}),
    )
    find: ClassVar = ("ref",)
    order = "-raised_at"
    sorts: ClassVar = ("raised_at", "due_at", "usdt_units")
    reads: ClassVar = ("state", "disposition", "locked_by", "locked_until")
    sums: ClassVar = (Sum("usdt_units", "USDT", _l("USDT"), once="order_id"),)
    empty: ClassVar = (_l("Nothing waits for review"), _l("An alert appears here when a rule fires at a gate."))
    list_template = "alerts/list.html"
    show_template = "alerts/show.html"

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see."""
        return listing.own(actor)

    def found(self, words: str) -> sa.ColumnElement[bool]:
        """Return which rows the search box finds."""
        return listing.found(words)

    @expose("/list/", methods=["GET"])
    def list(self) -> ResponseReturnValue:
        """Show what waits, most urgent first; the address says so."""
        if not request.args:
            return redirect(url_for(f"{self.endpoint}.list", stage="waiting", sort="due_at"))
        return self._listed()

    @expose("/next", methods=["POST"])
    @needs(Right.DECIDE_ALERT)
    def next(self) -> ResponseReturnValue:
        """Open the alert that is wanted most: it is the officer's while its page is open; the last one goes back."""
        ref = turns.next_alert(current_actor(), passed=reading.passed())
        if ref is None:
            flash(_("Nothing waits that nobody has taken."), "ok")
            return redirect(url_for(f"{self.endpoint}.list", stage="waiting", sort="due_at"))
        reading.opened(ref)
        return redirect(url_for(f"{self.endpoint}.show", key=ref))

    def counts(self) -> queries.Counts:
        """Return what the figures and the line about disputes above the queue say."""
        return queries.counts(current_actor())

    def figures(self, counts: queries.Counts) -> Sequence[Card]:
        """Return the four figures above the queue."""
        return figures(counts)

    def disputes_href(self) -> str:
        """Return where the open disputes are."""
        return _disputes_href()

    def rules_in_force(self) -> bool:
        """Return whether the gates have rules to judge by."""
        return rulesets.in_force(current_actor()) is not None

    def may_decide(self) -> bool:
        """Return whether who looks may decide."""
        return has_request_context() and current_actor().may(Right.DECIDE_ALERT)

    def _shown(self, key: str, status: int = 200, told: tuple[str, str] | None = None) -> ResponseReturnValue:
        actor = current_actor()
        alert = queries.alert(actor, listing_engine.row_of(self, actor, key).ref)
        free = alert.row.locked_by in {None, actor.name}
        order = orders.order(actor, alert.row.order_ref)
        html = render_template(
            self.show_template,
            view=self,
            title=key,
            key=key,
            alert=alert,
            row=alert.row,
            order=order,
            effect=decisions.effect,
            crumbs=[(self.title, url_for(f"{self.endpoint}.list", stage="waiting", sort="due_at"))],
            buttons={button.name: button for button in self.buttons(alert, actor)},
            decides=actor.may(Right.DECIDE_ALERT) and free,
            alike=like(alert, actor),
            reads=alert.row.locked_by == actor.name,
            offers=reading.offers(alert, actor),
            upcoming=reading.upcoming(alert, actor),
            outcomes=[(name, *OUTCOMES[name], self._asked(alert, order, name)) for name in alert.possible],
            dispositions=DISPOSITIONS,
            outcome_words={name: words[0] for name, words in OUTCOMES.items()},
            words=risk_words,
            events=order_words.EVENTS,
            detail_of=order_words.detail_of,
            overdue=_overdue(actor, alert, order),
            told_of=risk_words.told,
            weight_of=risk_words.weight_of,
            form=request.form if status != 200 else {},  # noqa: PLR2004 - a refused form is shown again
            least=choices.LEAST_WORDS,
            told=told,
            judged=judging.standing_of(actor, order),
            judged_from=key,
            reveals=revealing.choices(order),
            actor=actor,
        )
        return html, status

    def _asked(self, alert: queries.AlertView, order: orders.OrderView, outcome: str) -> str:
        """Return what the officer is asked before the outcome is sent."""
        if alert.held.units and outcome != "dismiss":
            return decisions.proposed(outcome, order)
        return decisions.effect(outcome, order)

    def why_not(self, name: str, row: queries.AlertView, actor: Actor) -> str:
        """Return why taking or putting back is not possible for the alert now."""
        if row.row.state == "closed":
            return _("It was decided.")
        if name == "take" and row.second is not None and row.second.requested_by == actor.name:
            return _("You decided first: somebody else must agree.")
        if row.row.locked_by not in {None, actor.name}:
            return _("%(name)s works on this.", name=row.row.locked_by)
        return _("You have not taken it.") if name == "put_back" and row.row.locked_by is None else ""

    def buttons(self, row: Any, actor: Actor) -> Sequence[Button]:
        """Return the actions of the head: take, or put back what one has."""
        mine = row.row.locked_by == actor.name
        return [each for each in super().buttons(row, actor) if each.name == ("put_back" if mine else "take")]

    @deed("take", _l("Take"), Right.DECIDE_ALERT, sign="user", key="t")
    def take(self, rows: Sequence[Any]) -> None:
        """Keep the alert for oneself for some minutes."""
        alerts.take(current_actor(), rows[0].ref)
        flash(_("It is yours for %(n)s minutes.", n=alerts.LOCK_SECONDS // _MINUTE), "ok")

    @deed("put_back", _l("Put back"), Right.DECIDE_ALERT, sign="rotate-ccw")
    def put_back(self, rows: Sequence[Any]) -> ResponseReturnValue:
        """Give the alert back to the queue."""
        alerts.put_back(current_actor(), rows[0].ref)
        flash(_("It is back in the queue."), "ok")
        return redirect(url_for(f"{self.endpoint}.list", stage="waiting", sort="due_at"))

    @deed("decide", _l("Decide"), Right.DECIDE_ALERT)
    def decide(self, rows: Sequence[Any]) -> ResponseReturnValue:
        """Judge the alert, and those raised with it; then the officer's next is offered."""
        actor, ref = current_actor(), rows[0].ref
        said = [request.form.get(name, "") for name in ("outcome", "disposition", "narrative")]
        view = queries.alert(actor, ref)
        before = orders.order(actor, view.row.order_ref)
        done = alerts.decide(actor, ref, *said)
        if done.state == "pending_second":
            return decisions.go_on(decisions.proposed(said[0], before), "warning", ref)
        return decisions.go_on(decisions.effect(said[0], before), "ok", ref)

    @deed("second", _l("Second decision"), Right.DECIDE_ALERT)
    def second(self, rows: Sequence[Any]) -> ResponseReturnValue:
        """Agree to or turn down another officer's decision about held USDT; then the officer's next is offered."""
        actor, ref = current_actor(), rows[0].ref
        agree = read_yes(request.form.get("approve", ""))
        view = queries.alert(actor, ref)
        before = orders.order(actor, view.row.order_ref)
        done = alerts.second(actor, ref, agree, request.form.get("why", ""))
        if done.state == "closed" and view.second is not None:
            return decisions.go_on(decisions.effect(view.second.payload["outcome"], before), "ok", ref)
        return decisions.go_on(_("Turned down. The alert waits for a new decision."), "warning", ref)

    @deed("reveal", _l("Reveal"), Right.REVEAL)
    def reveal(self, rows: Sequence[Any]) -> ResponseReturnValue:
        """Show one piece of personal data, this once; the look is logged for this alert."""
        alert, actor = rows[0].ref, current_actor()
        order = orders.order(actor, queries.alert(actor, alert).row.order_ref)
        return self._shown(alert, told=revealing.revealed(order, alert))


def _overdue(actor: Actor, alert: queries.AlertView, order: orders.OrderView) -> Markup | str:
    """Return that the review is overdue and when it is asked for again, "" while it is not."""
    if alert.row.state == "closed":
        return ""
    return order_words.overdue_words(overdue.review(actor, order), alert.row.due_at if alert.row.late else None)


def figures(counts: queries.Counts) -> Sequence[Card]:
    """Return the figures of the review: what waits, what is held and whether it ties, how officers decide."""
    late = ngettext(
        "%(n)s past its review time", "%(n)s past their review time", counts.late, n=show.number(counts.late)
    )
    late = late if counts.late else _("none past its review time")
    off = counts.held.units - counts.ledger_held.units
    ties = _("ties to the ledger") if not off else _("off by %(n)s", n=show.amount(off, "USDT"))
    rate, pace = counts.cleared_bps, counts.decision_seconds
    none = "" if rate is not None else _("nothing decided yet")
    waiting = url_for("AlertsDesk.list", stage="waiting", sort="due_at")
    held = url_for("OrdersDesk.list", hold="open")
    month = _("30 days to now")
    where = ngettext("in %(n)s order", "in %(n)s orders", counts.holds, n=show.number(counts.holds))
    return (
        Card(
            _("Waiting for review"), show.number(counts.waiting), aside=_("now"), foot=late,
            tone="down" if counts.late else "", href=waiting,
        ),
        Card(
            _("Held USDT"), show.amount(counts.held.units, "USDT"), aside=ties,
            foot=where, tone="down" if off else "", href=held,
        ),
        Card(
            _("Alerts cleared"), "–" if rate is None else show.share(rate), aside=month,
            foot=none or _("false positives and explained"),
        ),
        Card(_("Median decision"), "–" if pace is None else risk_words.lasting(pace), aside=month, foot=none),
    )  # fmt: skip


@menu.badge("alerts")
def _waiting(actor: Actor) -> menu.Count | None:
    counts = queries.counts(actor)
    return menu.Count(counts.waiting, hot=counts.late > 0) if counts.waiting else None


@card(Right.SEE_ALERTS, "compliance", "auditor", "admin")
def _to_review(_actor: Actor) -> Card:
    return figures(queries.counts(current_actor()))[0]


@card(Right.SEE_ALERTS, "compliance", "auditor", "admin")
def _held(_actor: Actor) -> Card:
    return figures(queries.counts(current_actor()))[1]


@card(Right.DECIDE_ALERT, "compliance")
def _disputes(actor: Actor) -> Card:
    counts = queries.counts(actor)
    due = counts.dispute_due
    late = due is not None and due < clock.now()
    foot = Markup("{} {}").format(_("nearest deadline"), show.left(due)) if due else _("none waits")
    return Card(
        _("Open disputes"), show.number(counts.disputes), aside=_("now"), foot=foot,
        tone="down" if late else "", href=_disputes_href(),
    )  # fmt: skip


def _disputes_href() -> str:
    return url_for("OrdersDesk.list", stage="open", dispute_state="open", sort="deadline_at")


@panel(Right.DECIDE_ALERT, "compliance")
def _most_wanted(actor: Actor) -> Panel | None:
    rows = queries.queue(actor, able=True, limit=HOME_ROWS)
    return Panel("alerts/home.html", {"alert_rows": rows, "rule_of": risk_words.rule}) if rows else None
