-- Lists of a million orders, for less than they cost. What the money path writes is summarised or not indexed at all;
-- what ended otherwise than most, is stopped or disputed is few, and has indexes that a usual order never enters.

-- Null for an order that waits or completed. No usual step changes it, so an update of the state stays on its page.
alter table orders add column apart text generated always as (case when state in ('cancelled', 'expired', 'no_liquidity',
    'refused', 'refunded', 'reversed') then state::text end) stored;
create index orders_apart on orders (apart, ref) where apart is not null;
create index orders_risk on orders (risk_state, ref) where risk_state <> 'clear';
create index orders_disputed on orders (dispute_state, ref) where dispute_state <> 'none';

-- References sort by time: all orders, newest first, are read by theirs, and days are found by their pages.
drop index orders_recent;
drop index orders_ends;
drop index orders_pay_code;
create index orders_times on orders using brin (created_at, ended_at) with (pages_per_range = 16, autosummarize = on);
-- A payment code is looked up whole.
create index orders_pay_code on orders using brin (pay_code text_bloom_ops (n_distinct_per_range = 400, false_positive_rate = 0.001))
    with (pages_per_range = 32, autosummarize = on);

-- The feed reads by transaction, then by number: one index for both.
alter table outbox drop constraint outbox_pkey, add primary key (xid, id);
drop index outbox_xid;
-- Only rollups ask for an order's earlier facts, and only for those that name who takes it.
drop index outbox_order;
create index outbox_order on outbox (order_id) where to_state in ('created', 'offered', 'awaiting_payment');

-- Nobody looks these up by their own number, or by their order.
alter table risk_fact drop constraint risk_fact_pkey;
alter table commission_line drop constraint commission_line_pkey;
drop index evaluation_order;

-- Lines that have left the first state are few for as long as they are not paid.
create index commission_line_moved on commission_line (state, accrued_at) where state <> 'pending';

-- Keys are removed by age once an hour.
drop index idempotency_key_age;
create index idempotency_key_age on idempotency_key using brin (created_at) with (pages_per_range = 16, autosummarize = on);
