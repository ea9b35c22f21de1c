"""Public references: a prefix that tells the kind and 16 characters that sort by time.

A reference is 48 bits of milliseconds and 32 random bits in Crockford's base 32
(no I, L, O, U, so that people can read it out). References are names, never secrets.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from core import chance, clock
from core.errors import BadInput, sentence

if TYPE_CHECKING:
    from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHAPE = re.compile(r"[a-z]{3}_[0-9A-HJKMNP-TV-Z]{16}\Z")
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]


def new(prefix: str, at: datetime | None = None) -> str:
    """Return a fresh reference such as `ord_01JD3Q8Z7K4M2N5P`; it sorts by `at`, else by now."""
    moment = int((clock.seconds() if at is None else at.timestamp()) * 1000) & (1 << 48) - 1
    # The first half says the time to a quarter of a second: one is made for many references.
    return f"{prefix}_{_first_half(moment >> 8)}{letters((moment & 255) << 32 | chance.bits(32))}"


def letters(number: int) -> str:
    """Return 40 bits as eight letters."""
    return f"{_PAIRS[number >> 30]}{_PAIRS[number >> 20 & 1023]}{_PAIRS[number >> 10 & 1023]}{_PAIRS[number & 1023]}"


_first_half = lru_cache(maxsize=16)(letters)


def check(text: str, prefix: str) -> str:
    """Return `text` if it has the shape of a reference of that kind, else refuse with `bad_input`."""
    if not (text.startswith(prefix + "_") and _SHAPE.match(text)):
        message = sentence("'%(text)s' is not a reference of the form %(prefix)s_…", text=text[:40], prefix=prefix)
        raise BadInput(message, ref=text[:40])
    return text
