"""Reading past orders: what a line must be to go in, and what is said of one that cannot."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import pytest

from core.errors import BadInput
from core.simulator.rows import COLUMNS, Reject, Row, opened, read
from tests.core.past_orders import order, unpaid, write


def lines(*rows: bytes):
    return list(read(io.BytesIO(b"\n".join([",".join(COLUMNS).encode(), *rows, b""]))))


def line(**other: str) -> bytes:
    return ",".join(order(1, **other).values()).encode()


def test_a_good_line_is_read_to_the_unit():
    (row,) = lines(line(fiat_amount="543.5", usdt_amount="100.01", fee_usdt="0.6"))
    assert isinstance(row, Row)
    assert (row.line, row.fiat_units, row.usdt_units, row.fee_units) == (2, 54_350, 100_010_000, 600_000)
    assert row.price == 543_445_655  # 543.50 / 100.01, half to even, in units of 10⁻⁸
    assert str(row.created_at) == "2026-03-02 08:07:00+00:00"


def test_a_name_is_read_as_everywhere_else():
    (row,) = lines(line(customer_name="Maria  da\u00a0Souza", payer_name="\u0646\u0645\u06cc\u200c\u062e"))
    assert (row.customer_name, row.payer_name) == ("Maria da Souza", "\u0646\u0645\u06cc\u062e")


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"kind": "gift"}, "bad_value"),
        ({"state": "done"}, "bad_value"),
        ({"state": "Completed"}, "bad_value"),
        ({"currency": "USDT"}, "bad_value"),
        ({"currency": "XAU"}, "bad_value"),
        ({"currency": "brl"}, "bad_value"),
        ({"payer_country": "Brazil"}, "bad_value"),
        ({"payer_account": "x"}, "bad_value"),
        ({"payer_account": ""}, "bad_value"),
        ({"payer_account": "=cmd()"}, "bad_value"),
        ({"ref": ""}, "missing"),
        ({"ref": "   "}, "missing"),
        ({"merchant": ""}, "missing"),
        ({"customer": ""}, "missing"),
        ({"acceptor": ""}, "missing"),
        ({"completed_at": ""}, "missing"),
        ({"created_at": ""}, "missing"),
        ({"ref": "r" * 65}, "too_long"),
        ({"customer_name": "n" * 141}, "too_long"),
        ({"merchant": "shop:1"}, "bad_code"),
        ({"merchant": "=1+2"}, "bad_code"),
        ({"merchant": "=cmd|calc"}, "bad_code"),
        ({"merchant": "a b"}, "bad_code"),
        ({"merchant": "ＳＨＯＰ"}, "bad_code"),
        ({"agent": "@x y"}, "bad_code"),
        ({"acceptor": "+cmd"}, "bad_code"),
        ({"acceptor": "a;b"}, "bad_code"),
        ({"acceptor": "a" * 41}, "too_long"),
        ({"merchant": "a\u200bb"}, "bad_text"),
        ({"ref": "past\x001"}, "bad_text"),
        ({"customer_name": "Maria\u200bSouza"}, "bad_text"),
        ({"payer_name": "\u202ealiM"}, "bad_text"),
        ({"payer_name": "Maria\tSouza"}, "bad_text"),
        ({"payer_name": "Maria\u2028Souza"}, "bad_text"),
        ({"payer_name": "Maria\u3164Souza"}, "bad_text"),
        ({"customer_name": "Maria" + "\u0301" * 9}, "bad_text"),
        ({"customer_name": "\u200d"}, "missing"),
        ({"fiat_amount": "0"}, "bad_amount"),
        ({"fiat_amount": "-5.00"}, "bad_amount"),
        ({"fiat_amount": "NaN"}, "bad_amount"),
        ({"fiat_amount": "1e3"}, "bad_amount"),
        ({"fiat_amount": "1_000"}, "bad_amount"),
        ({"fiat_amount": "١٢٣"}, "bad_amount"),
        ({"fiat_amount": "12.345"}, "bad_amount"),
        ({"fiat_amount": ""}, "bad_amount"),
        ({"currency": "VND", "fiat_amount": "5.5"}, "bad_amount"),
        ({"usdt_amount": "0.0000001"}, "bad_amount"),
        ({"usdt_amount": "9" * 30}, "bad_amount"),
        ({"usdt_amount": "0.5", "fee_usdt": "0.5"}, "bad_amount"),
        ({"fiat_amount": "0.01", "usdt_amount": "999999999"}, "bad_amount"),
        ({"created_at": "2026-03-02 08:00"}, "bad_time"),
        ({"created_at": "2026-03-02T08:00:00"}, "bad_time"),
        ({"created_at": "2026-02-30T08:00:00Z"}, "bad_time"),
        ({"created_at": "0001-01-01T00:00:00Z"}, "bad_time"),
        ({"created_at": "2026-03-02T08:00:00+99:00"}, "bad_time"),
        ({"completed_at": "2999-03-02T08:12:00Z"}, "bad_time"),
        ({"claimed_at": "2026-03-02T08:06:59Z"}, "bad_time"),
        ({"completed_at": "2026-03-02T08:09:00Z"}, "bad_time"),
    ],
)
def test_a_bad_cell_is_told_by_its_code_and_the_next_line_goes_in(other, code):
    bad, good = lines(line(**other), line())
    assert isinstance(bad, Reject)
    assert (bad.line, bad.code) == (2, code)
    assert bad.reason
    assert isinstance(good, Row)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"past-1,deposit", "bad_csv"),
        (line() + b",more", "bad_csv"),
        (line(customer_name='"Maria'), "bad_csv"),
        (line().replace(b"Maria", b"Mar\xeda"), "bad_encoding"),
        (line().replace(b"Maria", b"M" * 70_000), "too_long"),
    ],
)
def test_a_broken_line_spoils_no_other(raw, code):
    bad, good = lines(raw, line())
    assert (bad.line, bad.code) == (2, code)
    assert isinstance(good, Row)
    assert good.line == 3


@pytest.mark.parametrize("name", ["=1+1", "+Maria", "-Maria", "@Maria", '"Souza, Maria"', "山田太郎", "Łukasz Ó"])
def test_a_cell_that_looks_like_a_formula_is_just_text(name):
    (row,) = lines(line(customer_name=name))
    assert row.customer_name == name.strip('"')


def test_an_unpaid_order_needs_no_times_and_no_acceptor():
    (row,) = lines(",".join(unpaid(1, "expired", acceptor="").values()).encode())
    assert (row.state, row.acceptor, row.claimed_at, row.completed_at) == ("expired", "", None, None)


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (COLUMNS[:-1], "missing: 'completed_at'"),
        ((*COLUMNS, "colour"), "unknown: 'colour'"),
        ((*COLUMNS, "ref"), "twice: 'ref'"),
        (("ref;kind;merchant",), "separated by commas"),
        (("",), "missing"),
    ],
)
def test_a_header_that_is_not_the_contracts_is_refused_in_words(header, word):
    with pytest.raises(BadInput, match=word):
        list(read(io.BytesIO(",".join(header).encode() + b"\n")))


def test_a_file_that_is_no_text_is_refused():
    with pytest.raises(BadInput, match="UTF-8"):
        list(read(io.BytesIO(",".join(COLUMNS).encode("utf-16"))))


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_not_matter():
    text = b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\r\n" + line() + b"\r\n\r\n" + line()
    assert [row.line for row in read(io.BytesIO(text))] == [2, 4]


def test_gzip_is_known_by_its_content_and_a_torn_one_gives_what_came_before(tmp_path):
    plain = write(tmp_path / "plain.csv", [order(n) for n in range(3000)])
    packed = tmp_path / "packed.csv"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with opened(packed) as file:
        assert len(list(read(file))) == 3000
    packed.write_bytes(packed.read_bytes()[:-4000])
    with opened(packed) as file:
        *good, last = read(file)
    assert good
    assert (type(last), last.code) == (Reject, "truncated")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(BadInput, match="cannot be read"):
            opened(path)


def test_reading_takes_no_more_memory_for_a_longer_file(tmp_path):
    def peak(rows: int) -> int:
        path = write(tmp_path / f"{rows}.csv", (order(n) for n in range(rows)))
        tracemalloc.start()
        with opened(path) as file:
            for _ in read(file):
                pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(8000) < peak(1000) + 200_000


def test_a_cell_with_line_ends_is_one_line_of_the_file_and_spoils_no_other():
    broken = line(customer_name='"Maria\nSouza"')
    first, second = lines(broken, line())
    assert (first.line, first.code, first.text) == (2, "bad_text", broken.decode())
    assert (type(second), second.line) == (Row, 4)


def test_an_open_quote_before_other_quotes_takes_only_its_own_line():
    rows = lines(line(customer_name='"Maria'), line(), line(customer_name='"Souza, Maria"'), line(device='x"'), line())
    assert [(each.line, getattr(each, "code", "in")) for each in rows] == [
        (2, "bad_csv"), (3, "in"), (4, "in"), (5, "in"), (6, "in"),
    ]  # fmt: skip


def test_a_line_of_many_megabytes_is_one_reject_in_constant_memory():
    class Endless(io.RawIOBase):
        """A header, one line of 256 MB, and a good line."""

        def __init__(self) -> None:
            self.parts = [b",".join(name.encode() for name in COLUMNS) + b"\n", *[b"x" * 2**20] * 256, b"\n" + line()]

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            if not self.parts:
                return 0
            part = self.parts.pop(0)
            taken = part[: len(buffer)]
            if len(part) > len(buffer):
                self.parts.insert(0, part[len(buffer) :])
            buffer[: len(taken)] = taken
            return len(taken)

    file = io.BufferedReader(Endless())
    tracemalloc.start()
    bad, good = read(file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (bad.line, bad.code) == (2, "too_long")
    assert (type(good), good.line) == (Row, 3)
    assert most < 4 * 2**20


def test_an_empty_file_is_told_as_such():
    with pytest.raises(BadInput, match="is empty"):
        list(read(io.BytesIO(b"")))


def test_an_archive_that_is_broken_from_the_start_is_refused(tmp_path):
    path = tmp_path / "past.csv.gz"
    path.write_bytes(b"\x1f\x8b" + b"no archive at all")
    with opened(path) as file, pytest.raises(BadInput, match="cannot be unpacked"):
        list(read(file))
