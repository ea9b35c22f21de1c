"""Who earns what of an order: the agent tree's path and rates as they are now, frozen on the order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

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
    path: list[list[Any]],
    codes: list[str],
    product: str,
    *,
    usdt_units: int,
    margin_units: int,
) -> list[dict[str, int | str]]:
    """Return the shares of an order's path, from the direct agent upwards, as they are stored on the order.

    `path` has agent id, ledger account, plan version id, version number, the volume of the plan's window and the
    second it was reckoned (0: never) a row. The sum never exceeds the
    platform's margin. Re-parenting an agent or changing a plan later does not touch the shares.
    """
    links = [_link(row, code, product, usdt_units) for row, code in zip(path, codes, strict=False)]
    accounts = {row[0]: row[1] for row in path}
    shares = to_json(split(links, base=Money(usdt_units, USDT), margin=Money(margin_units, USDT)))
    for share in shares:
        share["account_id"] = accounts[int(share["agent_id"])]
    return shares


def _link(row: list[Any], code: str, product: str, usdt_units: int) -> Link:
    agent, _, version_id, version, volume, reckoned = row
    plan = plan_version(version_id)
    bps = plan.rate_for(product, volume, usdt_units)
    if not plan.tiers:
        return Link(agent, code, version_id, version, bps)
    at = "" if not reckoned else datetime.fromtimestamp(reckoned, UTC).isoformat()
    return Link(agent, code, version_id, version, bps, plan.tier_at(product, volume + usdt_units), volume, at)
