"""Public references: a prefix that tells the kind and 16 characters that sort by time.

A reference is 48 bits of milliseconds and 32 random bits in Crockford's base 32
(no I, L, O, U, so that people can read it out). References are names, never secrets.
"""

from __future__ import annotations

import re
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
    moment = int((at or clock.now()).timestamp() * 1000) & (1 << 48) - 1
    tail = chance.bits(32)
    # Eight pairs of letters, 80 bits: written out, for an order needs seven of these.
    pairs = _PAIRS
    return (
        f"{prefix}_{pairs[moment >> 38]}{pairs[moment >> 28 & 1023]}{pairs[moment >> 18 & 1023]}"
        f"{pairs[moment >> 8 & 1023]}{pairs[(moment << 2 | tail >> 30) & 1023]}{pairs[tail >> 20 & 1023]}"
        f"{pairs[tail >> 10 & 1023]}{pairs[tail & 1023]}"
    )


def check(text: str, prefix: str) -> str:
    """Return `text` if it has the shape of a reference of that kind, else refuse with `bad_input`."""
    if not (text.startswith(prefix + "_") and _SHAPE.match(text)):
        message = sentence("'%(text)s' is not a reference of the form %(prefix)s_…", text=text[:40], prefix=prefix)
        raise BadInput(message, ref=text[:40])
    return text
