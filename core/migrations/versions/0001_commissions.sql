create domain commission_state as text constraint commission_state_known
    check (value in ('pending', 'approved', 'payable', 'paid', 'reversed'));
-- Commission accrual lines; rollups the dashboards read; signs of life of the processes.
create table commission_line (
    id               bigint generated always as identity (cache 50) primary key,
    ref              text not null,
    order_id         bigint not null,
    agent_id         bigint not null,
    level            smallint not null,
    plan_version_id  bigint not null,
    own_bps          integer not null,
    below_bps        integer not null,
    rate_bps         integer not null,
    base_units       bigint not null,
    units            bigint not null,
    state            commission_state not null default 'pending',
    period           text not null,
    accrued_at       timestamptz not null,
    xid              xid8 not null default pg_current_xact_id(),
    constraint commission_line_once unique (order_id, agent_id, level)
);
create index commission_line_agent on commission_line (agent_id, accrued_at desc, id desc);
create index commission_line_period on commission_line (period, agent_id);
create index commission_line_xid on commission_line (xid);

create table rollup_hour (
    hour               timestamptz not null,
    kind               text not null,
    currency           text not null,
    pool_id            bigint not null,
    merchant_id        bigint not null,
    acceptor_id        bigint not null,
    created            bigint not null default 0,
    matched            bigint not null default 0,
    claimed            bigint not null default 0,
    completed          bigint not null default 0,
    expired            bigint not null default 0,
    cancelled          bigint not null default 0,
    refused            bigint not null default 0,
    refunded           bigint not null default 0,
    no_liquidity       bigint not null default 0,
    created_usdt_units bigint not null default 0,
    usdt_units         bigint not null default 0,
    fiat_units         bigint not null default 0,
    fee_units          bigint not null default 0,
    settle_seconds     bigint not null default 0,
    primary key (hour, kind, currency, pool_id, merchant_id, acceptor_id)
);
create table rollup_alert_day (
    day          date not null,
    rule         text not null,
    verdict      text not null,
    currency     text not null,
    merchant_id  bigint not null,
    acceptor_id  bigint not null,
    raised       bigint not null default 0,
    usdt_units   bigint not null default 0,
    false_positive bigint not null default 0,
    confirmed    bigint not null default 0,
    closed       bigint not null default 0,
    decide_seconds bigint not null default 0,
    primary key (day, rule, verdict, currency, merchant_id, acceptor_id)
);
create table rollup_commission_day (
    day              date not null,
    agent_id         bigint not null,
    level            smallint not null,
    plan_version_id  bigint not null,
    lines            bigint not null default 0,
    base_units       bigint not null default 0,
    units            bigint not null default 0,
    primary key (day, agent_id, level, plan_version_id)
);

create table heartbeat (
    process   text primary key,
    at        timestamptz not null,
    details   jsonb
);
create table job_run (
    id         bigint generated always as identity primary key,
    name       text not null,
    started_at timestamptz not null,
    ended_at   timestamptz,
    outcome    text not null default 'running' constraint job_outcome_known check (outcome in ('running', 'done', 'failed')),
    details    jsonb
);
create index job_run_name on job_run (name, id desc);
create table export_file (
    id            bigint generated always as identity primary key,
    ref           text not null constraint export_ref_once unique,
    kind          text not null,
    filters       jsonb not null,
    requested_by  text not null,
    user_id       integer,
    role          text not null,
    scope         text not null,
    party_id      bigint,
    state         text not null default 'waiting' constraint export_state_known check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
    rows_done     bigint not null default 0,
    rows_total    bigint,
    path          text,
    sha256        text,
    created_at    timestamptz not null,
    done_at       timestamptz,
    expires_at    timestamptz not null,
    error         text not null default ''
);
create table import_file (
    id          bigint generated always as identity primary key,
    kind        text not null,
    sha256      text not null constraint import_file_once unique,
    rows_read   bigint not null default 0,
    rows_added  bigint not null default 0,
    rows_known  bigint not null default 0,
    rows_bad    bigint not null default 0,
    started_at  timestamptz not null,
    done_at     timestamptz
);

create trigger append_only before update or delete on journal_entry for each statement execute function refuse_change();
create trigger append_only before update or delete on journal_leg for each statement execute function refuse_change();
create trigger append_only before update or delete on audit for each statement execute function refuse_change();
create trigger append_only before update or delete on outbox for each statement execute function refuse_change();
create trigger append_only before update or delete on risk_fact for each statement execute function refuse_change();
create trigger append_only before update or delete on evaluation for each statement execute function refuse_change();
create trigger append_only before update or delete on dispatch for each statement execute function refuse_change();
create trigger no_truncate before truncate on journal_entry for each statement execute function refuse_change();
create trigger no_truncate before truncate on journal_leg for each statement execute function refuse_change();
create trigger no_truncate before truncate on outbox for each statement execute function refuse_change();
create trigger no_truncate before truncate on audit for each statement execute function refuse_change();
create trigger append_only before update or delete on seal_block for each statement execute function refuse_change();
create trigger append_only before update or delete on seal_row for each statement execute function refuse_change();
