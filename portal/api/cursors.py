"""Cursors: opaque words that say where a list goes on."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta

from core.errors import BadInput
from core.orders.feed import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAIR = re.compile(r"(0|[1-9][0-9]{0,18})[.](0|[1-9][0-9]{0,18})")
_LATEST = 253_402_300_799_000_000  # the last microsecond a date can say, since 1970


def _word(first: int, second: int) -> str:
    return base64.urlsafe_b64encode(f"{first}.{second}".encode()).decode().rstrip("=")


def _pair(word: str) -> tuple[int, int]:
    try:
        plain = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        plain = ""
    found = _PAIR.fullmatch(plain)
    if found is None or int(found.group(1)) > _LATEST or int(found.group(2)) >= 1 << 63:
        raise BadInput("the cursor cannot be read; use the one the last page gave", field="cursor")
    return int(found.group(1)), int(found.group(2))


def of_row(at: datetime, row: int) -> str:
    """Return the cursor behind a row of a list by time."""
    return _word((at - _EPOCH) // timedelta(microseconds=1), row)


def row_of(word: str) -> tuple[datetime, int]:
    """Return the time and row a cursor of `of_row` says. Raises BadInput."""
    first, second = _pair(word)
    return _EPOCH + timedelta(microseconds=first), second


def of_place(place: Place) -> str:
    """Return the cursor behind a place in the feed."""
    return _word(*place)


def place_of(word: str) -> Place:
    """Return the place a cursor of `of_place` says. Raises BadInput."""
    return Place(*_pair(word))
