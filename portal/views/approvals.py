"""Approvals: what one person asked for and another must agree to, told in amounts and terms before it is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from flask import flash, g, redirect, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from core.actor import Actor, Right, Scope
from core.approvals import listing
from core.approvals.listing import ApprovalRow
from core.commissions import versions
from core.compliance import queries as alerts
from core.parties import commission_lifts, reserves
from portal import columns as drawing
from portal import format as show
from portal import menu, refusals
from portal.columns import Column, Preset
from portal.desk import Desk, deed
from portal.filters import Choice
from portal.roles import actor_or_none, current_actor
from portal.states import badge_of
from portal.views import margin_words, version_words
from portal.views.home import Card, card
from portal.views.order_filters import Stage, Window
from portal.views.orders import read_yes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa
    from flask.typing import ResponseReturnValue
    from flask_babel import LazyString

    from portal.desk import Button
    from portal.listing import Asked

KINDS: Final = {
    reserves.KIND: _l("Reserve top-up"),
    versions.FEES: _l("Fee schedule"),
    versions.PLAN: _l("Commission plan"),
    commission_lifts.KIND: _l("End of a commission hold"),
}
"""What this desk decides; held USDT and disputes are decided where their order is, by officers."""
SEES: Final = {
    reserves.KIND: Right.SEE_BALANCE,
    versions.FEES: Right.SEE_PRICING,
    versions.PLAN: Right.SEE_PRICING,
    commission_lifts.KIND: Right.SEE_AGENTS,
}
"""What of it whoever sees the desk sees, too."""
DECIDES: Final = {
    reserves.KIND: Right.APPROVE_TOP_UP,
    versions.FEES: Right.APPROVE_PRICING,
    versions.PLAN: Right.APPROVE_PRICING,
    commission_lifts.KIND: Right.SET_STANDING,
}
_VERSIONS: Final = frozenset({versions.FEES, versions.PLAN})
FOR_YOU: Final = {"decides": "you"}
"""The filter of what waits for who looks: the very rows that the figure on the home page counts."""
ASKS: Final = {
    reserves.KIND: Right.TOP_UP_RESERVE,
    versions.FEES: Right.MANAGE_PRICING,
    versions.PLAN: Right.MANAGE_PRICING,
    commission_lifts.KIND: Right.SET_STANDING,
}
_WITHDRAW: Final = {
    reserves.KIND: reserves.withdraw,
    versions.FEES: versions.withdraw,
    versions.PLAN: versions.withdraw,
    commission_lifts.KIND: commission_lifts.withdraw,
}


def _for_actor(actor: Actor, _you: str) -> sa.ColumnElement[bool]:
    return listing.waits_for(actor.name, _decided_by(actor))


def _decided_by(actor: Actor) -> Sequence[str]:
    """Return the kinds of which the actor may decide what others ask for: none for parties."""
    return [kind for kind, right in DECIDES.items() if actor.may(right)] if actor.scope is Scope.ALL else []


def top_up_words(told: reserves.TopUp) -> str:
    """Return what a top-up does in one line, with the reserve before and after."""
    amount, before, after = (show.amount(each.units, "USDT") for each in (told.amount, told.before, told.after))
    return _(
        "%(amount)s USDT to acceptor %(code)s, reserve %(before)s → %(after)s",
        amount=amount, code=told.code, before=before, after=after,
    )  # fmt: skip


def _in_short(row: Any) -> str:
    """Return what is asked for in a few words, from the request alone."""
    said = row.payload
    if row.kind == reserves.KIND:
        return f"{show.amount(said['units'], 'USDT')} USDT → {said['code']}"
    if row.kind == commission_lifts.KIND:
        return f"{said['code']}, {show.amount(said['units'], 'USDT')} USDT"
    return f"{row.subject} v{said['version']}"


def _state(row: Any) -> str:
    """Return what became of a request: of an approved version also that it was withdrawn before it began."""
    if row.state != "approved" or row.kind not in _VERSIONS:
        return str(row.state)
    return "approved_withdrawn" if (row.subject, row.payload["version"]) in _withdrawn(row.kind) else "approved"


def _withdrawn(kind: str) -> set[tuple[str, int]]:
    """Return code and number of the versions of a kind that were withdrawn; looked up once for a list or file."""
    found: dict[str, set[tuple[str, int]]] = g.setdefault("versions_withdrawn", {})
    if kind not in found:
        known = versions.known(current_actor(), kind)
        found[kind] = {(each.code, each.version) for each in known if each.withdrawn_at}
    return found[kind]


def _kind(_row: Any, _column: Column, value: Any) -> str:
    return str(KINDS.get(value, value))


drawing.kind("approval_kind", _kind, _kind)
drawing.kind(
    "approval_what",
    lambda row, _column, _value: Markup("<b>{}</b>").format(_in_short(row)),
    lambda row, _column, _value: _in_short(row),
)
drawing.kind(
    "approval_state",
    lambda row, _column, _value: show.badge(_state(row)),
    lambda row, _column, _value: _state(row),
)


class ApprovalsDesk(Desk):
    """What one person of finance, or one officer, asked for: what waits, and what became of the others."""

    route_base = "/approvals"
    datamodel = SQLAInterface(ApprovalRow)
    right = Right.SEE_APPROVALS
    title = _l("Approvals")
    columns: ClassVar = (
        Column("ref", _l("Request"), "ref", narrow="ref", href="/approvals/show/{}"),
        Column("kind", _l("Kind"), "approval_kind", under=Column("reason", _l("Reason"))),
        Column("subject", _l("What"), "approval_what", narrow="amount"),
        Column("state", _l("State"), "approval_state", narrow="state"),
        Column("requested_by", _l("Asked by"), under=Column("requested_at", _l("Asked"), "ago")),
        Column("decided_by", _l("Decided by"), under=Column("decided_at", _l("Decided"), "ago")),
    )
    filters: ClassVar = (
        Choice(
            "state", _l("State"), tuple((s, badge_of(s).text) for s in ("waiting", "approved", "refused", "withdrawn"))
        ),
        Stage("decides", _l("Who decides"), (("you", _l("You")),), at=_for_actor),
        Choice("kind", _l("Kind"), tuple(KINDS.items())),
        Window("requested_at", _l("Asked")),
    )
    presets: ClassVar = (
        Preset(_l("Waiting"), {"state": "waiting"}),
        Preset(_l("Reserve top-ups"), {"kind": reserves.KIND}),
        Preset(_l("Commission holds"), {"kind": commission_lifts.KIND}),
    )
    find: ClassVar = ("ref", "requested_by")
    order = "-requested_at"
    sorts: ClassVar = ("requested_at",)
    reads: ClassVar = ("payload",)
    queue: ClassVar = {"state": "waiting"}
    empty: ClassVar = (
        _l("Nothing waits for approval"),
        _l("A top-up, new terms or the end of a commission hold that somebody asked for appears here."),
    )
    list_template = "approvals/list.html"
    show_template = "approvals/show.html"

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see: those of this desk's kinds that its rights show it."""
        return super().scope(actor) & listing.of_kinds([kind for kind, right in SEES.items() if actor.may(right)])

    @expose("/list/", methods=["GET"])
    def list(self) -> ResponseReturnValue:
        """Show what waits; the address says so."""
        if not request.args:
            return redirect(url_for(f"{self.endpoint}.list", state="waiting"))
        return self._listed()

    def nothing(self, asked: Asked) -> tuple[LazyString | str, LazyString | str] | None:
        """Return what an empty list says; of what waits for the reader it says that."""
        if asked.args.to_dict() == FOR_YOU:
            return _l("Nothing waits for your approval"), _l("What others ask for and you may decide appears here.")
        return super().nothing(asked)

    def states(self, row: Any) -> list[str]:  # type: ignore[valid-type]  # the method `list` is none
        """Return the badge beside the title."""
        return [_state(row)]

    def second(self) -> int:
        """Return how many alerts wait for a second officer, the very rows of that queue; 0 for who sees none."""
        actor = current_actor()
        return alerts.counts(actor).second if actor.may(Right.SEE_ALERTS) else 0

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        """Return who asked and who decided."""
        found = [
            (_("Kind"), KINDS[row.kind]),
            (_("Asked by"), row.requested_by),
            (_("Asked"), show.when(row.requested_at)),
            (_("Reason"), row.reason),
        ]
        if row.decided_by:
            found += [
                (_("Decided by"), row.decided_by),
                (_("Decided"), show.when(row.decided_at)),
                (_("Why"), row.decided_why),
            ]
        return found

    def context(self, row: Any, actor: Actor) -> dict[str, Any]:
        """Return what the request does, as of now, and whether who looks may decide it."""
        told: dict[str, Any] = {"actor": actor, "form": request.form if request.method == "POST" else {}}
        waits = row.state == "waiting"
        told["decides"] = waits and actor.may(DECIDES[row.kind]) and row.requested_by != actor.name
        told["own"] = waits and actor.may(ASKS[row.kind]) and row.requested_by == actor.name
        if row.kind == commission_lifts.KIND:
            return told | _lifting(actor, row, waits=waits)
        if row.kind != reserves.KIND:
            return told | version_words.context(actor, row) | {"margin": margin_words.warning(actor, row)}
        top_up = reserves.asked(actor, row.ref)
        words = top_up_words(top_up) if waits else f"{_in_short(row)}"
        return told | {"words": words, "top_up": top_up, "deed": "top_up", "asked": words}

    def buttons(self, row: Any, actor: Actor) -> Sequence[Button]:  # noqa: ARG002 - the page has its own forms
        """Return none: deciding takes a reason, so the page asks for it."""
        return ()

    @deed("top_up", _l("Approve"), Right.APPROVE_TOP_UP)
    def top_up(self, rows: Sequence[Any]) -> None:
        """Book another's top-up, or turn it down."""
        row = rows[0]
        entry = reserves.decide(current_actor(), row.ref, read_yes(request.form.get("approve", "")), _why())
        if entry is None:
            flash(_("Turned down: nothing is booked."), "warning")
        else:
            flash(_("%(what)s is booked: %(entry)s.", what=_in_short(row), entry=entry), "ok")

    @deed("lift", _l("Approve"), Right.SET_STANDING)
    def lift(self, rows: Sequence[Any]) -> None:
        """End the hold of an agent's commission as another asked, or keep it."""
        row = rows[0]
        done = commission_lifts.decide(current_actor(), row.ref, read_yes(request.form.get("approve", "")), _why())
        if done:
            flash(_("The commission of %(code)s is payable again.", code=row.payload["code"]), "ok")
        else:
            flash(_("Turned down: the commission of %(code)s stays held.", code=row.payload["code"]), "warning")

    @deed("version", _l("Approve"), Right.APPROVE_PRICING)
    def version(self, rows: Sequence[Any]) -> None:
        """Put another's version of a schedule or plan in force from its moment on, or turn it down."""
        done = versions.decide(current_actor(), rows[0].ref, read_yes(request.form.get("approve", "")), _why())
        if done.version is None:
            flash(_("Turned down: nothing has changed."), "warning")
        else:
            facts = {"what": _in_short(rows[0]), "when": show.when(done.effective_from)}
            flash(escape(_("%(what)s is in force from %(when)s on.")) % facts, "ok")

    @deed("withdraw", _l("Withdraw"), Right.SEE_APPROVALS)
    def withdraw(self, rows: Sequence[Any]) -> None:
        """Take back a request of one's own."""
        _WITHDRAW[rows[0].kind](current_actor(), rows[0].ref, _why())
        flash(_("It is withdrawn: nothing has changed."), "ok")


