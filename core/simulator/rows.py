"""A file of past orders read line by line in constant memory: each is a row that can go in, or a reject."""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Final, NamedTuple, cast

from core import clock, countries, words
from core.errors import BadAmount, BadInput
from core.money import RATE_DECIMALS, USDT, Asset, Money, divide, fiat
from core.parties.particulars import read_code

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS: Final = (
    "ref", "kind", "merchant", "acceptor", "agent", "customer", "customer_name", "payer_account", "payer_name",
    "payer_country", "ip_country", "device", "wallet", "currency", "fiat_amount", "usdt_amount", "fee_usdt",
    "state", "created_at", "claimed_at", "completed_at",
)  # fmt: skip
KINDS: Final = frozenset({"deposit", "withdrawal"})
STATES: Final = frozenset({"completed", "expired", "cancelled", "disputed_refunded"})
_NEED_ACCEPTOR: Final = frozenset({"completed", "disputed_refunded"})
_LONGEST: Final = {
    "ref": 64, "merchant": 40, "acceptor": 40, "agent": 40, "customer": 64, "customer_name": 140,
    "payer_name": 140, "device": 128, "wallet": 128,
}  # fmt: skip
_MUST: Final = frozenset({"ref", "merchant", "customer", "customer_name", "payer_name"})
_CODES: Final = frozenset({"merchant", "acceptor", "agent"})
_NAMES: Final = frozenset({"customer_name", "payer_name"})
_LONGEST_LINE: Final = 64 * 1024
_MOST_JOINED: Final = 20
"""Line ends that the cells of one record may hold."""
_BROKEN: Final = (EOFError, OSError, zlib.error)
_GZIP: Final = b"\x1f\x8b"
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(minutes=5)
_MOST_PRICE: Final = 2**63
_PRICE_DECIMALS: Final = RATE_DECIMALS + USDT.decimals


class Row(NamedTuple):
    """One past order that can go in: texts cleaned, amounts in units, times in UTC."""

    line: int
    ref: str
    kind: str
    merchant: str
    acceptor: str
    agent: str
    customer: str
    customer_name: str
    payer_account: str
    payer_name: str
    payer_country: str
    ip_country: str
    device: str
    wallet: str
    currency: str
    fiat_units: int
    usdt_units: int
    fee_units: int
    price: int
    state: str
    created_at: datetime
    claimed_at: datetime | None
    completed_at: datetime | None
    text: str = ""
    """The line itself, for the reject file; no part of what the order says."""

    @property
    def said(self) -> tuple[object, ...]:
        """All that the line says, wherever it stands."""
        return self[1:-1]


class Reject(NamedTuple):
    """A line that stays out: its number in the file, a code, what is wrong, and its text."""

    line: int
    code: str
    reason: str
    text: str


class _Fault(Exception):  # noqa: N818 - it becomes a reject, not an error
    """What is wrong with a line."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def opened(path: Path) -> IO[bytes]:
    """Return the file's bytes, unpacked if its content is gzip. Refuses with bad_input if it cannot be read."""
    try:
        with path.open("rb") as probe:
            packed = probe.read(2) == _GZIP
        return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", file=str(path)) from error


def read(file: IO[bytes]) -> Iterator[Row | Reject]:
    """Give each line of an open file as a row or a reject; blank lines are passed over.

    Refuses with `bad_input` when the header is not the contract's: then nothing can be read. An archive that
    breaks off gives what came before it and one last reject.
    """
    try:
        places = _header(_line(file))
    except _BROKEN as error:
        raise BadInput(f"the archive cannot be unpacked: {error}") from error
    newest = clock.now() + _AHEAD
    reached = 1
    try:
        for number, raw in _records(file):
            reached = number + raw.count(b"\n")
            if not raw.strip():
                continue
            try:
                yield _row(number, _cells(raw, places), newest, shown(raw))
            except _Fault as fault:
                yield Reject(number, fault.code, fault.reason, shown(raw))
    except _BROKEN as error:
        yield Reject(reached + 1, "truncated", f"the file is broken from here on: {error}", "")


