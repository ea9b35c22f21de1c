-- The only writers of accounts, balances and the journal (tests/test_architecture.py looks). Debits lock their account, credits are appended and folded later.
drop trigger if exists account_crosses_low_mark on ledger_account;
drop function if exists pool_account_refresh();

-- Open an empty account of a party. Numbers rise by kind (acceptor, merchant, agent, house), so that locking by number is
-- always in one order.
create or replace function ledger_open(p_kind text, p_party bigint, p_code text, p_asset text default 'USDT') returns bigint
language sql as $$
    insert into ledger_account (id, name, kind, party_id, asset)
    values (nextval(('ledger_account_' || p_kind || '_id')::regclass), p_kind || ':' || p_code, p_kind, p_party, p_asset) returning id
$$;

-- Below how much of its reserve an account is out of matching, in one of its pools or in all.
create or replace function ledger_low_mark(p_account bigint, p_mark bigint) returns void language sql as $$
    update ledger_account set low_mark = p_mark where id = p_account and low_mark <> p_mark
$$;

-- The same for many, whose locks the caller holds: a statement for each of thousands took seconds, and all waited for them.
create or replace function ledger_low_marks(p_accounts bigint[], p_marks bigint[]) returns void language sql as $$
    update ledger_account a set low_mark = m.mark from unnest(p_accounts, p_marks) m (account_id, mark)
     where a.id = m.account_id and a.low_mark <> m.mark
$$;

-- Bring an account's balance up to this moment: every credit whose transaction has ended counts, whatever else is
-- still running. The snapshot it was folded by is kept, so that each credit is counted once.
create or replace function ledger_fold(p_account bigint) returns void language plpgsql as $$
begin
    perform 1 from ledger_account where id = p_account for no key update;
    -- A statement of its own after the lock: it sees all that ended before the lock was had.
    update ledger_account a
       set available = a.available + coalesce((select sum(l.units) from journal_leg l
             where l.account_id = a.id and leg_waits(l.xid, a.folded) and pg_visible_in_snapshot(l.xid, pg_current_snapshot())), 0),
           folded = pg_current_snapshot()
     where a.id = p_account;
end $$;

-- Add to the pockets of one account at once; a reserve that changes below its low mark may cross the least reserve of one
-- of its pools, and so enter or leave matching there. Returns the account's asset. (What is called on the money path returns something, so that plpgsql calls it by assignment: a
-- `perform` costs a statement.)
drop function if exists ledger_book(bigint, bigint, bigint, bigint);
create function ledger_book(p_account bigint, p_available bigint, p_escrow bigint, p_held bigint) returns text language plpgsql as $$
declare v_asset text; v_low boolean;
begin
    if p_account >= 2000000000000 then
        perform ledger_fold(p_account);
    end if;
    update ledger_account set available = available + p_available, escrow = escrow + p_escrow, held = held + p_held
     where id = p_account
    returning asset, old.available <> new.available and least(old.available, new.available) < new.low_mark into v_asset, v_low;
    if v_low then
        perform pool_account_flags(p_account);
    end if;
    return v_asset;
end $$;

-- Move units between two pockets of one account: a freeze, a return, a hold. Returns the entry's id.
drop function if exists ledger_move(text, text, text, bigint, text, timestamptz, bigint, text, text, bigint);
create function ledger_move(p_ref text, p_key text, p_reason text, p_order bigint, p_actor text, p_at timestamptz,
    p_account bigint, p_from text, p_to text, p_units bigint) returns bigint language plpgsql as $$
declare v_entry bigint; v_asset text;
begin
    v_asset := ledger_book(p_account,
        case p_from when 'available' then -p_units else case p_to when 'available' then p_units else 0 end end,
        case p_from when 'escrow' then -p_units else case p_to when 'escrow' then p_units else 0 end end,
        case p_from when 'held' then -p_units else case p_to when 'held' then p_units else 0 end end);
    insert into journal_entry (ref, key, reason, order_id, actor, happened_at)
    values (p_ref, p_key, p_reason, p_order, p_actor, p_at) returning id into v_entry;
    insert into journal_leg (entry_id, account_id, pocket, asset, units)
    values (v_entry, p_account, p_from, v_asset, -p_units), (v_entry, p_account, p_to, v_asset, p_units);
    return v_entry;
end $$;

-- Book one balanced entry. Booked at once, in the order of their ids: acceptors' accounts (three pockets on one
-- row under one CHECK), and any other party's account that is debited or held. The house may be overdrawn
-- (custody is an asset), so its legs are only appended, as are the credits of merchants and agents.
create or replace function ledger_post(
    p_ref text, p_key text, p_reason text, p_order bigint, p_actor text, p_at timestamptz,
    p_accounts bigint[], p_pockets text[], p_units bigint[]) returns bigint language plpgsql as $$
