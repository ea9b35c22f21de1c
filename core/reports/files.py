"""What a report is, and the CSV writer: constant memory, no formulas, a foot that says and proves what it is."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from core.errors import BadInput
from core.money import Money

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

Cell = str | int | Money | datetime | None
Kind = Literal["text", "count", "money", "time"]
Progress = Callable[[int], None]

FORMATS = ("csv", "xlsx", "pdf")
ROWS_AT_ONCE = 2_000
# A spreadsheet would take a text that begins so for a formula, and one set to semicolons or tabs takes what stands
# behind one of them for a cell of its own.
_BEGINS = re.compile(r" *[=+\-@＝＋－＠\x00-\x1f]")
_BEHIND = re.compile(r"(?<!^)([;|\t\r\n] *)(?=[=+\-@＝＋－＠])")


class Column(NamedTuple):
    """One column: its head, what its cells are, whether its amounts are summed at the foot.

    `wide` is its share of a printed page's width, in per cent of a usual column; 0: not printed.
    """

    name: str
    kind: Kind = "text"
    summed: bool = False
    wide: int = 100


@dataclass(slots=True)
class Report:
    """Rows to be written once, with what stands above and below them.

    `facts` are (name, value) pairs for the foot: filters, who, when, seal, tie-out. `summary` is a small
    table that stands before the rows where the format has a place for it.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    facts: Sequence[tuple[str, Cell]] = ()
    summary_columns: Sequence[Column] = ()
    summary: Sequence[Sequence[Cell]] = ()


class Written(NamedTuple):
    """A finished file: how many rows, the sums by column, and SHA-256 of the whole file."""

    path: Path
    rows: int
    sums: dict[str, Money]
    sha256: str


@dataclass(slots=True)
class Tally:
    """Counts and sums rows while they pass, and tells how far it is."""

    report: Report
    progress: Progress | None = None
    rows: int = 0
    sums: dict[str, Money] = field(default_factory=dict)

    def passing(self) -> Iterator[Sequence[Cell]]:
        """Yield the report's rows."""
        summed = [(at, column.name) for at, column in enumerate(self.report.columns) if column.summed]
        for row in self.report.rows:
            for at, name in summed:
                cell = row[at]
                if isinstance(cell, Money):
                    self.sums[name] = self.sums[name] + cell if name in self.sums else cell
            self.rows += 1
            if self.progress is not None and self.rows % ROWS_AT_ONCE == 0:
                self.progress(self.rows)
            yield row

    def foot(self) -> list[tuple[str, Cell]]:
        """Return what stands below the rows: their number, the sums, then the report's own facts."""
        return [
            ("rows", self.rows),
            *((f"sum {name}", amount) for name, amount in self.sums.items()),
            *self.report.facts,
        ]


def plain(cell: Cell) -> str:
    """Return a cell as text: amounts as plain decimals, moments in UTC to the second, nothing as an empty text.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    if cell is None:
        return ""
    if isinstance(cell, Money):
        return cell.text()
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(cell, int):
        return str(cell)
    return defused(cell)


def defused(text: str) -> str:
    """Return a text no spreadsheet takes for a formula: where one could begin stands an apostrophe."""
    text = _BEHIND.sub(r"\1'", text.replace("\x00", ""))
    return f"'{text}" if _BEGINS.match(text) else text


@contextmanager
def becoming(path: Path) -> Iterator[Path]:
    """Write beside the file and put it in its place when it is whole and on disk; half a file is never seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Lines:
    """CSV lines (RFC 4180, UTF-8), taken as bytes piece by piece and counted into a digest."""

    def __init__(self, start: str = "") -> None:
        """Begin with a text that is no cell, such as the mark of UTF-8."""
        self.digest = hashlib.sha256()
        self._text = io.StringIO(newline="")
        self._text.write(start)
        self._csv = csv.writer(self._text, lineterminator="\r\n")

    def row(self, cells: Iterable[str]) -> None:
        """Add a line; its texts stand as they are, so that whoever gives them has defused them."""
        self._csv.writerow(cells)

    def taken(self) -> bytes:
        """Return what was added since last time, counted into the digest."""
        data = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        self.digest.update(data)
        return data


def _fill(file: BinaryIO, lines: Lines, rows: Iterable[Sequence[Cell]]) -> None:
    for count, row in enumerate(rows, 1):
        lines.row(plain(cell) for cell in row)
        if count % ROWS_AT_ONCE == 0:
            file.write(lines.taken())
    file.write(lines.taken())


def write_csv(report: Report, path: Path, *, progress: Progress | None = None) -> Written:
    """Write the report as CSV; the same report gives the same bytes. Returns what was written.

    Below the rows stand lines that begin with `#`: number, sums, facts, and the SHA-256 of all lines above
    the first of them.
    """
    tally = Tally(report, progress)
    with becoming(path) as part:
        with part.open("wb") as file:
            lines = Lines()
            _fill(file, lines, [[column.name for column in report.columns]])
            _fill(file, lines, tally.passing())
            foot = [*tally.foot(), ("sha256 of the rows", lines.digest.hexdigest())]
            _fill(file, lines, [[f"# {name}", value] for name, value in foot])
        whole = digest(part)
    return Written(path, tally.rows, tally.sums, whole)


def write(report: Report, path: Path, form: str, *, progress: Progress | None = None) -> Written:
    """Write the report as csv, xlsx or pdf. Raises BadInput for another form, or a PDF that would be too long."""
    if form == "csv":
        return write_csv(report, path, progress=progress)
    if form == "xlsx":
        from core.reports.xlsx import write_xlsx

        return write_xlsx(report, path, progress=progress)
    if form == "pdf":
        from core.reports.pdf import write_pdf

        return write_pdf(report, path, progress=progress)
    raise BadInput("a report is written as csv, xlsx or pdf", format=form[:10])
