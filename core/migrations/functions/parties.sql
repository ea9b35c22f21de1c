-- Which bank accounts of an acceptor may be matched: one rule, asked by every command that could change the answer. Whether
-- the pool is open is no part of it: that is asked of the pool itself, so that a pause changes one row and not thousands.
create or replace function pool_account_rule() returns table (id bigint, account_id bigint, can boolean) language sql stable as $$
    select p.id, p.account_id, (p.left_at is null and l.available >= pool.min_reserve_units and a.online and not a.silent
                                and a.paused = '' and party.state = 'active' and b.state = 'active')
      from pool_account p join ledger_account l on l.id = p.account_id join pool on pool.id = p.pool_id
      join acceptor a on a.party_id = p.acceptor_id join party on party.id = a.party_id
      join bank_account b on b.id = p.bank_account_id
$$;

-- The flags of the pool accounts behind one ledger account. The caller holds that account's lock, so that the reserve it
-- reads is the last word (`ledger_book` calls it when a reserve changes below its low mark).
create or replace function pool_account_flags(p_account bigint) returns void language sql as $$
    update pool_account pa set matchable = x.can
      from pool_account_rule() x where x.account_id = p_account and pa.id = x.id and pa.matchable <> x.can
$$;

-- After anything about an acceptor has changed: its low mark is the highest minimum of its pools, then the flags.
create or replace function pool_account_sync(p_acceptor bigint) returns void language plpgsql as $$
declare
    v_account bigint;
    v_mark bigint;
begin
    select id into v_account from ledger_account where party_id = p_acceptor and asset = 'USDT' for no key update;
    if not found then return; end if;
    select coalesce(max(pool.min_reserve_units), 0) into v_mark
      from pool_account pa join pool on pool.id = pa.pool_id where pa.account_id = v_account and pa.left_at is null;
    perform ledger_low_mark(v_account, v_mark);
    perform pool_account_flags(v_account);
end $$;

-- After the least reserve of a pool has changed: the same for all who serve it, at once. Their reserves are locked in the order
-- in which all lock them: what a booking has read of the pool before is corrected, what it reads afterwards is right.
create or replace function pool_sync(p_pool bigint) returns void language plpgsql as $$
declare v_accounts bigint[];
begin
    v_accounts := array(select a.id from ledger_account a
                         where a.id in (select x.account_id from pool_account x where x.pool_id = p_pool and x.left_at is null)
                         order by a.id for no key update);
    perform ledger_low_marks(array_agg(m.account_id), array_agg(m.mark))
       from (select pa.account_id, max(pool.min_reserve_units) as mark from pool_account pa join pool on pool.id = pa.pool_id
              where pa.account_id = any (v_accounts) and pa.left_at is null group by pa.account_id) m;
    update pool_account pa set matchable = x.can
      from pool_account_rule() x where pa.pool_id = p_pool and pa.left_at is null and x.id = pa.id and pa.matchable <> x.can;
end $$;

-- A pool's accounts have the places 1, 2, 3 … without a gap. The next one, for who joins: the pool's row is locked by that.
create or replace function pool_place(p_pool bigint) returns int language sql as $$
    update pool set places = places + 1 where id = p_pool returning places
$$;

-- Who leaves gives its place to the last one. The caller holds the lock of the pool's row.
create or replace function pool_account_leave(p_account bigint, p_at timestamptz) returns void language plpgsql as $$
declare v_pool bigint; v_place int; v_last int;
begin
    select pool_id, place into v_pool, v_place from pool_account where id = p_account;
    update pool_account set left_at = p_at, place = null where id = p_account;
    update pool set places = places - 1 where id = v_pool returning places + 1 into v_last;
    update pool_account set place = v_place where pool_id = v_pool and place = v_last;
end $$;

-- The places that a draw looks at: all of a small pool, else eight drawn ones, each as likely as any other.
create or replace function pool_places(p_places int, p_draw int) returns int[] language sql immutable as $$
    select case when p_places <= 8 then array[1, 2, 3, 4, 5, 6, 7, 8]
           else array(select 1 + ((hashint4extended(k, p_draw) & 2147483647) % p_places)::int from generate_series(1, 8) k) end
$$;
