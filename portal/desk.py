"""Desk: a row-scoped, read-only ModelView with safe POST deeds; the only base class lists use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlalchemy as sa
from flask import flash, g, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.models.filters import BaseFilter
from flask_appbuilder.models.sqla.interface import SQLAInterface  # noqa: TC002 - read while running
from flask_appbuilder.views import ModelView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from core.actor import Actor, Right, Scope
from core.errors import BadInput, NotFound, Refusal
from portal import export, faults, in_place, listing, refusals
from portal.columns import Column, Preset, Sum, draw
from portal.filters import BadList, begins
from portal.roles import current_actor
from portal.security.gate import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flask.typing import ResponseReturnValue
    from flask_babel import LazyString
    from werkzeug.datastructures import MultiDict

    from portal.filters import Filter

_Method = TypeVar("_Method", bound="Callable[..., Any]")
MANY = 500
"""One deed takes at most this many rows at once."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing people do to rows of a desk: its button, its right, and what is asked before."""

    name: str
    label: LazyString | str
    right: Right
    confirm: LazyString | str = ""
    look: str = ""
    sign: str = ""
    key: str = ""
    single: bool = True
    many: bool = False
    run: Any = None


@dataclass(frozen=True, slots=True)
class Button:
    """A deed as a page draws it for one row: grey, with the reason, when it is not possible now."""

    name: str
    label: str
    confirm: str
    look: str
    sign: str
    key: str
    why_not: str


def deed(name: str, label: LazyString | str, right: Right, **more: Any) -> Callable[[_Method], _Method]:
    """Mark a method as a deed: it gets rows within the actor's scope and may return a response."""

    def mark(method: _Method) -> _Method:
        method.deed = Deed(name, label, right, run=method, **more)  # type: ignore[attr-defined]
        return method

    return mark


class InScope(BaseFilter):  # type: ignore[misc]  # Flask-AppBuilder ships no types
    """The desk's scope as a base filter, for whatever of Flask-AppBuilder still reads rows by itself."""

    name = "in scope"

    def apply(self, query: Any, value: Callable[[Actor], Any]) -> Any:
        """Return the query narrowed to the actor's rows."""
        return query.filter(value(current_actor()))


