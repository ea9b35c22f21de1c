"""Invariants of the money itself: entries balance, balances are the sum of their legs, custody covers all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.verify.evidence import holds_are_there
from core.verify.explained import entries_are_explained
from core.verify.finding import Check, Finding
from core.verify.owners import accounts_are_named

if TYPE_CHECKING:
    from core.db import Transaction

# Stored balances beside the legs that should have made them; credits that wait to be folded are not stored.
_SUMS = """
select a.id, a.name, a.kind, a.asset, a.available, a.escrow, a.held,
       coalesce(s.available, 0) as sum_available, coalesce(s.escrow, 0) as sum_escrow,
       coalesce(s.held, 0) as sum_held, coalesce(s.waiting, 0) as waiting
  from ledger_account a
  left join (select l.account_id,
                    sum(l.units) filter (where l.pocket = 'available'
                                           and (l.xid is null or not leg_waits(l.xid, c.folded))) as available,
                    sum(l.units) filter (where l.pocket = 'available' and leg_waits(l.xid, c.folded)) as waiting,
                    sum(l.units) filter (where l.pocket = 'escrow') as escrow,
                    sum(l.units) filter (where l.pocket = 'held') as held
               from journal_leg l join ledger_account c on c.id = l.account_id
              group by l.account_id) s on s.account_id = a.id
"""


def balanced(tx: Transaction) -> Finding:
    """I1: the legs of each entry sum to zero per asset, and so do all legs together."""
    check = Check(tx, "I1", "the legs of every entry sum to zero, per asset and overall")
    check.counted("select count(*) from journal_entry")
    check.none(
        "select l.entry_id, format('entry %s (%s): its legs are off by %s units of %s',"
        " coalesce(e.ref, '#' || l.entry_id), coalesce(e.key, 'no such entry'), l.off, l.asset)"
        " from (select entry_id, asset, sum(units) as off from journal_leg group by entry_id, asset"
        "        having sum(units) <> 0) l"
        " left join journal_entry e on e.id = l.entry_id",
    )
    check.none(
        "select l.entry_id, format('leg #%s: its entry #%s is gone', l.id, l.entry_id) from journal_leg l"
        " where not exists (select 1 from journal_entry e where e.id = l.entry_id)",
    )
    check.none(
        "select e.id, format('entry %s (%s) has no legs', e.ref, e.key) from journal_entry e"
        " where not exists (select 1 from journal_leg l where l.entry_id = e.id)",
    )
    check.none(
        "select 0, format('all legs together are off by %s units of %s', sum(units), asset)"
        " from journal_leg group by asset having sum(units) <> 0",
    )
    return check.finding()


def stored(tx: Transaction) -> Finding:
    """I2: each stored balance is the sum of its legs."""
    check = Check(tx, "I2", "stored balances are the sum of their legs, every account")
    check.counted("select count(*) from ledger_account")
    check.none(
        "select s.id, format('account %s: %s stores %s, its legs sum to %s', s.name, p.pocket, p.kept,"  # noqa: S608 - our own words
        " p.legs)"
        f" from ({_SUMS}) s cross join lateral (values ('available', s.available, s.sum_available),"
        " ('escrow', s.escrow, s.sum_escrow), ('held', s.held, s.sum_held)) as p (pocket, kept, legs)"
        " where p.kept <> p.legs",
    )
    check.none(
        "select l.entry_id, format('entry %s: leg #%s is on account #%s, which does not exist',"
        " e.ref, l.id, l.account_id) from journal_leg l left join journal_entry e on e.id = l.entry_id"
        " where not exists (select 1 from ledger_account a where a.id = l.account_id)",
    )
    accounts_are_named(check)
    return check.finding()


def frozen(tx: Transaction) -> Finding:
    """I3: an acceptor's escrow is the sum of its open orders, its held part that of its open holds; so an agent's."""
    check = Check(tx, "I3", "escrow = open orders' frozen amounts, held = open holds, per acceptor and agent")
    check.counted("select count(*) from ledger_account where kind in ('acceptor', 'agent')")
    check.none(
        "select a.id, format('account %s: %s is %s, %s sum to %s', a.name, x.pocket, x.kept, x.what, x.due)"
        " from ledger_account a"
        " left join (select o.escrow_account_id as id, sum(o.usdt_units) as units from orders o"
        "             where o.state in ('offered', 'awaiting_payment', 'paid_claimed') and not exists"
        "                   (select 1 from hold h where h.order_id = o.id and h.closed_at is null)"
        "             group by 1) o on o.id = a.id"
        " left join (select h.account_id as id, sum(h.units) as units from hold h where h.closed_at is null"
        "             group by 1 union all select account_id, units from commission_hold where closed_at is null)"
        "      h on h.id = a.id"
        " cross join lateral (values ('escrow', 'open orders', a.escrow, coalesce(o.units, 0)),"
        "                            ('held', 'open holds', a.held, coalesce(h.units, 0)))"
        "       as x (pocket, what, kept, due)"
        " where x.kept <> x.due",
    )
    check.none(
        "select o.id, format('order %s is %s but has no account its USDT is frozen on', o.ref, o.state)"
        " from orders o where o.state in ('offered', 'awaiting_payment', 'paid_claimed')"
        " and (o.escrow_account_id is null"
        "      or not exists (select 1 from ledger_account a where a.id = o.escrow_account_id))",
    )
    check.none(
        "select p.id, format('agent %s is %s and %s, its commission has %s', p.code, p.state,"
        " case when g.held then 'held' else 'not held' end, case when h.id is null then 'no hold' else 'hold ' || h.ref"
        " end) from agent g join party p on p.id = g.party_id"
        " left join commission_hold h on h.agent_id = g.party_id and h.closed_at is null"
        " where g.held <> (h.id is not null) or (p.state in ('suspended', 'barred') and h.id is null)",
    )
    check.none(
        "select h.id, format('hold %s is open on order %s, which is %s', h.ref, o.ref, o.state)"
        " from hold h join orders o on o.id = h.order_id where h.closed_at is null and o.state <>"
        " 'paid_claimed'",
    )
    holds_are_there(check)
    return check.finding()


def above_zero(tx: Transaction) -> Finding:
    """I4: nobody but the house is below zero, in any pocket."""
    check = Check(tx, "I4", "no balance below zero, but the house's")
    check.counted("select count(*) from ledger_account where kind <> 'house'")
    check.none(
        f"select s.id, format('account %s: %s is %s', s.name, p.pocket, p.units) from ({_SUMS})"  # noqa: S608 - our own words
        " s"
        " cross join lateral (values ('available', s.available + s.waiting), ('escrow', s.escrow), ('held',"
        " s.held))"
        "       as p (pocket, units)"
        " where s.kind <> 'house' and p.units < 0",
    )
    return check.finding()


def covered(tx: Transaction) -> Finding:
    """I9: what is owed to everybody equals what custody holds, per asset."""
    check = Check(tx, "I9", "liabilities + fees + commissions + reserves = custody, per asset")
    check.counted("select count(distinct asset) from ledger_account")
    check.none(
        "select 0, format('%s: custody holds %s, %s are owed: a difference of %s',"  # noqa: S608 - our own words
        " asset,"
        "        -sum(units) filter (where name = 'house:custody'), sum(units) filter (where name <>"
        " 'house:custody'),"
        "        sum(units))"
        " from (select s.asset, s.name, s.available + s.waiting + s.escrow + s.held as units from"
        f" ({_SUMS}) s) b"
        " group by asset having sum(units) <> 0",
    )
    entries_are_explained(check)
    return check.finding()
