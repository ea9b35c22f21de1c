-- Past orders go in by the batch, each batch one transaction. Python reads and judges the lines, these move the rows.
-- Balances are the ledger's: what is to be booked is laid before ledger_post_batch, which alone writes it.

create or replace function history_stage() returns void language plpgsql as $$
begin
    perform ledger_batch();
    if to_regclass('pg_temp.history_row') is not null then
        truncate history_row, history_share, history_order;
        return;
    end if;
    -- What the file says, a row a line.
    create temporary table history_row (
        line bigint primary key, external_ref text, kind text, merchant text, acceptor text, agent text, customer text,
        customer_name text, country text, payer_name text, blind bytea, note jsonb, currency text, fiat_units bigint,
        usdt_units bigint, fee_units bigint, price bigint, state text, created_at timestamptz, claimed_at timestamptz,
        completed_at timestamptz, ended_at timestamptz, print text, order_ref text, entry_ref text, customer_ref text);
    -- Who earns what of an order.
    create temporary table history_share (
        line bigint, ref text, agent_id bigint, account_id bigint, agent_ref text, level smallint, plan_version_id bigint, plan_version int,
        own_bps int, below_bps int, rate_bps int, base_units bigint, units bigint);
    create temporary table history_order (
        line bigint primary key, id bigint, merchant_id bigint, acceptor_id bigint, agent_id bigint, customer_id bigint,
        payer_id bigint, pool_id bigint);
end $$;

-- Lines whose order is there already; `same` when it came from a file and this line says the same.
create or replace function history_known() returns table (line bigint, same boolean) language plpgsql as $$
begin
    analyze history_row;
    return query
    select r.line, coalesce(a.print = r.print, false)
      from history_row r
      join party p on p.kind = 'merchant' and p.code = r.merchant
      join orders o on o.merchant_id = p.id and o.external_ref = r.external_ref
      left join lateral (select x.details ->> 'row' as print from audit x
                          where x.order_id = o.id and x.action = 'order.import' limit 1) a on true;
end $$;

-- Lines that would post into a locked period.
create or replace function history_locked() returns setof bigint language plpgsql as $$
begin
    return query
    select r.line from history_row r
     where r.state = 'completed' and exists (select 1 from period_lock l where l.unlocked_at is null
           and r.completed_at >= l.starts_at and r.completed_at < l.ends_at);
end $$;

-- Parties and currencies that the batch names and nobody has enrolled.
create or replace function history_strangers() returns table (kind text, code text) language plpgsql as $$
begin
    return query
    select n.kind, n.code
      from (select 'agent' as kind, r.agent as code, r.line from history_row r where r.agent <> ''
            union all select 'merchant', r.merchant, r.line from history_row r
            union all select 'acceptor', r.acceptor, r.line from history_row r where r.acceptor <> '') n
     where not exists (select 1 from party p where p.kind = n.kind and p.code = n.code)
     group by 1, 2 order by n.kind, min(n.line);
    return query
    select 'pool', r.currency from history_row r
     where not exists (select 1 from pool p where p.code = 'imported-' || r.currency) group by r.currency order by r.currency;
end $$;

create or replace function history_enrol(p_at timestamptz, p_actor text, p_kinds text[], p_codes text[], p_refs text[])
returns void language plpgsql as $$
begin
    insert into party (ref, kind, code, name, state, created_at)
    select n.ref, n.kind, n.code, n.code, 'imported', (select min(r.created_at) from history_row r)
      from unnest(p_kinds, p_codes, p_refs) with ordinality as n (kind, code, ref, no) where n.kind <> 'pool' order by n.no;
    insert into agent (party_id, plan_id)
    select p.id, (select id from plan where code = 'direct') from party p where p.kind = 'agent' and p.ref = any (p_refs);
    insert into agent_closure (ancestor_id, descendant_id, distance)
    select p.id, p.id, 0 from party p where p.kind = 'agent' and p.ref = any (p_refs);
    -- A merchant belongs to the agent of its first line.
    insert into merchant (party_id, agent_id)
    select p.id, (select g.id from history_row r join party g on g.kind = 'agent' and g.code = r.agent
                   where r.merchant = p.code order by r.line limit 1)
      from party p where p.kind = 'merchant' and p.ref = any (p_refs);
    insert into acceptor (party_id) select p.id from party p where p.kind = 'acceptor' and p.ref = any (p_refs);
    perform ledger_open(p.kind, p.id, p.code) from party p where p.ref = any (p_refs);
    insert into pool (ref, code, currency, method, fee_code, policy, min_fiat_units, max_fiat_units, state, created_at)
    select n.ref, 'imported-' || n.code, n.code, 'bank', 'standard', 'uniform_random', 1, 1000000000000000, 'imported', p_at
      from unnest(p_kinds, p_codes, p_refs) as n (kind, code, ref) where n.kind = 'pool';
    insert into audit (at, actor, role, action, subject, details)
    select p_at, p_actor, 'system', n.kind || '.import', n.ref, jsonb_build_object('code', n.code)
      from unnest(p_kinds, p_codes, p_refs) as n (kind, code, ref);
    insert into notice (topic, subject, event, happened_at, payload)
    select n.kind || '.imported', n.ref, 'imported', p_at, jsonb_build_object('code', n.code)
      from unnest(p_kinds, p_codes, p_refs) as n (kind, code, ref);
