"""Money that nobody explains: each journal entry has a reason of ours, what that reason needs, and no leg beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.ledger.reasons import Reason

if TYPE_CHECKING:
    from core.verify.finding import Check

_OURS: Final = ", ".join(f"'{reason}'" for reason in Reason)

# What each reason moves, a leg at a time: on whose account, out of which pocket into which. That the legs of an entry
# sum to zero is I1, that an order's are of its amount I5 and I10.
_LEGS: Final = """
select e.id, format('entry %s (%s): %s units on %s, %s, are nothing that %s moves', e.ref, e.key, l.units, a.name,
       l.pocket, e.reason)
  from journal_leg l join journal_entry e on e.id = l.entry_id join ledger_account a on a.id = l.account_id
  left join orders o on o.id = e.order_id
 where (case e.reason
   when 'escrow_freeze' then l.account_id = o.escrow_account_id
        and l.pocket = case when l.units < 0 then 'available' else 'escrow' end
   when 'escrow_return' then l.account_id = o.escrow_account_id
        and l.pocket = case when l.units < 0 then 'escrow' else 'available' end
   when 'hold_open' then l.account_id = o.escrow_account_id
        and l.pocket = case when l.units < 0 then 'escrow' else 'held' end
   when 'hold_close' then l.account_id = o.escrow_account_id
        and l.pocket = case when l.units < 0 then 'held' else 'escrow' end
   when 'escrow_release' then case
        when l.units > 0 then l.pocket = 'available' and (a.kind <> 'house' or a.name = 'house:fees')
        when o.source <> 'import' then l.pocket = 'escrow' and l.account_id = o.escrow_account_id
        else l.pocket = 'available' and a.kind = case o.kind when 'deposit' then 'acceptor' else 'merchant' end end
   when 'reserve_topup' then l.pocket = 'available'
        and case when l.units < 0 then a.name = 'house:custody' else a.kind = 'acceptor' end
   when 'history_opening' then l.pocket = 'available'
        and case when l.units < 0 then a.name = 'house:custody' else a.kind in ('acceptor', 'merchant') end
   when 'commission_hold' then a.kind = 'agent' and l.pocket = case when l.units < 0 then 'available' else 'held' end
   when 'commission_hold_close' then a.kind = 'agent'
        and l.pocket = case when l.units < 0 then 'held' else 'available' end
   else true end) is not true
"""

# An order's entries are of an order that is there, with its ref in their key; a hold's, of that hold of that order.
_ORDERS: Final = """
select e.id, format('entry %s (%s): %s, and %s', e.ref, e.key, e.reason, x.lacks)
  from journal_entry e left join orders o on o.id = e.order_id
  left join hold h on h.order_id = e.order_id
       and e.key = h.ref || case e.reason when 'hold_open' then ':open' when 'hold_close' then ':close' end
 cross join lateral (select case
   when e.reason not like 'escrow%' and e.reason not in ('hold_open', 'hold_close') then
        case when e.order_id is not null then 'it names an order' end
   when o.id is null then 'it is of no order'
   when e.reason = 'escrow_freeze' then case
        when e.key not like o.ref || ':freeze:%' then 'its key is not order ' || o.ref || '''s'
        when o.matched_at is null or o.source = 'import' then 'order ' || o.ref || ' was never matched' end
   when e.reason in ('escrow_release', 'escrow_return') then case
        when e.key <> o.ref || case e.reason when 'escrow_release' then ':release' else ':return' end
        then 'its key is not order ' || o.ref || '''s' end
   when h.id is null then 'order ' || o.ref || ' has no such hold'
   when h.account_id <> o.escrow_account_id or h.units <> o.usdt_units then
        'hold ' || h.ref || ' is not of what order ' || o.ref || ' has in escrow'
   when e.reason = 'hold_close' and h.closed_at is null then 'hold ' || h.ref || ' is open' end as lacks) x
 where x.lacks is not null
