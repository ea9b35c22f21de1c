-- Changes of configuration tell their number at the transaction's end; no table may be changed while that waits.
set constraints all immediate;
alter table pool add column places integer not null default 0 check (places >= 0);
drop index pool_account_slot;
alter table pool_account rename column slot to place;
alter table pool_account alter column place drop not null;
update pool_account a set place = case when a.left_at is null then n.number end
  from (select id, row_number() over (partition by pool_id, left_at is null order by id) as number from pool_account) n
 where n.id = a.id;
update pool l set places = n.serving
  from (select pool_id, count(*) as serving from pool_account where left_at is null group by pool_id) n
 where n.pool_id = l.id;
-- Deferred: who leaves hands its place to the last one in two statements.
alter table pool_account
    add constraint pool_account_place_while_it_serves check ((place is null) = (left_at is not null) and place > 0),
    add constraint pool_account_place_once unique (pool_id, place) deferrable initially deferred;
create index pool_account_place on pool_account (pool_id, place) where matchable;
