-- The only writers of balances. Debits lock their account, credits are appended and folded later.

create or replace function ledger_fold(p_account bigint) returns void language plpgsql as $$
declare v_to xid8;
begin
    perform 1 from ledger_account where id = p_account for no key update;
    -- Taken after the lock: every transaction before it has ended, so its credits are visible to the next statement.
    v_to := pg_snapshot_xmin(pg_current_snapshot());
    update ledger_account a
       set available = a.available + coalesce((select sum(l.units) from journal_leg l
             where l.account_id = a.id and l.xid >= a.folded_to and l.xid < v_to), 0),
           folded_to = v_to
     where a.id = p_account and a.folded_to < v_to;
end $$;

create or replace function ledger_post(
    p_ref text, p_key text, p_reason text, p_order bigint, p_actor text, p_at timestamptz,
    p_accounts bigint[], p_pockets text[], p_units bigint[]) returns bigint language plpgsql as $$
declare
    v_entry bigint;
    v_booked bigint[] := '{}';
    r record;
begin
    insert into journal_entry (ref, key, reason, order_id, actor, happened_at)
    values (p_ref, p_key, p_reason, p_order, p_actor, p_at) returning id into v_entry;
    -- Booked at once, in the order of their ids: acceptors' accounts (three pockets on one row under
    -- one CHECK), and any other party's account that is debited or held. The house may be overdrawn
    -- (custody is an asset), so its legs are only appended.
    for r in
        select u.account_id,
               coalesce(sum(u.units) filter (where u.pocket = 'available'), 0) as available,
               coalesce(sum(u.units) filter (where u.pocket = 'escrow'), 0) as escrow,
               coalesce(sum(u.units) filter (where u.pocket = 'held'), 0) as held
          from unnest(p_accounts, p_pockets, p_units) as u (account_id, pocket, units)
         where u.account_id < 4000000000000
         group by u.account_id
        having u.account_id < 2000000000000 or bool_or(u.units < 0 or u.pocket <> 'available')
         order by u.account_id
    loop
        if r.account_id >= 2000000000000 then
            perform ledger_fold(r.account_id);
        end if;
        update ledger_account set available = available + r.available, escrow = escrow + r.escrow, held = held + r.held
         where id = r.account_id;
        v_booked := v_booked || r.account_id;
    end loop;
    insert into journal_leg (entry_id, account_id, pocket, asset, units, xid)
    select v_entry, u.account_id, u.pocket, a.asset, u.units,
           case when u.account_id = any (v_booked) then null else pg_current_xact_id() end
      from unnest(p_accounts, p_pockets, p_units) as u (account_id, pocket, units)
      join ledger_account a on a.id = u.account_id;
    return v_entry;
end $$;

-- A reserve that crosses its low mark enters or leaves matching (the rule is in parties.sql).
create or replace function pool_account_refresh() returns trigger language plpgsql as $$
begin
    perform pool_account_flags(new.id);
    return null;
end $$;
drop trigger if exists account_crosses_low_mark on ledger_account;
create trigger account_crosses_low_mark after update of available on ledger_account for each row
    when ((old.available >= old.low_mark) <> (new.available >= new.low_mark))
    execute function pool_account_refresh();
