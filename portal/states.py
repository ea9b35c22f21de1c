"""Every state a badge can show, as one table: what it is called and which colour it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask_babel import lazy_gettext as _l

if TYPE_CHECKING:
    from flask_babel import LazyString


class Badge(NamedTuple):
    """A badge's text and colour class (ok, warn, bad, info, hold, idle)."""

    text: LazyString | str
    tone: str


BADGES: dict[str, Badge] = {
    # orders
    "created": Badge(_l("Created"), "idle"),
    "matching": Badge(_l("Matching"), "info"),
    "offered": Badge(_l("Offered"), "info"),
    "awaiting_payment": Badge(_l("Awaiting payment"), "warn"),
    "paid_claimed": Badge(_l("Paid, claimed"), "info"),
    "completed": Badge(_l("Completed"), "ok"),
    "cancelled": Badge(_l("Cancelled"), "idle"),
    "expired": Badge(_l("Expired"), "idle"),
    "no_liquidity": Badge(_l("No liquidity"), "bad"),
    "refused": Badge(_l("Refused"), "bad"),
    "refunded": Badge(_l("Refunded"), "hold"),
    "reversed": Badge(_l("Reversed"), "hold"),
    # the side axes of an order
    "exact": Badge(_l("Exact"), "ok"),
    "under": Badge(_l("Underpaid"), "warn"),
    "over": Badge(_l("Overpaid"), "warn"),
    "open": Badge(_l("Open"), "warn"),
    "pool_open": Badge(_l("Open"), "ok"),
    "decided": Badge(_l("Decided"), "ok"),
    "clear": Badge(_l("Clear"), "ok"),
    "flagged": Badge(_l("Flagged"), "warn"),
    "held": Badge(_l("Held"), "hold"),
    # verdicts and alerts
    "allow": Badge(_l("Allow"), "ok"),
    "review": Badge(_l("Review"), "warn"),
    "hold": Badge(_l("Hold"), "bad"),
    "refuse": Badge(_l("Refuse"), "bad"),
    "taken": Badge(_l("Taken"), "info"),
    "pending_second": Badge(_l("Waits for second officer"), "hold"),
    "waiting": Badge(_l("Waiting"), "warn"),
    "closed": Badge(_l("Closed"), "idle"),
    "released": Badge(_l("Released"), "ok"),
    "dismissed": Badge(_l("Dismissed"), "idle"),
    # how an alert ends
    "false_positive": Badge(_l("False positive"), "idle"),
    "explained": Badge(_l("Explained"), "idle"),
    "confirmed_no_report": Badge(_l("Confirmed, no report"), "idle"),
    "confirmed_reported": Badge(_l("Confirmed and reported"), "idle"),
    "inconclusive": Badge(_l("Inconclusive"), "idle"),
    "approved": Badge(_l("Approved"), "ok"),
    "withdrawn": Badge(_l("Withdrawn"), "idle"),
    "approved_withdrawn": Badge(_l("Approved, withdrawn since"), "warn"),
    # parties, accounts, bank accounts
    "active": Badge(_l("Active"), "ok"),
    "inactive": Badge(_l("Switched off"), "idle"),
    "suspended": Badge(_l("Suspended"), "warn"),
    "barred": Badge(_l("Barred"), "bad"),
    "imported": Badge(_l("Imported"), "idle"),
    "frozen": Badge(_l("Frozen"), "bad"),
    "online": Badge(_l("Online"), "ok"),
    "offline": Badge(_l("Offline"), "idle"),
    "paused": Badge(_l("Paused"), "warn"),
    "withdrawal_account": Badge(_l("Withdrawals"), "info"),
    # versions of fees and plans
    "version_now": Badge(_l("In force"), "ok"),
    "version_to_come": Badge(_l("To come"), "info"),
    "version_before": Badge(_l("Before"), "idle"),
    "version_withdrawn": Badge(_l("Withdrawn"), "warn"),
    "version_never": Badge(_l("Never in force"), "idle"),
    # commissions, jobs, exports
    "pending": Badge(_l("Pending"), "info"),
    "payable": Badge(_l("Payable"), "warn"),
    "paid": Badge(_l("Paid"), "ok"),
    "running": Badge(_l("Running"), "info"),
    "done": Badge(_l("Done"), "ok"),
    "failed": Badge(_l("Failed"), "bad"),
    "locked": Badge(_l("Locked"), "idle"),
    "late_job": Badge(_l("Late"), "bad"),
    "never": Badge(_l("Never ran"), "warn"),
    "silent": Badge(_l("Silent"), "bad"),
    "alive": Badge(_l("Alive"), "ok"),
    # kinds
    "deposit": Badge(_l("Deposit"), "info"),
    "withdrawal": Badge(_l("Withdrawal"), "hold"),
}


def badge_of(state: object) -> Badge:
    """Return the badge of a state; one the table does not know is shown as it is, without colour."""
    name = str(state)
    return BADGES.get(name) or Badge(name.replace("_", " ").capitalize(), "idle")
