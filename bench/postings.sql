-- Postings alone, as a ledger of the pgledger kind keeps them (its shape, our words): ids
-- as ULID text, NUMERIC amounts, foreign keys with an index each, every account locked by itself in order,
-- then for each transfer both balances updated, both checked, one transfer and two entries with the running balance.
create function pl_ulid(p_id uuid) returns text language plpgsql immutable as $$
declare v_bits varbit := ('x00' || encode(uuid_send(p_id), 'hex'))::varbit; v_word text := '';
begin
    -- 26 letters of five bits each: the 128 of the id with two in front; the first six bits of the eight are skipped.
    for i in 0 .. 25 loop
        v_word := v_word || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substring(v_bits from 7 + 5 * i for 5)::bit(5)::int + 1, 1);
    end loop;
    return v_word;
end $$;
create function pl_id(p_prefix text) returns text language sql volatile as $$ select p_prefix || '_' || pl_ulid(uuidv7()) $$;
create table pl_account (
    id text primary key default pl_id('acc'), name text not null, currency text not null,
    balance numeric not null default 0, version bigint not null default 0,
    may_be_negative boolean not null, may_be_positive boolean not null,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now());
create table pl_transfer (
    id text primary key default pl_id('trf'),
    from_id text not null references pl_account, to_id text not null references pl_account,
    amount numeric not null, created_at timestamptz not null, event_at timestamptz not null, metadata jsonb,
    check (amount > 0 and from_id <> to_id));
create index on pl_transfer (from_id);
create index on pl_transfer (to_id);
create index on pl_transfer (event_at);
create table pl_entry (
    id text primary key default pl_id('ent'),
    account_id text not null references pl_account, transfer_id text not null references pl_transfer,
    amount numeric not null, before numeric not null, after numeric not null,
    version bigint not null, created_at timestamptz not null);
create index on pl_entry (account_id);
create index on pl_entry (transfer_id);

insert into pl_account (id, name, currency, balance, may_be_negative, may_be_positive)
    select 'acc_' || g, 'acceptor ' || g, 'USDT', 1000000, false, true from generate_series(1, 200) g;
insert into pl_account (id, name, currency, may_be_negative, may_be_positive)
    select 'acc_' || name, name, 'USDT', false, true from unnest('{escrow,merchant,fees,below,top}'::text[]) name;

create function pl_check(a pl_account) returns void language plpgsql as $$
begin
    if a.balance < 0 and not a.may_be_negative then raise exception 'account % would be negative', a.id; end if;
    if a.balance > 0 and not a.may_be_positive then raise exception 'account % would be positive', a.id; end if;
end $$;
create type pl_request as (from_id text, to_id text, amount numeric);
create function pl_transfers(p_requests pl_request[]) returns setof pl_transfer language plpgsql as $$
declare v_request pl_request; v_id text; v_transfer text; v_made text[] := '{}'; v_from pl_account; v_to pl_account;
begin
    foreach v_id in array array(
        select distinct each from unnest(p_requests) r, unnest(array[r.from_id, r.to_id]) each order by each) loop
        perform id from pl_account where id = v_id for update;
    end loop;
    foreach v_request in array p_requests loop
        if v_request.amount <= 0 or v_request.from_id = v_request.to_id then raise exception 'not a transfer'; end if;
        update pl_account set balance = balance - v_request.amount, version = version + 1, updated_at = now()
            where id = v_request.from_id returning * into v_from;
        perform pl_check(v_from);
        update pl_account set balance = balance + v_request.amount, version = version + 1, updated_at = now()
            where id = v_request.to_id returning * into v_to;
        perform pl_check(v_to);
        if v_from.currency <> v_to.currency then raise exception 'two currencies'; end if;
        insert into pl_transfer (from_id, to_id, amount, created_at, event_at)
            values (v_from.id, v_to.id, v_request.amount, now(), now()) returning id into v_transfer;
        v_made := v_made || v_transfer;
        insert into pl_entry (account_id, transfer_id, amount, before, after, version, created_at) values
            (v_from.id, v_transfer, -v_request.amount, v_from.balance + v_request.amount, v_from.balance, v_from.version, now());
        insert into pl_entry (account_id, transfer_id, amount, before, after, version, created_at) values
            (v_to.id, v_transfer, v_request.amount, v_to.balance - v_request.amount, v_to.balance, v_to.version, now());
    end loop;
    return query select * from pl_transfer where id = any (v_made) order by id;
end $$;
