"""How figures are said on the dashboards: whole numbers, amounts, shares, changes, moments."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_decimal
from flask_babel import get_locale

from core.money import Money, asset

if TYPE_CHECKING:
    from datetime import date, datetime, tzinfo

NONE = "–"
HUNDRED = Decimal(100)
_TENTH = Decimal("0.1")


def _locale() -> object:
    return get_locale() or "en"


def number(value: int | None) -> str:
    """Return a whole number with the reader's separators, a dash for none."""
    return NONE if value is None else str(format_decimal(value, locale=_locale()))


def scaled(units: int, code: str) -> Decimal:
    """Return units of an asset in whole currency, for a chart's axis."""
    return Decimal(units).scaleb(-asset(code).decimals)


def amount(units: int | None, code: str) -> str:
    """Return units of an asset with two decimals (none for assets without), without the code."""
    if units is None:
        return NONE
    decimals = min(2, asset(code).decimals)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return str(format_decimal(scaled(units, code), format=pattern, locale=_locale()))


def exact(units: int, code: str) -> str:
    """Return units of an asset with all its decimals, as files want it."""
    return Money(units, asset(code)).text()


def share(part: int, whole: int) -> Decimal | None:
    """Return part ÷ whole in per cent with one decimal, None when there is nothing to divide by."""
    if whole <= 0:
        return None
    return (HUNDRED * part / whole).quantize(_TENTH, ROUND_HALF_EVEN)


def percent(value: Decimal | None) -> str:
    """Return per cent as the reader writes it, a dash for none."""
    return NONE if value is None else f"{format_decimal(value, format='0.0', locale=_locale())} %"


def change(now: int, before: int) -> Decimal | None:
    """Return by how many per cent `now` differs from `before`, None when there was nothing before."""
    return None if before == 0 else share(now - before, abs(before))


def signed(value: Decimal, unit: str) -> str:
    """Return a difference with its sign and unit, such as +9.0 pts."""
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return f"{sign}{format_decimal(abs(value), format='0.0', locale=_locale())} {unit}"


def moment(value: datetime, zone: tzinfo, pattern: str = "yyyy-MM-dd HH:mm") -> str:
    """Return a moment in the zone."""
    return str(format_datetime(value.astimezone(zone), pattern, tzinfo=zone, locale=_locale()))


def span(seconds: int) -> str:
    """Return a length of time as minutes and seconds, 06:12, or with hours, 1:06:12."""
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def decimal(value: Decimal) -> str:
    """Return a number with one decimal as the reader writes it."""
    return str(format_decimal(value, format="#,##0.0", locale=_locale()))


def per_thousand(part: int, whole: int) -> str:
    """Return how many of each thousand, with one decimal; a dash when there is nothing to divide by."""
    return decimal((1000 * Decimal(part) / whole).quantize(_TENTH, ROUND_HALF_EVEN)) if whole > 0 else NONE


def basis_points(part: int, whole: int) -> Decimal | None:
    """Return part ÷ whole in basis points with one decimal, None when there is nothing to divide by."""
    return (10_000 * Decimal(part) / whole).quantize(_TENTH, ROUND_HALF_EVEN) if whole > 0 else None


def day(value: date) -> str:
    """Return a day as short as an axis wants it, in the reader's order, such as 24 oct, Oct 24, 10月24日."""
    return str(format_skeleton("MMMd", value, locale=_locale()))


def month(value: date) -> str:
    """Return a month and its year in the reader's order."""
    return str(format_skeleton("yMMM", value, locale=_locale()))


def full_day(value: date) -> str:
    """Return a day with its year in the reader's order."""
    return str(format_date(value, "medium", locale=_locale()))
