"""Each agent's volume in the window of its plan, which decides its commission tier."""

from __future__ import annotations

from core import clock
from core.commissions.plans import PlanVersion
from core.db import transaction

# The plans that agents have, each with its version in force.
_PLANS = """
select p.plan_id, v.terms || jsonb_build_object('id', v.id, 'version', v.version)
  from (select distinct plan_id from agent) p
  join lateral (select x.id, x.version, x.terms from plan_version x
                 where x.plan_id = p.plan_id and x.effective_from <= %s and x.withdrawn_at is null
                 order by x.version desc limit 1) v on true
 order by p.plan_id
"""

# Deposits completed in the agent's branch as it stands now: its own merchants' and those of all agents below it.
_REFRESH = """
with done as (
    select r.agent_id, sum(r.usdt_units) as units from rollup_hour r
     where r.hour >= %(starts_at)s and r.hour <= %(at)s and r.kind = 'deposit' and r.completed > 0 and r.agent_id <> 0
     group by r.agent_id),
sums as (
    select g.party_id, coalesce(sum(d.units), 0)::bigint as units
      from agent g join agent_closure u on u.ancestor_id = g.party_id left join done d on d.agent_id = u.descendant_id
     where g.plan_id = %(plan)s group by g.party_id)
update agent a set deposit_volume_units = s.units, volume_at = %(at)s, volume_until = %(ends_at)s
  from sums s where s.party_id = a.party_id
"""


def refresh() -> int:
    """Reckon every agent's volume from the rollups; return how many agents there are.

    Orders opened from now on take the tier of it, and keep it with the moment it was reckoned. Safe twice and at once.
    """
    at = clock.now()
    with transaction() as tx:
        found = 0
        for plan, terms in tx.rows(_PLANS, (at,)):
            starts_at, ends_at = PlanVersion.read(terms).window_at(at)
            asked = {"plan": plan, "at": at, "starts_at": starts_at, "ends_at": ends_at}
            found += tx.raw.execute(_REFRESH, asked).rowcount
    return found
