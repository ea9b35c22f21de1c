-- Read-only views for auditors and tools; names and columns are a promise.
create view v_orders as
select o.ref, o.external_ref, o.kind, o.state, o.amount_state, o.timeliness, o.dispute_state, o.risk_state,
       m.code as merchant, a.code as acceptor, g.code as agent, c.external_id as customer, o.currency,
       o.fiat_units, o.usdt_units, o.fee_units, o.created_at, o.claimed_at, o.completed_at, o.deadline_at
  from orders o
  join party m on m.id = o.merchant_id
  left join party a on a.id = o.acceptor_id
  left join party g on g.id = o.agent_id
  join customer c on c.id = o.customer_id;

create view v_journal as
select e.id as seq, e.ref as entry_ref, e.reason, e.key,
       a.name || case when a.kind = 'acceptor' then case l.pocket when 'available' then ':reserve' else ':' || l.pocket end else '' end as account,
       l.asset, l.units, e.happened_at, e.booked_at
  from journal_entry e join journal_leg l on l.entry_id = e.id join ledger_account a on a.id = l.account_id;

create view v_balances as
select a.name || case when a.kind = 'acceptor' then ':reserve' else '' end as account, a.asset,
       a.available + coalesce((select sum(l.units) from journal_leg l
         where l.account_id = a.id and leg_waits(l.xid, a.folded)), 0)::bigint as units
  from ledger_account a
union all
select a.name || ':escrow', a.asset, a.escrow from ledger_account a where a.kind = 'acceptor'
union all
select a.name || ':held', a.asset, a.held from ledger_account a where a.kind = 'acceptor';

create view v_escrow_open as
select o.ref as order_ref, p.code as acceptor, o.usdt_units
  from orders o join party p on p.id = o.acceptor_id
 where o.state in ('offered', 'awaiting_payment', 'paid_claimed')
   and not exists (select 1 from hold h where h.order_id = o.id and h.closed_at is null);

create view v_commission_lines as
select c.ref as line_ref, o.ref as order_ref, p.code as agent, c.level, pl.code || ' v' || v.version as plan_version,
       c.rate_bps, c.base_units, c.units, c.state, c.period
  from commission_line c
  join orders o on o.id = c.order_id
  join party p on p.id = c.agent_id
  join plan_version v on v.id = c.plan_version_id join plan pl on pl.id = v.plan_id;

create view v_audit as select id as seq, at, actor, action, subject, reason from audit;

create view v_outbox as
select o.id, o.topic, o.created_at,
       (select b.sent_at from outbox_batch b where o.xid >= b.from_xid and o.xid < b.to_xid limit 1) as sent_at
  from outbox o;

create view v_alerts as
select a.ref, a.rule, o.ref as order_ref, c.ref as party, a.verdict, a.raised_at as at, a.case_ref
  from alert a join orders o on o.id = a.order_id join customer c on c.id = o.customer_id;