declare
    v_entry bigint;
    v_asset text;
    v_booked bigint[] := '{}';
    v_accounts bigint[] := p_accounts;
    v_pockets text[] := p_pockets;
    v_units bigint[] := p_units;
    n int := cardinality(p_accounts);
    v_available bigint := 0; v_escrow bigint := 0; v_held bigint := 0; v_debit boolean := false;
begin
    for i in 2 .. n loop
        if v_accounts[i] < v_accounts[i - 1] then
            select array_agg(u.account_id order by u.account_id, u.no), array_agg(u.pocket order by u.account_id, u.no),
                   array_agg(u.units order by u.account_id, u.no) into v_accounts, v_pockets, v_units
              from unnest(p_accounts, p_pockets, p_units) with ordinality as u (account_id, pocket, units, no);
            exit;
        end if;
    end loop;
    for i in 1 .. n loop
        exit when v_accounts[i] >= 4000000000000;
        if v_pockets[i] = 'available' then v_available := v_available + v_units[i];
        elsif v_pockets[i] = 'escrow' then v_escrow := v_escrow + v_units[i];
        else v_held := v_held + v_units[i];
        end if;
        v_debit := v_debit or v_units[i] < 0 or v_pockets[i] <> 'available';
        if i = n or v_accounts[i + 1] <> v_accounts[i] then
            if v_debit or v_accounts[i] < 2000000000000 then
                v_asset := ledger_book(v_accounts[i], v_available, v_escrow, v_held);
                v_booked := v_booked || v_accounts[i];
            end if;
            v_available := 0; v_escrow := 0; v_held := 0; v_debit := false;
        end if;
    end loop;
    insert into journal_entry (ref, key, reason, order_id, actor, happened_at)
    values (p_ref, p_key, p_reason, p_order, p_actor, p_at) returning id into v_entry;
    insert into journal_leg (entry_id, account_id, pocket, asset, units, xid)
    select v_entry, u.account_id, u.pocket, (select a.asset from ledger_account a where a.id = u.account_id), u.units,
           case when u.account_id = any (v_booked) then null else pg_current_xact_id() end
      from unnest(v_accounts, v_pockets, v_units) as u (account_id, pocket, units);
    return v_entry;
end $$;

-- Thousands of entries at once, by the same rules: what is debited (and every reserve) is locked and booked now, once an
-- account and in the order of their ids; credits are appended and folded later. The caller lays entries and legs into
-- these two tables, which are the session's own; all legs are of what is available.
create or replace function ledger_batch() returns void language plpgsql as $$
begin
    if to_regclass('pg_temp.posting_entry') is not null then
        truncate posting_entry, posting_leg;
        return;
    end if;
    create temporary table posting_entry (no bigint, ref text primary key, key text, reason text, order_id bigint, happened_at timestamptz);
    create temporary table posting_leg (entry_no bigint, account_id bigint, units bigint);
end $$;

-- Entries are numbered as they happened, the caller's number 0 first.
create or replace function ledger_post_batch(p_actor text) returns void language plpgsql as $$
declare
    v_booked bigint[] := '{}';
    v_asset text;
    r record;
begin
    analyze posting_entry;
    analyze posting_leg;
    for r in select l.account_id, sum(l.units)::bigint as units from posting_leg l
              where l.account_id < 4000000000000 group by l.account_id
             having l.account_id < 2000000000000 or bool_or(l.units < 0) order by l.account_id loop
        v_asset := ledger_book(r.account_id, r.units, 0, 0);
        v_booked := v_booked || r.account_id;
    end loop;
    with entry as (
        insert into journal_entry (ref, key, reason, order_id, actor, happened_at)
        select e.ref, e.key, e.reason, e.order_id, p_actor, e.happened_at
          from posting_entry e order by e.no > 0, e.happened_at, e.no
        returning id, ref)
    insert into journal_leg (entry_id, account_id, pocket, asset, units, xid)
    select e.id, l.account_id, 'available', a.asset, l.units,
           case when l.account_id = any (v_booked) then null else pg_current_xact_id() end
      from entry e join posting_entry p using (ref) join posting_leg l on l.entry_no = p.no
      join ledger_account a on a.id = l.account_id order by e.id, l.account_id;
end $$;

-- Each entry sums to zero in each asset, whoever writes it. Nearly every statement books one entry in one asset, which one
-- sum tells; only when that does not settle it are the entries told apart.
create or replace function journal_must_balance() returns trigger language plpgsql as $$
declare bad record;
begin
    if (select sum(units) = 0 and min(entry_id) = max(entry_id) and min(asset) = max(asset) from added) then
        return null;
    end if;
    select entry_id, asset, sum(units) as off into bad
      from added group by entry_id, asset having sum(units) <> 0 limit 1;
    if found then
        raise exception 'journal entry % is off by % % units', bad.entry_id, bad.off, bad.asset
            using errcode = 'check_violation', constraint = 'journal_balanced';
    end if;
    return null;
end $$;
