"""A bank account's day (UTC): what it has taken of its limit, and what is left."""

from __future__ import annotations

from typing import NamedTuple

from core.money import Money, fiat


class Day(NamedTuple):
    """What came to an account of a pool today, and the most that may."""

    used: Money
    limit: Money

    @property
    def left(self) -> Money:
        """What may still be taken today; nothing where the limit was lowered below what came in."""
        left = self.limit - self.used
        return left if left.units > 0 else Money(0, left.asset)

    @property
    def percent(self) -> int:
        """How much of the limit is used, 0 to 100."""
        return min(100, self.used.units * 100 // self.limit.units)


def day(currency: str, used_units: int, limit_units: int) -> Day:
    """Return the day from units of the currency. Raises BadInput for no currency."""
    asset = fiat(currency)
    return Day(Money(used_units, asset), Money(limit_units, asset))
