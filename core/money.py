"""Asset, Money and Rate: amounts as integer units, read, shared, converted and shown without any loss.

An amount is a whole number of the asset's smallest unit; the scale is divided out only when it is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, Self

import pycountry

from core.errors import BadAmount, BadInput, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

Rounding = Literal["down", "half_even", "up"]

BPS: Final = 10_000
"""Basis points in a whole."""
LIMIT: Final = 10**15
"""Amounts read from outside stay below this many units, so that amount times rate in bps fits a BIGINT."""
RATE_DECIMALS: Final = 8
RATE_SCALE: Final = 10**RATE_DECIMALS

_PLAIN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_LONGEST = 40  # characters; no legal amount is longer, and nobody should wait for a megabyte of digits
_FIAT_DECIMALS: Final = 2
# ISO 4217 names the minor unit of each currency; these are the ones that differ from two decimals.
# Locale data (CLDR) is no source here: it drops decimals that a country's shops no longer use.
_ISO_DECIMALS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
# ISO also lists metals, bond units, drawing rights and test codes; nobody can pay with those.
_NOT_PAYABLE: Final = frozenset(
    {"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"},
)


@dataclass(frozen=True, slots=True)
class Asset:
    """What an amount is counted in: a code and the number of its decimals."""

    code: str
    decimals: int

    def __str__(self) -> str:
        return self.code


USDT: Final = Asset("USDT", 6)


@lru_cache(maxsize=512)
def _iso(code: str) -> Asset | None:
    if code in _NOT_PAYABLE or pycountry.currencies.get(alpha_3=code) is None:
        return None
    return Asset(code, _ISO_DECIMALS.get(code, _FIAT_DECIMALS))


def fiat(code: str) -> Asset:
    """Return the ISO 4217 currency with that three-letter code, else refuse with `bad_input`."""
    shaped = isinstance(code, str) and len(code) == 3 and code.isascii() and code.isupper()  # noqa: PLR2004 - ISO
    found = _iso(code) if shaped else None
    if found is None:
        shown = _clip(code)
        raise BadInput(
            sentence("%(shown)s is not the code of a currency (ISO 4217, e.g. BRL)", shown=shown), currency=shown
        )
    return found


def asset(code: str) -> Asset:
    """Return USDT or the ISO 4217 currency with that code, else refuse with `bad_input`."""
    return USDT if code == USDT.code else fiat(code)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `units` of the asset's smallest unit (61,000,000 units of USDT are 61 USDT)."""

    units: int
    asset: Asset

    def __post_init__(self) -> None:
        if type(self.units) is not int:
            message = f"units are whole numbers, not {type(self.units).__name__}"
            raise TypeError(message)

    @classmethod
    def parse(cls, text: object, asset: Asset, *, allow_zero: bool = False, limit: int = LIMIT) -> Self:
        """Return the amount written as a plain decimal such as "250.00", else refuse with `bad_amount`.

        Digits 0-9 and one point are all that is read; the amount stays below `limit` units.
        """
        return cls(
            _units(text, asset.decimals, asset.code, allow_zero=allow_zero, limit=limit),
            asset,
        )

    def _same(self, other: Money) -> int:
        if self.asset != other.asset:
            message = f"{self.asset.code} and {other.asset.code} do not mix"
            raise TypeError(message)
        return other.units

    def __add__(self, other: Money) -> Money:
        return Money(self.units + self._same(other), self.asset)

    def __sub__(self, other: Money) -> Money:
        return Money(self.units - self._same(other), self.asset)

    def __neg__(self) -> Money:
        return Money(-self.units, self.asset)

    def __lt__(self, other: Money) -> bool:
        return self.units < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.units <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.units > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.units >= self._same(other)

    def __bool__(self) -> bool:
        return self.units != 0

    def __str__(self) -> str:
        return f"{self.text()} {self.asset.code}"

    def text(self) -> str:
        """Return a plain decimal string with exactly the asset's decimals, such as "250.00"."""
        return _decimal(self.units, self.asset.decimals)

    def show(self) -> str:
        """Return the amount for terminals, such as "4,850.00 BRL"."""
        return f"{_decimal(self.units, self.asset.decimals, ',')} {self.asset.code}"

    def share_bps(self, bps: int, *, rounding: Rounding = "down") -> Money:
        """Return `bps` ten-thousandths of the amount.

        Rounding looks at the size only ("down" is towards zero), so a reversal mirrors its original exactly.
        """
        size = divide(abs(self.units) * abs(bps), BPS, rounding)
        return Money(-size if (self.units < 0) != (bps < 0) else size, self.asset)

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Return the amount divided by weight, to the last unit, by largest remainder (Hamilton's method).

        Among equal remainders the earlier part gets the unit. No weights, a negative one or only zeros are
        refused with `bad_input`.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise BadInput(sentence("weights must not be negative, and one must be above zero"), weights=list(weights))
        size, sign = abs(self.units), -1 if self.units < 0 else 1
        parts = [size * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % total), i))
        for i in by_remainder[: size - sum(parts)]:
            parts[i] += 1
        return [Money(sign * part, self.asset) for part in parts]


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one USDT in `currency`, in units of 10⁻⁸ (542,000,000 with BRL: 1 USDT = 5.42 BRL)."""

    units: int
    currency: Asset

    def __post_init__(self) -> None:
        if type(self.units) is not int or self.units <= 0:
            message = "a rate is a whole number of units above zero"
            raise TypeError(message)

    @classmethod
    def parse(cls, text: object, currency: Asset) -> Self:
        """Return the rate written as a decimal with at most 8 decimals, else refuse with `bad_amount`."""
        return cls(_units(text, RATE_DECIMALS, "a rate", allow_zero=False, limit=LIMIT), currency)

    def text(self) -> str:
        """Return the rate as a plain decimal, no more digits than it needs, such as "5.42" or "25400"."""
        whole, _, part = _decimal(self.units, RATE_DECIMALS).partition(".")
        part = part.rstrip("0").ljust(self.currency.decimals, "0")
        return f"{whole}.{part}" if part else whole

    def __str__(self) -> str:
        return f"1 USDT = {self.text()} {self.currency.code}"

    def dearer(self, bps: int) -> Rate:
        """Return the rate raised by `bps` (a spread the buyer of USDT pays), rounded up."""
        return Rate(divide(self.units * (BPS + bps), BPS, "up"), self.currency)

    def usdt_for(self, paid: Money) -> Money:
        """Return the USDT that `paid` buys, rounded down; refuse with `bad_amount` above the limit."""
        self._must_be_priced(paid.asset)
        shift = RATE_DECIMALS + USDT.decimals - self.currency.decimals
        return _within(Money(divide(paid.units * 10**shift, self.units, "down"), USDT))

    def fiat_for(self, usdt: Money) -> Money:
        """Return the fiat needed to buy `usdt`, rounded up; refuse with `bad_amount` above the limit."""
        if usdt.asset != USDT:
            message = f"{usdt.asset.code} is not USDT"
            raise TypeError(message)
        shift = RATE_DECIMALS + USDT.decimals - self.currency.decimals
        return _within(Money(divide(usdt.units * self.units, 10**shift, "up"), self.currency))

    def _must_be_priced(self, other: Asset) -> None:
        if other != self.currency:
            message = f"a rate in {self.currency.code} cannot price {other.code}"
            raise TypeError(message)


def divide(size: int, by: int, rounding: Rounding = "down") -> int:
    """Return `size / by` as a whole number, rounded as said; both are taken as not negative."""
    quotient, rest = divmod(size, by)
    if rounding == "up":
        return quotient + (rest > 0)
    if rounding == "half_even":
        return quotient + (2 * rest > by or (2 * rest == by and quotient % 2))
    return quotient


def _within(money: Money) -> Money:
    if abs(money.units) >= LIMIT:
        raise BadAmount(
            sentence("%(money)s is above the limit", money=money), limit_units=LIMIT, asset=money.asset.code
        )
    return money


def _decimal(units: int, decimals: int, group: Literal["", ","] = "") -> str:
    sign, size = ("-", -units) if units < 0 else ("", units)
    whole, part = divmod(size, 10**decimals)
    shown = f"{whole:,}" if group else str(whole)
    return f"{sign}{shown}.{part:0{decimals}d}" if decimals else f"{sign}{shown}"


def _clip(text: object) -> str:
    """Return what was given, short and with anything invisible escaped, fit for a message."""
    if not isinstance(text, str):
        return f"a value of type {type(text).__name__}"
    return repr(text[:_LONGEST]) + ("…" if len(text) > _LONGEST else "")


def _units(text: object, decimals: int, of: str, *, allow_zero: bool, limit: int) -> int:
    if not isinstance(text, str) or len(text) > _LONGEST or (found := _PLAIN.fullmatch(text)) is None:
        raise BadAmount(
            sentence("%(text)s is not an amount: %(fault)s", text=_clip(text), fault=_fault(text)), amount=_clip(text)
        )
    whole, part = found.group(1), found.group(2) or ""
    if len(part) > decimals:
        raise BadAmount(
            sentence("%(text)s has more than %(decimals)s decimals for %(of)s", text=text, decimals=decimals, of=of),
            amount=text,
            decimals=decimals,
        )
    units = int(whole + part.ljust(decimals, "0"))
    if units >= limit:
        most = _decimal(limit, decimals, ",")
        raise BadAmount(
            sentence("%(text)s is above the limit: %(of)s must be below %(most)s", text=text, of=of, most=most),
            amount=text,
            limit=most,
        )
    if units == 0 and not allow_zero:
        raise BadAmount(sentence("%(text)s is not above zero", text=text), amount=text)
    return units


# What people and programs send instead of a plain decimal, each with the words that help; first match wins.
_FAULTS: Final = (
    (re.compile(r"\Z"), sentence("it is empty")),
    (re.compile(r".*\s", re.DOTALL), sentence("it holds a space or line break")),
    (re.compile(r"[+-]?(nan|inf(inity)?)\Z", re.IGNORECASE), sentence("it must be a finite number")),
    (re.compile(r"[-\u2212]"), sentence("it must not be negative or carry a sign")),
    (re.compile(r"\+"), sentence("it must not carry a sign")),
    (re.compile(r"[0-9.]+[eE]"), sentence("exponents are not read; write all digits")),
    (re.compile(r".*_", re.DOTALL), sentence("underscores are not read")),
    (re.compile(r".*,", re.DOTALL), sentence("commas are not read; write a point before the decimals only")),
    (re.compile(r"0[0-9]"), sentence("it starts with needless zeros")),
    (re.compile(r"(\.[0-9]|[0-9]+\.\Z)"), sentence("it needs digits on both sides of the point")),
)


def _fault(text: object) -> str:
    if not isinstance(text, str):
        return sentence('it must be text such as "250.00"')
    if len(text) > _LONGEST:
        return sentence("it is longer than %(most)s characters", most=_LONGEST)
    for shape, words in _FAULTS:
        if shape.match(text):
            return words
    return sentence("only digits 0-9 and one point are read")
