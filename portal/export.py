"""CSV of exactly the filtered rows: streamed, no formulas, a footer that says and proves what it is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from flask import Response, stream_with_context
from flask_babel import gettext as _

from core import audit, clock, vault
from core.actor import Right
from core.compliance import reveals
from core.db import reading, transaction
from core.errors import BadInput
from core.money import Money, asset
from core.parties.finding import like_a_number
from core.reports.files import Lines, defused
from portal.columns import heads, needed_names, plain
from portal.listing import Asked, fields, ordering, summed_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from core.actor import Actor
    from core.db import Transaction
    from portal.columns import Column
    from portal.desk import Desk

BATCH = 2_000
BOM = "\ufeff"
"""By it spreadsheets read the file as UTF-8."""


def stream(desk: Desk, actor: Actor, asked: Asked, why_whole: str = "") -> Response:
    """Return the file as it is read from one read-only transaction; the trail says first who got which rows.

    Names are masked in it, whoever asks; `why_whole` is the reason of somebody who may see them in full and asks for
    that, as `why_in_full` has read it. Refuses with `forbidden` without the right to export.
    """
    actor.must(Right.EXPORT)
    moment = clock.now()
    lines = _lines(desk, actor, asked, f"{moment:%Y-%m-%d %H:%M:%S} UTC", why_whole)
    body = stream_with_context(lines)  # begins the file: it is counted and written down before a byte leaves
    answer = Response(body, content_type="text/csv; charset=utf-8")  # type: ignore[arg-type]  # an iterator of bytes
    answer.headers["Content-Disposition"] = f'attachment; filename="{_name(desk)}-{moment:%Y%m%d-%H%M%S}.csv"'
    return answer


def has_names(desk: Desk) -> bool:
    """Return whether the list's file has columns that are masked in it."""
    return any(column.personal or (column.under and column.under.personal) for column in _columns(desk))


def why_in_full(desk: Desk, actor: Actor, reason: str) -> str:
    """Return why somebody wants a list's file with the names in full, as the trail keeps it.

    Refuses with `forbidden` without the rights, and with `bad_input` for a list without names or without a reason.
    """
    actor.must(Right.EXPORT)
    said = reveals.reason_of(actor, reason)
    if not has_names(desk):
        raise BadInput(_("This list has no names that are masked in its file."))
    return said


class Small(NamedTuple):
    """A list that is at hand whole: the name of its file, its title, columns, rows, sums, and its filter in words."""

    name: str
    title: str
    heads: list[str]
    rows: Sequence[Sequence[str | Money]]
    sums: dict[tuple[str, str], int]
    words: str


