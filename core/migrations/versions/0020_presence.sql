-- What was declared at the opening, kept where the claim names another payer; null where it does not.
alter table orders add column declared_payer_account_id bigint, add column declared_payer_name text;

-- Null: the gate had no rules to judge by.
alter table evaluation alter column ruleset_id drop not null;
alter table alert alter column ruleset_id drop not null;

-- An acceptor is watched from the first beat after it has gone online: `beat_at` is null until then.
alter table acceptor add column beat_at timestamptz, add column silent boolean not null default false;
alter table pool add column silent_seconds integer not null default 600
    constraint pool_silent_seconds check (silent_seconds >= 60);
