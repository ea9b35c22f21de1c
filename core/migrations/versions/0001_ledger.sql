-- The double-entry ledger: accounts, immutable balanced entries, and their folding.
-- What a column may say is a domain: its check is read once a session, a table's CHECK at every statement.
create domain account_kind as text constraint ledger_account_kind_known check (value in ('acceptor', 'merchant', 'agent', 'house'));
create domain account_pocket as text constraint journal_pocket_known check (value in ('available', 'escrow', 'held'));
create table ledger_account (
    id         bigint primary key,
    name       text not null constraint ledger_account_name_once unique,
    kind       account_kind not null,
    party_id   bigint references party,
    asset      text not null,
    available  bigint not null default 0,
    escrow     bigint not null default 0,
    held       bigint not null default 0,
    -- Below this an acceptor's account is short and leaves matching.
    low_mark   bigint not null default 0,
    -- Credits of the transactions visible in this snapshot are in `available` already.
    folded     pg_snapshot not null default '1:1:',
    constraint ledger_account_party_once unique (party_id, asset),
    constraint account_not_overdrawn check (kind = 'house' or (available >= 0 and escrow >= 0 and held >= 0))
) with (fillfactor = 50);
-- Numbers rise by kind, so that "sorted by id" locks reserve < merchant < agent < house.
create sequence ledger_account_acceptor_id start 1000000000000 cache 1;
create sequence ledger_account_merchant_id start 2000000000000 cache 1;
create sequence ledger_account_agent_id start 3000000000000 cache 1;
create sequence ledger_account_house_id start 4000000000000 cache 1;

create table journal_entry (
    id           bigint generated always as identity (cache 50) primary key,
    ref          text not null,
    key          text not null constraint journal_key_once unique,
    reason       text not null,
    order_id     bigint,
    actor        text not null,
    happened_at  timestamptz not null,
    booked_at    timestamptz not null default clock_timestamp(),
    xid          xid8 not null default pg_current_xact_id()
);
create index journal_entry_order on journal_entry (order_id) where order_id is not null;
create index journal_entry_xid on journal_entry (xid);
create table journal_leg (
    id          bigint generated always as identity (cache 100),
    entry_id    bigint not null,
    account_id  bigint not null,
    pocket      account_pocket not null,
    asset       text not null,
    units       bigint not null constraint journal_leg_not_zero check (units <> 0),
    -- The transaction of a credit that waits to be folded into its account; null when it was booked at once.
    xid         xid8,
    primary key (entry_id, id)
);
create index journal_leg_account on journal_leg (account_id, entry_id);
create index journal_leg_unfolded on journal_leg (account_id, xid) where xid is not null;

-- Whether a credit still waits to be folded into an account whose last fold saw that snapshot.
create function leg_waits(p_xid xid8, p_folded pg_snapshot) returns boolean language sql immutable
    return p_xid >= pg_snapshot_xmin(p_folded) and not pg_visible_in_snapshot(p_xid, p_folded);

create table watermark (
    name      text primary key,
    done_to   xid8 not null default '0',
    moved_at  timestamptz not null default clock_timestamp()
);
insert into watermark (name) values ('fold'), ('seal_journal'), ('seal_audit'), ('rollup'), ('rollup_commission'), ('rollup_alert'), ('relay');

create table period_lock (
    id         bigint generated always as identity primary key,
    starts_at  timestamptz not null,
    ends_at    timestamptz not null,
    locked_at  timestamptz not null,
    unlocked_at timestamptz,
    constraint period_lock_range check (ends_at > starts_at)
);

create table seal_block (
    chain      text not null constraint seal_chain_known check (chain in ('journal', 'audit')),
    no         bigint not null,
    first_pos  bigint not null,
    last_pos   bigint not null,
    prev_hash  bytea not null,
    hash       bytea not null,
    sealed_at  timestamptz not null,
    primary key (chain, no)
);
create table seal_row (
    chain   text not null,
    pos     bigint not null,
    row_id  bigint not null,
    hash    bytea not null,
    primary key (chain, pos),
    constraint seal_row_once unique (chain, row_id)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are never changed or removed; a correction is a new row', tg_table_name
        using errcode = 'restrict_violation';
end $$;

create function journal_must_balance() returns trigger language plpgsql as $$
declare bad record;
begin
    select entry_id, asset, sum(units) as off into bad
      from added group by entry_id, asset having sum(units) <> 0 limit 1;
    if found then
        raise exception 'journal entry % is off by % % units', bad.entry_id, bad.off, bad.asset
            using errcode = 'check_violation', constraint = 'journal_balanced';
    end if;
    return null;
end $$;
create trigger journal_balanced after insert on journal_leg
    referencing new table as added for each statement execute function journal_must_balance();

create function period_is_open() returns trigger language plpgsql as $$
begin
    if exists (select 1 from period_lock where unlocked_at is null and starts_at <= new.happened_at and ends_at > new.happened_at) then
        raise exception 'the period of this posting is locked; post an adjustment in the open period'
            using errcode = 'check_violation', constraint = 'period_open';
    end if;
    return new;
end $$;
create trigger period_open before insert on journal_entry for each row execute function period_is_open();
