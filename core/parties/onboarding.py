"""What is still to be done before the first order, by a new party or by who sets up the desk: what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Right, Scope
from core.db import reading

if TYPE_CHECKING:
    from core.actor import Actor


class Task(NamedTuple):
    """One thing to do, by name, and whether it is done."""

    name: str
    done: bool


_ACCEPTOR = """
select exists (select 1 from bank_account b where b.party_id = p.id and b.state = 'active'),
       exists (select 1 from pool_account l where l.acceptor_id = p.id and l.left_at is null),
       a.available + a.escrow + a.held > 0 or exists (select 1 from journal_leg g where g.account_id = a.id),
       c.online
  from party p join acceptor c on c.party_id = p.id join ledger_account a on a.party_id = p.id and a.asset = 'USDT'
 where p.id = %s
"""
_MERCHANT = """
select exists (select 1 from api_key k where k.party_id = p.id and k.ended_at is null),
       exists (select 1 from pool_merchant x where x.merchant_id = p.id),
       exists (select 1 from bank_account b where b.party_id = p.id and b.state = 'active'),
       exists (select 1 from orders o where o.merchant_id = p.id)
  from party p where p.id = %s
"""
_DESK = """
select exists (select 1 from pool where state <> 'imported'),
       exists (select 1 from party where kind = 'merchant' and state = 'active'),
       exists (select 1 from pool_merchant),
       exists (select 1 from api_key k join party p on p.id = k.party_id
                where p.kind = 'merchant' and k.ended_at is null),
       exists (select 1 from party where kind = 'acceptor' and state = 'active'),
       exists (select 1 from bank_account b join party p on p.id = b.party_id
                where p.kind = 'acceptor' and b.state = 'active'),
       exists (select 1 from pool_account where left_at is null),
       exists (select 1 from journal_entry where reason = 'reserve_topup'),
       exists (select 1 from rate r join pool l on l.currency = r.currency),
       exists (select 1 from orders)
"""
_DESK_NAMES = (
    "pool", "merchant", "admitted", "key", "acceptor", "bank_account", "joined", "reserve", "rate", "first_order",
)  # fmt: skip
_TASKS = {
    Scope.ACCEPTOR: (_ACCEPTOR, ("bank_account", "pool", "reserve", "online")),
    Scope.MERCHANT: (_MERCHANT, ("key", "pool", "bank_account", "first_order")),
}


def tasks(actor: Actor) -> list[Task]:
    """Return what the actor's own party has done and has not; nothing for who has no such party."""
    found = _TASKS.get(actor.scope)
    if found is None or actor.party_id is None:
        return []
    sql, names = found
    with reading() as tx:
        rows = tx.rows(sql, (actor.party_id,))
    return [Task(name, bool(done)) for name, done in zip(names, rows[0], strict=True)] if rows else []


def desk_tasks(actor: Actor) -> list[Task]:
    """Return what is set up for the first order and what is not; nothing for who does not set up."""
    if not actor.may(Right.MANAGE_PARTIES):
        return []
    with reading() as tx:
        rows = tx.rows(_DESK)
    return [Task(name, bool(done)) for name, done in zip(_DESK_NAMES, rows[0], strict=True)]
