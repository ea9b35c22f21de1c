"""Report files: exact bytes, no formulas, constant memory, a foot that proves the rows."""

from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import BadInput
from core.money import USDT, Money, fiat
from core.reports import files, pdf, xlsx
from core.reports.files import Column, Report

GOLDEN = Path(__file__).parents[1] / "golden" / "reports"
AT = datetime(2026, 10, 31, 23, 59, 59, 999999, tzinfo=UTC)
NASTY = (
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1+1",
    'quo"te, comma\nline',
    "Nguyễn Thị Ánh 王伟 🚀",
    "NUL\x00",
)


def report(rows=None, **more):
    columns = (Column("who"), Column("n", "count"), Column("usdt", "money", summed=True), Column("at", "time"))
    given = [(text, n, Money(n * 1_234_567, USDT), AT) for n, text in enumerate(NASTY)]
    facts = [("difference", Money(0, USDT)), ("filter", "agent =evil"), ("seal", "journal block 1")]
    return Report("Nasty", columns, given if rows is None else rows, facts, **more)


def test_csv_is_written_to_the_byte(tmp_path):
    written = files.write(report(), tmp_path / "nasty.csv", "csv")
    assert (tmp_path / "nasty.csv").read_bytes() == (GOLDEN / "nasty.csv").read_bytes()
    assert written.rows == len(NASTY)
    assert written.sums == {"usdt": Money(55 * 1_234_567, USDT)}
    assert written.sha256 == hashlib.sha256((GOLDEN / "nasty.csv").read_bytes()).hexdigest()


def test_no_cell_of_a_csv_is_a_formula(tmp_path):
    files.write(report(), tmp_path / "nasty.csv", "csv")
    with (tmp_path / "nasty.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ")[:1] in "=+@\t\r＝＋－＠" and cell.strip()]
    assert "'-2" in cells


def test_the_foot_of_a_csv_proves_its_rows(tmp_path):
    files.write(report(), tmp_path / "nasty.csv", "csv")
    body, mark, foot = (tmp_path / "nasty.csv").read_bytes().partition(b"# rows,")
    assert mark
    told = dict(csv.reader(io.StringIO((mark + foot).decode())))
    assert told["# sha256 of the rows"] == hashlib.sha256(body).hexdigest()
    assert told["# rows"] == str(len(NASTY))
    assert told["# sum usdt"] == "67.901185"
    assert told["# filter"] == "agent =evil"


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_the_same_report_gives_the_same_bytes(tmp_path, form):
    summary = {"summary_columns": (Column("agent"), Column("closing", "money")), "summary": [("a1", Money(5, USDT))]}
    first = files.write(report(**summary), tmp_path / f"one.{form}", form)
    second = files.write(report(**summary), tmp_path / f"two.{form}", form)
    assert first.sha256 == second.sha256
    assert first.path.stat().st_size > 500


def test_an_xlsx_holds_text_as_text_and_amounts_as_exact_numbers(tmp_path):
    rows = [("=1+1", 1, Money(999_999_999_999_999, USDT), AT), ("x", 2, None, AT)]
    dong = [("VND", Money(-(10**8), fiat("VND")))]
    columns = (Column("currency"), Column("sum", "money"))
    files.write(report(rows, summary_columns=columns, summary=dong), tmp_path / "a.xlsx", "xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        sheet = "".join(book.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2, 3))
    assert "<f>" not in sheet
    assert "<t>=1+1</t>" in sheet
    assert "<v>999999999.999999</v>" in sheet
    assert "<v>-100000000</v>" in sheet


def test_an_xlsx_goes_on_on_the_next_sheet(tmp_path):
    rows = [(f"row {n}", n, Money(n, USDT), AT) for n in range(9)]
    written = xlsx.write_xlsx(report(rows), tmp_path / "long.xlsx", sheet_rows=5)
    assert written.rows == 9
    assert xlsx.SHEET_ROWS == 1_048_576
    with zipfile.ZipFile(tmp_path / "long.xlsx") as book:
        sheets = [book.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2, 3, 4)]
    assert [sheet.count("<row ") for sheet in sheets[:3]] == [5, 5, 2]
    assert "row 8" in sheets[2]
    assert "sha256 of the rows" in sheets[3]


def test_a_pdf_shows_names_in_any_script_and_refuses_to_be_endless(tmp_path, monkeypatch):
    written = files.write(report(), tmp_path / "a.pdf", "pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-1.")
    assert written.rows == len(NASTY)
    assert pdf._font("João") == ("Helvetica", "João")
    assert pdf._font("王伟") == ("STSong-Light", "王伟")
    assert pdf._font("Nguyễn Ánh") == ("Helvetica", "Nguyen Anh")
    monkeypatch.setattr(pdf, "MOST_ROWS", 5)
    with pytest.raises(BadInput, match="do not go into a PDF"):
        files.write(report(), tmp_path / "b.pdf", "pdf")
    assert not list(tmp_path.glob("*b.pdf*"))


def test_a_report_that_breaks_off_leaves_no_half_file(tmp_path):
    def rows():
        yield ("a", 1, Money(1, USDT), AT)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        files.write(report(rows()), tmp_path / "a.csv", "csv")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(BadInput, match="csv, xlsx or pdf"):
        files.write(report(), tmp_path / "a.doc", "doc")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_rows_pass_through_and_are_not_kept(tmp_path, form):
    rows = ((f"row {n}", n, Money(n, USDT), AT) for n in range(20_000))
    told = []
    tracemalloc.start()
    try:
        files.write(report(rows), tmp_path / f"long.{form}", form, progress=told.append)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 6_000_000
    assert told == list(range(files.ROWS_AT_ONCE, 20_001, files.ROWS_AT_ONCE))
