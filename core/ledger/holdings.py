"""What the actor's own party holds now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.actor import Right
from core.db import reading
from core.ledger import accounts

if TYPE_CHECKING:
    from core.actor import Actor


def own(actor: Actor) -> list[accounts.Balance]:
    """Return the balances of every account of the actor's party, by asset. Raises Forbidden."""
    actor.must(Right.SEE_BALANCE)
    with reading() as tx:
        numbers = tx.rows("select id from ledger_account where party_id = %s order by asset, id", (actor.party_id,))
        return [accounts.balance(tx, number) for (number,) in numbers]