class Desk(ModelView):  # type: ignore[misc]  # Flask-AppBuilder ships no types
    """What a view says: a mapped class, columns, filters, order, owners. It adds, edits, deletes nothing."""

    datamodel: ClassVar[SQLAInterface]
    right: ClassVar[Right]
    title: ClassVar[LazyString | str] = ""
    columns: ClassVar[tuple[Column, ...]] = ()
    filed: ClassVar[tuple[Column, ...]] = ()
    """Columns that only the list's file has, after those of the screen."""
    filters: ClassVar[tuple[Filter, ...]] = ()
    presets: ClassVar[tuple[Preset, ...]] = ()
    queue: ClassVar[dict[str, str]] = {}
    """The filter the menu leads to: where it finds nothing, nothing waits, and no filter needs to be taken away."""
    find: ClassVar[tuple[str, ...]] = ()
    """Columns the search box looks in, by their beginning."""
    key: ClassVar[str] = "ref"
    order: ClassVar[str] = "-created_at"
    sorts: ClassVar[tuple[str, ...]] = ()
    """Columns the list may be ordered by; each wants an index."""
    told_by_key: ClassVar[frozenset[str]] = frozenset()
    """Columns whose order the key itself tells, as references tell when they were made: no index of their own."""
    sums: ClassVar[tuple[Sum, ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ()
    """Columns a list row needs besides those it shows."""
    owner: ClassVar[dict[Scope, str]] = {}
    """For each party scope, the column with the owning party's number; a scope not named sees nothing."""
    empty: ClassVar[tuple[LazyString | str, LazyString | str]] = (
        _l("Nothing here yet"),
        _l("Rows appear here as soon as there are any."),
    )
    list_template = "desk/list.html"
    show_template = "desk/show.html"

    base_permissions: ClassVar[list[str]] = ["can_list", "can_show"]
    exclude_route_methods: ClassVar[set[str]] = {"add", "edit", "delete", "download"}

    def __init__(self, **kwargs: Any) -> None:
        """Tell Flask-AppBuilder explicitly what is listed, shown and searched."""
        self.list_columns = self.show_columns = [column.name for column in self.columns]
        self.search_columns = [each.name for each in self.filters]
        self.base_filters = [[self.key, InScope, self.scope]]
        self.deeds: dict[str, Deed] = {
            method.deed.name: method.deed
            for method in (getattr(type(self), name) for name in dir(type(self)))
            if hasattr(method, "deed")
        }
        super().__init__(**kwargs)
        self.add_columns = self.edit_columns = []

    def _init_forms(self) -> None:
        """Build no forms: there is nothing to add or edit, and filters are ours."""

    def _init_titles(self) -> None:
        """Keep the desk's own title."""

    @property
    def model(self) -> Any:
        """The mapped class the rows come from."""
        return self.datamodel.obj

    # What a desk overrides.

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see: all, those its party owns, or none."""
        if actor.scope is Scope.ALL:
            return sa.true()
        column = self.owner.get(actor.scope)
        if column is None or actor.party_id is None:
            return sa.false()
        mine: sa.ColumnElement[bool] = getattr(self.model, column) == actor.party_id
        return mine

    def sorts_by(self, args: MultiDict[str, str]) -> tuple[str, ...]:  # noqa: ARG002 - for desks to override
        """Return the columns the list may be ordered by with these filters in its address."""
        return self.sorts

    def found(self, words: str) -> sa.ColumnElement[bool]:
        """Return which rows the search box finds: those of which a column of `find` begins with the words."""
        return sa.or_(*(begins(getattr(self.model, name), words) for name in self.find))

    def spans(self, asked: listing.Asked) -> Iterable[sa.ColumnElement[bool]]:  # noqa: ARG002 - for desks to override
        """Return ever wider parts of the list from where its page begins, in which the page is looked for first."""
        return ()

    def context(self, row: Any, actor: Actor) -> dict[str, Any]:  # noqa: ARG002 - for desks to override
        """Return what the row's page shows besides its facts."""
        return {}

    def why_not(self, name: str, row: Any, actor: Actor) -> str:  # noqa: ARG002 - for desks to override
        """Return why a deed is not possible for this row now, "" when it is."""
        return ""

    def question(self, name: str, row: Any) -> str:  # noqa: ARG002 - for desks to override
        """Return what is asked before the deed is done: it repeats amount and counterparty."""
        return str(self.deeds[name].confirm)

    def next_step(self, actor: Actor) -> tuple[str, str] | None:  # noqa: ARG002 - for desks to override
        """Return label and address of what brings the first row of an empty list; None: it is not the actor's to do."""
        return None

    def nothing(self, asked: listing.Asked) -> tuple[LazyString | str, LazyString | str] | None:
        """Return the title and text of an empty list; None: a filter hides the rows, and the list says that."""
        return None if asked.chips and asked.args.to_dict() != self.queue else self.empty

    def states(self, row: Any) -> list[str]:
        """Return the states whose badges stand beside the row's title."""
        return [str(getattr(row, column.name)) for column in self.columns if column.kind == "badge"][:1]

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        """Return label and value of what the row's page lists."""
        return [(str(column.label), draw(row, column)) for column in self.columns]

    # Routes. Each is reached through `portal.security.gate`, which has asked for the desk's right.

    @expose("/list/", methods=["GET"])
    def list(self) -> ResponseReturnValue:
        """Show one page of the actor's rows."""
        return self._listed()

    @expose("/show/<key>", methods=["GET"])
    def show(self, key: str) -> ResponseReturnValue:
        """Show one row of the actor's; 404 for others'."""
        return self._shown(key)

    @expose("/export.csv", methods=["GET"])
    def export(self) -> Response:
        """Send exactly the filtered rows as CSV, names masked."""
        return export.stream(self, current_actor(), listing.ask(self, request.args))

    @expose("/export.csv", methods=["POST"])
    @needs(Right.REVEAL)
    def export_whole(self) -> Response:
        """Send the same with names in full to who may see them and says why; that is a reveal, and is logged as one.

        The page's script asks first whether the reason will do, and has the browser fetch the file if so.
        """
        actor = current_actor()
        actor.must(self.right)
        asked = listing.ask(self, request.args)
        try:
            why = export.why_in_full(self, actor, request.form.get("reason", ""))
        except Refusal as refusal:
            if in_place.wanted():
                return in_place.refused(refusal)
            raise
        return in_place.fetch() if in_place.wanted() else export.stream(self, actor, asked, why)

    @expose("/action/<string:name>/<key>", methods=["POST"])
    def action(self, name: str, key: str) -> ResponseReturnValue:
        """Do a deed to one row of the actor's, then show it; a refusal is told there, status kept."""
        doing = self._doing(name, single=True)
        rows = listing.rows_of(self, current_actor(), [key])
        try:
            answer: ResponseReturnValue | None = doing.run(self, rows)
        except Refusal as refusal:
            if in_place.wanted():
                return in_place.refused(refusal)
            g.refused = refusal
            flash(refusals.told(refusal), "danger")
            return self._shown(key, refusal.status)
        there = redirect(url_for(f"{self.endpoint}.show", key=key))
        if in_place.wanted() and isinstance(answer, tuple):
            return in_place.page(str(answer[0]))
        if in_place.wanted():
            return in_place.done(answer if isinstance(answer, Response) and answer.location else there)
        return answer or there

    @expose("/action_post", methods=["POST"])
    def action_post(self) -> ResponseReturnValue:
        """Do a deed to many rows, all the actor's or none at all; then show the list."""
        keys = request.form.getlist("rowid")
        if not keys or len(keys) > MANY:
            raise BadInput(_("Choose between 1 and %(n)s rows.", n=MANY))
        doing = self._doing(request.form.get("action", ""), single=False)
        rows = listing.rows_of(self, current_actor(), keys)
        try:
            answer: ResponseReturnValue | None = doing.run(self, rows)
        except Refusal as refusal:
            flash(refusals.told(refusal), "danger")
            return self._listed(refusal.status)
        return answer or redirect(url_for(f"{self.endpoint}.list"))

    def _doing(self, name: str, *, single: bool) -> Deed:
        found = self.deeds.get(name)
        if found is None or not (found.single if single else found.many):
            raise NotFound(_("There is no such action here."), action=name[:40])
        current_actor().must(found.right)
        return found

    def _listed(self, status: int = 200) -> ResponseReturnValue:
        actor = current_actor()
        args = request.args
        asked = listing.ask(self, args) if faults.wants_problem() else listing.look(self, args)
        page = listing.page(self, actor, asked)
        bulk = [each for each in self.deeds.values() if each.many and actor.may(each.right)]
        html = render_template(
            self.list_template,
            view=self,
            title=self.title,
            page=page,
            asked=page.asked,
            beside=lambda each: listing.beside(self, asked, each).items(multi=True),
            bulk=bulk,
            may_export=actor.may(Right.EXPORT),
            may_have_names=actor.may(Right.REVEAL) and actor.scope is Scope.ALL and export.has_names(self),
            next_step=None if page.rows or asked.wrong else self.next_step(actor),
            cell=draw,
            href_of=lambda row: url_for(f"{self.endpoint}.show", key=getattr(row, self.key)),
            two_lines=any(column.under for column in self.columns),
        )
        return html, BadList.status if asked.wrong else status

    def _shown(self, key: str, status: int = 200) -> ResponseReturnValue:
        actor = current_actor()
        row = listing.row_of(self, actor, key)
        html = render_template(
            self.show_template,
            view=self,
            title=key,
            row=row,
            key=key,
            crumbs=[(self.title, url_for(f"{self.endpoint}.list"))],
            states=self.states(row),
            facts=self.facts(row),
            buttons=self.buttons(row, actor),
            **self.context(row, actor),
        )
        return html, status

    def buttons(self, row: Any, actor: Actor) -> Sequence[Button]:
        """Return the deeds the actor's role knows for this row; those not possible now have a reason."""
        return [
            Button(
                name=each.name,
                label=str(each.label),
                confirm=self.question(each.name, row),
                look=each.look,
                sign=each.sign,
                key=each.key,
                why_not=self.why_not(each.name, row, actor),
            )
            for each in self.deeds.values()
            if each.single and actor.may(each.right)
        ]
