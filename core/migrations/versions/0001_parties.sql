-- Parties, their bank accounts, pools, prices.
create table party (
    id          bigint generated always as identity primary key,
    ref         text not null constraint party_ref_once unique,
    kind        text not null constraint party_kind_known check (kind in ('merchant', 'acceptor', 'agent')),
    code        text not null,
    name        text not null,
    country     text not null default '',
    kyc_level   smallint not null default 1,
    state       text not null default 'active' constraint party_state_known check (state in ('active', 'suspended', 'barred', 'imported')),
    created_at  timestamptz not null,
    constraint party_code_once unique (kind, code),
    constraint party_id_kind unique (id, kind)
);

create table plan (
    id    bigint generated always as identity primary key,
    code  text not null constraint plan_code_once unique
);
create table plan_version (
    id              bigint generated always as identity primary key,
    plan_id         bigint not null references plan,
    version         integer not null,
    terms           jsonb not null,
    effective_from  timestamptz not null,
    requested_by    integer,
    approved_by     integer,
    created_at      timestamptz not null,
    constraint plan_version_once unique (plan_id, version),
    constraint plan_four_eyes check (approved_by is null or requested_by is null or approved_by <> requested_by)
);

create table agent (
    party_id   bigint primary key,
    kind       text not null default 'agent' check (kind = 'agent'),
    parent_id  bigint references agent,
    plan_id    bigint not null references plan,
    depth      smallint not null default 1,
    held       boolean not null default false,
    foreign key (party_id, kind) references party (id, kind),
    constraint agent_not_own_parent check (parent_id is null or parent_id <> party_id)
);
create index agent_parent on agent (parent_id);
create table agent_closure (
    ancestor_id    bigint not null references agent,
    descendant_id  bigint not null references agent,
    distance       smallint not null,
    primary key (ancestor_id, descendant_id)
);
create index agent_closure_up on agent_closure (descendant_id, distance);

create table merchant (
    party_id         bigint primary key,
    kind             text not null default 'merchant' check (kind = 'merchant'),
    agent_id         bigint references agent,
    volume_30d_units bigint not null default 0,
    foreign key (party_id, kind) references party (id, kind)
);
create index merchant_agent on merchant (agent_id);

create table acceptor (
    party_id      bigint primary key,
    kind          text not null default 'acceptor' check (kind = 'acceptor'),
    agent_id      bigint references agent,
    auto_accept   boolean not null default true,
    online        boolean not null default false,
    seen_at       timestamptz,
    paused        text not null default '',
    foreign key (party_id, kind) references party (id, kind)
);
create index acceptor_agent on acceptor (agent_id);

create table customer (
    id             bigint generated always as identity primary key,
    ref            text not null constraint customer_ref_once unique,
    merchant_id    bigint not null references merchant,
    external_id    text not null,
    verified_name  text not null,
    country        text not null default '',
    kyc_level      smallint not null default 1,
    state          text not null default 'active' constraint customer_state_known check (state in ('active', 'barred')),
    created_at     timestamptz not null,
    constraint customer_once unique (merchant_id, external_id)
);

create table payer_account (
    id            bigint generated always as identity primary key,
    ref           text not null constraint payer_account_ref_once unique,
    blind         bytea not null constraint payer_account_once unique,
    sealed        bytea not null,
    masked        text not null,
    first_seen_at timestamptz not null,
    listed        text not null default ''
);

create table bank_account (
    id          bigint generated always as identity primary key,
    ref         text not null constraint bank_account_ref_once unique,
    party_id    bigint not null references party,
    bank        text not null,
    holder      text not null,
    currency    text not null,
    method      text not null default 'bank',
    blind       bytea not null,
    sealed      bytea not null,
    masked      text not null,
    state       text not null default 'active' constraint bank_account_state_known check (state in ('active', 'frozen', 'closed')),
    frozen_why  text not null default '',
    created_at  timestamptz not null,
    constraint bank_account_once unique (party_id, blind),
    constraint bank_account_owner unique (id, party_id)
);
-- Exactly one withdrawal account for each party that has any bank account, and it is theirs:
-- each account asks for its party's row here, and that row asks for one of the party's accounts.
create table withdrawal_account (
    party_id         bigint primary key references party,
    bank_account_id  bigint not null,
    designated_at    timestamptz not null,
    constraint withdrawal_account_is_theirs foreign key (bank_account_id, party_id)
        references bank_account (id, party_id) deferrable initially deferred
);
alter table bank_account add constraint bank_account_party_has_withdrawal_account
    foreign key (party_id) references withdrawal_account (party_id) deferrable initially deferred;

