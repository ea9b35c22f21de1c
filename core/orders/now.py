"""An order as a step finds it: one shape, whether it was locked or only looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic_core import from_json

from core.orders.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

_READ: Final = (
    "id", "version", "at", "risk_state", "dispute_state", "merchant_id", "merchant_account_id", "customer_id",
    "acceptor_id", "payer_account_id", "escrow_account_id", "pool_account_id", "currency", "fiat_units", "usdt_units",
    "fee_units", "matched_at", "claimed_seconds_ago",
)  # fmt: skip


@dataclass(slots=True)
class OrderNow:
    """What every step needs of an order; `at` is the step's moment, as the database wrote it.

    One that was only looked at may have changed since: what is done with it is guarded by its version. Nobody changes
    it, though it is not frozen: to fill so many frozen fields would cost as much as all the rest of reading a row.
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
        """Return the order from a row of the database: what a look (its split as text) or `order_for_step` returned."""
        split = row["split"]
        shares = from_json(split) if isinstance(split, str) else split
        return cls(ref=ref, state=State(row["state"]), split=shares, **{name: row[name] for name in _READ}, **more)

    @property
    def moment(self) -> datetime:
        """The step's moment."""
        return datetime.fromisoformat(self.at)


@dataclass(slots=True)
class LockedOrder(OrderNow):
    """An order whose row is locked until the transaction ends: with what only the rarer steps ask for."""

    pool_id: int
    attempts: int
    next_actor: str
    received_units: int | None
    deadline_at: str | None
    late: bool
