"""The PDF writer: pages drawn one after the other, heads on each, the facts at the end."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from anyascii import anyascii
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from core.errors import BadInput, sentence
from core.reports.files import Column, Tally, Written, becoming, digest, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.reports.files import Cell, Progress, Report

MOST_ROWS = 20_000
"""Longer reports are for CSV or XLSX; nobody reads five hundred pages."""

_SIZE = 6.5
_LINE = 11.0
_MARGIN = 36.0
_GREY = 0.45
_CJK = "STSong-Light"  # one of the fonts every PDF reader brings for Chinese: nothing is embedded


class _Pages:
    """A canvas that knows how far down the page it is and starts the next one by itself."""

    def __init__(self, path: Path, title: str) -> None:
        self.width, self.height = landscape(A4)
        # `invariant`: no creation time and no random id, so that the same report gives the same bytes.
        self.canvas = Canvas(str(path), pagesize=(self.width, self.height), invariant=1)
        self.canvas.setTitle(title)
        self.title = title
        self.page = 0
        self.left = 0.0
        self.columns: Sequence[Column] = ()
        self.edges: list[float] = []
        self.font = ""
        self.begin()

    def open_page(self) -> None:
        if self.page:
            self.finish()
            self.canvas.showPage()
            self.begin()
        self.page += 1
        self.left = self.height - _MARGIN
        self.words(_MARGIN, self.title, bold=True, size=11)
        self.canvas.setFont("Helvetica", _SIZE)
        self.canvas.drawRightString(self.width - _MARGIN, self.left, str(self.page))
        self.left -= 2 * _LINE
        if self.columns:
            self.heads()

    def table(self, columns: Sequence[Column]) -> None:
        """Begin a table; its heads stand on each page from here."""
        self.columns = columns
        total = sum(column.wide for column in columns)
        at, self.edges = _MARGIN, []
        for column in columns:
            self.edges.append(at)
            at += (self.width - 2 * _MARGIN) * column.wide / total
        self.edges.append(at)
        self.room(3)
        self.heads()

    def heads(self) -> None:
        for at, column in enumerate(self.columns):
            if column.wide:
                self.put(at, column.name.replace("_", " "), column.kind, bold=True)
        self.left -= 4
        self.canvas.setLineWidth(0.5)
        self.canvas.line(_MARGIN, self.left, self.width - _MARGIN, self.left)
        self.left -= _LINE

    def room(self, lines: int) -> None:
        """Turn the page when fewer lines are left on it."""
        if not self.page or self.left < _MARGIN + lines * _LINE:
            self.open_page()

    def row(self, cells: Sequence[Cell]) -> None:
        self.room(1)
        for at, (column, cell) in enumerate(zip(self.columns, cells, strict=True)):
            if column.wide:
                self.put(at, plain(cell), column.kind)
        self.left -= _LINE

    def put(self, at: int, text: str, kind: str, *, bold: bool = False) -> None:
        edge, end = self.edges[at], self.edges[at + 1] - 6
        font, shown = _fitting(text, end - edge, bold=bold)
        if kind in {"money", "count"}:
            edge = end - _width(shown, font)
        if font != self.font:
            self.text.setFont(font, _SIZE)
            self.font = font
        self.text.setTextOrigin(edge, self.left)
        self.text.textOut(shown)

    def finish(self) -> None:
        """Put the cells of the page on it; the last page is finished by saving."""
        self.canvas.drawText(self.text)

    def begin(self) -> None:
        """Begin the text of a page: all its cells are one object, which is written many times faster."""
        self.text, self.font = self.canvas.beginText(), ""

    def words(self, at: float, text: str, *, bold: bool = False, size: float = _SIZE) -> None:
        font, shown = _font(text, bold=bold)
        self.canvas.setFont(font, size)
        self.canvas.drawString(at, self.left, shown)


@lru_cache(maxsize=4096)
def _fitting(text: str, room: float, *, bold: bool) -> tuple[str, str]:
    """Return a font that can show the text, and as much of the text as has room."""
    font, shown = _font(text, bold=bold)
    width = _width(shown, font)
    if width > room:
        # Cut in proportion first; what is still too long loses a character at a time.
        dots = "…" if font == _CJK else "..."
        shown = shown[: max(1, int(len(shown) * room / width))]
        while len(shown) > 1 and _width(shown + dots, font) > room:
            shown = shown[:-1]
        shown += dots
    return font, shown


@lru_cache(maxsize=4096)
def _width(text: str, font: str) -> float:
    width: float = pdfmetrics.stringWidth(text, font, _SIZE)
    return width


def _font(text: str, *, bold: bool = False) -> tuple[str, str]:
    """Return a font that can show the text, and the text: Latin as it is, Chinese by its own font, else spelt."""
    usual = "Helvetica-Bold" if bold else "Helvetica"
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        try:
            text.encode("gb2312")
        except UnicodeEncodeError:
            return usual, anyascii(text)
        if _CJK not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(UnicodeCIDFont(_CJK))
        return _CJK, text
    return usual, text


def write_pdf(report: Report, path: Path, *, progress: Progress | None = None) -> Written:
    """Write the report as PDF: summary, rows, facts. The same report gives the same bytes.

    Raises BadInput above 20,000 rows.
    """
    tally = Tally(report, progress)
    body = hashlib.sha256()
    with becoming(path) as part:
        pages = _Pages(part, report.title)
        pages.open_page()
        if report.summary:
            pages.table(report.summary_columns)
            for cells in report.summary:
                pages.row(cells)
            pages.left -= _LINE
        pages.table(report.columns)
        for cells in tally.passing():
            if tally.rows > MOST_ROWS:
                raise BadInput(
                    sentence(
                        "more than %(most_rows)s rows do not go into a PDF; take csv or xlsx", most_rows=MOST_ROWS
                    ),
                    most=MOST_ROWS,
                )
            pages.row(cells)
            body.update(("\x1f".join(plain(cell) for cell in cells) + "\n").encode())
        _facts(pages, [*tally.foot(), ("sha256 of the rows", body.hexdigest())])
        pages.finish()
        pages.canvas.save()
        whole = digest(part)
    return Written(path, tally.rows, tally.sums, whole)


def _facts(pages: _Pages, facts: Sequence[tuple[str, Cell]]) -> None:
    """What stands below the rows: names in grey, values beside them."""
    pages.columns = ()
    pages.left -= _LINE
    for name, value in facts:
        pages.room(1)
        pages.canvas.setFillGray(_GREY)
        pages.words(_MARGIN, name)
        pages.canvas.setFillGray(0)
        pages.words(_MARGIN + 150, plain(value))
        pages.left -= _LINE
