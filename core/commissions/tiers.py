"""Where an agent stands in its plan's tiers: the window's volume, its rate, and what is missing to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.actor import Right, Scope
from core.commissions.plans import PlanVersion
from core.db import reading
from core.errors import NotFound, sentence
from core.money import USDT, Money

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

_AGENT = """
select case when g.volume_until <= %(at)s then 0 else g.deposit_volume_units end, g.volume_at,
       v.terms || jsonb_build_object('id', v.id, 'version', v.version)
  from agent g join party p on p.id = g.party_id
  join lateral (select x.id, x.version, x.terms from plan_version x
                 where x.plan_id = g.plan_id and x.effective_from <= %(at)s and x.withdrawn_at is null
                 order by x.version desc limit 1) v on true
 where p.ref = %(ref)s and (%(all)s or g.party_id in (
           select d.descendant_id from agent_closure d where d.ancestor_id = %(top)s))
"""


class Standing(NamedTuple):
    """An agent's deposits of the window as of `reckoned_at`, the rate they give, and the next tier (None: the top)."""

    volume: Money
    reckoned_at: datetime | None
    window: str
    time_zone: str
    bps: int
    next_from: Money | None
    next_bps: int | None

    @property
    def missing(self) -> Money | None:
        """How much volume is missing to the next tier."""
        return None if self.next_from is None else self.next_from - self.volume


def standing(actor: Actor, ref: str) -> Standing | None:
    """Return where an agent stands, None when its plan has no tiers for deposits. Raises Forbidden, NotFound."""
    actor.must(Right.SEE_COMMISSIONS)
    asked = {
        "ref": ref,
        "at": clock.now(),
        "all": actor.scope is Scope.ALL,
        "top": actor.party_id if actor.scope is Scope.AGENT else None,
    }
    with reading() as tx:
        row = tx.raw.execute(_AGENT, asked).fetchone()
    if row is None:
        raise NotFound(sentence("there is no agent %(ref)s among yours", ref=ref[:40]), ref=ref[:40])
    units, reckoned_at, terms = row
    plan = PlanVersion.read(terms)
    if not plan.tiers.get("deposit"):
        return None
    start, bps = plan.next_tier("deposit", units) or (None, None)
    return Standing(
        Money(units, USDT), reckoned_at, plan.window, plan.time_zone, plan.rate_for("deposit", units),
        None if start is None else Money(start, USDT), bps,
    )  # fmt: skip
