"""The audit trail: who did or saw what and why, how far it is sealed, and what the last verification said."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from flask import redirect, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from core import clock, trail
from core.actor import Actor, Right, Scope
from core.ledger import chains
from core.trail import AuditRow
from portal import columns as drawing
from portal import format as show
from portal.columns import Column
from portal.desk import Desk
from portal.filters import Text
from portal.roles import ROLES, current_actor
from portal.states import BADGES
from portal.views.audit_words import also_about, change_of, taken_of, words_of
from portal.views.order_filters import Named, Window
from portal.views.order_words import said_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa
    from flask.typing import ResponseReturnValue

    from portal.asking import Asked

PAGES = {
    "ord": "/orders/show/{}",
    "alr": "/alerts/show/{}",
    "mer": "/merchants/show/{}",
    "acc": "/acceptors/show/{}",
    "agt": "/agents/show/{}",
    "bnk": "/bank-accounts/show/{}",
    "com": "/commissions/show/{}",
    "apr": "/approvals/show/{}",
}
WHEN = Window("at", _l("When"))
SPANS = (timedelta(minutes=10), timedelta(hours=2), timedelta(days=1), timedelta(days=8))
"""So far back a page of the trail is looked for, one after the other, before the whole of it is read."""
USUAL_DAYS = 7
WIDE_DAYS = 30


def subject_href(subject: str) -> str:
    """Return the address of what a row is about, "" when it has no page."""
    return PAGES.get(subject[:3], "").format(subject) if subject[3:4] == "_" else ""


def _named(value: str) -> Markup | str:
    return show.ref(value, subject_href(value)) if value[3:4] == "_" else value


def _subject(row: Any, _column: Column, value: Any) -> Markup | str:
    beside = also_about(value, row.details or {})
    return Markup('{}<span class="sub">{}</span>').format(_named(value), _named(beside)) if beside else _named(value)


def _beside(row: Any, _column: Column, value: Any) -> str:
    return also_about(row.subject, value or {})


def _change(row: Any, _column: Column, value: Any) -> str:
    """Return from what to what the deed led, as the screen and the file say it; "" when its row does not say."""
    if not value or value == row.from_state:
        return change_of(row.action, row.details or {})
    states = [str(BADGES[each].text) if each in BADGES else each for each in (row.from_state, value) if each]
    return " → ".join(states)


def _why(row: Any, _column: Column, value: Any) -> str:
    """Return why it was done and what left the desk with it, as the screen and the file say it."""
    return " · ".join(filter(None, (said_of(value), taken_of(row.action, row.details or {}))))


def _role(_row: Any, _column: Column, value: Any) -> str:
    if value == "system":
        return _("system")
    return str(ROLES[value].label) if value in ROLES else str(value)


def _words(_row: Any, _column: Column, value: Any) -> str:
    return words_of(value)


def _deed(_row: Any, _column: Column, value: Any) -> Markup:
    return Markup('%s<span class="sub mono">%s</span>') % (words_of(value), value)


drawing.kind("deed", _deed)
drawing.kind("deed_words", _words, _words)
drawing.kind("subject", _subject)
drawing.kind("beside", _beside, _beside)
drawing.kind("change", lambda *cell: _change(*cell) or show.NONE, _change)
drawing.kind("role", _role)
drawing.kind("audit_why", lambda *cell: _why(*cell) or show.NONE, _why)


class AuditDesk(Desk):
    """All rows of the trail, for those who may see it; nobody changes one."""

    route_base = "/audit"
    datamodel = SQLAInterface(AuditRow)
    right = Right.SEE_AUDIT
    title = _l("Audit")
    key = "id"
    columns: ClassVar = (
        Column("at", _l("When"), "when"),
        Column("actor", _l("Who"), narrow="ref", under=Column("role", _l("Role"), "role")),
        Column("action", _l("What"), "deed", narrow="state"),
        Column("subject", _l("About"), "subject"),
        Column("to_state", _l("Change"), "change"),
        Column("reason", _l("Why"), "audit_why", wrap=True),
    )
    filed: ClassVar = (
        Column("details", _l("Also about"), "beside"),
        Column("action", _l("What, in words"), "deed_words"),
    )
    filters: ClassVar = (
        WHEN,
        Text("actor", _l("Who"), exact=True),
        Text("action", _l("What")),
        Named("subject", _l("About"), trail.about),
    )
    order = "-at"
    reads: ClassVar = ("from_state", "role", "action", "details")
    empty: ClassVar = (_l("Nothing was written down"), _l("Each deed and each look at personal data leaves a row."))
    list_template = "audit/list.html"
    show_template = "audit/show.html"

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see: all or none."""
        return Desk.scope(self, actor) if actor.scope is Scope.ALL else AuditRow.id.is_(None)

    @expose("/list/", methods=["GET"])
    def list(self) -> ResponseReturnValue:
        """Show the trail; a look without a time is about the last days, and the address says so."""
        args = request.args
        if not args or ({"actor", "action"} & set(args) and not {"from", "to", "subject"} & set(args)):
            days = WIDE_DAYS if args else USUAL_DAYS
            first = (clock.now().astimezone(get_timezone()) - timedelta(days=days)).date().isoformat()
            return redirect(url_for(f"{self.endpoint}.list", **{**args.to_dict(), "from": first}))
        return self._listed()

    def spans(self, asked: Asked) -> Iterator[sa.ColumnElement[bool]]:
        """Return ever longer times before the page's beginning.

        Numbers do not follow time: each connection draws its own in advance. The order is that of the moments, and of
        those only a summary is kept as an index: it finds the rows of a time at once, and they are put in order then.
        """
        if asked.args.get("subject"):  # few rows, found by what they are about
            return
        first, beyond = WHEN.ends(asked.args)
        start = asked.after[0] if asked.after else beyond or clock.now()
        for span in SPANS:
            if first is not None and start - span <= first:
                return
            since = AuditRow.at >= start - span
            yield since & (AuditRow.at <= start) if asked.after else since

    def chains(self) -> list[chains.Chain]:
        """Return how far journal and trail are sealed."""
        return chains.chains(current_actor())

    def verified(self) -> chains.Verified | None:
        """Return what the last verification said."""
        return chains.verified(current_actor())

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        """Return what the row says."""
        return [
            (_("Who"), f"{row.actor} ({_role(row, self.columns[1], row.role)})"),
            (_("What"), _deed(row, self.columns[2], row.action)),
            (_("About"), _subject(row, self.columns[3], row.subject)),
            (_("Change"), _change(row, self.columns[4], row.to_state) or show.NONE),
            (_("Why"), _why(row, self.columns[5], row.reason) or show.NONE),
            (_("When"), show.when(row.at)),
            (_("Booked"), show.when(row.booked_at)),
            (_("Request"), row.trace_id or "–"),
        ]

    def context(self, row: Any, actor: Actor) -> dict[str, Any]:  # noqa: ARG002 - the same for every actor
        """Return the row's details."""
        said = json.dumps(row.details, ensure_ascii=False, indent=2, sort_keys=True) if row.details else ""
        return {
            "details": said,
            "deed": words_of(row.action),
            "also_href": url_for(f"{self.endpoint}.list", subject=row.subject),
        }
