"""Who earns what of an order: the agent tree's path and rates as they are now, frozen on the order."""

from __future__ import annotations

from core.commissions.plans import Link, PlanVersion, split, to_json
from core.db import remembered
from core.money import USDT, Money
from core.steps import once


def plan_version(version_id: int) -> PlanVersion:
    """Return a plan version by its id; versions never change, so each process reads one once."""
    memory = remembered()
    known: PlanVersion | None = memory.get(("plan_version", version_id))
    if known is None:
        stored = once(
            "select terms || jsonb_build_object('id', id, 'version', version) from plan_version where id = %s",
            (version_id,),
        )
        known = PlanVersion.read(stored)
        memory["plan_version", version_id] = known
    return known


def frozen(
    path: list[list[int]],
    codes: list[str],
    product: str,
    *,
    usdt_units: int,
    margin_units: int,
    volume_units: int = 0,
) -> list[dict[str, int | str]]:
    """Return the shares of an order's path, from the direct agent upwards, as they are stored on the order.

    `path` has agent id, ledger account, plan version id and version number a row. The sum never exceeds the
    platform's margin. Re-parenting an agent or changing a plan later does not touch the shares.
    """
    links = [
        Link(
            agent,
            code,
            version_id,
            version,
            plan_version(version_id).rate_for(product, volume_units, usdt_units),
        )
        for (agent, _, version_id, version), code in zip(path, codes, strict=False)
    ]
    accounts = {agent: account for agent, account, _, _ in path}
    shares = split(links, base=Money(usdt_units, USDT), margin=Money(margin_units, USDT))
    return [{**share, "account_id": accounts[int(share["agent_id"])]} for share in to_json(shares)]
