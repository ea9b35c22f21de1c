"""An order as a step finds it: one shape, whether it was locked or only looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from core.orders.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBERS: Final = (
    "id", "version", "merchant_id", "customer_id", "acceptor_id", "payer_account_id", "escrow_account_id",
    "pool_account_id", "merchant_account_id", "fiat_units", "usdt_units", "fee_units", "claimed_seconds_ago",
)  # fmt: skip
_WORDS: Final = ("at", "risk_state", "dispute_state", "currency", "matched_at")


@dataclass(frozen=True, slots=True)
class OrderNow:
    """What every step needs of an order; `at` is the step's moment, as the database wrote it.

    One that was only looked at may have changed since: what is done with it is guarded by its version.
    """

    ref: str
    id: int
    version: int
    at: str
    state: State
    risk_state: str
    dispute_state: str
    merchant_id: int
    merchant_account_id: int
    customer_id: int
    acceptor_id: int | None
    payer_account_id: int | None
    escrow_account_id: int
    pool_account_id: int | None
    currency: str
    fiat_units: int
    usdt_units: int
    fee_units: int
    split: list[dict[str, Any]]
    matched_at: str | None
    claimed_seconds_ago: int | None

    @classmethod
    def read(cls, row: Mapping[str, Any], ref: str, **more: Any) -> Self:
        """Return the order from a row of the database, whether its values are texts or JSON's own."""
        split = row["split"]
        read: dict[str, Any] = {name: row[name] for name in _WORDS}
        for name in _NUMBERS:
            value = row[name]
            read[name] = value if value is None else int(value)
        read["state"] = State(row["state"])
        read["split"] = json.loads(split) if isinstance(split, str) else split
        return cls(ref=ref, **read, **more)

    @property
    def moment(self) -> datetime:
        """The step's moment."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True, slots=True)
class LockedOrder(OrderNow):
    """An order whose row is locked until the transaction ends: with what only the rarer steps ask for."""

    pool_id: int
    attempts: int
    next_actor: str
    received_units: int | None
    late: bool
