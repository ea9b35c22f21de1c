-- Commissions held: an agent's account keeps them in its held pocket; one open hold an agent, which grows as it earns.
create table commission_hold (
    id             bigint generated always as identity primary key,
    ref            text not null constraint commission_hold_ref_once unique,
    agent_id       bigint not null references agent,
    account_id     bigint not null references ledger_account,
    -- Opened by a suspension or a bar, it ends with the suspension; opened to look into something, it ends by itself.
    by_standing    boolean not null,
    units          bigint not null default 0 constraint commission_hold_not_negative check (units >= 0),
    opened_at      timestamptz not null,
    opened_by      text not null,
    reason         text not null,
    closed_at      timestamptz,
    closed_by      text,
    closed_why     text not null default '',
    constraint commission_hold_ended_by_somebody check ((closed_at is null) = (closed_by is null))
);
create unique index commission_hold_open_once on commission_hold (agent_id) where closed_at is null;
create index commission_hold_account on commission_hold (account_id) where closed_at is null;

-- Those who are shut out already: the job that holds what comes in moves what they have.
insert into commission_hold (ref, agent_id, account_id, by_standing, opened_at, opened_by, reason)
select 'chd_' || upper(substr(md5(p.ref), 1, 16)), p.id, l.id, true, now(), 'system', 'was ' || p.state || ' before'
  from party p join ledger_account l on l.party_id = p.id and l.asset = 'USDT'
 where p.kind = 'agent' and p.state in ('suspended', 'barred');
update agent set held = exists (select 1 from commission_hold h where h.agent_id = party_id and h.closed_at is null)
 where held <> exists (select 1 from commission_hold h where h.agent_id = party_id and h.closed_at is null);

create or replace view v_balances as
select a.name || case when a.kind = 'acceptor' then ':reserve' else '' end as account, a.asset,
       a.available + coalesce((select sum(l.units) from journal_leg l
         where l.account_id = a.id and leg_waits(l.xid, a.folded)), 0)::bigint as units
  from ledger_account a
union all
select a.name || ':escrow', a.asset, a.escrow from ledger_account a where a.kind = 'acceptor'
union all
select a.name || ':held', a.asset, a.held from ledger_account a where a.kind = 'acceptor' or (a.kind = 'agent' and a.held <> 0);
