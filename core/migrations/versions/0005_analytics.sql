-- An agent sees the orders opened under its subtree, whatever became of the tree since: so do its figures.
alter table rollup_hour add column agent_id bigint not null default 0;
alter table rollup_hour drop constraint rollup_hour_pkey;
alter table rollup_hour add primary key (hour, kind, currency, pool_id, merchant_id, acceptor_id, agent_id);
-- Commission reports read a period, or an agent's, in the order of earning.
create index commission_line_accrued on commission_line (accrued_at, id);
