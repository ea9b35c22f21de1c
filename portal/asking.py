"""What the address of a list asks for: read strictly, said in words, and the addresses that lead on from it."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from portal import refusals
from portal.filters import BadList, one
from portal.security.sessions import LANGUAGE

if TYPE_CHECKING:
    from collections.abc import Collection

    import sqlalchemy as sa

    from portal.desk import Desk
    from portal.filters import Filter

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
LARGEST_PAGE = 100
USUAL_PAGE = 50


class Chip(NamedTuple):
    """One filter in force: in words, and the address without it."""

    text: str
    without: str


class Wrong(NamedTuple):
    """One argument that cannot be read, and why."""

    argument: str
    why: BadList

    @property
    def said(self) -> str:
        """Why, in the reader's words, with the code."""
        return refusals.told(self.why)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list asks for, checked. While something is `wrong`, no row is asked for."""

    args: MultiDict[str, str]
    """What could be read of it: addresses made of these lead to a list."""
    clauses: tuple[sa.ColumnElement[bool], ...]
    sort: str
    down: bool
    size: int
    after: tuple[Any, str] | None
    all_sums: bool
    chips: tuple[Chip, ...]
    typed: MultiDict[str, str]
    """What the filters' fields show: all that was typed for them, readable or not."""
    wrong: tuple[Wrong, ...] = ()

    def href(self, **changes: str | None) -> str:
        """Return the query string with some arguments changed or (None) dropped; paging starts anew."""
        kept = [(k, v) for k, v in self.args.items(multi=True) if k not in changes and k != "after" and v]
        return "?" + urlencode(kept + [(k, v) for k, v in changes.items() if v])

    @property
    def words(self) -> str:
        """The filters in words, for files and the audit."""
        return "; ".join(chip.text for chip in self.chips) or "all rows"

    def wrong_at(self, each: Filter) -> dict[str, str]:
        """Return what is wrong in the filter's own fields, by argument."""
        return {wrong.argument: wrong.said for wrong in self.wrong if wrong.argument in each.arguments()}


def ask(desk: Desk, args: MultiDict[str, str]) -> Asked:
    """Read the address strictly; refuse unknown arguments, values and orders with `bad_list` (400)."""
    asked = look(desk, args)
    if asked.wrong:
        raise asked.wrong[0].why
    return asked


def look(desk: Desk, args: MultiDict[str, str]) -> Asked:
    """Read the address strictly; what cannot be read is said in `wrong`, the rest is kept."""
    wrong: list[Wrong] = []
    clauses: list[sa.ColumnElement[bool]] = []
    known = {name for each in desk.filters for name in each.arguments()}
    for name in args:
        if name not in known and name not in _READ and name != LANGUAGE:
            why = BadList(_("This list has no filter '%(name)s'.", name=name[:60]), argument=name[:60])
            wrong.append(Wrong(name, why))
    unread = {each.argument for each in wrong}
    for each in desk.filters:
        if unread.intersection(each.needs):  # what it is read by is wrong itself, and says so
            unread |= set(each.arguments())
            continue
        try:
            clause = each.clause(desk.model, args)
        except BadList as refusal:
            at = str(refusal.facts.get("argument", ""))
            wrong.append(Wrong(at if at in each.arguments() else each.arguments()[0], refusal))
            unread |= set(each.arguments())
        else:
            clauses += [] if clause is None else [clause]
    clean = without(desk, args, unread) if wrong else args
    own: dict[str, Any] = {}
    for name, read in _READ.items():
        try:
            own[name] = read(desk, clean, own)
        except BadList as refusal:
            wrong.append(Wrong(name, refusal))
            clean = _but(clean, {name})
            own[name] = read(desk, clean, own)
    sort, down = own["sort"]
    return Asked(
        args=clean,
        clauses=(*clauses, *([] if own["q"] is None else [own["q"]])),
        sort=sort,
        down=down,
        size=own["size"],
        after=own["after"],
        all_sums=own["sums"],
        chips=tuple(_chips(desk, clean)),
        typed=MultiDict([(k, v) for k, v in args.items(multi=True) if k in known or k in clean]),
        wrong=tuple(wrong),
    )