def _lifting(actor: Actor, row: Any, *, waits: bool) -> dict[str, Any]:
    """Return what the end of a hold gives back: while it waits what is held now, later what was when it was asked."""
    found = commission_lifts.asked(actor, row.ref)
    units = found.holding.held.units if waits and found.holding else row.payload["units"]
    amount = show.amount(units, "USDT")
    words = _(
        "The hold on the commission of %(code)s ends: %(amount)s USDT become payable", code=found.code, amount=amount
    )
    return {"words": words, "lifting": found, "held_now": waits, "deed": "lift", "asked": words}


@refusals.leads
def _waiting(facts: Mapping[str, Any]) -> refusals.Link | None:
    """Lead whom a request that waits stands in the way to its page, where it is this desk's and theirs to see."""
    ref, kind = facts.get("request"), facts.get("kind")
    actor = actor_or_none() if ref and kind in SEES else None
    if actor is None or not (actor.scope is Scope.ALL and actor.may(ApprovalsDesk.right) and actor.may(SEES[kind])):
        return None
    return refusals.Link(url_for("ApprovalsDesk.show", key=ref), _("See the request that waits"))


def _why() -> str:
    return request.form.get("why", "")


def waiting_for(actor: Actor) -> int:
    """Return how many requests wait that the actor may decide."""
    return listing.count_for(actor.name, _decided_by(actor))


@menu.badge("approvals")
def _count(actor: Actor) -> menu.Count | None:
    number = waiting_for(actor)
    return menu.Count(number) if number else None


@card(Right.SEE_APPROVALS, "finance", "compliance")
def _for_you(actor: Actor) -> Card | None:
    number = waiting_for(actor)
    if not number and actor.role != "finance":
        return None  # little of an officer's work waits here: the figure comes with it
    foot = _("asked for by others") if number else _("nothing waits for you")
    href = url_for("ApprovalsDesk.list", **FOR_YOU)
    return Card(_("Waiting for your approval"), show.number(number), aside=_("now"), foot=foot, href=href)
