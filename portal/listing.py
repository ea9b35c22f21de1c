"""The list engine: keyset paging, a capped count, sums per asset."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from flask_babel import gettext as _

from core.db import reading
from core.errors import NotFound
from portal.asking import Asked, ask, beside, look
from portal.columns import needed_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.actor import Actor
    from portal.columns import Sum
    from portal.desk import Desk

__all__ = ["Asked", "Page", "ask", "beside", "look", "ordering", "page", "row_of", "rows_of"]

CAP = 10_000
"""Counting stops here: "10,000+"."""


class Total(NamedTuple):
    """The sum of a money column over all filtered rows in one asset."""

    label: str
    units: int
    code: str


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
    """Return one page of the rows in the actor's scope, with the count and sums of all that is filtered.

    Of an address in which something cannot be read no row is shown: what they were filtered by would not be true.
    """
    if asked.wrong:
        return Page((), 0, capped=False, totals=(), totals_open=False, next="", first=True, asked=asked)
    within = (desk.scope(actor), *asked.clauses)
    beyond = _beyond(desk, asked)
    query = (
        sa.select(*fields(desk, (asked.sort,)))
        .where(*within, *([] if beyond is None else [beyond]))
        .order_by(*ordering(desk, asked))
        .limit(asked.size + 1)
    )
    with reading() as tx:
        rows: Sequence[Any] = ()
        for span in (*desk.spans(asked), sa.true()):
            rows = tx.connection.execute(query.where(span)).all()
            if len(rows) > asked.size:
                break
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
    plain = [each for each in desk.sums if each.asset.isupper() and not each.once]
    # All that need no grouping are added up in one way through the rows.
    added = sa.select(*(sa.func.sum(getattr(desk.model, each.name)) for each in plain)).where(*within)
    sums = dict(zip(plain, connection.execute(added).one(), strict=True)) if plain else {}
    for each in desk.sums:
        if each.asset.isupper():
            units = sums[each] if each in sums else connection.execute(_summed(desk, each, within)).scalar()
            if units is not None:
                found.append(Total(str(each.label), int(units), each.asset))
            continue
        column, code = getattr(desk.model, each.name), getattr(desk.model, each.asset)
        grouped = sa.select(code, sa.func.sum(column)).where(*within).group_by(code).order_by(code)
        found += [
            Total(str(each.label), int(units), str(name))
            for name, units in connection.execute(grouped)
            if units is not None
        ]
    return tuple(found)


def _summed(desk: Desk, each: Sum, within: tuple[Any, ...]) -> sa.Select[Any]:
    """Return the sum of a column of whose rows with the same value only one is added."""
    column = getattr(desk.model, each.name)
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
