"""Amounts and times as people type them: in the signs of their language and in their zone, as the screens show them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from babel.numbers import get_decimal_symbol, get_group_symbol
from flask_babel import get_locale, get_timezone
from flask_babel import gettext as _

from core.errors import BadInput
from core.money import Money

if TYPE_CHECKING:
    from core.money import Asset


def money(text: str, asset: Asset, *, allow_zero: bool = False) -> Money:
    """Return the amount that somebody typed. Raises BadAmount.

    In Spanish 1.000 is a thousand and 349,00 has decimals; in English 1,000 is a thousand. What is not grouped as a
    whole number of the reader's language is read as the API reads it: digits, one point before the decimals.
    """
    return Money.parse(_plain(text.strip()), asset, allow_zero=allow_zero)


def moment(text: str, field: str) -> datetime:
    """Return the day and time that somebody chose, in the reader's zone unless it names one. Raises BadInput."""
    try:
        chosen = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(_("Choose a day and a time."), field=field) from error
    return chosen if chosen.tzinfo else chosen.replace(tzinfo=get_timezone() or UTC)


def _plain(text: str) -> str:
    """Return the amount with a point before its decimals and no groups, or as it came when it is no such number."""
    locale = get_locale() or "en"
    group, point = get_group_symbol(locale), get_decimal_symbol(locale)
    spaced = re.sub(r"(?<=\d)[\u00a0\u202f ](?=\d{3})", group, text)
    grouped = rf"[1-9]\d{{0,2}}({re.escape(group)}\d{{3}})+({re.escape(point)}\d+)?"
    if re.fullmatch(grouped, spaced, re.ASCII):
        return spaced.replace(group, "").replace(point, ".")
    if re.fullmatch(rf"\d+{re.escape(point)}\d+", text, re.ASCII):
        return text.replace(point, ".")
    return text
