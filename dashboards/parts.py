"""What tiles are made of: numbers, tables, and the states a tile can be in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dash import html
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboards import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

MOST_ROWS = 400


class Number(NamedTuple):
    """One figure: its value, what it compares to, whether that is good (up), bad (down) or neither."""

    value: str
    unit: str = ""
    foot: str = ""
    tone: str = ""
    href: str = ""


class Head(NamedTuple):
    """A column of a table."""

    label: str
    numeric: bool = False


class Cell(NamedTuple):
    """One cell: what people read, what a file holds (the same when empty), where it leads."""

    text: str
    plain: str = ""
    href: str = ""

    @property
    def value(self) -> str:
        """What a file holds."""
        return self.plain or self.text


class Table(NamedTuple):
    """The figures behind a chart, row by row, and their totals."""

    heads: tuple[Head, ...]
    rows: Sequence[tuple[Cell, ...]]
    total: tuple[Cell, ...] = ()


class Drawn(NamedTuple):
    """What a tile shows: a chart (or none), its table, and a line under the title."""

    table: Table
    figure: go.Figure | None = None
    note: str = ""


def number_card(label: str, found: Number, means: str = "") -> Any:
    """Return a figure's card; what it counts is told where the pointer rests on its name."""
    inside = [
        html.Div(html.Span(label, title=means or None), className="cap"),
        html.Div([found.value, *([" ", html.Small(found.unit)] if found.unit else [])], className="big"),
        html.Div(found.foot, className=f"foot-line {found.tone}"),
    ]
    if found.href:
        return html.A(inside, href=found.href, className="card figure")
    return html.Div(inside, className="card figure")


def table_of(caption: str, table: Table) -> Any:
    """Return a table for people; what leads somewhere is a link, so that the keyboard reaches it."""
    rows = [html.Tr(_cells(table.heads, row)) for row in table.rows[:MOST_ROWS]]
    left = len(table.rows) - MOST_ROWS
    if left > 0:
        said = ngettext(
            "%(n)s more row is in the CSV file.", "%(n)s more rows are in the CSV file.", left, n=show.number(left)
        )
        rows.append(html.Tr(html.Td(said, colSpan=len(table.heads), className="muted")))
    feet = [html.Tfoot(html.Tr(_cells(table.heads, table.total)))] if table.total else []
    heads = [html.Th(head.label, className="num" if head.numeric else "", scope="col") for head in table.heads]
    return html.Table(
        [html.Caption(caption, className="vh"), html.Thead(html.Tr(heads)), html.Tbody(rows), *feet],
        className="boards-table",
    )


def _cells(heads: tuple[Head, ...], row: Sequence[Cell]) -> list[Any]:
    drawn = []
    for place, (head, cell) in enumerate(zip(heads, row, strict=True)):
        inside = html.A(cell.text, href=cell.href) if cell.href else cell.text
        tag = html.Th if place == 0 else html.Td
        scope = {"scope": "row"} if place == 0 else {}
        drawn.append(tag(inside, className="num" if head.numeric else "", **scope, **{"data-label": head.label}))
    return drawn


def said(title: str, text: str, tone: str = "empty") -> Any:
    """Return what stands in a tile instead of a chart: nothing there yet, not allowed, or broken."""
    role = {"role": "alert"} if tone == "fault" else {}
    return html.Div([html.Strong(title), html.P(text)], className=f"boards-said {tone}", **role)


def meanings(pairs: Sequence[tuple[str, str]]) -> Any:
    """Return what each figure of a page counts, folded below it."""
    terms = [each for label, means in pairs for each in (html.Dt(label), html.Dd(means))]
    return html.Details([html.Summary(_("What these figures count")), html.Dl(terms)], className="card boards-means")
