"""What each right lets one do, and what each role is called, in the words of refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _l

from core.actor import Right
from portal.roles import ROLES

if TYPE_CHECKING:
    from flask_babel import LazyString

RIGHTS: Final[dict[Right, LazyString]] = {
    Right.SEE_ORDERS: _l("see orders"),
    Right.OPEN_ORDER: _l("open an order"),
    Right.CLAIM_PAID: _l("say that an order is paid"),
    Right.CANCEL_ORDER: _l("cancel an order"),
    Right.CONFIRM_RECEIPT: _l("confirm a receipt"),
    Right.SEE_LEDGER: _l("see the ledger"),
    Right.SEE_BALANCE: _l("see balances"),
    Right.SEE_DISPATCH: _l("see how the acceptor was chosen"),
    Right.SEE_MERCHANTS: _l("see merchants"),
    Right.SEE_AGENTS: _l("see agents"),
    Right.SEE_ACCEPTORS: _l("see acceptors"),
    Right.SEE_POOLS: _l("see pools"),
    Right.MANAGE_PARTIES: _l("manage parties"),
    Right.SET_STANDING: _l("suspend or bar a party"),
    Right.MOVE_AGENTS: _l("move agents"),
    Right.SET_ONLINE: _l("go online"),
    Right.TOP_UP_RESERVE: _l("top up a reserve"),
    Right.APPROVE_TOP_UP: _l("approve a top-up"),
    Right.SEE_APPROVALS: _l("see approvals"),
    Right.SEE_PRICING: _l("see fees and plans"),
    Right.SEE_BANK_ACCOUNTS: _l("see bank accounts"),
    Right.DESIGNATE_BANK_ACCOUNT: _l("choose a withdrawal account"),
    Right.FREEZE_BANK_ACCOUNT: _l("freeze a bank account"),
    Right.SEE_ALERTS: _l("see alerts"),
    Right.DECIDE_ALERT: _l("decide an alert"),
    Right.SEE_COMMISSIONS: _l("see commissions"),
    Right.EXPORT: _l("export"),
    Right.REVEAL: _l("reveal personal data"),
    Right.SEE_AUDIT: _l("see the audit trail"),
    Right.SEE_JOBS: _l("see jobs"),
    Right.MANAGE_PRICING: _l("propose fees and plans"),
    Right.APPROVE_PRICING: _l("approve fees and plans"),
    Right.MANAGE_RULES: _l("manage risk rules"),
    Right.MANAGE_USERS: _l("manage users"),
    Right.MANAGE_KEYS: _l("manage API keys"),
    Right.SEE_VOLUME: _l("see volumes"),
    Right.SEE_RISK: _l("see risk figures"),
}
"""By right: the deed, as it stands behind "may not"."""
SAID: Final[dict[str, LazyString]] = {
    **{right.value.replace("_", " "): deed for right, deed in RIGHTS.items()},
    **{name: role.label for name, role in ROLES.items()},
}
"""The same by the word that the core's refusals have for a right or a role."""
