-- Rollups: what each fact of the feed adds to which row, in one place; advancing and rebuilding both read it.

-- Their rows follow the tables, which `create or replace` could not change.
drop function if exists rollup_hours(xid8, xid8);
drop function if exists rollup_commission_days(xid8, xid8);
drop function if exists rollup_commission_paths(xid8, xid8);
drop function if exists rollup_alert_days(xid8, xid8);
drop function if exists rollup_alert_orders(xid8, xid8);
drop function if exists rollup_alert_moves(xid8, xid8);

-- What the order events of the transactions from p_from up to (not with) p_to add, by hour of the event (UTC).
-- `created` belongs to the acceptor who takes the order: when one is found later, it moves there.
-- An imported order has one event and adds to the hours of the order's own times.
create or replace function rollup_hours(p_from xid8, p_to xid8)
returns table (hour timestamptz, kind text, currency text, pool_id bigint, merchant_id bigint, acceptor_id bigint,
    created bigint, matched bigint, claimed bigint, completed bigint, expired bigint, cancelled bigint, refused bigint,
    refunded bigint, no_liquidity bigint, created_usdt_units bigint, usdt_units bigint, fiat_units bigint,
    fee_units bigint, settle_seconds bigint, agent_id bigint)
language sql stable as $$
    with fed as (
        select b.* from outbox b
         where b.xid >= p_from and b.xid < p_to and b.order_id is not null and b.to_state is not null),
    counted as (
        select b.order_id, b.happened_at as at, b.acceptor_id, b.to_state as what, 1 as n from fed b where b.event <> 'import'
        union all
        select b.order_id, o.created_at, move.acceptor_id, 'created', move.n
          from fed b
          join orders o on o.id = b.order_id
          join lateral (select p.acceptor_id from outbox p
                         where p.order_id = b.order_id and p.id <> b.id and p.to_state in ('created', 'offered', 'awaiting_payment')
                           and (p.created_at, p.id) < (b.created_at, b.id)
                         order by p.created_at desc, p.id desc limit 1) before on before.acceptor_id is distinct from b.acceptor_id
         cross join lateral (values (before.acceptor_id, -1), (b.acceptor_id, 1)) as move (acceptor_id, n)
         where b.event <> 'import' and b.to_state in ('offered', 'awaiting_payment')
        union all
        select b.order_id, t.at, o.acceptor_id, t.what, 1
          from fed b
          join orders o on o.id = b.order_id
         cross join lateral (values ('created', o.created_at), ('awaiting_payment', o.matched_at), ('paid_claimed', o.claimed_at),
                  (o.state, case when o.state not in ('created', 'awaiting_payment', 'paid_claimed')
                                 then coalesce(o.completed_at, o.ended_at, o.claimed_at, o.created_at) end)) as t (what, at)
         where b.event = 'import' and t.at is not null)
    select date_trunc('hour', c.at, 'UTC'), o.kind, o.currency, o.pool_id, o.merchant_id, coalesce(c.acceptor_id, 0),
           sum(case when c.what = 'created' then c.n else 0 end),
           sum(case when c.what = 'awaiting_payment' then c.n else 0 end),
           sum(case when c.what = 'paid_claimed' then c.n else 0 end),
           sum(case when c.what = 'completed' then c.n else 0 end),
           sum(case when c.what = 'expired' then c.n else 0 end),
           sum(case when c.what = 'cancelled' then c.n else 0 end),
           sum(case when c.what = 'refused' then c.n else 0 end),
           sum(case when c.what = 'refunded' then c.n else 0 end),
           sum(case when c.what = 'no_liquidity' then c.n else 0 end),
           sum(case when c.what = 'created' then c.n * o.usdt_units else 0 end)::bigint,
           sum(case when c.what = 'completed' then o.usdt_units else 0 end)::bigint,
           sum(case when c.what = 'completed' then o.fiat_units else 0 end)::bigint,
           sum(case when c.what = 'completed' then o.fee_units else 0 end)::bigint,
           sum(case when c.what = 'completed' then coalesce(floor(extract(epoch from o.completed_at - o.claimed_at)), 0) else 0 end)::bigint,
           coalesce(o.agent_id, 0)
      from counted c join orders o on o.id = c.order_id
     group by 1, 2, 3, 4, 5, 6, coalesce(o.agent_id, 0)
    -- What came and moved on adds nothing.
    having count(*) filter (where c.what not in ('created', 'matching', 'offered')) > 0
        or sum(case when c.what = 'created' then c.n else 0 end) <> 0
        or sum(case when c.what = 'created' then c.n * o.usdt_units else 0 end) <> 0
