-- The steps of orders are the many rows of the trail and are found by their order; all others by their subject.
create index audit_about on audit (subject text_pattern_ops, id desc) where to_state is null;
-- A summary (BRIN) costs an order's step next to nothing; rows arrive in the order of time.
create index audit_at on audit using brin (at) with (pages_per_range = 32, autosummarize = on);
-- An account number is looked up whatever its party, at adding and by the search.
create index bank_account_blind on bank_account (blind);
-- What each party did lately is summed for a list from this index alone, without reading the rollup's rows.
create index rollup_hour_lately on rollup_hour (hour)
    include (merchant_id, acceptor_id, agent_id, created, matched, claimed, completed, usdt_units);
