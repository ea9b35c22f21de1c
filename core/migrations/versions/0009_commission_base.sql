-- What commissions were earned on: each order once, by the path of agents that shared in it. Summing the lines' own
-- bases would count an order as often as it pays levels.
create table rollup_commission_path_day (
    day            date not null,
    agents         bigint[] not null,
    plan_versions  bigint[] not null,
    orders         bigint not null default 0,
    base_units     bigint not null default 0,
    primary key (day, agents, plan_versions)
);
-- Nobody adds to the rollups until the functions that know the new one are in place.
select 1 from watermark where name in ('rollup', 'rollup_alert', 'rollup_commission') order by name for update;
insert into rollup_commission_path_day (day, agents, plan_versions, orders, base_units)
select o.day, o.agents, o.plan_versions, count(*), sum(o.base_units)
  from (select (min(c.accrued_at) at time zone 'UTC')::date as day, max(c.base_units) as base_units,
               array_agg(c.agent_id order by c.level, c.agent_id) as agents,
               array_agg(c.plan_version_id order by c.level, c.agent_id) as plan_versions
          from commission_line c
         where c.xid < (select done_to from watermark where name = 'rollup_commission') group by c.order_id) o
 group by 1, 2, 3;
