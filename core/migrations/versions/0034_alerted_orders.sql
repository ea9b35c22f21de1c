-- Orders with alerts, each once: summing what each alert has of USDT would count an order as often as it has alerts.
create table rollup_alert_order (
    days         date[] not null,
    rules        text[] not null,
    currency     text not null,
    merchant_id  bigint not null,
    acceptor_id  bigint not null,
    orders       bigint not null default 0,
    usdt_units   bigint not null default 0,
    primary key (days, rules, currency, merchant_id, acceptor_id)
);
-- Three questions of each step ask which alerts are new; without it they read all there ever were.
create index alert_xid on alert (xid);
alter table rollup_alert_day drop column usdt_units;
-- Nobody adds to the rollups until the functions that know the new one are in place.
select 1 from watermark where name in ('rollup', 'rollup_alert', 'rollup_commission') order by name for update;
delete from rollup_alert_day;
-- The acceptor of each alerted order for what has been counted so far: the last its events tell.
create temporary table counted on commit drop as
select a.id, a.order_id, (a.raised_at at time zone 'UTC')::date as day, a.rule, a.verdict, o.currency, o.merchant_id, o.usdt_units,
       coalesce(case when o.source = 'import' then o.acceptor_id else last.acceptor_id end, 0) as acceptor_id,
       a.disposition, floor(extract(epoch from a.closed_at - a.raised_at)) as seconds,
       a.state = 'closed' and not exists (select 1 from outbox b where b.topic = 'alert.closed' and b.xid >= w.done_to and b.subject = a.ref)
           as closed
  from watermark w
  join alert a on a.xid < w.done_to
  join orders o on o.id = a.order_id
  left join lateral (select p.acceptor_id from outbox p
                      where p.order_id = o.id and p.xid < w.done_to and p.to_state in ('created', 'offered', 'awaiting_payment')
                      order by p.created_at desc, p.id desc limit 1) last on true
 where w.name = 'rollup_alert';
insert into rollup_alert_day (day, rule, verdict, currency, merchant_id, acceptor_id, raised, false_positive, confirmed, closed,
       decide_seconds)
select day, rule, verdict, currency, merchant_id, acceptor_id, count(*),
       count(*) filter (where closed and disposition in ('false_positive', 'explained')),
       count(*) filter (where closed and starts_with(disposition, 'confirmed')), count(*) filter (where closed),
       coalesce(sum(seconds) filter (where closed), 0)
  from counted group by 1, 2, 3, 4, 5, 6;
insert into rollup_alert_order (days, rules, currency, merchant_id, acceptor_id, orders, usdt_units)
select days, rules, currency, merchant_id, acceptor_id, count(*), sum(usdt_units)
  from (select order_id, currency, merchant_id, acceptor_id, usdt_units, array_agg(day order by day, rule) as days,
               array_agg(rule order by day, rule) as rules
          from (select distinct order_id, currency, merchant_id, acceptor_id, usdt_units, day, rule from counted) each
         group by 1, 2, 3, 4, 5) orders
 group by 1, 2, 3, 4, 5;
