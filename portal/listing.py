"""The list engine: strict arguments, keyset paging, a capped count, sums per asset."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import sqlalchemy as sa
from flask_babel import gettext as _

from core.db import reading
from core.errors import NotFound
from portal.columns import needed_names
from portal.filters import BadList, one

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from werkzeug.datastructures import MultiDict

    from core.actor import Actor
    from portal.columns import Sum
    from portal.desk import Desk

CAP = 10_000
"""Counting stops here: "10,000+"."""
LARGEST_PAGE = 100
USUAL_PAGE = 50
OWN = ("sort", "size", "after", "sums", "q")


class Chip(NamedTuple):
    """One filter in force: in words, and the address without it."""

    text: str
    without: str


class Total(NamedTuple):
    """The sum of a money column over all filtered rows in one asset."""

    label: str
    units: int
    code: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list asks for, checked."""

    args: MultiDict[str, str]
    clauses: tuple[sa.ColumnElement[bool], ...]
    sort: str
    down: bool
    size: int
    after: tuple[Any, str] | None
    all_sums: bool
    chips: tuple[Chip, ...]

    def href(self, **changes: str | None) -> str:
        """Return the query string with some arguments changed or (None) dropped; paging starts anew."""
        kept = [(k, v) for k, v in self.args.items(multi=True) if k not in changes and k != "after" and v]
        return "?" + urlencode(kept + [(k, v) for k, v in changes.items() if v])

    @property
    def words(self) -> str:
        """The filters in words, for files and the audit."""
        return "; ".join(chip.text for chip in self.chips) or "all rows"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    rows: Sequence[Any]
    count: int
    capped: bool
    totals: tuple[Total, ...]
    totals_open: bool
    """Whether sums were left out because there are too many rows to add up at every look."""
    next: str
    """The query string of the next page, or ""."""
    first: bool
    asked: Asked


def ask(desk: Desk, args: MultiDict[str, str]) -> Asked:
    """Read the address strictly; refuse unknown arguments, values and orders with `bad_list` (400)."""
    known = {name for each in desk.filters for name in each.arguments()} | set(OWN)
    for name in args:
        if name not in known:
            raise BadList(_("This list has no filter '%(name)s'.", name=name[:60]), argument=name[:60])
    clauses = [made for each in desk.filters if (made := each.clause(desk.model, args)) is not None]
    chips = [
        Chip(
            said,
            "?" + urlencode([(k, v) for k, v in args.items(multi=True) if k not in (*each.arguments(), "after")]),
        )
        for each in desk.filters
        if (said := each.words(args))
    ]
    wanted = one(args, "q")
    if wanted:
        if not desk.find:
            raise BadList(_("This list cannot be searched."), argument="q")
        clauses.append(desk.found(wanted))
        rest = "?" + urlencode([(k, v) for k, v in args.items(multi=True) if k not in {"q", "after"}])
        chips.append(Chip(f"{_('Search')}: {wanted}", rest))
    sort, down = _order(desk, one(args, "sort"))
    return Asked(
        args=args,
        clauses=tuple(clauses),
        sort=sort,
        down=down,
        size=_size(one(args, "size")),
        after=_after(desk, sort, one(args, "after")),
        all_sums=one(args, "sums") == "all",
        chips=tuple(chips),
    )


def _order(desk: Desk, text: str) -> tuple[str, bool]:
    text = text or desk.order
    name, down = text.removeprefix("-"), text.startswith("-")
    if name not in desk.sorts and text != desk.order:
        raise BadList(_("This list cannot be ordered by '%(name)s'.", name=name[:40]), argument="sort")
    return name, down


def _size(text: str) -> int:
    if not text:
        return USUAL_PAGE
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise BadList(_("The page size must be a whole number."), argument="size")
    return min(int(text[:9]), LARGEST_PAGE)


def _after(desk: Desk, sort: str, text: str) -> tuple[Any, str] | None:
    if not text:
        return None
    try:
        value, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        kind = getattr(desk.model, sort).type.python_type
        if value is not None:
            value = datetime.fromisoformat(value) if kind is datetime else kind(value)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(text)  # noqa: TRY301 - one answer for all that cannot be read
        return value, getattr(desk.model, desk.key).type.python_type(key)
    except (ValueError, TypeError, UnicodeDecodeError, OverflowError) as error:
        raise BadList(
            _("The place in the list cannot be read; start from the first page."), argument="after"
        ) from error


def _place(row: Any, desk: Desk, sort: str) -> str:
    value = getattr(row, sort)
    said = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([said, getattr(row, desk.key)]).encode()).decode().rstrip("=")


def _beyond(desk: Desk, asked: Asked) -> sa.ColumnElement[bool] | None:
    """Return the clause of the rows behind the place in the list; empty values come last."""
    if asked.after is None:
        return None
    value, key = asked.after
    column, pk = getattr(desk.model, asked.sort), getattr(desk.model, desk.key)
    further = pk < key if asked.down else pk > key
    if value is None:
        return sa.and_(column.is_(None), further)
    if asked.sort == desk.key or asked.sort in desk.told_by_key:
        return further
    past = (
        sa.tuple_(column, pk) < sa.tuple_(value, key) if asked.down else sa.tuple_(column, pk) > sa.tuple_(value, key)
    )
    nullable = getattr(column, "nullable", True)
    return sa.or_(past, column.is_(None)) if nullable else past


