"""Invariants of orders: one release or one return, a legal path, the fee exact, everything told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.verify.finding import Check, Finding
from core.verify.moments import moments_go_forward
from core.verify.owners import lines_stand_where_booked, releases_pay_the_parties
from core.verify.prices import reckoned_again
from core.verify.standing import orders_are_as_quoted, orders_stand_as_moved
from core.verify.told import the_tree_is_as_told

if TYPE_CHECKING:
    from core.db import Transaction

GRACE = "10 minutes"
"""How long after its deadline an order may still wait: the sweep comes every minute."""

_ORDERS = "select count(*) from orders"

# How often each order was frozen, released and returned, with what left or entered its escrow.
_ENTRIES = """
select order_id, count(*) filter (where reason = 'escrow_freeze') as freezes,
       count(*) filter (where reason = 'escrow_release') as releases,
       count(*) filter (where reason = 'escrow_return') as returns,
       min(key) filter (where reason = 'escrow_release') as release_key,
       min(key) filter (where reason = 'escrow_return') as return_key
  from journal_entry where order_id is not null group by order_id
"""

# The legs of each release, by who they pay: the merchant of a deposit, the acceptor of a withdrawal.
_RELEASES = """
select e.order_id, e.ref,
       coalesce(sum(l.units) filter (where l.units > 0 and a.kind = 'merchant'), 0) as merchant,
       coalesce(sum(l.units) filter (where l.units > 0 and a.kind = 'acceptor'), 0) as acceptor,
       coalesce(sum(l.units) filter (where a.name = 'house:fees'), 0) as fees,
       coalesce(sum(l.units) filter (where a.kind = 'agent'), 0) as agents
  from journal_entry e join journal_leg l on l.entry_id = e.id join ledger_account a on a.id = l.account_id
 where e.reason = 'escrow_release' group by e.order_id, e.id
