"""What a commission plan pays, as far as the tree of agents must know: nobody stands above who earns more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core import clock
from core.errors import Conflict, sentence

if TYPE_CHECKING:
    from core.db import Transaction

_IN_FORCE: Final = """
select p.code, v.terms -> 'rates', coalesce(v.terms -> 'tiers', '[]')
  from plan p join plan_version v on v.plan_id = p.id
 where p.id = %s and v.effective_from <= %s and v.withdrawn_at is null
 order by v.version desc limit 1
"""


def must_not_exceed(tx: Transaction, plan_id: int, parent_id: int | None) -> None:
    """Refuse with conflict a plan that pays more than the parent's, at the start or at the top of its tiers.

    An agent earns its own rate less the one below it: under a higher plan it would earn nothing of what it referred.
    """
    if parent_id is None:
        return
    above: int = tx.call("select plan_id from agent where party_id = %s", (parent_id,))
    if above == plan_id:
        return
    own, own_rates = _spans(tx, plan_id)
    other, other_rates = _spans(tx, above)
    for product, rates in own_rates.items():
        for rate, most in zip(rates, other_rates.get(product, (0, 0)), strict=True):
            if rate > most:
                raise Conflict(
                    sentence(
                        "plan '%(plan)s' pays up to %(rate)s basis points for %(product)s, more than the %(most)s of"
                        " the parent's plan '%(above)s': the parent would earn nothing from it. Choose a lower plan",
                        plan=own, rate=rate, product=product, most=most, above=other,
                    ),
                    field="plan", plan=own, above=other, product=product,
                )  # fmt: skip


def _spans(tx: Transaction, plan_id: int) -> tuple[str, dict[str, tuple[int, int]]]:
    """Return a plan's code and, for each product, the rate it begins with and the highest its tiers reach."""
    rows = tx.rows(_IN_FORCE, (plan_id, clock.now()))
    if not rows:
        return "", {}
    code, rates, tiers = rows[0]
    found = {}
    for product, base in rates.items():
        own: list[Any] = tiers.get(product, []) if isinstance(tiers, dict) else tiers
        found[product] = (int(base), max(int(base), *(int(bps) for _, bps in own)) if own else int(base))
    return code, found
