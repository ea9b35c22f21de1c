-- Which bank accounts of an acceptor may be matched: one rule, asked by every command that could change the answer.

-- The flags of the pool accounts behind one ledger account. The caller holds that account's lock, so that the
-- reserve it reads is the last word (a trigger calls it when a reserve crosses its low mark).
create or replace function pool_account_flags(p_account bigint) returns void language sql as $$
    update pool_account pa
       set matchable = x.can
      from (select p.id, (p.left_at is null and l.available >= l.low_mark and a.online and not a.silent and a.paused = '' and party.state = 'active'
                          and b.state = 'active' and pool.state = 'open') as can
              from pool_account p join ledger_account l on l.id = p.account_id join pool on pool.id = p.pool_id
              join acceptor a on a.party_id = p.acceptor_id join party on party.id = a.party_id
              join bank_account b on b.id = p.bank_account_id
             where p.account_id = p_account) x
     where pa.id = x.id and pa.matchable <> x.can
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

-- After anything about a pool has changed: all its acceptors, in the order in which accounts are locked.
create or replace function pool_sync(p_pool bigint) returns void language plpgsql as $$
declare r record;
begin
    for r in select acceptor_id from pool_account where pool_id = p_pool group by acceptor_id, account_id order by account_id loop
        perform pool_account_sync(r.acceptor_id);
    end loop;
end $$;
