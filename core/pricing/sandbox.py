"""The sandbox's market: three pretend sources whose prices drift with time, the same in every process."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from core import clock
from core.db import transaction
from core.money import RATE_SCALE, Rate, fiat
from core.pricing import rates
from core.settings import settings

if TYPE_CHECKING:
    from datetime import datetime

MIDDLE: Final = {
    "BRL": 542_000_000,
    "CNY": 711_000_000,
    "VND": 25_400 * RATE_SCALE,
    "EUR": 92_000_000,
    "USD": 100_100_000,
}
"""The price of one USDT around which each currency drifts, in units of 10⁻⁸."""

SOURCES: Final = ("sandbox-north", "sandbox-south", "sandbox-east")
_STEP_SECONDS: Final = 600
_SWING_PPM: Final = 6_000
_APART_PPM: Final = 500
_MILLION: Final = 1_000_000


def price(currency: str, source: str, at: datetime) -> Rate:
    """Return what a source says one USDT costs at a moment; the same moment always gives the same price.

    Between random points ten minutes apart the price moves in a straight line, within 0.6 % of the middle;
    sources differ by up to 0.05 %.
    """
    step, into = divmod(int(at.timestamp()), _STEP_SECONDS)
    here, there = (_drawn(f"{currency}:{number}", _SWING_PPM) for number in (step, step + 1))
    drift = here + (there - here) * into // _STEP_SECONDS
    apart = _drawn(f"{currency}:{source}:{step}", _APART_PPM)
    return Rate(MIDDLE[currency] * (_MILLION + drift + apart) // _MILLION, fiat(currency))


def _drawn(seed: str, most: int) -> int:
    """Return a whole number from -most to most that the seed decides."""
    digest = hashlib.sha256(seed.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (2 * most + 1) - most


def observe_all(at: datetime | None = None) -> int:
    """Store what every source says now for every currency; return how many rates. Nothing in production."""
    if settings().production:
        return 0
    moment = at or clock.now()
    with transaction() as tx:
        for currency in MIDDLE:
            for source in SOURCES:
                rates.observe(tx, currency, price(currency, source, moment), source, moment)
    return len(MIDDLE) * len(SOURCES)
