"""Numbers nobody foretells, fetched from the system in batches: an order draws a dozen, and each fetch is a call."""

from __future__ import annotations

import os
import struct
from typing import Final

_BATCH: Final = struct.Struct("256Q")
_stock: list[int] = []

# A forked process must not draw what its parent draws.
os.register_at_fork(after_in_child=_stock.clear)


def bits(many: int) -> int:
    """Return `many` random bits, 64 at most, as a number; of the quality of `os.urandom`, for any thread."""
    try:
        drawn = _stock.pop()
    except IndexError:
        drawn, *more = _BATCH.unpack(os.urandom(_BATCH.size))
        _stock.extend(more)
    return drawn >> (64 - many)
