"""After many orders at once: fold balances, advance rollups, extend seals, refresh the planner's figures."""

from __future__ import annotations

from typing import Final

from core.analytics import agent_volume, rollup
from core.db import transaction
from core.ledger import seal
from core.ledger.post import fold_all

_BIG: Final = (
    "orders", "customer", "payer_account", "journal_entry", "journal_leg", "notice", "audit", "risk_fact",
    "commission_line", "alert", "evaluation", "dispatch",
)  # fmt: skip


def settle() -> None:
    """Do now what the jobs would do within a minute; safe to run at any time and twice."""
    with transaction() as tx:
        tx.run("set local statement_timeout = '15min'")
        fold_all(tx)
    rollup.advance()
    agent_volume.refresh()
    seal.advance()
    with transaction() as tx:
        tx.run("set local statement_timeout = '15min'")
        tx.run(f"analyze {', '.join(_BIG)}")
