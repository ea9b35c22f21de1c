"""The XLSX writer: constant memory, amounts as exact decimals, as many sheets as the rows need."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import xlsxwriter

from core.money import Money
from core.reports.files import Tally, Written, becoming, digest, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.reports.files import Cell, Column, Progress, Report

SHEET_ROWS = 1_048_576
"""Rows a sheet can hold (ECMA-376), its head included."""

_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - the file's own creation time; the report's stands in its facts
_WIDTHS = {"text": 24, "count": 12, "money": 20, "time": 21}


class _Book:
    """A workbook whose rows are written one after the other and counted into a digest."""

    def __init__(self, path: Path) -> None:
        self.book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self.book.set_properties({"created": _EPOCH})
        self.head = self.book.add_format({"bold": True, "bottom": 1})
        self.time = self.book.add_format({"num_format": 'yyyy-mm-dd hh:mm:ss"Z"'})
        self.count = self.book.add_format({"num_format": "#,##0"})
        self.money: dict[int, Any] = {}
        self.digest = hashlib.sha256()

    def sheet(self, name: str, columns: Sequence[Column]) -> Any:
        sheet = self.book.add_worksheet(name)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, _WIDTHS[column.kind])
        sheet.freeze_panes(1, 0)
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column.name, self.head)
        return sheet

    def row(self, sheet: Any, line: int, cells: Sequence[Cell]) -> None:
        for at, cell in enumerate(cells):
            self.cell(sheet, line, at, cell)

    def cell(self, sheet: Any, line: int, at: int, cell: Cell) -> None:
        if isinstance(cell, Money):
            decimals = cell.asset.decimals
            if decimals not in self.money:
                shape = "#,##0." + "0" * decimals if decimals else "#,##0"
                self.money[decimals] = self.book.add_format({"num_format": shape})
            sheet.write_number(line, at, Decimal(cell.units).scaleb(-decimals), self.money[decimals])
        elif isinstance(cell, datetime):
            sheet.write_datetime(line, at, cell.astimezone(UTC).replace(tzinfo=None), self.time)
        elif isinstance(cell, int):
            sheet.write_number(line, at, cell, self.count)
        elif cell:
            # As a string it is never a formula, whatever it begins with.
            sheet.write_string(line, at, cell.replace("\x00", ""))

    def counted(self, cells: Sequence[Cell]) -> None:
        self.digest.update(("\x1f".join(plain(cell) for cell in cells) + "\n").encode())


def write_xlsx(
    report: Report, path: Path, *, progress: Progress | None = None, sheet_rows: int = SHEET_ROWS
) -> Written:
    """Write the report as XLSX: the summary, the rows on as many sheets as they need, the facts. Constant memory.

    The same report gives the same bytes.
    """
    tally = Tally(report, progress)
    with becoming(path) as part:
        book = _Book(part)
        if report.summary:
            summary = book.sheet("Summary", report.summary_columns)
            for line, cells in enumerate(report.summary, 1):
                book.row(summary, line, cells)
        number, sheet, line = 1, book.sheet("Rows 1", report.columns), 0
        for cells in tally.passing():
            line += 1
            if line == sheet_rows:
                number, line = number + 1, 1
                sheet = book.sheet(f"Rows {number}", report.columns)
            book.row(sheet, line, cells)
            book.counted(cells)
        facts = book.book.add_worksheet("Facts")
        facts.set_column(0, 1, 40)
        body = book.digest.hexdigest()
        for at, (name, value) in enumerate([*tally.foot(), ("sha256 of the rows", body)]):
            facts.write_string(at, 0, name, book.head)
            book.cell(facts, at, 1, value)
        book.book.close()
        whole = digest(part)
    return Written(path, tally.rows, tally.sums, whole)
