-- None of these is on a column that a step of the money path changes, but for those of the last one, which is
-- a summary (BRIN): so every step's update still stays on its page.
create index orders_agent on orders (agent_id, created_at desc, id desc) where agent_id is not null;
create index orders_pay_code on orders (pay_code) where pay_code <> '';
-- Finds the pages of what ended on a day, and of the few orders that ended otherwise than most.
create index orders_ends on orders using brin (ended_at, state text_bloom_ops, risk_state text_bloom_ops)
    with (pages_per_range = 8, autosummarize = on);
