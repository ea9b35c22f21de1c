"""Each merchant's volume of the last 30 days, which decides its fee tier."""

from __future__ import annotations

from core import clock
from core.db import transaction

DAYS = 30

_REFRESH = """
with sums as (
    select m.party_id, coalesce(sum(r.usdt_units), 0)::bigint as units
      from merchant m
      left join rollup_hour r on r.merchant_id = m.party_id and r.completed > 0
       and r.hour >= %(at)s - make_interval(days => %(days)s) and r.hour <= %(at)s
     group by m.party_id)
update merchant m set volume_30d_units = s.units
  from sums s where s.party_id = m.party_id and m.volume_30d_units <> s.units
"""


def refresh() -> int:
    """Reckon every merchant's completed volume of 30 days from the rollups; return how many changed.

    Quotes made from now on take the new tier; those already made keep their price. Safe twice and at once.
    """
    with transaction() as tx:
        return tx.raw.execute(_REFRESH, {"at": clock.now(), "days": DAYS}).rowcount
