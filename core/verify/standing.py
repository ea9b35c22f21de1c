"""Orders where they stand: whose move it is, held or free, until when, by which quote, with whose reserve.

Columns that steps keep beside the trail, so that nobody has to read it. Changed by themselves they would keep an order
for ever, or let it go: here each is asked what its order's other rows say of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.orders.states import NEXT_ACTOR

if TYPE_CHECKING:
    from core.verify.finding import Check

_MOVERS: Final = " ".join(f"when '{state}' then '{mover}'" for state, mover in NEXT_ACTOR.items())

# A claimed order is compliance's while it is held, in dispute, or kept back for review: confirmed, and not paid out.
_STANDS: Final = f"""
select o.id, format('order %s is %s: %s', o.ref, o.state, x.fault) from orders o
  left join (select order_id, count(*) as held from hold where closed_at is null group by 1) h on h.order_id = o.id
  left join (select order_id, count(*) as alerts from alert where state <> 'closed' and verdict <> 'allow' group by 1) a
    on a.order_id = o.id
 cross join lateral (select case when o.state = 'paid_claimed'
                                  and (o.risk_state = 'held' or o.dispute_state = 'open'
                                       or o.received_units is not null)
                                 then 'compliance' else case o.state {_MOVERS} end end as mover) m
 cross join lateral (select case
   when (o.risk_state = 'held') <> (h.held is not null) then
        format('its risk is %s, and %s holds of it are open', o.risk_state, coalesce(h.held, 0))
   when o.risk_state = 'clear' and a.alerts > 0 then format('its risk is clear, and %s alerts of it are open', a.alerts)
   when o.risk_state = 'refused' and o.ended_at is null then 'its risk is refused, and it has not ended'
   when o.next_actor <> m.mover then format('the next move is %s''s, not %s''s', m.mover, o.next_actor) end as fault) x
 where x.fault is not null
"""  # noqa: S608 - our own words

# A claim moves the order's own deadline only, by the pool's time to confirm (which no command changes): all that reads
# deadlines by the sweep's table finds the order earlier, never later.
_DEADLINES: Final = """
select coalesce(o.id, w.order_id), format('order %s: its deadline is %s, the sweep knows %s',
       coalesce(o.ref, '#' || w.order_id), coalesce(o.deadline_at::text, 'none'), coalesce(w.deadline_at::text, 'none'))
  from (select o.id, o.ref, o.deadline_at, case when o.state = 'paid_claimed'
               then o.claimed_at + make_interval(secs => l.confirm_seconds) end as claimed_until
          from orders o left join pool l on l.id = o.pool_id where o.deadline_at is not null) o
  full join order_waiting w on w.order_id = o.id
 where (o.deadline_at = w.deadline_at
        or (o.deadline_at > w.deadline_at and o.deadline_at = o.claimed_until)) is not true
"""

# Whose reserve is frozen is whom the trail names, who was chosen, and whose bank account the customer pays to.
_MATCHED: Final = """
select o.id, format('order %s is of acceptor %s, %s', o.ref, coalesce('#' || o.acceptor_id, 'nobody'), x.fault)
  from orders o
  left join (select order_id, min(acceptor_id) as least, max(acceptor_id) as most, count(*) as matched from outbox
              where event = 'match' group by 1) t on t.order_id = o.id
  left join ledger_account a on a.id = o.escrow_account_id
  left join pool_account b on b.id = o.pool_account_id
  left join dispatch d on d.order_id = o.id and d.attempt = o.attempts
 cross join lateral (select case
   when o.acceptor_id is distinct from t.least or t.least <> t.most then
        format('the audit trail matched it with %s', coalesce('#' || t.most, 'nobody'))
   when o.acceptor_id is null then
        case when num_nonnulls(o.escrow_account_id, o.pool_account_id, o.matched_at) > 0 then 'and is matched' end
   when a.party_id is distinct from o.acceptor_id then format('its escrow is on %s', coalesce(a.name, 'no account'))
   when (b.acceptor_id, b.account_id, b.pool_id) is distinct from (o.acceptor_id, o.escrow_account_id, o.pool_id) then
        format('account #%s of its pool is not', coalesce(o.pool_account_id::text, 'none'))
   when d.chosen_acceptor_id is distinct from o.acceptor_id then
        format('%s was chosen', coalesce('#' || d.chosen_acceptor_id, 'nobody')) end as fault) x
 where o.source <> 'import' and x.fault is not null
"""

# What the quote froze, and whom the merchant belongs to: no command gives a merchant to another agent.
_AS_QUOTED: Final = """
select o.id, format('order %s: %s', o.ref, x.fault)
  from orders o left join quote q on q.id = o.quote_id left join merchant m on m.party_id = o.merchant_id
 cross join lateral (select case
   when o.quote_id is null then 'it has no quote'
   when (q.rate_price, q.currency, q.pool_id, q.kind) <> (o.rate_price, o.currency, o.pool_id, o.kind::text) then
        format('quote %s was a %s of pool #%s at %s %s; the order has %s, #%s, %s %s', q.ref, q.kind, q.pool_id,
               q.rate_price, q.currency, o.kind, o.pool_id, o.rate_price, o.currency)
   when o.created_at not between q.created_at and q.expires_at then
        format('it was opened %s, quote %s was good from %s to %s', o.created_at, q.ref, q.created_at, q.expires_at)
   when o.agent_id is distinct from m.agent_id then
        format('it is of agent %s, its merchant of %s', coalesce('#' || o.agent_id, 'nobody'),
               coalesce('#' || m.agent_id, 'nobody')) end as fault) x
 where o.source <> 'import' and x.fault is not null
"""


def orders_stand_as_moved(check: Check) -> None:
    """Add orders (I6) that stand, wait or are matched otherwise than their holds, alerts, steps and choice say."""
    for question in (_STANDS, _DEADLINES, _MATCHED):
        check.none(question)


def orders_are_as_quoted(check: Check) -> None:
    """Add orders (I10) of another rate, pool, currency or agent than their quote and their merchant."""
    check.none(_AS_QUOTED)
