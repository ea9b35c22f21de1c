"""What tiles are made of: numbers, tables, and the states a tile can be in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dash import html
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboards import show
from dashboards.rows import Rows

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
    left = len(table.rows) - MOST_ROWS
    more = ""
    if left > 0:
        more = ngettext(
            "%(n)s more row is in the CSV file.", "%(n)s more rows are in the CSV file.", left, n=show.number(left)
        )
    return Rows(caption, table, MOST_ROWS, more)


def said(title: str, text: str, tone: str = "empty") -> Any:
    """Return what stands in a tile instead of a chart: nothing there yet, not allowed, or broken."""
    role = {"role": "alert"} if tone == "fault" else {}
    return html.Div([html.Strong(title), html.P(text)], className=f"boards-said {tone}", **role)


def meanings(pairs: Sequence[tuple[str, str]]) -> Any:
    """Return what each figure of a page counts, folded below it."""
    terms = [each for label, means in pairs for each in (html.Dt(label), html.Dd(means))]
    return html.Details([html.Summary(_("What these figures count")), html.Dl(terms)], className="card boards-means")
