-- Risk facts, rulesets, evaluations, alerts.
create domain risk_gate as text constraint evaluation_gate_known check (value in ('G1', 'G2', 'G3', 'G4'));
create domain risk_verdict as text constraint evaluation_verdict_known check (value in ('allow', 'review', 'hold', 'refuse'));
create table risk_fact (
    id                bigint generated always as identity (cache 50) primary key,
    kind              text not null,
    happened_at       timestamptz not null,
    known_at          timestamptz not null,
    order_ref         text not null default '',
    customer_id       bigint,
    merchant_id       bigint,
    acceptor_id       bigint,
    payer_account_id  bigint,
    usdt_units        bigint not null default 0,
    seconds           integer,
    note              jsonb
);
create index risk_fact_customer on risk_fact (customer_id, happened_at) include (kind, known_at, usdt_units);
create index risk_fact_payer on risk_fact (payer_account_id, happened_at) include (kind, known_at, customer_id) where payer_account_id is not null;
create index risk_fact_acceptor on risk_fact (acceptor_id, happened_at) where kind in ('order_completed', 'order_disputed', 'confirm_without_bank_line');

create table ruleset (
    id              bigint generated always as identity primary key,
    ref             text not null constraint ruleset_ref_once unique,
    version         integer not null constraint ruleset_version_once unique,
    state           text not null constraint ruleset_state_known check (state in ('draft', 'active', 'retired')),
    params          jsonb not null,
    requested_by    text not null,
    approved_by     text,
    effective_from  timestamptz not null,
    created_at      timestamptz not null,
    constraint ruleset_four_eyes check (approved_by is null or approved_by <> requested_by)
);
create unique index ruleset_one_active on ruleset (state) where state = 'active';

create table evaluation (
    id          bigint generated always as identity (cache 50) primary key,
    order_id    bigint not null,
    gate        risk_gate not null,
    ruleset_id  bigint not null,
    verdict     risk_verdict not null,
    score       integer not null,
    features    json not null,
    reasons     json not null,
    at          timestamptz not null
);
create index evaluation_order on evaluation (order_id);

create table alert (
    id            bigint generated always as identity primary key,
    ref           text not null constraint alert_ref_once unique,
    order_id      bigint not null references orders,
    evaluation_id bigint references evaluation,
    gate          text not null,
    rule          text not null,
    ruleset_id    bigint not null references ruleset,
    verdict       text not null,
    score         integer not null,
    reason        jsonb not null,
    state         text not null default 'open' constraint alert_state_known check (state in ('open', 'in_case', 'pending_second', 'closed')),
    disposition   text not null default '' constraint alert_disposition_known check (disposition in ('', 'false_positive', 'explained',
                      'confirmed_no_report', 'confirmed_reported', 'inconclusive')),
    outcome       text not null default '' constraint alert_outcome_known check (outcome in ('', 'release', 'refuse', 'dismiss')),
    narrative     text not null default '',
    case_ref      text,
    locked_by     text,
    locked_until  timestamptz,
    raised_at     timestamptz not null,
    due_at        timestamptz not null,
    closed_at     timestamptz,
    closed_by     text,
    xid           xid8 not null default pg_current_xact_id(),
    constraint alert_rule_once unique (order_id, gate, rule)
);
create index alert_open on alert (due_at) where state <> 'closed';
create index alert_raised on alert (raised_at desc, id desc);
