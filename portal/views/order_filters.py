"""Filters the lists of orders and alerts have besides the usual ones: parties by code, stages, exact moments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import gettext as _

from core.commissions import periods
from core.errors import Refusal
from core.money import fiat
from core.orders import listing
from portal.filters import BadList, Choice, Period, Text, one
from portal.roles import current_actor

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa
    from flask_babel import LazyString
    from werkzeug.datastructures import MultiDict

_NUMBER = re.compile(r"[1-9][0-9]{0,8}\Z")


@dataclass(frozen=True, slots=True)
class Window(Period):
    """A period whose two arguments have names of their own, as other pages' links use them."""

    first: str = "from"
    last: str = "to"

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments it reads."""
        return (self.first, self.last)


@dataclass(frozen=True, slots=True)
class Born(Window):
    """When orders were created."""

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:  # noqa: ARG002 - a filter
        """Return what the rows must meet, None when no end is given; refuse what is no date."""
        first, beyond = self.ends(args)
        return listing.born(first, beyond) if first or beyond else None


@dataclass(frozen=True, slots=True)
class Month(Text):
    """A commission period by its name; its lines were earned in that month, and are looked up by when."""

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet, None when nothing is asked."""
        clause = Text.clause(self, model, args)
        if clause is None:
            return None
        try:
            month = periods.read(one(args, self.name))
        except Refusal:
            return clause
        earned: sa.ColumnElement[bool] = (model.accrued_at >= month.starts_at) & (model.accrued_at < month.ends_at)
        return clause & earned


@dataclass(frozen=True, slots=True)
class Ended(Window):
    """When orders ended. None ends before it is created, and orders are listed by that: no look at younger ones."""

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet, None when no end is given; refuse what is no date."""
        found = Period.clause(self, model, args)
        _first, beyond = self.ends(args)
        return found if found is None or beyond is None else found & listing.born(None, beyond)


@dataclass(frozen=True, slots=True)
class Named:
    """The whole code of something, looked up by `find`, which returns the clause of its rows."""

    name: str
    label: LazyString | str
    find: Callable[[str], sa.ColumnElement[bool]]
    control = "text"
    needs: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments it reads."""
        return (self.name,)

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:  # noqa: ARG002 - a filter
        """Return what the rows must meet, None when nothing is asked."""
        code = one(args, self.name)
        return self.find(code) if code else None

    def words(self, args: MultiDict[str, str]) -> str:
        """Return the filter as people say it."""
        code = args.get(self.name, "").strip()
        return f"{self.label}: {code}" if code else ""


@dataclass(frozen=True, slots=True)
class Version(Named):
    """The number of a version, looked up as `Named` looks up a code."""

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet, None when nothing is asked; refuse what is no number of a version."""
        text = one(args, self.name)
        if text and not _NUMBER.match(text):
            raise BadList(_("'%(value)s' is not the number of a version.", value=text[:40]), argument=self.name)
        return Named.clause(self, model, args)


@dataclass(frozen=True, slots=True)
class Currency(Text):
    """A currency by its ISO 4217 code."""

    exact: bool = True

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet, None when nothing is asked; refuse what is no currency."""
        code = one(args, self.name)
        if not code:
            return None
        try:
            fiat(code)
        except Refusal as refusal:
            raise BadList(refusal.detail, **{**refusal.facts, "argument": self.name}) from refusal
        clause: sa.ColumnElement[bool] = getattr(model, self.name) == code
        return clause


@dataclass(frozen=True, slots=True)
class Stage(Choice):
    """One part of the rows, such as those that wait; `at` returns its clause for the actor."""

    at: Any = None
    single = True

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:  # noqa: ARG002 - a filter
        """Return what the rows must meet, None when nothing is chosen; refuse unknown stages."""
        stage = one(args, self.name)
        if not stage:
            return None
        if stage not in dict(self.options):
            raise BadList(
                _("'%(value)s' is not a choice of %(label)s.", value=stage[:40], label=self.label),
                argument=self.name,
            )
        clause: sa.ColumnElement[bool] = self.at(current_actor(), stage)
        return clause


@dataclass(frozen=True, slots=True)
class OrderState(Choice):
    """States of orders; waiting ones and rare ends come from the few rows that are so."""

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:  # noqa: ARG002 - a filter
        """Return what the rows must meet, None when nothing is chosen; refuse unknown states."""
        chosen = self.chosen(args)
        return listing.in_states(chosen) if chosen else None