$$;

-- Commission lines of those transactions, by the UTC day they were earned.
create or replace function rollup_commission_days(p_from xid8, p_to xid8)
returns table (day date, agent_id bigint, level smallint, plan_version_id bigint, lines bigint, base_units bigint, units bigint)
language sql stable as $$
    select (c.accrued_at at time zone 'UTC')::date, c.agent_id, c.level, c.plan_version_id, count(*),
           sum(c.base_units)::bigint, sum(c.units)::bigint
      from commission_line c where c.xid >= p_from and c.xid < p_to group by 1, 2, 3, 4
$$;

-- The orders those lines were earned on, each once whatever the number of its levels, by the agents that shared in it
-- (the direct one first) and their plan versions. An order's lines are all written by the one transaction that releases it.
create or replace function rollup_commission_paths(p_from xid8, p_to xid8)
returns table (day date, agents bigint[], plan_versions bigint[], orders bigint, base_units bigint)
language sql stable as $$
    select o.day, o.agents, o.plan_versions, count(*), sum(o.base_units)::bigint
      from (select (min(c.accrued_at) at time zone 'UTC')::date as day, max(c.base_units) as base_units,
                   array_agg(c.agent_id order by c.level, c.agent_id) as agents,
                   array_agg(c.plan_version_id order by c.level, c.agent_id) as plan_versions
              from commission_line c where c.xid >= p_from and c.xid < p_to group by c.order_id) o
     group by 1, 2, 3
$$;

-- The acceptor an order had for the transactions before p_to, 0 for none: the last its events tell. An imported order
-- has one event, and its acceptor from the start.
create or replace function rollup_acceptor(p_order bigint, p_to xid8) returns bigint language sql stable as $$
    select coalesce((select case when o.source = 'import' then o.acceptor_id else last.acceptor_id end
      from orders o
      left join lateral (select p.acceptor_id from outbox p
                          where p.order_id = o.id and p.xid < p_to and p.to_state in ('created', 'offered', 'awaiting_payment')
                          order by p.created_at desc, p.id desc limit 1) last on true
     where o.id = p_order), 0)
$$;

-- The orders with alerts that those transactions gave another acceptor.
create or replace function rollup_alert_moves(p_from xid8, p_to xid8)
returns table (order_id bigint, acceptor_before bigint, acceptor_id bigint)
language sql stable as $$
    select m.* from (
        select t.order_id, rollup_acceptor(t.order_id, p_from) as acceptor_before, rollup_acceptor(t.order_id, p_to) as acceptor_id
          from (select b.order_id from outbox b
                 where b.xid >= p_from and b.xid < p_to and b.to_state in ('created', 'offered', 'awaiting_payment')
                   and exists (select 1 from alert a where a.order_id = b.order_id and a.xid < p_from)
                 group by 1) t) m
     where m.acceptor_before <> m.acceptor_id
$$;

-- Alerts raised or closed by those transactions. Both count on the UTC day the alert was raised, so that precision
-- compares decisions with the very alerts they are about; and for the acceptor who serves the order, to whom alerts
-- raised before it was found move: figures are those of the rows they open, which tell the order's acceptor.
create or replace function rollup_alert_days(p_from xid8, p_to xid8)
returns table (day date, rule text, verdict text, currency text, merchant_id bigint, acceptor_id bigint, raised bigint,
    false_positive bigint, confirmed bigint, closed bigint, decide_seconds bigint)