"""


def ended_once(tx: Transaction) -> Finding:
    """I5: a completed order has one release, one that ended otherwise one return, never both."""
    check = Check(tx, "I5", "each order has exactly one release or one return, never both").counted(_ORDERS)
    check.none(
        "select x.id, format('order %s is %s: %s freezes, %s releases, %s returns; due are %s releases,"  # noqa: S608 - our own words
        " %s"
        " returns',"
        "        x.ref, x.state, x.freezes, x.releases, x.returns, x.due_releases, x.due_returns)"
        " from (select o.id, o.ref, o.state, coalesce(e.freezes, 0) as freezes, coalesce(e.releases, 0) as"
        " releases,"
        "              coalesce(e.returns, 0) as returns, e.release_key, e.return_key,"
        "              case when o.state in ('completed', 'reversed') then 1 else 0 end as due_releases,"
        "              case when o.state in ('cancelled', 'expired', 'refunded', 'no_liquidity', 'refused')"
        "                   then least(coalesce(e.freezes, 0), 1) else 0 end as due_returns,"
        "              o.state in ('offered', 'awaiting_payment', 'paid_claimed') as must_be_frozen"
        f"        from orders o left join ({_ENTRIES}) e on e.order_id = o.id) x"
        " where x.releases <> x.due_releases or x.returns <> x.due_returns"
        "    or (x.must_be_frozen and x.freezes = 0)"
        "    or x.release_key <> x.ref || ':release' or x.return_key <> x.ref || ':return'",
    )
    check.none(
        "select e.id, format('entry %s (%s): its order #%s does not exist', e.ref, e.key, e.order_id)"
        " from journal_entry e where e.order_id is not null"
        " and not exists (select 1 from orders o where o.id = e.order_id)",
    )
    check.none(
        "select o.id, format('order %s: entry %s moves %s units of escrow, the order is of %s',"
        "        o.ref, e.ref, sum(abs(l.units)), o.usdt_units)"
        " from journal_entry e join orders o on o.id = e.order_id join journal_leg l on l.entry_id = e.id"
        " where e.reason in ('escrow_freeze', 'escrow_release', 'escrow_return') and l.pocket = 'escrow'"
        " group by o.id, e.id having sum(abs(l.units)) <> o.usdt_units",
    )
    return check.finding()


def _listed_and_joined(check: Check) -> None:
    """Add what lists and missing foreign keys would show: each order under its own end, each reference to something."""
    check.none(
        "select id, format('order %s is %s, and listed as %s', ref, state, coalesce(apart, 'any other')) from orders"
        " where apart is distinct from order_apart(state)",
    )
    # The big table has no foreign keys (decision 0004): here is what they would have refused.
    check.none(
        "select o.id, format('order %s names a %s that is not there', o.ref, case when m.party_id is null then"
        " 'merchant' when c.id is null then 'customer' when l.id is null then 'pool' else 'acceptor' end)"
        " from orders o left join merchant m on m.party_id = o.merchant_id left join customer c on c.id = o.customer_id"
        " left join pool l on l.id = o.pool_id left join acceptor a on a.party_id = o.acceptor_id"
        " where m.party_id is null or c.id is null or l.id is null"
        " or (o.acceptor_id is not null and a.party_id is null)",
    )


def legal_path(tx: Transaction) -> Finding:
    """I6: each order walked through the published table to where it stands, none waits past its deadline.

    A walk is checked without trusting any order of rows: each step is in the table, and every state was
    entered as often as it was left, but for the present one, which was entered once more. Imported orders
    bring their end only.
    """
    check = Check(tx, "I6", "each order's path is a walk in the table, none waits past its deadline")
    check.counted(_ORDERS)
    check.none(
        "select b.order_id, format('order %s: %s -> %s by %s is no step of the life cycle',"
        "        b.subject, coalesce(b.from_state, 'nothing'), b.to_state, b.event)"
        " from outbox b where b.order_id is not null and b.to_state is not null and b.event <> 'import'"
        " and not exists (select 1 from order_steps() s where s.event = b.event and s.to_state = b.to_state"
        "                 and s.from_state is not distinct from b.from_state)",
    )
    check.none(
        "select o.id, format('order %s (%s): %s was entered %s times and left %s times',"
        "        o.ref, o.state, coalesce(w.state, 'no state'), coalesce(w.came, 0), coalesce(w.went, 0))"
        " from orders o left join ("
        "   select order_id, state, sum(came) as came, sum(went) as went from ("
        "     select order_id, to_state as state, 1 as came, 0 as went from outbox"
        "      where order_id is not null and to_state is not null"
        "     union all"
        "     select order_id, from_state, 0, 1 from outbox"
        "      where order_id is not null and to_state is not null and from_state is not null) steps"
        "    group by order_id, state) w on w.order_id = o.id"
        " where w.order_id is null or w.came - w.went <> case when w.state = o.state then 1 else 0 end",
    )
    check.none(
        "select o.id, format('order %s (%s): no event led to this state', o.ref, o.state) from orders o"
        " where exists (select 1 from outbox b where b.order_id = o.id)"
        " and not exists (select 1 from outbox b where b.order_id = o.id and b.to_state = o.state)",
    )
    check.none(
        "select o.id, 'order ' || o.ref || ' has waited in ' || o.state || ' since its deadline ' ||"
        " o.deadline_at"
        " from orders o where o.state in ('created', 'matching', 'offered', 'awaiting_payment',"
        " 'paid_claimed')"
        " and o.deadline_at < clock_timestamp() - %s::interval",
        (GRACE,),
    )
    orders_stand_as_moved(check)
    moments_go_forward(check)
    _listed_and_joined(check)
    return check.finding()


def fee_to_the_cent(tx: Transaction) -> Finding:
    """I10: what a release pays is its quoted fee and frozen split, and these are what the versions of then give."""
    check = Check(tx, "I10", "fee and commission lines = gross - net exactly, as frozen at opening")
    check.counted("select count(*) from orders where state in ('completed', 'reversed')")
    check.none(
        "select o.id, format('order %s (entry %s): merchant %s, acceptor %s, fees %s, agents %s;"  # noqa: S608 - our own words
        " due are %s for the %s and %s of fees in all', o.ref, r.ref, r.merchant, r.acceptor, r.fees, r.agents,"
        " o.usdt_units - o.fee_units, case o.kind when 'deposit' then 'merchant' else 'acceptor' end,"
        " o.fee_units)"
        f" from ({_RELEASES}) r join orders o on o.id = r.order_id"
        " where case o.kind when 'deposit' then r.merchant else r.acceptor end <> o.usdt_units - o.fee_units"
        "    or case o.kind when 'deposit' then r.acceptor else r.merchant end <> 0"
        "    or r.fees + r.agents <> o.fee_units or r.fees < 0",
    )
    check.none(
        "select coalesce(c.order_id, l.order_id), format('order #%s: commission lines give account #%s %s"
        " units,"
        " the release %s', coalesce(c.order_id, l.order_id), coalesce(c.account_id, l.account_id),"
        "        coalesce(c.units, 0), coalesce(l.units, 0))"
        " from (select c.order_id, a.id as account_id, sum(c.units) as units from commission_line c"
        "         left join ledger_account a on a.party_id = c.agent_id and a.asset = 'USDT'"
        "        where c.units <> 0 group by 1, 2) c"
        " full join (select e.order_id, l.account_id, sum(l.units) as units from journal_entry e"
        "              join journal_leg l on l.entry_id = e.id join ledger_account a on a.id = l.account_id"
        "             where e.reason = 'escrow_release' and a.kind = 'agent' group by 1, 2) l"
        "   on l.order_id = c.order_id and l.account_id = c.account_id"
        " where coalesce(c.units, 0) <> coalesce(l.units, 0)",
    )
    check.none(
        "select c.id, format('commission line %s (order %s): %s units of %s at %s bps are not what was frozen"
        " when the order was opened', c.ref, o.ref, c.units, c.base_units, c.rate_bps)"
        " from commission_line c join orders o on o.id = c.order_id"
        " where c.base_units <> o.usdt_units or c.units * 10000 > c.base_units * c.rate_bps"
        "    or (o.source <> 'import' and not exists (select 1 from jsonb_array_elements(o.split) s"
        "          where (s ->> 'agent_id')::bigint = c.agent_id and (s ->> 'level')::int = c.level"
        "            and (s ->> 'plan_version_id')::bigint = c.plan_version_id"
        "            and (s ->> 'units')::bigint = c.units and (s ->> 'rate_bps')::int = c.rate_bps"
        "            and (s ->> 'own_bps')::int = c.own_bps and (s ->> 'below_bps')::int = c.below_bps))",
    )
    check.none(
        "select o.id, format('order %s: quote %s said gross %s, fee %s; the order has %s, %s',"
        "        o.ref, q.ref, q.usdt_units, q.fee_units, o.usdt_units, o.fee_units)"
        " from orders o join quote q on q.id = o.quote_id"
        " where q.usdt_units <> o.usdt_units or q.fee_units <> o.fee_units or q.fiat_units <> o.fiat_units"
        "    or q.fee_schedule_id is distinct from o.fee_schedule_id or q.merchant_id <> o.merchant_id",
    )
    check.none(
        "select c.id, format('commission line %s: plan version #%s was not in force when order %s was"
        " opened',"
        "        c.ref, c.plan_version_id, o.ref)"
        " from commission_line c join orders o on o.id = c.order_id join plan_version v on v.id ="
        " c.plan_version_id"
        " where v.effective_from > o.created_at",
    )
    releases_pay_the_parties(check)
    lines_stand_where_booked(check)
    orders_are_as_quoted(check)
    the_tree_is_as_told(check)
    reckoned_again(check)
    return check.finding()


def told_once(tx: Transaction) -> Finding:
    """I12: each change of an order is told once, in the audit trail, whose row the outbox shows."""
    check = Check(tx, "I12", "each state change has exactly one audit row and one outbox event")
    check.counted("select count(*) from outbox where order_id is not null")
    # What an order says of itself is told as often as it happened. A step's row of the trail is its event too (decision
    # 0023): one cannot be there without the other.
    check.none(
        "select o.id, format('order %s: %s is %s times in the audit trail, not %s', o.ref, t.what, t.told, t.due)"
        " from orders o left join (select order_id, count(*) filter (where event = 'open') as opened,"
        "        count(*) filter (where to_state = 'paid_claimed') as claimed,"
        "        count(*) filter (where to_state = 'completed') as completed"
        "   from outbox where order_id is not null group by 1) e on e.order_id = o.id"
        " cross join lateral (values ('open', coalesce(e.opened, 0), 1),"
        "    ('paid_claimed', coalesce(e.claimed, 0), (o.claimed_at is not null)::int),"
        "    ('completed', coalesce(e.completed, 0), (o.completed_at is not null)::int)) as t (what, told, due)"
        " where o.source <> 'import' and t.told <> t.due",
    )
    # Imported orders, and steps of before that decision, have a row in each table, and both say the same.
    check.none(
        "select coalesce(t.order_id, a.order_id), format('order %s: %s (%s -> %s) is %s times in the"
        " outbox, %s times"
        " in the audit trail', coalesce(t.ref, a.ref), coalesce(t.topic, a.topic), coalesce(t.before,"
        " a.before),"
        "        coalesce(t.after, a.after), coalesce(t.n, 0), coalesce(a.n, 0))"
        " from (select order_id, topic, coalesce(from_state, '') as before, coalesce(to_state, '') as after,"
        "              max(subject) as ref, count(*) as n"
        "         from notice where order_id is not null and topic like 'order.%' group by 1, 2, 3, 4) t"
        " full join (select order_id, action as topic, coalesce(from_state, '') as before,"
        "                   coalesce(to_state, '') as after, max(subject) as ref, count(*) as n"
        "              from audit where order_id is not null and event is null and action like 'order.%'"
        "             group by 1, 2, 3, 4) a"
        "   on a.order_id = t.order_id and a.topic = t.topic and a.before = t.before and a.after = t.after"
        " where coalesce(t.n, 0) <> coalesce(a.n, 0)",
    )
    check.none(
        "select b.id, format('outbox #%s (%s %s): there is no such order', b.id, b.topic, b.subject) from"
        " outbox b"
        " where b.order_id is not null and not exists (select 1 from orders o where o.id = b.order_id)",
    )
    return check.finding()