def ordering(desk: Desk, asked: Asked) -> list[Any]:
    """Return the order of the rows: the column asked for, then the key, so that no two rows tie."""
    column, pk = getattr(desk.model, asked.sort), getattr(desk.model, desk.key)
    if asked.sort in desk.told_by_key:
        return [pk.desc() if asked.down else pk.asc()]
    nullable = getattr(column, "nullable", True)
    first = column.desc() if asked.down else column.asc()
    parts = [first.nulls_last() if nullable and asked.down else first]
    return parts if asked.sort == desk.key else [*parts, pk.desc() if asked.down else pk.asc()]


def fields(desk: Desk, extra: Iterable[str] = ()) -> list[Any]:
    """Return the columns a list reads: those shown, the key, and what the desk's own code needs."""
    names = dict.fromkeys([*needed_names(desk.columns), desk.key, *desk.reads, *extra])
    return [getattr(desk.model, name) for name in names]


def page(desk: Desk, actor: Actor, asked: Asked) -> Page:
    """Return one page of the rows in the actor's scope, with the count and sums of all that is filtered."""
    within = (desk.scope(actor), *asked.clauses)
    beyond = _beyond(desk, asked)
    query = (
        sa.select(*fields(desk, (asked.sort,)))
        .where(*within, *([] if beyond is None else [beyond]))
        .order_by(*ordering(desk, asked))
        .limit(asked.size + 1)
    )
    with reading() as tx:
        rows = tx.connection.execute(query).all()
        some = sa.select(sa.literal(1)).select_from(desk.model).where(*within).limit(CAP + 1).subquery()
        count = tx.connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
        capped = count > CAP
        add_up = bool(desk.sums) and (asked.all_sums or not capped)
        totals = _totals(tx.connection, desk, within) if add_up else ()
    more = len(rows) > asked.size
    rows = rows[: asked.size]
    return Page(
        rows=rows,
        count=min(count, CAP),
        capped=capped,
        totals=totals,
        totals_open=bool(desk.sums) and not add_up,
        next=asked.href(after=_place(rows[-1], desk, asked.sort)) if more else "",
        first=asked.after is None,
        asked=asked,
    )


def _totals(connection: sa.Connection, desk: Desk, within: tuple[Any, ...]) -> tuple[Total, ...]:
    found: list[Total] = []
    for each in desk.sums:
        column = getattr(desk.model, each.name)
        if each.asset.isupper():
            units = connection.execute(_summed(desk, each, within)).scalar()
            if units is not None:
                found.append(Total(str(each.label), int(units), each.asset))
            continue
        code = getattr(desk.model, each.asset)
        grouped = sa.select(code, sa.func.sum(column)).where(*within).group_by(code).order_by(code)
        found += [
            Total(str(each.label), int(units), str(name))
            for name, units in connection.execute(grouped)
            if units is not None
        ]
    return tuple(found)


def _summed(desk: Desk, each: Sum, within: tuple[Any, ...]) -> sa.Select[Any]:
    column = getattr(desk.model, each.name)
    if not each.once:
        return sa.select(sa.func.sum(column)).where(*within)
    group = sa.select(sa.func.max(column).label("units")).where(*within).group_by(getattr(desk.model, each.once))
    return sa.select(sa.func.sum(group.subquery().c.units))


def summed_once(connection: sa.Connection, desk: Desk, asked: Asked, actor: Actor) -> dict[tuple[str, str], int]:
    """Return those sums of the list that adding up its rows would not give, by label and asset."""
    within = (desk.scope(actor), *asked.clauses)
    found = {
        (str(s.label), s.asset): connection.execute(_summed(desk, s, within)).scalar() for s in desk.sums if s.once
    }
    return {key: int(units) for key, units in found.items() if units is not None}


def row_of(desk: Desk, actor: Actor, key: str) -> Any:
    """Return one row with all its columns, if it is in the actor's scope; else refuse with `not_found`."""
    rows = rows_of(desk, actor, [key])
    return rows[0]


def rows_of(desk: Desk, actor: Actor, keys: Sequence[str]) -> list[Any]:
    """Return these rows; if one is missing or not the actor's, refuse all with `not_found`."""
    pk = getattr(desk.model, desk.key)
    try:
        wanted = list(dict.fromkeys(pk.type.python_type(key) for key in keys))
    except (ValueError, TypeError):
        wanted = []
    whole = [getattr(desk.model, each.key) for each in sa.inspect(desk.model).column_attrs]
    query = sa.select(*whole).where(pk.in_(wanted), desk.scope(actor))
    found: list[Any] = []
    if wanted and all("\0" not in str(key) for key in wanted):
        with reading() as tx:
            found = list(tx.connection.execute(query).all())
    if not found or len(found) != len(wanted):
        raise NotFound(_("There is no such row, or it is not one you may see."), key=", ".join(keys)[:80])
    return found