def without(desk: Desk, args: MultiDict[str, str], dropped: Collection[str]) -> MultiDict[str, str]:
    """Return the arguments without these, nor what is legal with them alone: a filter, an order, the place in it."""
    left = _but(args, {*dropped, "after"})
    lost = {name for each in desk.filters if not all(map(left.get, each.needs)) for name in each.arguments()}
    return _in_order(desk, _but(left, lost))


def beside(desk: Desk, asked: Asked, each: Filter) -> MultiDict[str, str]:
    """Return what the filter's own form sends along: all that was typed elsewhere, and an order if it stays legal."""
    return _in_order(desk, _but(asked.typed, {*each.arguments(), "after"}))


def _in_order(desk: Desk, args: MultiDict[str, str]) -> MultiDict[str, str]:
    try:
        _order(desk, args, {})
    except BadList:
        return _but(args, {"sort"})
    return args


def _but(args: MultiDict[str, str], dropped: Collection[str]) -> MultiDict[str, str]:
    return MultiDict([(name, value) for name, value in args.items(multi=True) if name not in dropped])


def _chips(desk: Desk, args: MultiDict[str, str]) -> list[Chip]:
    found = [
        Chip(said, "?" + urlencode(list(without(desk, args, each.arguments()).items(multi=True))))
        for each in desk.filters
        if (said := each.words(args))
    ]
    if wanted := args.get("q", "").strip():
        rest = "?" + urlencode(list(without(desk, args, {"q"}).items(multi=True)))
        found.append(Chip(f"{_('Search')}: {wanted}", rest))
    return found


def _search(desk: Desk, args: MultiDict[str, str], _own: dict[str, Any]) -> sa.ColumnElement[bool] | None:
    wanted = one(args, "q")
    if wanted and not desk.find:
        raise BadList(_("This list cannot be searched."), argument="q")
    return desk.found(wanted) if wanted else None


def _order(desk: Desk, args: MultiDict[str, str], _own: dict[str, Any]) -> tuple[str, bool]:
    text = one(args, "sort") or desk.order
    name, down = text.removeprefix("-"), text.startswith("-")
    if name not in desk.sorts_by(args) and text != desk.order:
        raise BadList(_("This list cannot be ordered by '%(name)s'.", name=name[:40]), argument="sort")
    return name, down


def _size(_desk: Desk, args: MultiDict[str, str], _own: dict[str, Any]) -> int:
    text = one(args, "size")
    if not text:
        return USUAL_PAGE
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise BadList(_("The page size must be a whole number."), argument="size")
    return min(int(text[:9]), LARGEST_PAGE)


def _storable(value: object) -> bool:
    """Return whether the database can be asked for a value: JSON's escapes say letters that no text can hold."""
    return not isinstance(value, str) or not _UNSTORABLE.search(value)


def _after(desk: Desk, args: MultiDict[str, str], own: dict[str, Any]) -> tuple[Any, str] | None:
    text, (sort, _down) = one(args, "after"), own["sort"]
    if not text:
        return None
    try:
        value, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        kind = getattr(desk.model, sort).type.python_type
        if value is not None:
            value = datetime.fromisoformat(value) if kind is datetime else kind(value)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(text)  # noqa: TRY301 - one answer for all that cannot be read
        key = getattr(desk.model, desk.key).type.python_type(key)
        if not all(map(_storable, (value, key))):
            raise ValueError(text)  # noqa: TRY301 - as above
    except (ValueError, TypeError, UnicodeDecodeError, OverflowError) as error:
        raise BadList(
            _("The place in the list cannot be read; start from the first page."), argument="after"
        ) from error
    return value, key


_READ = {
    "q": _search,
    "sort": _order,
    "size": _size,
    "after": _after,
    "sums": lambda _desk, args, _own: one(args, "sums") == "all",
}
"""How the arguments that every list has are read, one after the other; each may look at what was read before."""
