"""Merchants: platforms and shops that need payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import audit, outbox
from core.actor import Right
from core.db import transaction
from core.ledger import accounts
from core.parties import agents, particulars

if TYPE_CHECKING:
    from core.actor import Actor


def create(
    actor: Actor,
    code: str,
    name: str,
    *,
    country: str,
    agent_ref: str | None = None,
    kyc_level: int = 1,
) -> str:
    """Enrol a merchant with an empty USDT account; return its ref.

    Raises Forbidden, BadInput, AlreadyDone for a taken code, NotFound for an unknown agent.
    """
    actor.must(Right.MANAGE_PARTIES)
    with transaction() as tx:
        agent_id = agents.referrer(tx, agent_ref)
        number, ref = particulars.enrol(tx, "merchant", code, name, country=country, kyc_level=kyc_level)
        tx.run("insert into merchant (party_id, agent_id) values (%s, %s)", (number, agent_id))
        accounts.open_account(tx, "merchant", number, code)
        audit.write(tx, actor, "merchant.create", ref, details={"code": code, "agent": agent_ref})
        outbox.tell(tx, "merchant.created", ref, payload={"code": code, "agent": agent_ref})
    return ref
