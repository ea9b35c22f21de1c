-- Seals: hash chains over the journal and the audit trail, made by a job, never inside a business transaction.

-- The one definition of what is sealed of a row, as a JSON array that any language can write again:
-- times in microseconds since 1970, an entry together with its legs. Transaction numbers are left out,
-- because a restored database gives new ones. What a row has only since it is told to the other rooms too (its event, its
-- acceptor) stands at the end, where there is any: older rows keep the text they were sealed by.
create or replace view seal_source_journal as
select e.id as row_id, e.xid, e.ref,
       jsonb_build_array(e.id, e.ref, e.key, e.reason, e.order_id, e.actor,
           (extract(epoch from e.happened_at) * 1000000)::bigint, (extract(epoch from e.booked_at) * 1000000)::bigint,
           (select jsonb_agg(jsonb_build_array(l.id, l.account_id, l.pocket, l.asset, l.units) order by l.id)
              from journal_leg l where l.entry_id = e.id))::text as text,
       e.booked_at
  from journal_entry e;

create or replace view seal_source_audit as
select a.id as row_id, a.xid, a.action || ' ' || a.subject as ref,
       (jsonb_build_array(a.id, (extract(epoch from a.at) * 1000000)::bigint, (extract(epoch from a.booked_at) * 1000000)::bigint,
            a.actor, a.role, a.user_id, a.action, a.subject, a.order_id, a.reason, a.from_state, a.to_state, a.details::text, a.trace_id)
        || case when a.event is null then '[]' else jsonb_build_array(a.event, a.acceptor_id) end)::text as text,
       a.booked_at
  from audit a;

-- The hash of a block: the block before it, its number and range, and the hashes of its rows in order.
create or replace function seal_block_hash(p_chain text, p_no bigint, p_first bigint, p_last bigint, p_prev bytea)
returns bytea language sql stable as $$
    select sha256(p_prev || convert_to(format('%s:%s:%s:%s:', p_chain, p_no, p_first, p_last), 'UTF8')
                  || coalesce(string_agg(r.hash, ''::bytea order by r.pos), ''::bytea))
      from seal_row r where r.chain = p_chain and r.pos between p_first and p_last
$$;

-- Seal up to p_limit rows whose transactions have all ended; returns how many were sealed.
create or replace function seal_advance(p_chain text, p_limit int, p_block int) returns bigint language plpgsql as $$
declare
    v_mark watermark;
    v_to xid8;
    v_reached xid8;
    v_last bigint;
    v_rows bigint;
    b record;
    v_no bigint;
    v_prev bytea;
begin
    select * into v_mark from watermark where name = 'seal_' || p_chain for update;
    -- Taken after the lock: every transaction before it has ended, so the next statement sees all its rows.
    v_to := pg_snapshot_xmin(pg_current_snapshot());
    select coalesce(max(pos), 0) into v_last from seal_row where chain = p_chain;
    execute format($q$
        with due as materialized (
            select s.row_id, s.xid, s.booked_at, s.text from seal_source_%1$s s
             where s.xid >= $1 and s.xid < $2
               and not exists (select 1 from seal_row r where r.chain = $3 and r.row_id = s.row_id)
             order by s.xid, s.row_id limit $4),
        sealed as (
            insert into seal_row (chain, pos, row_id, hash)
            select $3, $5 + row_number() over (order by booked_at, xid, row_id), row_id, sha256(convert_to(text, 'UTF8')) from due
            returning 1)
        select (select count(*) from sealed), (select max(xid) from due) $q$, p_chain)
       into v_rows, v_reached using v_mark.done_to, v_to, p_chain, p_limit, v_last;
    for b in select first, least(first + p_block - 1, v_last + v_rows) as last
               from generate_series(v_last + 1, v_last + v_rows, p_block) as first order by first loop
        select no, hash into v_no, v_prev from seal_block where chain = p_chain order by no desc limit 1;
        v_no := coalesce(v_no, 0) + 1;
        v_prev := coalesce(v_prev, decode(repeat('00', 32), 'hex'));
        insert into seal_block (chain, no, first_pos, last_pos, prev_hash, hash, sealed_at)
        values (p_chain, v_no, b.first, b.last, v_prev, seal_block_hash(p_chain, v_no, b.first, b.last, v_prev), clock_timestamp());
    end loop;
    update watermark set done_to = greatest(v_mark.done_to, case when v_rows < p_limit then v_to else v_reached end), moved_at = clock_timestamp()
     where name = v_mark.name;
    return v_rows;
end $$;

-- The rows that are not sealed yet, numbered on from the last sealed position in the order they will be sealed in.
-- With the watermark as a constant the planner knows that they are few, however many are sealed.
create or replace function seal_waiting(p_chain text) returns table (row_id bigint, pos bigint)
language plpgsql stable security definer set search_path = public, pg_temp rows 100 as $$
begin
    return query execute format($q$
        select t.id, $1 + row_number() over (order by t.booked_at, t.xid, t.id) from %I t
         where t.xid >= $2 and not exists (select 1 from seal_row r where r.chain = $3 and r.row_id = t.id) $q$,
        case p_chain when 'journal' then 'journal_entry' when 'audit' then 'audit' end)
        using (select coalesce(max(s.pos), 0) from seal_row s where s.chain = p_chain),
              (select w.done_to from watermark w where w.name = 'seal_' || p_chain), p_chain;
end $$;

-- What auditors and tools read. `seq` is the sealed position: final, without gap, in the order of booking; rows of the
-- last half minute have the number they would have if they were sealed now. Who does not read `seq` does not pay for it:
-- both joins are to one row at most, which the planner sees.
create or replace view v_journal as
select coalesce(r.pos, w.pos) as seq, e.ref as entry_ref, e.reason, e.key,
       a.name || case when a.kind = 'acceptor' then case l.pocket when 'available' then ':reserve' else ':' || l.pocket end
                      when l.pocket = 'available' then '' else ':' || l.pocket end as account,
       l.asset, l.units, e.happened_at, e.booked_at
  from journal_entry e join journal_leg l on l.entry_id = e.id join ledger_account a on a.id = l.account_id
  left join seal_row r on r.chain = 'journal' and r.row_id = e.id
  left join (select row_id, min(pos) as pos from seal_waiting('journal') group by row_id) w on w.row_id = e.id;

create or replace view v_audit as
select coalesce(r.pos, w.pos) as seq, a.at, a.actor, a.action, a.subject, a.reason
  from audit a
  left join seal_row r on r.chain = 'audit' and r.row_id = a.id
  left join (select row_id, min(pos) as pos from seal_waiting('audit') group by row_id) w on w.row_id = a.id;