language sql stable as $$
    with ended as materialized (
        select b.subject as ref, b.xid from outbox b where b.topic = 'alert.closed' and b.xid >= p_from),
    happened as (
        select a.id, 1 as raised, 0 as closed, rollup_acceptor(a.order_id, p_to) as acceptor_id
          from alert a where a.xid >= p_from and a.xid < p_to
        union all
        select a.id, 0, 1, rollup_acceptor(a.order_id, p_to)
          from ended e join alert a on a.ref = e.ref where e.xid < p_to
        union all
        select a.id, move.n, case when a.state = 'closed' and not exists (select 1 from ended e where e.ref = a.ref) then move.n else 0 end,
               move.acceptor_id
          from rollup_alert_moves(p_from, p_to) m
          join alert a on a.order_id = m.order_id and a.xid < p_from
         cross join lateral (values (m.acceptor_before, -1), (m.acceptor_id, 1)) as move (acceptor_id, n))
    select (a.raised_at at time zone 'UTC')::date, a.rule, a.verdict, o.currency, o.merchant_id, h.acceptor_id,
           sum(h.raised),
           sum(case when a.disposition in ('false_positive', 'explained') then h.closed else 0 end),
           sum(case when a.disposition like 'confirmed%' then h.closed else 0 end),
           sum(h.closed),
           sum(case when h.closed <> 0 then h.closed * coalesce(floor(extract(epoch from a.closed_at - a.raised_at)), 0) else 0 end)::bigint
      from happened h
      join alert a on a.id = h.id
      join orders o on o.id = a.order_id
     group by 1, 2, 3, 4, 5, 6
    having sum(h.raised) <> 0 or sum(h.closed) <> 0
$$;

-- The orders those alerts are about, each once whatever the number of its alerts: by the days and rules of all of them,
-- so that whoever asks for some days or one rule finds the order once. A further alert, or another acceptor, moves it.
create or replace function rollup_alert_orders(p_from xid8, p_to xid8)
returns table (days date[], rules text[], currency text, merchant_id bigint, acceptor_id bigint, orders bigint, usdt_units bigint)
language sql stable as $$
    with touched as (
        select a.order_id from alert a where a.xid >= p_from and a.xid < p_to
        union
        select m.order_id from rollup_alert_moves(p_from, p_to) m),
    told as (
        select t.order_id, side.n, rollup_acceptor(t.order_id, side.upto) as acceptor_id, its.days, its.rules
          from touched t
         cross join lateral (values (p_from, -1), (p_to, 1)) as side (upto, n)
         cross join lateral (select array_agg(x.day order by x.day, x.rule) as days, array_agg(x.rule order by x.day, x.rule) as rules
                               from (select distinct (a.raised_at at time zone 'UTC')::date as day, a.rule
                                       from alert a where a.order_id = t.order_id and a.xid < side.upto) x) its
         where its.days is not null)
    select t.days, t.rules, o.currency, o.merchant_id, t.acceptor_id, sum(t.n), sum(t.n * o.usdt_units)::bigint
      from told t join orders o on o.id = t.order_id
     group by 1, 2, 3, 4, 5
    having sum(t.n) <> 0 or sum(t.n * o.usdt_units) <> 0
$$;