def small(actor: Actor, found: Small) -> Response:
    """Return the file of a list that is no Desk, made at once; the trail says who got how many rows, by which filter.

    Refuses with `forbidden` without the right to export.
    """
    actor.must(Right.EXPORT)
    moment = clock.now()
    writer = Lines(BOM)
    writer.row(found.heads)
    for row in found.rows:
        writer.row([cell.text() if isinstance(cell, Money) else defused(cell) for cell in row])
    with reading() as tx:
        head = _seal(tx)
    said = (found.title, found.words, f"{moment:%Y-%m-%d %H:%M:%S} UTC", head)
    for cells in _footer(len(found.rows), found.sums.items(), actor, *said):
        writer.row(cells)
    data = writer.taken()
    digest = writer.digest.hexdigest()
    writer.row(["# sha256", digest])
    details = {"filter": found.words, "rows": len(found.rows), "format": "csv", "sha256": digest}
    with transaction() as own:
        audit.write(own, actor, "list.exported", found.name, details=details)
    answer = Response(data + writer.taken(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.name}-{moment:%Y%m%d-%H%M%S}.csv"'
    return answer


def _lines(desk: Desk, actor: Actor, asked: Asked, moment: str, why_whole: str) -> Iterator[bytes]:
    whole = bool(why_whole)
    writer = Lines(BOM)
    writer.row([head for column in _columns(desk) for head in heads(column)])
    sums: dict[tuple[str, str], int] = defaultdict(int)
    count = 0
    query = (
        sa.select(*fields(desk, [*needed_names(desk.filed), *(each.name for each in desk.sums)]))
        .where(desk.scope(actor), *asked.clauses)
        .order_by(*ordering(desk, asked))
    )
    with reading() as tx:
        head = _seal(tx)
        _write_down(tx, desk, actor, asked, why_whole)
        for batch in tx.connection.execution_options(yield_per=BATCH).execute(query).partitions():
            for row in batch:
                writer.row([cell for column in _columns(desk) for cell in plain(row, column, reveal=whole)])
                _add(desk, row, sums)
            count += len(batch)
            yield writer.taken()
        sums |= summed_once(tx.connection, desk, asked, actor)
    for cells in _footer(count, sorted(sums.items()), actor, str(desk.title), asked.words, moment, head):
        writer.row(cells)
    if whole:
        writer.row(["# " + _("names in full"), defused(why_whole)])
    yield writer.taken()
    # The digest covers every byte of the file before this line.
    writer.row(["# sha256", writer.digest.hexdigest()])
    yield writer.taken()


def _columns(desk: Desk) -> tuple[Column, ...]:
    """Return what a file has: the columns of the screen, then those of a file alone."""
    return (*desk.columns, *desk.filed)


def _name(desk: Desk) -> str:
    return desk.route_base.strip("/").replace("/", "-")


def _write_down(tx: Transaction, desk: Desk, actor: Actor, asked: Asked, why_whole: str) -> None:
    """Leave in the trail who takes which rows away, how many, and whether with names in full, which is a reveal."""
    words, query = asked.words, [[name, value] for name, value in asked.args.items(multi=True) if value]
    sought = asked.args.get("q", "").strip()
    if like_a_number(sought):  # as any other look for a whole account number: the number itself is not kept
        words = words.replace(sought, vault.mask_account(sought))
        query = [[name, vault.mask_account(value) if name == "q" else value] for name, value in query]
    within = sa.select(sa.func.count()).select_from(desk.model).where(desk.scope(actor), *asked.clauses)
    details = {
        "filter": words,
        "query": query,
        "rows": tx.connection.execute(within).scalar_one(),
        "format": "csv",
    }
    with transaction() as own:
        if why_whole:
            reveals.of_list(own, actor, _name(desk), why_whole, details)
        else:
            masked = {"personal": "masked"} if has_names(desk) else {}
            audit.write(own, actor, "list.exported", _name(desk), details=details | masked)


def _add(desk: Desk, row: Any, sums: dict[tuple[str, str], int]) -> None:
    for each in desk.sums:
        if each.once:
            continue
        units = getattr(row, each.name)
        if units is not None:
            sums[str(each.label), each.asset if each.asset.isupper() else str(getattr(row, each.asset))] += units


def _footer(
    count: int,
    sums: Iterable[tuple[tuple[str, str], int]],
    actor: Actor,
    title: str,
    words: str,
    moment: str,
    head: str,
) -> Iterator[list[str]]:
    yield ["# " + _("rows"), str(count)]
    for (label, code), units in sums:
        yield [f"# {_('sum')}: {label}", Money(units, asset(code)).text(), code]
    yield ["# " + _("list"), title]
    yield ["# " + _("filter"), defused(words)]
    yield ["# " + _("made by"), defused(f"{actor.name} ({actor.role})")]
    yield ["# " + _("made at"), moment]
    yield ["# " + _("ledger seal"), head]


def _seal(tx: Any) -> str:
    """Return the head of the journal's seal the file was taken under."""
    rows = tx.rows(
        "select no, encode(hash, 'hex') from seal_block where chain = 'journal' order by no desc limit 1",
    )
    return f"{rows[0][0]} {rows[0][1]}" if rows else "-"
