"""Agents: the tree of referrals, and an agent's page with plan, commission of the month and what it referred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _
from flask_babel import ngettext

from core import clock
from core.actor import Actor, Right, Scope
from core.commissions import queries as commissions
from core.commissions import tiers
from core.errors import NotFound, Refusal
from core.money import USDT, Money
from core.parties import agents, commission_holds, commission_lifts, naming, tree
from portal import export, in_place, refusals
from portal import format as show
from portal.desk import Button
from portal.roles import current_actor
from portal.views import agent_list, standing
from portal.views import party_parts as parts
from portal.views.enrolling import Enrols
from portal.views.home import Card, card

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

HOLDS = ("hold", "lift")
"""What is done about an agent's commission, beside its standing."""


class AgentsView(Enrols, BaseView):
    """The referrers: the whole tree, or an agent's own subtree."""

    route_base = "/agents"
    kind = "agent"
    default_view = "list"
    right = Right.SEE_AGENTS

    @expose("/list/", methods=["GET"])
    def list(self) -> ResponseReturnValue:
        """Show the tree the actor sees; with a filter those agents alone that it finds, side by side."""
        actor = current_actor()
        every = tree.nodes(actor)
        asked = agent_list.ask(request.args)
        nodes = agent_list.found(every, asked)
        return render_template(
            "parties/agents.html",
            view=self,
            title=_("Agents"),
            nodes=nodes,
            asked=asked,
            states=agent_list.STATES,
            plans=sorted({each.plan for each in every}),
            may_export=actor.may(Right.EXPORT),
            volume=sum((each.volume for each in nodes), Money(0, USDT)),
            commission=sum((each.commission for each in nodes), Money(0, USDT)),
            month=f"{clock.now():%Y-%m}",
        )

    @expose("/export.csv", methods=["GET"])
    def export(self) -> ResponseReturnValue:
        """Send exactly the filtered agents as CSV."""
        actor = current_actor()
        asked = agent_list.ask(request.args)
        return export.small(actor, agent_list.file(agent_list.found(tree.nodes(actor), asked), asked))

    @expose("/show/<ref>", methods=["GET"])
    def show(self, ref: str) -> ResponseReturnValue:
        """Show one agent of the actor's."""
        return self._page(current_actor(), ref)

    def _page(self, actor: Actor, ref: str) -> str:
        agent = tree.agent(actor, ref)
        own = actor.scope is Scope.ALL or actor.party_id == agent.id
        return render_template(
            "parties/agent.html",
            title=agent.code,
            agent=agent,
            crumbs=[(_("Agents"), url_for("AgentsView.list"))],
            cards=self._cards(actor, agent),
            referrals=tree.referrals(actor, ref),
            lines_href=_lines(actor, agent.code),
            report_href=_report(actor, agent.code),
            actor=actor,
            buttons=self._buttons(actor, agent),
            holding=commission_holds.of(actor, ref),
            lifting=commission_lifts.waiting(actor, ref),
            agents=naming.known(actor, "agent") if actor.may(Right.MOVE_AGENTS) else [],
            **(parts.statement(actor, ref) if own else {"statement": None}),
        )

    @expose("/action/<string:name>/<ref>", methods=["POST"])
    def action(self, name: str, ref: str) -> ResponseReturnValue:
        """Do a deed to one agent of the actor's, then show it; a refusal is told there and nothing has changed."""
        actor = current_actor()
        agent = tree.agent(actor, ref)
        there = redirect(url_for("AgentsView.show", ref=ref))
        if name not in {"move", *HOLDS, *standing.BEFORE}:
            raise NotFound(_("There is no such action here."), action=name[:40])
        actor.must(Right.MOVE_AGENTS if name == "move" else Right.SET_STANDING)
        try:
            if name == "move":
                self._move(actor, agent)
            elif name in HOLDS:
                self._hold(actor, agent, name)
            else:
                standing.turn(actor, name, ref, agent.code)
        except Refusal as refusal:
            if in_place.wanted():
                return in_place.refused(refusal)
            flash(refusals.told(refusal), "danger")
            return self._page(actor, ref), refusal.status
        return in_place.done(there) if in_place.wanted() else there

    def _move(self, actor: Actor, agent: tree.AgentView) -> None:
        """Put the agent below another; shares of open orders stay as they were frozen."""
        named = request.form.get("parent", "").strip()
        above = naming.party(actor, named, "agent", field="parent") if named else None
        agents.reparent(actor, agent.ref, above, request.form.get("reason", ""))
        where = _("below %(code)s", code=named) if named else _("at the top")
        flash(_("%(code)s stands %(where)s now. Open orders keep their shares.", code=agent.code, where=where), "ok")

    def _hold(self, actor: Actor, agent: tree.AgentView, name: str) -> None:
        """Hold the agent's commission while something is looked into, or ask another to make it payable again."""
        why = request.form.get("reason", "")
        if name == "hold":
            commission_holds.hold(actor, agent.ref, why)
            flash(
                _("The commission of %(code)s is held: none of it is payable until it is lifted.", code=agent.code),
                "ok",
            )
        else:
            commission_lifts.ask(actor, agent.ref, why)
            flash(
                _("Asked for. The commission of %(code)s stays held until another person approves.", code=agent.code),
                "ok",
            )

    def _buttons(self, actor: Actor, agent: tree.AgentView) -> Sequence[Button]:
        moves = [Button("move", _("Move"), "", "", "network", "", "")] if actor.may(Right.MOVE_AGENTS) else []
        return [*moves, *_holding(actor, agent), *standing.buttons(actor, agent.state)]

    def _cards(self, actor: Actor, agent: tree.AgentView) -> list[Card]:
        month = f"{clock.now():%Y-%m}"
        found = []
        if actor.may(Right.SEE_COMMISSIONS):
            sums = commissions.sums(actor, commissions.Filters(period=month, agent=agent.code))
            found = [
                parts.money_card(_("Commission"), sums.units, aside=month, href=_lines(actor, agent.code)),
                parts.money_card(_("Earned on"), sums.base_units, aside=month),
                Card(_("Lines"), show.number(sums.lines), aside=month, href=_lines(actor, agent.code)),
                *_tier(actor, agent),
            ]
        return found