def _records(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give each record with the number of its first line: one line, or several when a cell holds line ends.

    A quote that is left open spoils its own line only: lines are joined just when they make up one whole record.
    """
    ahead: deque[bytes] = deque()
    number = 1
    while (raw := ahead.popleft() if ahead else _line(file)) is not None:
        number += 1
        joined, taken = raw, 0
        while joined.count(b'"') % 2 and taken < _MOST_JOINED and len(joined) <= _LONGEST_LINE:
            if taken == len(ahead) and (more := _line(file)) is not None:
                ahead.append(more)
            if taken == len(ahead):
                break
            joined += b"\n" + ahead[taken]
            taken += 1
        whole = taken and not joined.count(b'"') % 2 and len(joined) <= _LONGEST_LINE and _is_record(joined)
        yield number, joined if whole else raw
        for _ in range(taken if whole else 0):
            ahead.popleft()
            number += 1


def _is_record(joined: bytes) -> bool:
    try:
        return len(_split(joined.decode("utf-8", "replace"))) == len(COLUMNS)
    except _Fault:
        return False


def shown(raw: bytes) -> str:
    """Return a line's text for the reject file: bytes that are no UTF-8 are written as escapes."""
    return raw[:_LONGEST_LINE].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _line(file: IO[bytes]) -> bytes | None:
    """Return the next line without its end, None after the last; of a monstrous one only the beginning."""
    raw = file.readline(_LONGEST_LINE + 2)
    if not raw:
        return None
    rest = raw
    while not rest.endswith(b"\n") and (rest := file.readline(_LONGEST_LINE)):
        pass
    return raw.rstrip(b"\r\n")


def _header(raw: bytes | None) -> list[int]:
    """Return where each column of `COLUMNS` stands, else refuse with what is missing, unknown or doubled."""
    if raw is None:
        raise BadInput("the file is empty; its first line must name the columns", columns=list(COLUMNS))
    try:
        names = [name.strip() for name in _split(raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))]
    except (UnicodeDecodeError, _Fault) as error:
        raise BadInput("the first line is no CSV header in UTF-8", header=shown(raw)[:80]) from error
    doubled = sorted({name for name in names if names.count(name) > 1})
    missing = [name for name in COLUMNS if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    faults = [
        f"{what}: {', '.join(repr(name[:40]) for name in found[:21])}"
        for what, found in (("missing", missing), ("unknown", unknown), ("twice", doubled))
        if found
    ]
    if faults:
        hint = " (cells are separated by commas)" if len(names) == 1 else ""
        raise BadInput(f"the header is not that of a history file: {'; '.join(faults)}{hint}", columns=list(COLUMNS))
    return [names.index(name) for name in COLUMNS]


def _split(line: str) -> list[str]:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader(io.StringIO(line, newline=""), strict=True))
    except csv.Error as error:
        raise _Fault("bad_csv", f"the quotes of this line do not close as CSV wants: {error}") from error


