"""Why money moves: every reason that stands in the journal. The verifier asks of each entry what its reason needs."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The reason of an entry; the SQL of the money path writes those of orders and of the history as these words."""

    ESCROW_FREEZE = "escrow_freeze"
    ESCROW_RELEASE = "escrow_release"
    ESCROW_RETURN = "escrow_return"
    HOLD_OPEN = "hold_open"
    HOLD_CLOSE = "hold_close"
    RESERVE_TOPUP = "reserve_topup"
    COMMISSION_HOLD = "commission_hold"
    COMMISSION_HOLD_CLOSE = "commission_hold_close"
    HISTORY_OPENING = "history_opening"