def _holding(actor: Actor, agent: tree.AgentView) -> list[Button]:
    """Return the step that is possible about its commission: hold it, or ask to lift what no suspension holds."""
    if not actor.may(Right.SET_STANDING):
        return []
    if not agent.held:
        return [Button("hold", _("Hold commission"), "", "bad", "lock", "", "")]
    why_not = _("It is held as long as the agent is shut out.") if agent.state in commission_holds.OUT else ""
    if not why_not and commission_lifts.waiting(actor, agent.ref):
        why_not = _("It waits for another person's approval.")
    return [Button("lift", _("Lift the hold"), "", "", "rotate-ccw", "", why_not)]


def _tier(actor: Actor, agent: tree.AgentView) -> list[Card]:
    """Return what is missing to the next tier of the agent's plan, if it has tiers."""
    found = tiers.standing(actor, agent.ref)
    if found is None:
        return []
    window = _("30 days to now") if found.window == "rolling_30d" else _("this month, %(zone)s", zone=found.time_zone)
    counted = _("%(volume)s so far", volume=f"{show.amount(found.volume.units, 'USDT')} USDT")
    if found.missing is None or found.next_bps is None:
        foot = _("%(counted)s at %(rate)s", counted=counted, rate=show.share(found.bps))
        return [Card(_("Next tier"), _("the highest is reached"), aside=window, foot=foot)]
    foot = _("%(counted)s, then %(rate)s", counted=counted, rate=show.share(found.next_bps))
    return [parts.money_card(_("To the next tier"), found.missing.units, aside=window, foot=foot)]


def _lines(actor: Actor, code: str) -> str:
    if not actor.may(Right.SEE_COMMISSIONS):
        return ""
    return url_for("CommissionsDesk.list", agent=code, period=f"{clock.now():%Y-%m}")


def _report(actor: Actor, code: str) -> str:
    if not actor.may(Right.SEE_COMMISSIONS):
        return ""
    return url_for("CommissionsDesk.report", agent=code, period=f"{clock.now():%Y-%m}")


@card(Right.SEE_COMMISSIONS, "agent")
def _this_month(actor: Actor) -> Card | None:
    return _earned(actor, "own", _("Your commission this month")) if _nodes(actor) else None


@card(Right.SEE_COMMISSIONS, "agent")
def _below(actor: Actor) -> Card | None:
    """What the agents below earned themselves; nothing of it is the reader's."""
    return _earned(actor, "below", _("Agents below you")) if len(_nodes(actor)) > 1 else None


def _earned(actor: Actor, whose: str, label: str) -> Card:
    month = f"{clock.now():%Y-%m}"
    sums = commissions.sums(actor, commissions.Filters(period=month, whose=whose))
    foot = ngettext("%(n)s line", "%(n)s lines", sums.lines, n=show.number(sums.lines))
    href = url_for("CommissionsDesk.list", period=month, whose=whose)
    return parts.money_card(label, sums.units, aside=month, foot=foot, href=href)


@card(Right.SEE_AGENTS, "agent")
def _held(actor: Actor) -> Card | None:
    """What is held of the reader's commission; why an officer holds it is told to officers alone."""
    nodes = _nodes(actor)
    holding = commission_holds.of(actor, nodes[0].ref) if nodes else None
    if holding is None:
        return None
    why = _("you are suspended") if holding.by_standing else _("it is under review")
    return parts.money_card(
        _("Commission held"),
        holding.held.units,
        aside=_("since %(day)s", day=f"{holding.since:%Y-%m-%d}"),
        foot=_("%(why)s; what you earn meanwhile is held too", why=why),
        tone="down",
        href=url_for("AgentsView.show", ref=nodes[0].ref),
    )


@card(Right.SEE_AGENTS, "agent")
def _active(actor: Actor) -> Card | None:
    nodes = _nodes(actor)
    if not nodes:
        return None
    referred = sum(each.merchants for each in nodes)
    foot = ngettext(
        "of %(n)s merchant in your tree", "of %(n)s merchants in your tree", referred, n=show.number(referred)
    )
    return Card(
        _("Active referrals"), show.number(tree.active_referrals(actor)), aside=_("30 days to now"), foot=foot,
        href=url_for("AgentsView.list"),
    )  # fmt: skip


@card(Right.SEE_AGENTS, "agent")
def _volume(actor: Actor) -> Card | None:
    volume: Any = sum((each.volume for each in _nodes(actor)), Money(0, USDT))
    return parts.money_card(
        _("Volume of your tree"), volume.units, aside=_("30 days to now"), href=parts.completed_to_now()
    )


def _nodes(actor: Actor) -> list[tree.Node]:
    """Return the actor's subtree, itself first, read once a request."""
    found: list[tree.Node] | None = g.get("agent_nodes")
    if found is None:
        found = g.agent_nodes = tree.nodes(actor)
    return found


def top_referrals(actor: Actor, limit: int) -> list[tree.Referral]:
    """Return the merchants and sub-agents an agent refers itself that bring most, for its home page."""
    nodes = _nodes(actor)
    found = tree.referrals(actor, nodes[0].ref) if nodes else []
    able = [each for each in found if each.kind != "acceptor"]
    return sorted(able, key=lambda each: -each.volume.units)[:limit]