def _cells(raw: bytes, places: list[int]) -> list[str]:
    if len(raw) > _LONGEST_LINE:
        raise _Fault("too_long", f"the line has more than {_LONGEST_LINE:,} bytes")
    try:
        cells = _split(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _Fault("bad_encoding", f"byte {error.start + 1} of the line is not UTF-8") from error
    if len(cells) != len(COLUMNS):
        raise _Fault("bad_csv", f"the line has {len(cells)} cells, not {len(COLUMNS)}")
    return [cells[place].strip(" ") for place in places]


def _row(number: int, cells: list[str], newest: datetime, text: str) -> Row:
    given = dict(zip(COLUMNS, cells, strict=True))
    for field in _LONGEST:
        given[field] = _text(field, given[field])
    kind, state = given["kind"], given["state"]
    if kind not in KINDS:
        raise _Fault("bad_value", f"kind is {_clip(kind)}, not deposit or withdrawal")
    if state not in STATES:
        raise _Fault("bad_value", f"state is {_clip(state)}, not one of {', '.join(sorted(STATES))}")
    if state in _NEED_ACCEPTOR and not given["acceptor"]:
        raise _Fault("missing", f"a {state} order needs its acceptor")
    money, usdt, fee, price = _amounts(given)
    created, claimed, completed = _times(given, newest)
    return Row(
        number, given["ref"], kind, given["merchant"], given["acceptor"], given["agent"], given["customer"],
        given["customer_name"], _account(given["payer_account"]), given["payer_name"],
        _country("payer_country", given["payer_country"]), _country("ip_country", given["ip_country"]),
        given["device"], given["wallet"], money.asset.code, money.units, usdt.units, fee.units, price, state,
        created, claimed, completed, text,
    )  # fmt: skip


def _text(field: str, value: str) -> str:
    if not value:
        if field in _MUST:
            raise _Fault("missing", f"{field} is empty")
        return value
    read_words = words.name if field in _NAMES else words.exact
    try:
        text = read_words(value, field, longest=_LONGEST[field])
    except BadInput as refusal:
        code = "bad_text" if "character" in refusal.facts else "too_long" if "length" in refusal.facts else "missing"
        raise _Fault(code, refusal.detail) from refusal
    if field in _CODES:
        try:
            return read_code(text)
        except BadInput as refusal:
            raise _Fault("bad_code", f"{field} is {_clip(text)}: {refusal.detail}") from refusal
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _account(value: str) -> str:
    plain = unicodedata.normalize("NFKC", value) if not value.isascii() else value
    plain = "".join(c for c in plain if c not in " -./").upper()
    if not (4 <= len(plain) <= 34 and plain.isascii() and plain.isalnum()):  # noqa: PLR2004 - IBAN's bounds
        raise _Fault("bad_value", "payer_account is not 4 to 34 letters and digits")
    return plain


def _country(field: str, value: str) -> str:
    try:
        return countries.read(value, field)
    except BadInput as error:
        raise _Fault("bad_value", error.detail) from error


def _amounts(given: dict[str, str]) -> tuple[Money, Money, Money, int]:
    """Return fiat, USDT, fee and the price of one USDT in units of 10⁻⁸ (half to even)."""
    field = "currency"
    try:
        currency: Asset = fiat(given["currency"])
        field = "fiat_amount"
        money = Money.parse(given[field], currency)
        field = "usdt_amount"
        usdt = Money.parse(given[field], USDT)
        field = "fee_usdt"
        fee = Money.parse(given[field], USDT, allow_zero=True)
    except BadAmount as refusal:
        raise _Fault("bad_amount", f"{field}: {refusal.detail}") from refusal
    except BadInput as refusal:
        raise _Fault("bad_value", f"{field}: {refusal.detail}") from refusal
    if fee.units >= usdt.units:
        raise _Fault("bad_amount", f"fee_usdt: {fee.text()} is not below the {usdt.text()} USDT of the order")
    price = divide(money.units * 10 ** (_PRICE_DECIMALS - currency.decimals), usdt.units, "half_even")
    if not 0 < price < _MOST_PRICE:
        raise _Fault("bad_amount", f"fiat_amount: {money.text()} for {usdt.text()} USDT is no price")
    return money, usdt, fee, price


def _times(given: dict[str, str], newest: datetime) -> tuple[datetime, datetime | None, datetime | None]:
    created = _moment("created_at", given["created_at"], newest)
    claimed = _moment("claimed_at", given["claimed_at"], newest)
    completed = _moment("completed_at", given["completed_at"], newest)
    if created is None:
        raise _Fault("missing", "created_at is empty")
    if given["state"] == "completed" and completed is None:
        raise _Fault("missing", "a completed order needs completed_at")
    if claimed is not None and claimed < created:
        raise _Fault("bad_time", "claimed_at lies before created_at")
    if completed is not None and completed < (claimed or created):
        raise _Fault("bad_time", f"completed_at lies before {'claimed_at' if claimed else 'created_at'}")
    return created, claimed, completed


def _moment(field: str, value: str, newest: datetime) -> datetime | None:
    if not value:
        return None
    if not _MOMENT.fullmatch(value):
        raise _Fault("bad_time", f"{field} is {_clip(value)}, not like 2026-04-02T17:15:41Z (RFC 3339, with zone)")
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _Fault("bad_time", f"{field} is {_clip(value)}, and there is no such time") from error
    if not _EARLIEST <= moment <= newest:
        raise _Fault("bad_time", f"{field} is {_clip(value)}: before the year 2000 or in the future")
    return moment


def _clip(value: str) -> str:
    return ascii(value[:40])
