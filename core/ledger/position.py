"""The platform's position: what it holds for everybody, beside the custody it must equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Right, Scope
from core.db import reading
from core.errors import Forbidden
from core.money import USDT, Money

if TYPE_CHECKING:
    from core.actor import Actor


class Position(NamedTuple):
    """USDT held: acceptors' reserves, escrow and holds, merchants' and agents' balances, fees; and custody."""

    reserves: Money
    escrow: Money
    held: Money
    merchants: Money
    agents: Money
    house: Money
    custody: Money

    @property
    def difference(self) -> Money:
        """All that is owed or earned less what is in custody; zero, or something is wrong."""
        return self.reserves + self.escrow + self.held + self.merchants + self.agents + self.house - self.custody


_POSITION = """
with holds as (
    select a.kind, a.name, a.escrow, a.held, a.available + coalesce((select sum(l.units) from journal_leg l
             where l.account_id = a.id and leg_waits(l.xid, a.folded)), 0)::bigint as available
      from ledger_account a where a.asset = 'USDT')
select coalesce(sum(available) filter (where kind = 'acceptor'), 0)::bigint, coalesce(sum(escrow), 0)::bigint,
       coalesce(sum(held), 0)::bigint, coalesce(sum(available) filter (where kind = 'merchant'), 0)::bigint,
       coalesce(sum(available) filter (where kind = 'agent'), 0)::bigint,
       coalesce(sum(available) filter (where kind = 'house' and name <> 'house:custody'), 0)::bigint,
       coalesce(-sum(available) filter (where name = 'house:custody'), 0)::bigint
  from holds
"""


def position(actor: Actor) -> Position:
    """Return what the platform holds now. Raises Forbidden for who does not see all rows."""
    actor.must(Right.SEE_LEDGER)
    if actor.scope is not Scope.ALL:
        raise Forbidden("the platform's position is not shown to parties", right=Right.SEE_LEDGER.value)
    with reading() as tx:
        return Position(*(Money(units, USDT) for units in tx.rows(_POSITION)[0]))
