-- Postings alone, in the manner of a ledger kept by one function: accounts locked in order, each transfer two
-- entries with the balance before and after.
create table pl_account (id bigint primary key, balance bigint not null default 0, version bigint not null default 0, may_be_negative boolean not null);
create table pl_transfer (id bigint generated always as identity primary key, from_id bigint not null, to_id bigint not null, units bigint not null, created_at timestamptz not null default now());
create table pl_entry (id bigint generated always as identity primary key, transfer_id bigint not null references pl_transfer, account_id bigint not null references pl_account,
    units bigint not null, before bigint not null, after bigint not null, version bigint not null);
create index on pl_entry (account_id, version);
insert into pl_account select g, 1000000000000, 0, false from generate_series(1, 200) g;
insert into pl_account values (1001, 0, 0, false), (1002, 0, 0, false), (1003, 0, 0, false), (1004, 0, 0, false), (1005, 0, 0, false);
create function pl_transfers(p_from bigint[], p_to bigint[], p_units bigint[]) returns void language plpgsql as $$
declare v_transfer bigint; a pl_account;
begin
    perform id from pl_account where id = any (p_from || p_to) order by id for update;
    for i in 1 .. cardinality(p_from) loop
        insert into pl_transfer (from_id, to_id, units) values (p_from[i], p_to[i], p_units[i]) returning id into v_transfer;
        update pl_account set balance = balance - p_units[i], version = version + 1 where id = p_from[i] returning * into a;
        if a.balance < 0 and not a.may_be_negative then raise exception 'account % would be negative', a.id; end if;
        insert into pl_entry (transfer_id, account_id, units, before, after, version) values (v_transfer, a.id, -p_units[i], a.balance + p_units[i], a.balance, a.version);
        update pl_account set balance = balance + p_units[i], version = version + 1 where id = p_to[i] returning * into a;
        insert into pl_entry (transfer_id, account_id, units, before, after, version) values (v_transfer, a.id, p_units[i], a.balance - p_units[i], a.balance, a.version);
    end loop;
end $$;