create or replace function rollup_add(p_hours_from xid8, p_commission_from xid8, p_alert_from xid8, p_to xid8) returns void
language plpgsql as $$
declare v_empty tid[];
begin
    with added as (
    insert into rollup_hour as r (hour, kind, currency, pool_id, merchant_id, acceptor_id, created, matched, claimed, completed,
        expired, cancelled, refused, refunded, no_liquidity, created_usdt_units, usdt_units, fiat_units, fee_units, settle_seconds,
        agent_id)
    select h.* from rollup_hours(p_hours_from, p_to) h order by 1, 2, 3, 4, 5, 6, h.agent_id
    on conflict (hour, kind, currency, pool_id, merchant_id, acceptor_id, agent_id) do update
       set created = r.created + excluded.created, matched = r.matched + excluded.matched, claimed = r.claimed + excluded.claimed,
           completed = r.completed + excluded.completed, expired = r.expired + excluded.expired,
           cancelled = r.cancelled + excluded.cancelled, refused = r.refused + excluded.refused,
           refunded = r.refunded + excluded.refunded, no_liquidity = r.no_liquidity + excluded.no_liquidity,
           created_usdt_units = r.created_usdt_units + excluded.created_usdt_units, usdt_units = r.usdt_units + excluded.usdt_units,
           fiat_units = r.fiat_units + excluded.fiat_units, fee_units = r.fee_units + excluded.fee_units,
           settle_seconds = r.settle_seconds + excluded.settle_seconds
     returning r.ctid, r.created = 0 and r.matched = 0 and r.claimed = 0 and r.completed = 0 and r.expired = 0 and r.cancelled = 0
               and r.refused = 0 and r.refunded = 0 and r.no_liquidity = 0 and r.created_usdt_units = 0 as is_empty)
    select array_agg(ctid) into v_empty from added where is_empty;
    -- A row whose orders all moved to the acceptors who took them later is as if it had never been.
    delete from rollup_hour where ctid = any (v_empty);
    insert into rollup_commission_day as r (day, agent_id, level, plan_version_id, lines, base_units, units)
    select c.* from rollup_commission_days(p_commission_from, p_to) c order by 1, 2, 3, 4
    on conflict (day, agent_id, level, plan_version_id) do update
       set lines = r.lines + excluded.lines, base_units = r.base_units + excluded.base_units, units = r.units + excluded.units;
    insert into rollup_commission_path_day as r (day, agents, plan_versions, orders, base_units)
    select c.* from rollup_commission_paths(p_commission_from, p_to) c order by 1, 2, 3
    on conflict (day, agents, plan_versions) do update
       set orders = r.orders + excluded.orders, base_units = r.base_units + excluded.base_units;
    with added as (
    insert into rollup_alert_day as r (day, rule, verdict, currency, merchant_id, acceptor_id, raised, false_positive, confirmed,
        closed, decide_seconds)
    select a.* from rollup_alert_days(p_alert_from, p_to) a order by 1, 2, 3, 4, 5, 6
    on conflict (day, rule, verdict, currency, merchant_id, acceptor_id) do update
       set raised = r.raised + excluded.raised, false_positive = r.false_positive + excluded.false_positive,
           confirmed = r.confirmed + excluded.confirmed, closed = r.closed + excluded.closed,
           decide_seconds = r.decide_seconds + excluded.decide_seconds
     returning r.ctid, r.raised = 0 and r.closed = 0 as is_empty)
    select array_agg(ctid) into v_empty from added where is_empty;
    delete from rollup_alert_day where ctid = any (v_empty);
    with added as (
    insert into rollup_alert_order as r (days, rules, currency, merchant_id, acceptor_id, orders, usdt_units)
    select a.* from rollup_alert_orders(p_alert_from, p_to) a order by 1, 2, 3, 4, 5
    on conflict (days, rules, currency, merchant_id, acceptor_id) do update
       set orders = r.orders + excluded.orders, usdt_units = r.usdt_units + excluded.usdt_units
     returning r.ctid, r.orders = 0 and r.usdt_units = 0 as is_empty)
    select array_agg(ctid) into v_empty from added where is_empty;
    delete from rollup_alert_order where ctid = any (v_empty);
    -- Never backwards: what has been counted is not counted again.
    update watermark set done_to = greatest(done_to, p_to), moved_at = clock_timestamp() where name in ('rollup', 'rollup_alert', 'rollup_commission');
end $$;

-- Add what has been committed since last time; returns how many facts of the feed that were.
create or replace function rollup_advance() returns bigint language plpgsql as $$
declare
    v_hours xid8; v_alert xid8; v_commission xid8; v_to xid8; v_facts bigint;
begin
    perform 1 from watermark where name in ('rollup', 'rollup_alert', 'rollup_commission') order by name for update;
    select done_to into v_hours from watermark where name = 'rollup';
    select done_to into v_alert from watermark where name = 'rollup_alert';
    select done_to into v_commission from watermark where name = 'rollup_commission';
    v_to := pg_snapshot_xmin(pg_current_snapshot());
    select count(*) into v_facts from outbox where xid >= v_hours and xid < v_to;
    perform rollup_add(v_hours, v_commission, v_alert, v_to);
    return v_facts;
end $$;

-- Throw the rollups away and count all of the feed again; the result is the same, row by row.
create or replace function rollup_rebuild() returns bigint language plpgsql as $$
declare
    v_to xid8; v_facts bigint;
begin
    perform 1 from watermark where name in ('rollup', 'rollup_alert', 'rollup_commission') order by name for update;
    v_to := pg_snapshot_xmin(pg_current_snapshot());
    delete from rollup_hour;
    delete from rollup_commission_day;
    delete from rollup_commission_path_day;
    delete from rollup_alert_day;
    delete from rollup_alert_order;
    select count(*) into v_facts from outbox where xid < v_to;
    perform rollup_add('0', '0', '0', v_to);
    return v_facts;
end $$;