create table fee_schedule (
    id              bigint generated always as identity primary key,
    code            text not null,
    version         integer not null,
    terms           jsonb not null,
    effective_from  timestamptz not null,
    requested_by    integer,
    approved_by     integer,
    created_at      timestamptz not null,
    constraint fee_schedule_once unique (code, version),
    constraint fee_schedule_four_eyes check (approved_by is null or requested_by is null or approved_by <> requested_by)
);

create table pool (
    id                bigint generated always as identity primary key,
    ref               text not null constraint pool_ref_once unique,
    code              text not null constraint pool_code_once unique,
    currency          text not null,
    method            text not null,
    fee_code          text not null,
    policy            text not null,
    policy_version    integer not null default 1,
    min_fiat_units    bigint not null,
    max_fiat_units    bigint not null,
    min_reserve_units bigint not null default 1000000,
    pay_seconds       integer not null default 900,
    confirm_seconds   integer not null default 900,
    quote_seconds     integer not null default 600,
    state             text not null default 'open' constraint pool_state_known check (state in ('open', 'paused', 'imported')),
    created_at        timestamptz not null,
    constraint pool_limits check (min_fiat_units > 0 and max_fiat_units >= min_fiat_units)
);
create index pool_currency on pool (currency, method) where state = 'open';
-- Which merchants may use which pool.
create table pool_merchant (
    pool_id      bigint not null references pool,
    merchant_id  bigint not null references merchant,
    primary key (pool_id, merchant_id)
);

-- One bank account of an acceptor, serving a pool. `matchable` is kept by trigger and jobs and
-- changes rarely; nothing that each match updates is indexed (ledger.md, rule 7).
create table pool_account (
    id               bigint generated always as identity primary key,
    pool_id          bigint not null references pool,
    acceptor_id      bigint not null references acceptor,
    bank_account_id  bigint not null constraint pool_account_bank_once unique,
    account_id       bigint not null,
    slot             integer not null,
    weight           integer not null default 1 check (weight > 0),
    open_limit       integer not null default 20 check (open_limit > 0),
    day_limit_units  bigint not null check (day_limit_units > 0),
    matchable        boolean not null default false,
    foreign key (bank_account_id, acceptor_id) references bank_account (id, party_id)
);
create index pool_account_slot on pool_account (pool_id, slot) where matchable;
create index pool_account_acceptor on pool_account (acceptor_id);
create index pool_account_ledger on pool_account (account_id);
-- What is reserved of its limits: taken at dispatch, given back when the order ends.
create table pool_account_load (
    pool_account_id  bigint primary key references pool_account,
    open_orders      integer not null default 0,
    day              date not null default '-infinity',
    day_units        bigint not null default 0,
    constraint load_not_negative check (open_orders >= 0 and day_units >= 0)
) with (fillfactor = 50);

create table rate (
    id           bigint generated always as identity primary key,
    currency     text not null,
    price        bigint not null constraint rate_positive check (price > 0),
    source       text not null,
    observed_at  timestamptz not null
);
create index rate_latest on rate (currency, observed_at desc);

create table quote (
    id               bigint generated always as identity primary key,
    ref              text not null constraint quote_ref_once unique,
    merchant_id      bigint not null references merchant,
    kind             text not null constraint quote_kind_known check (kind in ('deposit', 'withdrawal')),
    pool_id          bigint not null references pool,
    fee_schedule_id  bigint not null references fee_schedule,
    currency         text not null,
    fiat_units       bigint not null,
    rate_price       bigint not null,
    usdt_units       bigint not null,
    fee_units        bigint not null,
    lines            jsonb not null,
    created_at       timestamptz not null,
    expires_at       timestamptz not null,
    constraint quote_amounts check (fiat_units > 0 and usdt_units > 0 and fee_units >= 0 and fee_units < usdt_units)
);
