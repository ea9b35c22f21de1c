-- A market of {acceptors} funded acceptors for one merchant with two agents above it. Set at once, since only
-- what happens afterwards is measured.
with p as (
    insert into party (ref, kind, code, name, country, created_at)
    select 'acc_' || lpad(upper(to_hex(g)), 16, '0'), 'acceptor', 'acceptor-' || g, 'Acceptor ' || g, 'BR', now()
      from generate_series(1, {acceptors}) g returning id, code)
insert into acceptor (party_id, online, seen_at) select id, true, now() from p;
insert into ledger_account (id, name, kind, party_id, asset, low_mark)
select nextval('ledger_account_acceptor_id'), 'acceptor:' || code, 'acceptor', id, 'USDT', 1000000 from party where kind = 'acceptor';
begin;
set constraints all deferred;
insert into bank_account (ref, party_id, bank, holder, currency, method, blind, sealed, masked, created_at)
select 'bnk_' || lpad(upper(to_hex(id)), 16, '0'), id, 'Bank', name, 'BRL', 'pix', sha256(code::bytea), '\x00', '•• 0000', now() from party where kind = 'acceptor';
insert into withdrawal_account select party_id, id, now() from bank_account;
commit;
insert into pool (ref, code, currency, method, fee_code, policy, min_fiat_units, max_fiat_units, created_at)
values ('pol_0000000000000001', 'brl', 'BRL', 'pix', 'standard', '{policy}', 100, 100000000, now());
insert into pool_account (pool_id, acceptor_id, bank_account_id, account_id, place, open_limit, day_limit_units, matchable)
select (select id from pool), b.party_id, b.id, a.id, row_number() over (order by random()), 1000000, 1000000000000000, false
  from bank_account b join ledger_account a on a.party_id = b.party_id;
update pool set places = (select count(*) from pool_account);
insert into pool_account_load (pool_account_id) select id from pool_account;
do $$ declare r record; begin
    for r in select id from ledger_account where kind = 'acceptor' loop
        perform ledger_post('jrn_' || r.id, 'topup:' || r.id, 'reserve_topup', null, 'bench', now(),
            array[(select id from ledger_account where name = 'house:custody'), r.id], array['available', 'available'],
            array[-1000000000000, 1000000000000]);
    end loop;
end $$;
analyze;
