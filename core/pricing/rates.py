"""Exchange rates: what sources say one USDT costs, and the median of what they said lately."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core import clock
from core.errors import BadInput, Unavailable
from core.money import Asset, Rate, fiat
from core.settings import settings

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction

_LONGEST_SOURCE = 40
_AHEAD = timedelta(seconds=5)


def observe(tx: Transaction, currency: Asset | str, rate: Rate, source: str, at: datetime | None = None) -> None:
    """Store what a source said one USDT costs at `at` (now unless given).

    Raises BadInput for a rate of another currency, an unnamed source or a moment still to come.
    """
    if rate.currency != _asset(currency):
        raise BadInput(f"a rate in {rate.currency} says nothing about {currency}", field="rate")
    if not 0 < len(source) <= _LONGEST_SOURCE or not source.isprintable():
        raise BadInput("a rate needs the name of its source", field="source")
    moment = at or clock.now()
    if moment > clock.now() + _AHEAD:
        raise BadInput("a rate cannot be observed before its time", field="at")
    tx.run(
        "insert into rate (currency, price, source, observed_at) values (%s, %s, %s, %s)",
        (rate.currency.code, rate.units, source, moment),
    )


def current(tx: Transaction, currency: Asset | str) -> Rate:
    """Return the median of each source's latest rate, none older than `DESK_RATE_MAX_AGE_SECONDS`.

    With an even number of sources the lower of the two middle ones counts. Raises Unavailable when no
    source has spoken lately: nobody is quoted a price that may be gone.
    """
    asset = _asset(currency)
    at, longest = clock.now(), settings().rate_max_age_seconds
    price: int | None = tx.call(
        "select percentile_disc(0.5) within group (order by last.price) from ("
        " select distinct on (source) price from rate where currency = %s"
        " and observed_at <= %s and observed_at > %s order by source, observed_at desc, id desc) last",
        (asset.code, at + _AHEAD, at - timedelta(seconds=longest)),
    )
    if price is None:
        raise Unavailable(
            f"there is no rate for {asset} younger than {longest} s; quotes wait for one",
            currency=asset.code,
            rate_max_age_seconds=longest,
        )
    return Rate(price, asset)


def _asset(currency: Asset | str) -> Asset:
    return currency if isinstance(currency, Asset) else fiat(currency)
