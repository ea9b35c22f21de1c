"""Commissions: the lines, why a line is what it is, and the report of a period tied to the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from flask import Response, flash, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from core import clock
from core.actor import Actor, Right, Scope
from core.commissions import listing, periods, plans, queries
from core.commissions.listing import LineRow
from core.commissions.queries import STATES
from core.errors import TooMany
from core.money import USDT, Money
from core.parties.listing import of_party
from core.reports import files, overview, requests
from portal import columns as drawing
from portal import format as show
from portal.columns import Column, Preset, Sum
from portal.desk import Desk
from portal.filters import Choice, one
from portal.roles import actor_or_none, current_actor
from portal.security.gate import needs
from portal.states import badge_of
from portal.views.order_filters import Month, Named, Stage, Version, Window

if TYPE_CHECKING:
    import sqlalchemy as sa
    from flask.typing import ResponseReturnValue

MIMES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
LEVELS = tuple((str(level), str(level)) for level in range(1, 9))
COLUMNS = ("opening", "accrued", "reversed", "adjustments", "paid", "closing", "held")


def _plan(row: Any, _column: Column, value: Any) -> Markup:
    return Markup('{} <span class="sub">v{}</span>').format(value, row.plan_version)


drawing.kind("plan", _plan)


class Level(Choice):
    """The place on the path of an order: 1 is the direct agent."""

    def clause(self, model: Any, args: Any) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet, None when nothing is chosen; refuse what is no level."""
        chosen = [int(value) for value in self.chosen(args)]
        return model.level.in_(chosen) if chosen else None


class State(Choice):
    """Where a line stands; it is held while its agent's commission is."""

    def clause(self, model: Any, args: Any) -> sa.ColumnElement[bool] | None:  # noqa: ARG002 - a filter
        """Return what the rows must meet, None when nothing is chosen; refuse unknown states."""
        chosen = self.chosen(args)
        return listing.in_states(chosen) if chosen else None


OWN_OR_BELOW = Stage(
    "whose", _l("Whose"), (("own", _l("Your own")), ("below", _l("Agents below you"))), at=listing.of_whose
)


def _is_agent() -> bool:
    actor = actor_or_none()
    return actor is not None and actor.scope is Scope.AGENT


