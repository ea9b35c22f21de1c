"""What moves in the ledger at the end of an order, as legs that sum to zero."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.db import remembered
from core.steps import once


class Legs(NamedTuple):
    """Parallel lists of account ids, pockets and units, as the SQL functions take them."""

    accounts: list[int]
    pockets: list[str]
    units: list[int]


def house_fees() -> int:
    """Return the number of the house's fee account; it never changes."""
    memory = remembered()
    found: int | None = memory.get(("house_fees", 0))
    if found is None:
        found = memory["house_fees", 0] = once("select id from ledger_account where name = 'house:fees'")
    return found


def release(
    *,
    escrow_account: int,
    merchant_account: int,
    usdt_units: int,
    fee_units: int,
    shares: list[dict[str, Any]],
) -> Legs:
    """Return the legs that pay an order out: escrow to merchant, agents and house.

    The merchant gets the order's USDT less the fee; the house keeps the fee less what the agents earn of it.
    Accounts stand in the order in which they are locked.
    """
    earned = sorted((share["account_id"], share["units"]) for share in shares)
    legs = [(escrow_account, "escrow", -usdt_units), (merchant_account, "available", usdt_units - fee_units)]
    legs += [(account, "available", units) for account, units in earned]
    kept = fee_units - sum(units for _, units in earned)
    if kept:
        legs.append((house_fees(), "available", kept))
    return Legs([leg[0] for leg in legs], [leg[1] for leg in legs], [leg[2] for leg in legs])