end $$;

-- Each line's agent and all above it, with the plan version that was in force when the order was opened. A past order is
-- paid at its plan's first rate: what volume the platform before us counted is not in the file.
create or replace function history_paths() returns table (line bigint, path jsonb, codes text[]) language plpgsql as $$
begin
    return query
    select r.line, jsonb_agg(jsonb_build_array(u.ancestor_id, a.id, v.id, v.version, 0, 0) order by u.distance),
           array_agg(up.code order by u.distance)
      from history_row r
      join party p on p.kind = 'agent' and p.code = r.agent
      join agent_closure u on u.descendant_id = p.id
      join agent g on g.party_id = u.ancestor_id
      join party up on up.id = u.ancestor_id and up.state <> 'barred'
      join ledger_account a on a.party_id = u.ancestor_id and a.asset = 'USDT'
     cross join lateral (select x.id, x.version from plan_version x where x.plan_id = g.plan_id and x.effective_from <= r.created_at
                          and x.withdrawn_at is null order by x.version desc limit 1) v
     group by r.line;
end $$;

create or replace function history_customers() returns void language plpgsql as $$
begin
    insert into customer as c (ref, merchant_id, external_id, verified_name, country, created_at)
    select distinct on (m.id, r.customer) r.customer_ref, m.id, r.customer, r.customer_name, r.country,
           min(r.created_at) over (partition by m.id, r.customer)
      from history_row r join party m on m.kind = 'merchant' and m.code = r.merchant
     order by m.id, r.customer, r.line
    on conflict on constraint customer_once do update set created_at = excluded.created_at where excluded.created_at < c.created_at;
    update payer_account y set first_seen_at = s.first
      from (select r.blind, min(r.created_at) as first from history_row r group by r.blind) s
     where y.blind = s.blind and y.first_seen_at > s.first;
end $$;

create or replace function history_orders() returns void language plpgsql as $$
begin
    analyze history_share;
    insert into history_order
    select r.line, nextval(pg_get_serial_sequence('orders', 'id')), m.id, a.id, g.id, c.id, y.id, l.id
      from history_row r
      join party m on m.kind = 'merchant' and m.code = r.merchant
      join customer c on c.merchant_id = m.id and c.external_id = r.customer
      join payer_account y on y.blind = r.blind
      join pool l on l.code = 'imported-' || r.currency
      left join party a on a.kind = 'acceptor' and a.code = r.acceptor
      left join party g on g.kind = 'agent' and g.code = r.agent
     order by r.created_at, r.line;
    analyze history_order;
    insert into orders (id, ref, external_ref, kind, state, dispute_state, source, merchant_id, customer_id, agent_id, pool_id,
        acceptor_id, payer_account_id, payer_name, currency, fiat_units, rate_price, usdt_units, fee_units, fee_schedule_id, split,
        received_units, next_actor, created_at, matched_at, claimed_at, paid_at, completed_at, ended_at, apart)
    overriding system value
    select h.id, r.order_ref, r.external_ref, r.kind, case r.state when 'disputed_refunded' then 'refunded' else r.state end,
           case r.state when 'disputed_refunded' then 'decided' else 'none' end, 'import', h.merchant_id, h.customer_id, h.agent_id,
           h.pool_id, h.acceptor_id, h.payer_id, r.payer_name, r.currency, r.fiat_units, r.price, r.usdt_units, r.fee_units,
           (select id from fee_schedule where code = 'standard' and version = 1), coalesce(s.split, '[]'),
           case r.state when 'completed' then r.fiat_units end, 'nobody', r.created_at,
           case when h.acceptor_id is not null then r.created_at end, r.claimed_at, r.claimed_at,
           case r.state when 'completed' then r.completed_at end, r.ended_at,
           order_apart(case r.state when 'disputed_refunded' then 'refunded' else r.state end)
      from history_row r join history_order h using (line)
      left join (select x.line, jsonb_agg(jsonb_build_object('agent_id', x.agent_id, 'account_id', x.account_id, 'agent_ref', x.agent_ref, 'level', x.level,
                        'plan_version_id', x.plan_version_id, 'plan_version', x.plan_version, 'own_bps', x.own_bps,
                        'below_bps', x.below_bps, 'rate_bps', x.rate_bps, 'base_units', x.base_units, 'units', x.units)
                        order by x.level) as split from history_share x group by x.line) s using (line)
     order by h.id;
