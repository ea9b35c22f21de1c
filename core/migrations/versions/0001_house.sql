-- The house's own accounts and the first versions of what is versioned.
alter table pool_account add constraint pool_account_account_fkey foreign key (account_id) references ledger_account;
insert into ledger_account (id, name, kind, asset) values
    (nextval('ledger_account_house_id'), 'house:custody', 'house', 'USDT'),
    (nextval('ledger_account_house_id'), 'house:fees', 'house', 'USDT'),
    (nextval('ledger_account_house_id'), 'house:rounding', 'house', 'USDT');
insert into fee_schedule (code, version, terms, effective_from, created_at) values
    ('standard', 1, '{"platform_bps": 60, "min_fee_units": 100000, "max_fee_units": null, "tiers": [[100000000000, 50], [1000000000000, 40]], "method_bps": {"card": 30}, "spread_bps": 0}',
     '1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'),
    ('lean', 1, '{"platform_bps": 30, "min_fee_units": 50000, "max_fee_units": null, "tiers": [], "method_bps": {}, "spread_bps": 0}',
     '1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z');
insert into plan (code) values ('direct'), ('regional'), ('country');
insert into plan_version (plan_id, version, terms, effective_from, created_at)
select p.id, 1, x.terms::jsonb, '1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'
  from plan p join (values
    ('direct', '{"rates": {"deposit": 10, "withdrawal": 10}, "tiers": [], "tier_mode": "slab"}'),
    ('regional', '{"rates": {"deposit": 16, "withdrawal": 16}, "tiers": [], "tier_mode": "slab"}'),
    ('country', '{"rates": {"deposit": 20, "withdrawal": 20}, "tiers": [], "tier_mode": "slab"}')) as x (code, terms) on x.code = p.code;
