"""What the trail says was done, in words: the deeds on parties, pools, money and users beside those on orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal import format as show
from portal.views.order_words import EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel import LazyString

DEEDS: Final[dict[str, LazyString]] = {
    **{action: said for action, (said, _tone) in EVENTS.items()},
    "acceptor.create": _l("Acceptor enrolled"),
    "acceptor.heard": _l("Acceptor heard of again"),
    "acceptor.offline": _l("Acceptor went offline"),
    "acceptor.online": _l("Acceptor went online"),
    "acceptor.pause": _l("Acceptor paused"),
    "acceptor.resume": _l("Acceptor takes orders again"),
    "acceptor.silent": _l("Acceptor fell silent"),
    "account.search": _l("Searched for a bank account"),
    "agent.create": _l("Agent enrolled"),
    "agent.reparent": _l("Agent moved under another"),
    "approval.approve": _l("Request approved"),
    "approval.refuse": _l("Request turned down"),
    "approval.request": _l("Approval asked for"),
    "approval.withdraw": _l("Request withdrawn"),
    "bank_account.add": _l("Bank account added"),
    "bank_account.designate": _l("Withdrawal account chosen"),
    "bank_account.freeze": _l("Bank account frozen"),
    "bank_account.taken": _l("Bank account refused: another party has it"),
    "bank_account.unfreeze": _l("Bank account unfrozen"),
    "clock.advance": _l("Sandbox clock moved on"),
    "commission.ask_lift": _l("End of a commission hold asked for"),
    "commission.hold": _l("Commission held back"),
    "commission.keep": _l("Commission stays held: its end was turned down"),
    "commission.lift": _l("Hold of commission ended"),
    "commission.withdraw_lift": _l("Asked end of a commission hold withdrawn"),
    "commission_plan.approve": _l("Commission plan approved"),
    "commission_plan.propose": _l("Commission plan proposed"),
    "commission_plan.turn_down": _l("Commission plan turned down"),
    "commission_plan.withdraw": _l("Proposed commission plan withdrawn"),
    "commission_plan.withdraw_version": _l("Approved version of a commission plan withdrawn"),
    "customer.active": _l("Customer let in again"),
    "customer.barred": _l("Customer barred"),
    "dashboard.exported": _l("Dashboard exported"),
    "export.cancel": _l("Export called off"),
    "export.open": _l("Export downloaded"),
    "export.request": _l("Export asked for"),
    "fee_schedule.approve": _l("Fee schedule approved"),
    "fee_schedule.propose": _l("Fee schedule proposed"),
    "fee_schedule.turn_down": _l("Fee schedule turned down"),
    "fee_schedule.withdraw": _l("Proposed fee schedule withdrawn"),
    "fee_schedule.withdraw_version": _l("Approved version of a fee schedule withdrawn"),
    "key.create": _l("API key made"),
    "key.end": _l("API key ended"),
    "list.exported": _l("List exported"),
    "merchant.create": _l("Merchant enrolled"),
    "name.search": _l("Searched for a person's name"),
    "party.active": _l("Party active again"),
    "party.barred": _l("Party barred"),
    "party.barred_country": _l("Party of a barred country refused"),
    "party.suspended": _l("Party suspended"),
    "payer.list": _l("Payer's account listed"),
    "payer.unlist": _l("Payer's account taken off the list"),
    "pool.admit": _l("Merchant admitted to the pool"),
    "pool.create": _l("Pool made"),
    "pool.join": _l("Bank account joined the pool"),
    "pool.leave": _l("Bank account left the pool"),
    "pool.limit": _l("Limits of the pool changed"),
    "pool.limit_account": _l("Limit of an account in the pool changed"),
    "pool.pause": _l("Pool paused"),
    "pool.policy": _l("Policy of the pool chosen"),
    "pool.reopen": _l("Pool reopened"),
    "pool.withdraw_admission": _l("Merchant's admission to the pool ended"),
    "rate.told": _l("Rate told"),
    "report.export": _l("Commission report exported"),
    "reserve.ask_top_up": _l("Top-up of a reserve asked for"),
    "reserve.top_up": _l("Reserve topped up"),
    "reserve.turn_down": _l("Top-up of a reserve turned down"),
    "reserve.withdraw": _l("Asked top-up of a reserve withdrawn"),
    "reveal.list": _l("List exported with names in full"),
    "ruleset.activate": _l("Ruleset put in force"),
    "ruleset.draft": _l("Ruleset drafted"),
    "user.activated": _l("User let in again"),
    "user.created": _l("User made"),
    "user.deactivated": _l("User shut out"),
    "user.password_changed": _l("Own password changed"),
    "user.password_reset": _l("Password of a user reset"),
    "user.role_changed": _l("Role of a user changed"),
    "user.unlocked": _l("User unlocked"),
}
"""Every action that is written down, `noun.verb`; a test looks for what the code writes and is missing here."""


TAKEN: Final = frozenset({"list.exported", "reveal.list", "report.export", "dashboard.exported"})
"""The deeds by which rows leave the desk with a file."""


def also_about(subject: str, details: Mapping[str, Any]) -> str:
    """Return whom or what else a row is about, "" when nobody else.

    Of a deed on something of a party's that party; of a look at personal data the order, alert or account it was for.
    """
    for name in ("party", "subject"):
        ref = details.get(name)
        if isinstance(ref, str) and ref not in {"", subject}:
            return ref
    return ""


def change_of(action: str, details: Mapping[str, Any]) -> str:
    """Return from what to what a deed led that is no step of an order, "" when its row does not say."""
    if action != "bank_account.designate":
        return ""
    before = details.get("account_before") or details.get("before") or "–"
    return f"{before} → {details['account']}" if details.get("account") else f"{before} →"


def taken_of(action: str, details: Mapping[str, Any]) -> str:
    """Return what left the desk with a file: names in full, by which filter, how many rows, format and digest."""
    if action not in TAKEN:
        return ""
    sought = details.get("filter") or details.get("agent")
    rows, digest = details.get("rows"), details.get("sha256")
    parts = [_("names in full")] if details.get("personal") == "whole" else []
    parts += [f"{_('filter')}: {sought}"] if sought else []
    parts += [f"{show.number(rows)} {ngettext('row', 'rows', rows)}"] if isinstance(rows, int) else []
    parts += [str(details["format"]).upper()] if details.get("format") else []
    parts += [f"SHA-256 {digest[:12]}…"] if isinstance(digest, str) and digest else []
    return " · ".join(parts)


def words_of(action: str) -> str:
    """Return what was done in words; an action without them is read from its own name."""
    said = DEEDS.get(action)
    return str(said) if said else action.replace(".", " ").replace("_", " ").capitalize()