end $$;

-- What the completed orders of the batch moved. A deposit: from the acceptor's reserve to merchant, house and agents;
-- a withdrawal: from the merchant to the acceptor's reserve, house and agents. What was needed for it came from custody
-- first (order 0). Nothing waited in escrow that anybody could still see, so nothing is frozen and returned here.
create or replace function history_legs() returns void language plpgsql as $$
begin
    insert into posting_leg (entry_no, account_id, units)
    with done as (
        select h.id, r.line, r.kind, h.merchant_id, h.acceptor_id, r.usdt_units, r.fee_units
          from history_row r join history_order h using (line) where r.state = 'completed'),
    earned as (select s.line, sum(s.units)::bigint as units from history_share s group by s.line),
    moved as (
        select d.id, case d.kind when 'deposit' then d.acceptor_id else d.merchant_id end as party_id, -d.usdt_units as units from done d
        union all
        select d.id, case d.kind when 'deposit' then d.merchant_id else d.acceptor_id end, d.usdt_units - d.fee_units from done d
        union all
        select d.id, s.agent_id, s.units from done d join history_share s using (line)
        union all
        select 0, case d.kind when 'deposit' then d.acceptor_id else d.merchant_id end, sum(d.usdt_units)::bigint from done d group by 2)
    select m.id, a.id, m.units from moved m join ledger_account a on a.party_id = m.party_id and a.asset = 'USDT' where m.units <> 0
    union all
    select d.id, a.id, d.fee_units - coalesce(e.units, 0)
      from done d left join earned e using (line) join ledger_account a on a.name = 'house:fees'
     where d.fee_units <> coalesce(e.units, 0)
    union all
    select 0, a.id, -sum(d.usdt_units)::bigint from done d join ledger_account a on a.name = 'house:custody' group by a.id;
end $$;

create or replace function history_post(p_key text, p_ref text, p_actor text) returns void language plpgsql as $$
begin
    insert into posting_entry (no, ref, key, reason, order_id, happened_at)
    select 0, p_ref, p_key, 'history_opening', null, min(h.completed_at) from history_row h where h.state = 'completed' having count(*) > 0
    union all
    select o.id, h.entry_ref, h.order_ref || ':release', 'escrow_release', o.id, h.completed_at
      from history_row h join history_order o using (line) where h.state = 'completed';
    perform ledger_post_batch(p_actor);
    insert into commission_line (ref, order_id, agent_id, level, plan_version_id, own_bps, below_bps, rate_bps, base_units, units, period,
        accrued_at)
    select s.ref, o.id, s.agent_id, s.level, s.plan_version_id, s.own_bps, s.below_bps, s.rate_bps, s.base_units, s.units,
           to_char(h.completed_at at time zone 'UTC', 'YYYY-MM'), h.completed_at
      from history_share s join history_row h using (line) join history_order o using (line) where h.state = 'completed';
end $$;

-- What happened, for the other rooms, for the auditor and for the risk rules: known when it happened.
create or replace function history_tell(p_at timestamptz, p_actor text, p_file text) returns void language plpgsql as $$
begin
    insert into notice (topic, subject, order_id, event, from_state, to_state, acceptor_id, happened_at)
    select 'order.import', r.order_ref, h.id, 'import', null, case r.state when 'disputed_refunded' then 'refunded' else r.state end,
           h.acceptor_id, r.ended_at
      from history_row r join history_order h using (line) order by h.id;
    insert into audit (at, actor, role, action, subject, order_id, to_state, details)
    select p_at, p_actor, 'system', 'order.import', r.order_ref, h.id,
           case r.state when 'disputed_refunded' then 'refunded' else r.state end,
           jsonb_build_object('file', p_file, 'line', r.line, 'row', r.print)
      from history_row r join history_order h using (line) order by h.id;
    insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units,
        seconds, note)
    select f.kind, f.at, f.at, r.order_ref, h.customer_id, h.merchant_id, h.acceptor_id, h.payer_id, r.usdt_units,
           case when f.kind = 'order_completed' then extract(epoch from r.completed_at - r.claimed_at)::int end,
           case when f.kind = 'order_opened' then r.note end
      from history_row r join history_order h using (line)
     cross join lateral (values ('order_opened', r.created_at), ('order_claimed', r.claimed_at),
             (case r.state when 'disputed_refunded' then 'order_refunded' else 'order_' || r.state end, r.ended_at),
             (case r.state when 'disputed_refunded' then 'order_disputed' end, r.ended_at)) as f (kind, at)
     where f.kind is not null and f.at is not null
     order by f.at;
end $$;