class CommissionsDesk(Desk):
    """Accrual lines: all, or those of an agent's own subtree."""

    route_base = "/commissions"
    datamodel = SQLAInterface(LineRow)
    right = Right.SEE_COMMISSIONS
    title = _l("Commissions")
    columns: ClassVar = (
        Column(
            "ref", _l("Line"), "ref", href="/commissions/show/{}", narrow="ref",
            under=Column("order_ref", _l("Order"), "ref", href="/orders/show/{}"),
        ),
        Column("agent", _l("Agent"), under=Column("merchant", _l("Merchant"))),
        Column("state", _l("State"), "badge", narrow="state"),
        Column("level", _l("Level"), "number"),
        Column("plan", _l("Plan"), "plan"),
        Column("rate_bps", _l("Rate"), "share"),
        Column("base_units", _l("Earned on"), "money", asset="USDT"),
        Column("units", _l("Commission"), "money", asset="USDT", narrow="amount"),
        Column("accrued_at", _l("Earned"), "ago", under=Column("period", _l("Period"))),
    )  # fmt: skip
    every_filter: ClassVar = (
        Month("period", _l("Period"), exact=True),
        Named("agent", _l("Agent"), lambda code: of_party(LineRow, "agent", code)),
        Named("merchant", _l("Merchant"), listing.of_merchant),
        Named("order_ref", _l("Order"), listing.of_order),
        State("state", _l("State"), tuple((state, badge_of(state).text) for state in STATES)),
        Level("level", _l("Level"), LEVELS),
        Named("plan", _l("Plan"), listing.of_plan),
        Version("plan_version", _l("Plan version"), listing.of_version),
        Window("accrued_at", _l("Earned")),
    )
    find: ClassVar = ("ref",)
    order = "-accrued_at"
    sorts: ClassVar = ("accrued_at",)
    reads: ClassVar = ("plan_version",)
    sums: ClassVar = (
        Sum("base_units", "USDT", _l("Earned on"), once="order_id"),
        Sum("units", "USDT", _l("Commission")),
    )
    empty: ClassVar = (
        _l("No commissions yet"),
        _l("A line appears here for each agent on the path of an order when the order completes."),
    )
    list_template = "commissions/list.html"

    @property
    def filters(self) -> tuple[Any, ...]:  # type: ignore[override]  # by the reader
        """An agent tells its own lines from those of the agents below it."""
        return (OWN_OR_BELOW, *self.every_filter) if _is_agent() else self.every_filter

    @property
    def presets(self) -> tuple[Preset, ...]:  # type: ignore[override]  # by the day
        """This month and the last one."""
        present = periods.of(clock.now())
        months = (
            Preset(_l("This month"), {"period": present.name}),
            Preset(_l("Last month"), {"period": present.previous().name}),
        )
        if not _is_agent():
            return months
        return (Preset(_l("Your own"), {"whose": "own"}), Preset(_l("Agents below you"), {"whose": "below"}), *months)

    def next_step(self, actor: Actor) -> tuple[str, str] | None:
        """Return the way to the agents, who earn."""
        return (_("Agents"), url_for("AgentsView.list")) if actor.may(Right.SEE_AGENTS) else None

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see."""
        return listing.own(actor)

    def _shown(self, key: str, status: int = 200) -> ResponseReturnValue:
        """Show why a line is what it is; 404 for another's."""
        actor = current_actor()
        told = queries.explain(actor, key)
        html = render_template(
            "commissions/explain.html",
            title=key,
            told=told,
            line=told.line,
            base=Money(told.line.base_units, USDT),
            tier=_tier(told),
            earned=Money(told.line.units, USDT),
            crumbs=[(self.title, url_for(f"{self.endpoint}.list"))],
            actor=actor,
        )
        return html, status

    @expose("/report", methods=["GET"])
    def report(self) -> ResponseReturnValue:
        """Show a period's statements of the agents the actor sees, tied to the ledger."""
        actor = current_actor()
        period, agent = self._asked()
        found = overview.overview(actor, period, agent)
        now = periods.of(clock.now())
        months = sorted({*found.months, now.name, now.previous().name, found.period.name}, reverse=True)
        return render_template(
            "commissions/report.html",
            title=_("Commission report"),
            crumbs=[(self.title, url_for(f"{self.endpoint}.list"))],
            found=found,
            agent=agent,
            months=months,
            columns=COLUMNS,
            now=clock.now(),
            forms=files.FORMATS if actor.may(Right.EXPORT) else (),
            groups=_groups(found),
        )

    @expose("/report/<form>", methods=["GET"])
    @needs(Right.SEE_COMMISSIONS)
    def file(self, form: str) -> ResponseReturnValue:
        """Send the report as csv, xlsx or pdf; one too long to wait for is written by a job."""
        actor = current_actor()
        period, agent = self._asked()
        try:
            with overview.as_file(actor, period, agent, form) as written:
                body, name = written.path.read_bytes(), written.path.name
        except TooMany:
            requests.request(actor, "commission", {"period": period, "agent": agent, "format": form})
            flash(_("It is long: it is being written. You find it here as soon as it is done."), "ok")
            return redirect(url_for("ExportsView.list"))
        answer = Response(body, content_type=MIMES[form])
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _asked(self) -> tuple[str, str]:
        return one(request.args, "period") or periods.of(clock.now()).name, one(request.args, "agent")


def _tier(told: queries.Explanation) -> str:
    """Return which tier of the plan the order took, and the volume that gave it; "" where the plan has none."""
    tiers = plans.PlanVersion.read(told.plan_terms | {"version": told.line.plan_version}).tiers.get("deposit", ())
    if not tiers or told.share is None:
        return ""
    volume = f"{show.amount(told.share.volume_units, 'USDT')} USDT"
    at = datetime.fromisoformat(told.share.volume_at) if told.share.volume_at else None
    since = _("%(volume)s before this order", volume=volume) if at is None else _(
        "%(volume)s before this order, as reckoned %(when)s", volume=volume, when=show.when(at)
    )  # fmt: skip
    if not told.share.tier:
        return Markup(_("None reached: the plan's own rate. Volume of the window: %(since)s.", since=since))  # noqa: S704
    start, bps = tiers[told.share.tier - 1]
    return Markup(  # noqa: S704 - figures and our own words
        _(
            "Tier %(n)s of %(all)s, from %(start)s on, at %(rate)s. Volume of the window: %(since)s.",
            n=told.share.tier,
            all=len(tiers),
            start=f"{show.amount(start, 'USDT')} USDT",
            rate=show.share(bps),
            since=since,
        )
    )


def _groups(found: overview.Overview) -> list[tuple[str, overview.Group]]:
    """Return the statements as they are shown: all at once, or for an agent its own first, then those below it."""
    if not found.own:
        return [("", overview.Group(found.statements))]
    own = [each for each in found.statements if each.agent_ref == found.own]
    below = [each for each in found.statements if each.agent_ref != found.own]
    said = ((_("Your own"), own), (_("Agents below you"), below))
    return [(label, overview.Group(each)) for label, each in said if each]
