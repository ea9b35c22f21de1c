-- Orders, their dispatches, holds; the outbox and the audit trail; keys and idempotency.
create domain order_kind as text constraint order_kind_known check (value in ('deposit', 'withdrawal'));
create domain order_state as text constraint order_state_known check (value in ('created', 'matching', 'offered', 'awaiting_payment',
    'paid_claimed', 'completed', 'cancelled', 'expired', 'no_liquidity', 'refused', 'refunded', 'reversed'));
create domain order_risk as text constraint order_risk_known check (value in ('clear', 'flagged', 'held', 'refused'));
create domain order_source as text constraint order_source_known check (value in ('api', 'import'));
create table orders (
    id                bigint generated always as identity (cache 20) primary key,
    ref               text not null constraint order_ref_once unique,
    external_ref      text not null,
    kind              order_kind not null,
    state             order_state not null,
    amount_state      text not null default 'exact',
    timeliness        text not null default 'in_time',
    dispute_state     text not null default 'none',
    risk_state        order_risk not null default 'clear',
    source            order_source not null default 'api',
    -- No foreign keys from the big tables: each would lock the same few parties' rows at every order (the
    -- figures are in docs/decisions). Rows come from the commands' own lookups; `desk verify` looks for orphans.
    merchant_id       bigint not null,
    customer_id       bigint not null,
    agent_id          bigint,
    pool_id           bigint not null,
    quote_id          bigint constraint order_quote_once unique,
    acceptor_id       bigint,
    pool_account_id   bigint,
    escrow_account_id bigint,
    payer_account_id  bigint,
    payer_name        text not null default '',
    currency          text not null,
    fiat_units        bigint not null,
    rate_price        bigint not null,
    usdt_units        bigint not null,
    fee_units         bigint not null,
    fee_schedule_id   bigint,
    split             jsonb not null default '[]',
    received_units    bigint,
    pay_code          text not null default '',
    attempts          smallint not null default 0,
    version           integer not null default 1,
    next_actor        text not null,
    deadline_at       timestamptz,
    created_at        timestamptz not null,
    matched_at        timestamptz,
    claimed_at        timestamptz,
    paid_at           timestamptz,
    completed_at      timestamptz,
    ended_at          timestamptz,
    constraint order_external_once unique (merchant_id, external_ref),
    constraint order_amounts check (fiat_units > 0 and usdt_units > 0 and fee_units >= 0 and fee_units < usdt_units),
    constraint order_matched_has_acceptor check ((acceptor_id is null) = (matched_at is null)),
    constraint order_waiting_has_deadline check ((ended_at is null) = (deadline_at is not null))
) with (fillfactor = 60);
create index orders_merchant on orders (merchant_id, created_at desc, id desc);
create index orders_acceptor on orders (acceptor_id, created_at desc, id desc);
create index orders_customer on orders (customer_id, id desc);
create index orders_recent on orders (created_at desc, id desc);
-- The few orders that wait for somebody, with a copy of their deadline: kept apart so that a step does not
-- touch the big table's indexes (its updates stay on their page), and swept whole.
create table order_waiting (
    order_id     bigint primary key,
    deadline_at  timestamptz not null
) with (fillfactor = 50);

create table dispatch (
    order_id        bigint not null,
    attempt         smallint not null,
    policy          text not null,
    policy_version  integer not null,
    seed            bigint not null,
    chosen_acceptor_id bigint,
    candidates      json not null,
    at              timestamptz not null,
    primary key (order_id, attempt)
);

create table hold (
    id          bigint generated always as identity primary key,
    ref         text not null constraint hold_ref_once unique,
    order_id    bigint not null references orders,
    account_id  bigint not null references ledger_account,
    alert_id    bigint,
    units       bigint not null constraint hold_positive check (units > 0),
    opened_at   timestamptz not null,
    closed_at   timestamptz,
    outcome     text not null default '' constraint hold_outcome_known check (outcome in ('', 'released', 'refused'))
);
create unique index hold_open_once on hold (order_id) where closed_at is null;
create index hold_account on hold (account_id) where closed_at is null;

-- Facts for other rooms, stored with the change that caused them; never updated: what has been
-- sent is told by outbox_batch, whose ranges of transactions cover it.
create table outbox (
    id           bigint generated always as identity (cache 50) primary key,
    topic        text not null,
    subject      text not null,
    order_id     bigint,
    event        text not null default '',
    from_state   text,
    to_state     text,
    acceptor_id  bigint,
    happened_at  timestamptz not null,
    created_at   timestamptz not null default clock_timestamp(),
    payload      jsonb,
    xid          xid8 not null default pg_current_xact_id()
);
create index outbox_xid on outbox (xid);
create index outbox_order on outbox (order_id) where order_id is not null;
create table outbox_batch (
    id        bigint generated always as identity primary key,
    from_xid  xid8 not null,
    to_xid    xid8 not null,
    rows      integer not null,
    sent_at   timestamptz not null default clock_timestamp()
);

create table audit (
    id         bigint generated always as identity (cache 50) primary key,
    at         timestamptz not null,
    booked_at  timestamptz not null default clock_timestamp(),
    actor      text not null,
    role       text not null,
    user_id    integer,
    action     text not null,
    subject    text not null,
    order_id   bigint,
    reason     text not null default '',
    -- The state of an order before and after, where it changed.
    from_state text,
    to_state   text,
    details    jsonb,
    trace_id   text not null default '',
    xid        xid8 not null default pg_current_xact_id()
);
create index audit_order on audit (order_id) where order_id is not null;
create index audit_xid on audit (xid);
create index audit_subject on audit (subject text_pattern_ops, id desc) where order_id is null;

create table approval (
    id            bigint generated always as identity primary key,
    ref           text not null constraint approval_ref_once unique,
    kind          text not null,
    subject       text not null,
    payload       jsonb not null,
    state         text not null default 'waiting' constraint approval_state_known check (state in ('waiting', 'approved', 'refused', 'withdrawn')),
    requested_by  text not null,
    requested_at  timestamptz not null,
    reason        text not null,
    decided_by    text,
    decided_at    timestamptz,
    decided_why   text not null default '',
    constraint approval_four_eyes check (decided_by is null or state = 'withdrawn' or decided_by <> requested_by)
);
create unique index approval_waiting_once on approval (kind, subject) where state = 'waiting';

create table api_key (
    id          bigint generated always as identity primary key,
    ref         text not null constraint api_key_ref_once unique,
    party_id    bigint not null references party,
    hash        bytea not null constraint api_key_hash_once unique,
    label       text not null default '',
    created_at  timestamptz not null,
    ended_at    timestamptz
);
create table idempotency_key (
    party_id    bigint not null references party,
    key         text not null,
    request     bytea not null,
    state       text not null constraint idempotency_state_known check (state in ('running', 'done')),
    status      integer,
    body        jsonb,
    created_at  timestamptz not null default clock_timestamp(),
    primary key (party_id, key)
);
create index idempotency_key_age on idempotency_key (created_at);
create table user_party (
    user_id   integer primary key,
    party_id  bigint not null references party
);
