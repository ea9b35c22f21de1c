"""The PDF writer: pages drawn one after the other, heads on each, the facts at the end."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from anyascii import anyascii
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from core.errors import BadInput
from core.reports.files import Column, Tally, Written, becoming, digest, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.reports.files import Cell, Progress, Report

MOST_ROWS = 20_000
"""Longer reports are for CSV or XLSX; nobody reads five hundred pages."""

_SIZE = 7.0
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

    def open_page(self) -> None:
        if self.page:
            self.canvas.showPage()
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
        wide = {"text": 1.0, "count": 0.6, "money": 1.1, "time": 1.1}
        total = sum(wide[column.kind] for column in columns)
        at, self.edges = _MARGIN, []
        for column in columns:
            self.edges.append(at)
            at += (self.width - 2 * _MARGIN) * wide[column.kind] / total
        self.edges.append(at)
        self.room(3)
        self.heads()

    def heads(self) -> None:
        for at, column in enumerate(self.columns):
            self.put(at, column.name, column.kind, bold=True)
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
            self.put(at, plain(cell), column.kind)
        self.left -= _LINE

    def put(self, at: int, text: str, kind: str, *, bold: bool = False) -> None:
        edge, end = self.edges[at], self.edges[at + 1] - 6
        font, text = _font(text, bold=bold)
        while text and pdfmetrics.stringWidth(text, font, _SIZE) > end - edge:
            text = text[:-2] + "…" if font == _CJK else text[:-4].rstrip(".") + "..."
        self.canvas.setFont(font, _SIZE)
        if kind in {"money", "count"}:
            self.canvas.drawRightString(end, self.left, text)
        else:
            self.canvas.drawString(edge, self.left, text)

    def words(self, at: float, text: str, *, bold: bool = False, size: float = _SIZE) -> None:
        font, shown = _font(text, bold=bold)
        self.canvas.setFont(font, size)
        self.canvas.drawString(at, self.left, shown)


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
                raise BadInput(f"more than {MOST_ROWS:,} rows do not go into a PDF; take csv or xlsx", most=MOST_ROWS)
            pages.row(cells)
            body.update(("\x1f".join(plain(cell) for cell in cells) + "\n").encode())
        _facts(pages, [*tally.foot(), ("sha256 of the rows", body.hexdigest())])
        pages.canvas.save()
        whole = digest(part)
    return Written(path, tally.rows, tally.sums, body.hexdigest(), whole)


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
