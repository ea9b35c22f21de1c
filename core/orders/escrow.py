"""What moves in the ledger at each step of an order, as legs that sum to zero."""

from __future__ import annotations

from typing import Any, NamedTuple


class Legs(NamedTuple):
    """Parallel lists of account ids, pockets and units, as the SQL functions take them."""

    accounts: list[int]
    pockets: list[str]
    units: list[int]


def release(order: dict[str, Any]) -> Legs:
    """Return the legs that pay an order out: escrow to merchant, house and agents.

    `order` is what `order_lock` returned with its accounts. The merchant gets the order's USDT less
    the fee; the house keeps the fee less what the agents earn of it.
    """
    accounts: dict[str, int] = order["accounts"]
    gross, fee = order["usdt_units"], order["fee_units"]
    shares = [(accounts[str(s["agent_id"])], s["units"]) for s in order["split"] if s["units"] > 0]
    kept = fee - sum(units for _, units in shares)
    legs = [(order["escrow_account_id"], "escrow", -gross), (accounts[str(order["merchant_id"])], "available", gross - fee)]
    legs += [(account, "available", units) for account, units in shares]
    if kept:
        legs.append((accounts["house:fees"], "available", kept))
    return Legs([leg[0] for leg in legs], [leg[1] for leg in legs], [leg[2] for leg in legs])