"""

# A top-up is what two have agreed on, and what the trail says was booked. Arrivals of the days before had the acceptor
# in their key and one person: none of those came after the first of these.
_TOPUPS: Final = """
select e.id, format('entry %s (%s): %s units to %s, and %s', e.ref, e.key, l.units, a.name, x.lacks)
  from journal_entry e join journal_leg l on l.entry_id = e.id and l.units > 0
  join ledger_account a on a.id = l.account_id left join party p on p.id = a.party_id
  left join (select w.subject, w.details ->> 'entry' as entry, (w.details ->> 'usdt_units')::bigint as units
               from audit w where w.action = 'reserve.top_up') t on t.entry = e.ref
  left join approval q on q.kind = 'reserve_topup' and q.subject = e.key and q.state = 'approved'
 cross join lateral (select case
   when (t.subject = p.ref and t.units = l.units) is not true then
        'the audit trail says ' || coalesce(t.units || ' to ' || t.subject, 'nothing')
   when e.key not like 'topup:%' then
        case when (e.key like p.ref || ':topup:%') is not true
               or e.id > (select min(f.id) from journal_entry f
                           where f.reason = 'reserve_topup' and f.key like 'topup:%')
             then 'no request explains it' end
   when (q.payload ->> 'acceptor' = p.ref and (q.payload ->> 'units')::bigint = l.units) is not true then
        'agreed was ' || coalesce((q.payload ->> 'units') || ' to ' || (q.payload ->> 'acceptor'), 'nothing')
   end as lacks) x
 where e.reason = 'reserve_topup' and x.lacks is not null
"""

# What an agent's hold keeps is what its entries have moved into it; ended, all of it went back at once.
_HELD: Final = """
select coalesce(c.id, m.first), format('hold %s of an agent''s commission keeps %s units of account #%s%s; its entries'
       ' moved %s in and %s out', coalesce(c.ref, m.hold), coalesce(c.units::text, 'no'),
       coalesce(c.account_id, m.account_id), case when c.closed_at is not null then ', and has ended' else '' end,
       coalesce(m.kept, 0), coalesce(m.gone, 0))
  from commission_hold c
  full join (select split_part(e.key, ':', 1) as hold, l.account_id, min(e.id) as first,
                    coalesce(sum(l.units) filter (where e.reason = 'commission_hold'), 0) as kept,
                    coalesce(-sum(l.units) filter (where e.reason = 'commission_hold_close'), 0) as gone
               from journal_entry e join journal_leg l on l.entry_id = e.id and l.pocket = 'held'
              where e.reason in ('commission_hold', 'commission_hold_close') group by 1, 2) m
    on m.hold = c.ref and m.account_id = c.account_id
 where coalesce(c.units, -1) <> coalesce(m.kept, 0)
    or coalesce(m.gone, 0) <> case when c.closed_at is null then 0 else coalesce(m.kept, 0) end
"""

# What custody had to hold for past orders, beside the completed ones that came in with it: an import writes both in one
# transaction, and the trail has a row of each order with its file.
_OPENINGS: Final = """
select coalesce(m.first, 0), format('entry %s (%s): %s units are opened for party #%s; the orders that were imported'
       ' with it took %s, of file %s', coalesce(m.ref, 'nowhere'), coalesce(m.key, 'none'), coalesce(m.units, 0),
       coalesce(m.party_id, w.party_id), coalesce(w.units, 0), coalesce(w.file, 'none'))
  from (select e.xid, a.party_id, min(e.id) as first, min(e.ref) as ref, min(e.key) as key, sum(l.units) as units
          from journal_entry e join journal_leg l on l.entry_id = e.id join ledger_account a on a.id = l.account_id
         where e.reason = 'history_opening' and a.kind <> 'house' group by 1, 2) m
  full join (select t.xid, case o.kind when 'deposit' then o.acceptor_id else o.merchant_id end as party_id,
                    sum(o.usdt_units) as units, min(t.details ->> 'file') as file
               from orders o join audit t on t.order_id = o.id and t.action = 'order.import'
              where o.source = 'import' and o.completed_at is not null group by 1, 2) w
    on w.xid = m.xid and w.party_id = m.party_id
 where m.units is distinct from w.units or m.key not like 'import:' || w.file || '%'
"""


def entries_are_explained(check: Check) -> None:
    """Add entries (I9) that no command of ours would have written: money that came, went or moved without a reason."""
    check.none(
        "select e.id, format('entry %s (%s): nothing that the desk does has the reason %s', e.ref, e.key,"  # noqa: S608 - our own words
        " e.reason)"
        f" from journal_entry e where e.reason not in ({_OURS})",
    )
    for question in (_LEGS, _ORDERS, _TOPUPS, _HELD, _OPENINGS):
        check.none(question)
