"""Who earns what of an order: the agent tree's path and rates as they are now, frozen on the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.commissions.plans import Link, PlanVersion, split, to_json
from core.db import remembered
from core.money import USDT, Money

if TYPE_CHECKING:
    from core.db import Transaction


def plan_version(tx: Transaction, version_id: int) -> PlanVersion:
    """Return a plan version by its id; versions never change, so each process reads one once."""
    memory = remembered()
    known: PlanVersion | None = memory.get(("plan_version", version_id))
    if known is None:
        version, terms = tx.rows("select version, terms from plan_version where id = %s", (version_id,))[0]
        known = PlanVersion.read({"id": version_id, "version": version, **terms})
        memory["plan_version", version_id] = known
    return known


def frozen(
    tx: Transaction, path: list[dict[str, Any]], product: str, *, usdt_units: int, fee_units: int, volume_units: int = 0
) -> list[dict[str, int | str]]:
    """Return the shares of an order's path, from the direct agent upwards, as they are stored on the order.

    The sum never exceeds the fee. Re-parenting an agent or changing a plan later does not touch them.
    """
    links = [
        Link(
            agent_id=each["agent_id"],
            agent_ref=each["agent_ref"],
            plan_version_id=each["plan_version_id"],
            plan_version=each["version"],
            own_bps=plan_version(tx, each["plan_version_id"]).rate_for(product, volume_units, usdt_units),
        )
        for each in path
    ]
    shares = split(links, base=Money(usdt_units, USDT), margin=Money(fee_units, USDT))
    return to_json(shares)
