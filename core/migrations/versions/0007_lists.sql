-- None of these is on a column that a step of the money path changes, but for ended_at, whose index is a
-- summary (BRIN): so every step's update still stays on its page.
create index orders_agent on orders (agent_id, created_at desc, id desc) where agent_id is not null;
create index orders_pay_code on orders (pay_code text_pattern_ops) where pay_code <> '';
create index orders_ended on orders using brin (ended_at) with (pages_per_range = 16, autosummarize = on);
