"""Showing a sealed account number to somebody who may see it; each look leaves a row in the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import audit, vault
from core.actor import Right
from core.db import transaction
from core.errors import NotFound
from core.parties import particulars

if TYPE_CHECKING:
    from core.actor import Actor

_TABLES = {
    "bnk": "select sealed from bank_account where ref = %s",
    "pay": "select sealed from payer_account where ref = %s",
}


def number(actor: Actor, ref: str, why: str) -> str:
    """Return the whole number of a bank account (`bnk_…`) or payer account (`pay_…`).

    Raises Forbidden, NotFound, BadInput without a reason.
    """
    actor.must(Right.REVEAL)
    reason = particulars.read_why(why)
    sql = _TABLES.get(ref[:3])
    with transaction() as tx:
        sealed = tx.call(sql, (ref,)) if sql else None
        if sealed is None:
            raise NotFound(f"there is no account {ref[:40]}", ref=ref[:40])
        audit.write(tx, actor, "account.reveal", ref, reason=reason)
        return vault.open_(sealed)
