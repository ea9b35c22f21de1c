"""What a first order usually is, by the customer's country: reckoned by a job from the facts, read by gate G1."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

from core import clock
from core.db import Memory, reading, transaction

DAYS: Final = 90
"""Customers who came within so many days count."""
LEAST_CUSTOMERS: Final = 30
"""With fewer of them from a country, their median says nothing yet."""
FRESH_SECONDS: Final = 600
"""How long a process goes by what it has read."""

_RECKON: Final = """
insert into cohort (country, at, median_units, customers)
select c.country, %(at)s, percentile_disc(0.5) within group (order by f.usdt_units), count(*)
  from customer c cross join lateral (
       select usdt_units from risk_fact where customer_id = c.id and kind = 'order_opened' and known_at < %(at)s
        order by happened_at limit 1) f
 where c.country <> '' and c.created_at > %(since)s and c.created_at < %(at)s
 group by c.country having count(*) >= %(least)s
on conflict do nothing
"""
_LATEST: Final = (
    "select distinct on (country) country, median_units from cohort where at <= %s order by country, at desc"
)
_read: Final[Memory[str, tuple[float, dict[str, int]]]] = Memory(1)
_ALL: Final = "all countries"


def reckon() -> int:
    """Reckon the medians anew from what is known now; return of how many countries there is one."""
    now = clock.now()
    asked = {"at": now, "since": now - timedelta(days=DAYS), "least": LEAST_CUSTOMERS}
    with transaction() as tx:
        countries = tx.raw.execute(_RECKON, asked).rowcount
    _read.forget()
    return countries


def median(country: str) -> int:
    """Return the median first order of customers of a country in units of USDT, 0 while there are too few."""
    known = _read.get(_ALL)
    if known is None or time.monotonic() - known[0] > FRESH_SECONDS:
        with reading() as tx:
            known = (time.monotonic(), dict(tx.rows(_LATEST, (clock.now(),))))
        _read.keep(_ALL, known)
    return known[1].get(country, 0)
