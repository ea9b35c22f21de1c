"""Who asks, on whose behalf, what it may do and which rows it owns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from core.errors import Forbidden, sentence


class Right(StrEnum):
    """One thing an actor may do. Roles are sets of these; commands ask for one."""

    SEE_ORDERS = "see_orders"
    OPEN_ORDER = "open_order"
    CLAIM_PAID = "claim_paid"
    CANCEL_ORDER = "cancel_order"
    CONFIRM_RECEIPT = "confirm_receipt"
    SEE_LEDGER = "see_ledger"
    SEE_BALANCE = "see_balance"
    SEE_DISPATCH = "see_dispatch"
    SEE_MERCHANTS = "see_merchants"
    SEE_AGENTS = "see_agents"
    SEE_ACCEPTORS = "see_acceptors"
    SEE_POOLS = "see_pools"
    MANAGE_PARTIES = "manage_parties"
    SET_STANDING = "set_standing"
    MOVE_AGENTS = "move_agents"
    SET_ONLINE = "set_online"
    TOP_UP_RESERVE = "top_up_reserve"
    APPROVE_TOP_UP = "approve_top_up"
    SEE_APPROVALS = "see_approvals"
    SEE_PRICING = "see_pricing"
    SEE_BANK_ACCOUNTS = "see_bank_accounts"
    DESIGNATE_BANK_ACCOUNT = "designate_bank_account"
    FREEZE_BANK_ACCOUNT = "freeze_bank_account"
    SEE_ALERTS = "see_alerts"
    DECIDE_ALERT = "decide_alert"
    SEE_COMMISSIONS = "see_commissions"
    EXPORT = "export"
    REVEAL = "reveal"
    SEE_AUDIT = "see_audit"
    SEE_JOBS = "see_jobs"
    MANAGE_PRICING = "manage_pricing"
    APPROVE_PRICING = "approve_pricing"
    MANAGE_RULES = "manage_rules"
    MANAGE_USERS = "manage_users"
    MANAGE_KEYS = "manage_keys"
    SEE_VOLUME = "see_volume"
    SEE_RISK = "see_risk"


class Scope(StrEnum):
    """Which rows an actor may see: all of them, or those of one party (an agent: of its subtree)."""

    ALL = "all"
    MERCHANT = "merchant"
    ACCEPTOR = "acceptor"
    AGENT = "agent"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `user_id` is the portal user's number; None for machines."""

    name: str
    role: str
    scope: Scope = Scope.NONE
    party_id: int | None = None
    user_id: int | None = None
    rights: frozenset[Right] = field(default_factory=frozenset)
    trace_id: str = ""

    def may(self, right: Right) -> bool:
        """Return whether the actor holds the right."""
        return right in self.rights

    def owns(self, *, merchant_id: int | None = None, acceptor_id: int | None = None) -> bool:
        """Return whether a row of that merchant or acceptor is the actor's own (all rows for scope ALL)."""
        if self.scope is Scope.ALL:
            return True
        if self.party_id is None:
            return False
        return (self.scope is Scope.MERCHANT and self.party_id == merchant_id) or (
            self.scope is Scope.ACCEPTOR and self.party_id == acceptor_id
        )

    def must(self, right: Right) -> None:
        """Refuse with `forbidden` unless the actor holds the right."""
        if right not in self.rights:
            message = sentence(
                "%(name)s (%(role)s) may not %(right)s",
                name=self.name,
                role=self.role,
                right=right.value.replace("_", " "),
            )
            raise Forbidden(message, right=right.value)


def system(name: str = "system") -> Actor:
    """Return the actor for jobs, sweeps and the machine's own terminal: every right, every row."""
    return Actor(name=name, role="system", scope=Scope.ALL, rights=frozenset(Right))
