"""Whether a fee schedule leaves less to the platform than the agents' plans pay, reckoned from both terms alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from core import clock
from core.actor import Right
from core.commissions.plans import PlanVersion
from core.db import reading
from core.money import USDT, Money
from core.pricing.fees import Schedule
from core.pricing.quotes import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.actor import Actor

# Of the plans that agents have: the version in force, and those that come after it.
_PLANS = """
select p.code, v.terms || jsonb_build_object('id', v.id, 'version', v.version)
  from plan_version v join plan p on p.id = v.plan_id
 where v.withdrawn_at is null and exists (select 1 from agent g where g.plan_id = p.id)
   and v.version >= coalesce((select max(x.version) from plan_version x where x.plan_id = p.id
                               and x.effective_from <= %s and x.withdrawn_at is null), 0)
 order by p.code, v.version
"""


class Below(NamedTuple):
    """The platform's least part of the fee, from which 30-day volume on, and the plan that pays agents more than it.

    An agent's rate covers those of the agents below it, so the highest rate is all that an order pays.
    """

    platform_bps: int
    volume: Money
    plan: str
    version: int
    plan_bps: int


def below(actor: Actor, terms: Mapping[str, Any], version: int) -> Below | None:
    """Return where a schedule with these terms leaves less than the agents' plans pay, None where nowhere.

    Orders' commissions are cut to the platform's part (`plans.split`): nothing of it is then left to the platform.
    Raises Forbidden.
    """
    actor.must(Right.SEE_PRICING)
    schedule = Schedule.read({**terms, "version": version})
    start, least = min(((0, schedule.platform_bps), *schedule.tiers), key=lambda tier: tier[1])
    with reading() as tx:
        plans = [(code, PlanVersion.read(each)) for code, each in tx.rows(_PLANS, (clock.now(),))]
    paid = [(_highest(plan), code, plan.version) for code, plan in plans]
    most, code, number = max(paid, key=lambda each: each[0], default=(0, "", 0))
    return Below(least, Money(start, USDT), code, number, most) if least < most else None


def _highest(plan: PlanVersion) -> int:
    """Return the highest bps the plan pays on an order of a kind that is offered, whatever the volume."""
    tiers = [bps for kind in KINDS for _start, bps in plan.tiers.get(kind, ())]
    return max(tiers + [plan.rates.get(kind, 0) for kind in KINDS])
