CREATE DOMAIN public.account_kind AS text
	CONSTRAINT ledger_account_kind_known CHECK ((VALUE = ANY (ARRAY['acceptor'::text, 'merchant'::text, 'agent'::text, 'house'::text])));
CREATE DOMAIN public.account_pocket AS text
	CONSTRAINT journal_pocket_known CHECK ((VALUE = ANY (ARRAY['available'::text, 'escrow'::text, 'held'::text])));
CREATE DOMAIN public.commission_state AS text
	CONSTRAINT commission_state_known CHECK ((VALUE = ANY (ARRAY['pending'::text, 'approved'::text, 'payable'::text, 'paid'::text, 'reversed'::text])));
CREATE DOMAIN public.load_count AS integer
	CONSTRAINT load_not_negative CHECK ((VALUE >= 0));
CREATE DOMAIN public.load_units AS bigint
	CONSTRAINT load_not_negative CHECK ((VALUE >= 0));
CREATE TYPE public.order_claimed AS (
	done boolean,
	state text,
	risk_state text,
	dispute_state text,
	late boolean,
	early boolean,
	future boolean,
	stranger boolean,
	opened_at timestamp with time zone,
	deadline_at timestamp with time zone
);
CREATE DOMAIN public.order_kind AS text
	CONSTRAINT order_kind_known CHECK ((VALUE = ANY (ARRAY['deposit'::text, 'withdrawal'::text])));
CREATE TYPE public.order_open_seen AS (
	at text,
	told boolean,
	merchant_state text,
	merchant_code text,
	merchant_country text,
	agent_id bigint,
	quote_id bigint,
	kind text,
	currency text,
	fiat_units bigint,
	rate_price bigint,
	usdt_units bigint,
	fee_units bigint,
	margin_units bigint,
	fee_schedule_id bigint,
	expired boolean,
	pool_id bigint,
	pool_state text,
	policy text,
	policy_version integer,
	pay_seconds integer,
	customer_id bigint,
	customer_name text,
	customer_state text,
	customer_country text,
	customer_level integer,
	customer_age bigint,
	customer_turn integer,
	payer_id bigint,
	payer_listed text,
	ruleset_id bigint,
	path bigint[],
	path_codes text[],
	number bigint,
	good_until text,
	vector bigint[],
	candidates bigint[],
	disputed bigint[]
);
CREATE TYPE public.order_opened AS (
	state text,
	deadline_at timestamp with time zone,
	acceptor_id bigint
);
CREATE TYPE public.order_release_seen AS (
	at text,
	id bigint,
	version integer,
	state text,
	merchant_id bigint,
	acceptor_id bigint,
	customer_id bigint,
	payer_account_id bigint,
	escrow_account_id bigint,
	pool_account_id bigint,
	currency text,
	fiat_units bigint,
	usdt_units bigint,
	fee_units bigint,
	risk_state text,
	dispute_state text,
	split text,
	matched_at text,
	claimed_seconds_ago bigint,
	customer_name text,
	customer_level integer,
	customer_age bigint,
	payer_listed text,
	open_alerts bigint,
	merchant_account_id bigint,
	ruleset_id bigint,
	vector bigint[],
	declared_listed text,
	declared bigint[],
	received_units bigint
);
CREATE DOMAIN public.order_risk AS text
	CONSTRAINT order_risk_known CHECK ((VALUE = ANY (ARRAY['clear'::text, 'flagged'::text, 'held'::text, 'refused'::text])));
CREATE DOMAIN public.order_source AS text
	CONSTRAINT order_source_known CHECK ((VALUE = ANY (ARRAY['api'::text, 'import'::text])));
CREATE DOMAIN public.order_state AS text
	CONSTRAINT order_state_known CHECK ((VALUE = ANY (ARRAY['created'::text, 'matching'::text, 'offered'::text, 'awaiting_payment'::text, 'paid_claimed'::text, 'completed'::text, 'cancelled'::text, 'expired'::text, 'no_liquidity'::text, 'refused'::text, 'refunded'::text, 'reversed'::text])));
CREATE DOMAIN public.risk_gate AS text
	CONSTRAINT evaluation_gate_known CHECK ((VALUE = ANY (ARRAY['G1'::text, 'G2'::text, 'G3'::text, 'G4'::text])));
CREATE DOMAIN public.risk_verdict AS text
	CONSTRAINT evaluation_verdict_known CHECK ((VALUE = ANY (ARRAY['allow'::text, 'review'::text, 'hold'::text, 'refuse'::text])));
CREATE FUNCTION public.account_sound(p_kind text, p_available bigint, p_escrow bigint, p_held bigint) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
    return p_kind = 'house' or (p_available >= 0 and p_escrow >= 0 and p_held >= 0);
end $$;
CREATE FUNCTION public.configuration_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    -- Once a transaction: whoever reads sees all that it changed, and the new number, in the same moment.
    if current_setting('desk.configuration_counted', true) = 'yes' then return null; end if;
    perform set_config('desk.configuration_counted', 'yes', true);
    update configuration set number = greatest(number + 1, (extract(epoch from clock_timestamp()) * 1e6)::bigint);
    return null;
end $$;
CREATE FUNCTION public.history_customers() RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_enrol(p_at timestamp with time zone, p_actor text, p_kinds text[], p_codes text[], p_refs text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_known() RETURNS TABLE(line bigint, same boolean)
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_legs() RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_locked() RETURNS SETOF bigint
    LANGUAGE plpgsql
    AS $$
begin
    return query
    select r.line from history_row r
     where r.state = 'completed' and exists (select 1 from period_lock l where l.unlocked_at is null
           and r.completed_at >= l.starts_at and r.completed_at < l.ends_at);
end $$;
CREATE FUNCTION public.history_orders() RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_paths() RETURNS TABLE(line bigint, path jsonb, codes text[])
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_post(p_key text, p_ref text, p_actor text) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_stage() RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_strangers() RETURNS TABLE(kind text, code text)
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.history_tell(p_at timestamp with time zone, p_actor text, p_file text) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.hold_close(p_order bigint, p_entry text, p_at timestamp with time zone, p_actor text, p_outcome text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare h hold;
begin
    update hold set closed_at = p_at, outcome = p_outcome where order_id = p_order and closed_at is null returning * into h;
    if not found then return false; end if;
    perform ledger_move(p_entry, h.ref || ':close', 'hold_close', p_order, p_actor, p_at, h.account_id, 'held', 'escrow', h.units);
    return true;
end $$;
CREATE FUNCTION public.journal_must_balance() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.ledger_batch() RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    if to_regclass('pg_temp.posting_entry') is not null then
        truncate posting_entry, posting_leg;
        return;
    end if;
    create temporary table posting_entry (no bigint, ref text primary key, key text, reason text, order_id bigint, happened_at timestamptz);
    create temporary table posting_leg (entry_no bigint, account_id bigint, units bigint);
end $$;
CREATE FUNCTION public.ledger_book(p_account bigint, p_available bigint, p_escrow bigint, p_held bigint) RETURNS text
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.ledger_fold(p_account bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    perform 1 from ledger_account where id = p_account for no key update;
    -- A statement of its own after the lock: it sees all that ended before the lock was had.
    update ledger_account a
       set available = a.available + coalesce((select sum(l.units) from journal_leg l
             where l.account_id = a.id and leg_waits(l.xid, a.folded) and pg_visible_in_snapshot(l.xid, pg_current_snapshot())), 0),
           folded = pg_current_snapshot()
     where a.id = p_account;
end $$;
CREATE FUNCTION public.ledger_low_mark(p_account bigint, p_mark bigint) RETURNS void
    LANGUAGE sql
    AS $$
    update ledger_account set low_mark = p_mark where id = p_account and low_mark <> p_mark
$$;
CREATE FUNCTION public.ledger_low_marks(p_accounts bigint[], p_marks bigint[]) RETURNS void
    LANGUAGE sql
    AS $$
    update ledger_account a set low_mark = m.mark from unnest(p_accounts, p_marks) m (account_id, mark)
     where a.id = m.account_id and a.low_mark <> m.mark
$$;
CREATE FUNCTION public.ledger_move(p_ref text, p_key text, p_reason text, p_order bigint, p_actor text, p_at timestamp with time zone, p_account bigint, p_from text, p_to text, p_units bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.ledger_open(p_kind text, p_party bigint, p_code text, p_asset text DEFAULT 'USDT'::text) RETURNS bigint
    LANGUAGE sql
    AS $$
    insert into ledger_account (id, name, kind, party_id, asset)
    values (nextval(('ledger_account_' || p_kind || '_id')::regclass), p_kind || ':' || p_code, p_kind, p_party, p_asset) returning id
$$;
CREATE FUNCTION public.ledger_post(p_ref text, p_key text, p_reason text, p_order bigint, p_actor text, p_at timestamp with time zone, p_accounts bigint[], p_pockets text[], p_units bigint[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.ledger_post_batch(p_actor text) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.leg_waits(p_xid xid8, p_folded pg_snapshot) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN ((p_xid >= pg_snapshot_xmin(p_folded)) AND (NOT pg_visible_in_snapshot(p_xid, p_folded)));
CREATE FUNCTION public.match_candidates_wide(p_pool bigint, p_usdt bigint, p_fiat bigint, p_at timestamp with time zone, p_limit integer) RETURNS bigint[]
    LANGUAGE sql STABLE
    AS $$
    select array_agg(c.row) from (
        select array[x.id, x.account_id, x.acceptor_id, x.weight, a.available, l.open_orders, x.open_limit,
                     x.day_limit_units - case when l.day = (p_at at time zone 'UTC')::date then l.day_units else 0 end] as row
          from pool_account x join ledger_account a on a.id = x.account_id join pool_account_load l on l.pool_account_id = x.id
         where x.pool_id = p_pool and x.matchable and a.available >= p_usdt and l.open_orders < x.open_limit
           and x.day_limit_units - case when l.day = (p_at at time zone 'UTC')::date then l.day_units else 0 end >= p_fiat
         order by random() limit p_limit) c
$$;
CREATE FUNCTION public.order_apart(p_state text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    select case when p_state in ('cancelled', 'expired', 'no_liquidity', 'refused', 'refunded', 'reversed') then p_state end
$$;
CREATE FUNCTION public.order_change(p_order bigint, p_version integer, p jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    update orders o
       set state = coalesce(p ->> 'state', o.state), apart = coalesce(order_apart(p ->> 'state'), o.apart), risk_state = coalesce(p ->> 'risk_state', o.risk_state),
           amount_state = coalesce(p ->> 'amount_state', o.amount_state), timeliness = coalesce(p ->> 'timeliness', o.timeliness),
           dispute_state = coalesce(p ->> 'dispute_state', o.dispute_state),
           next_actor = coalesce(p ->> 'next_actor', o.next_actor), deadline_at = case when p ? 'deadline_at' then (p ->> 'deadline_at')::timestamptz else o.deadline_at end,
           received_units = coalesce((p ->> 'received_units')::bigint, o.received_units),
           payer_account_id = coalesce((p ->> 'payer_account_id')::bigint, o.payer_account_id),
           payer_name = coalesce(p ->> 'payer_name', o.payer_name),
           claimed_at = coalesce((p ->> 'claimed_at')::timestamptz, o.claimed_at), paid_at = coalesce((p ->> 'paid_at')::timestamptz, o.paid_at),
           completed_at = coalesce((p ->> 'completed_at')::timestamptz, o.completed_at),
           ended_at = coalesce((p ->> 'ended_at')::timestamptz, o.ended_at), version = o.version + 1
     where o.id = p_order and o.version = p_version;
    if not found then
        raise exception 'order changed meanwhile' using errcode = 'lock_not_available', constraint = 'order_is_the_same';
    end if;
    if p ? 'ended_at' then
        delete from order_waiting where order_id = p_order;
    elsif p ? 'deadline_at' then
        update order_waiting set deadline_at = (p ->> 'deadline_at')::timestamptz where order_id = p_order;
    end if;
end $$;
CREATE FUNCTION public.order_claim(p_ref text, p_merchant bigint, p_at timestamp with time zone, p_from text, p_to text, p_next text, p_payer_name text, p_paid_at timestamp with time zone, p_payer_ref text, p_payer_blind bytea, p_payer_sealed bytea, p_payer_masked text, p_reason text, p_actor text, p_role text, p_user integer, p_trace text) RETURNS public.order_claimed
    LANGUAGE plpgsql
    AS $$
declare
    o record;
    answer order_claimed;
    v_at timestamptz := coalesce(p_at, clock_timestamp());
    -- Banks tell a payment by its day or its value date, which over holidays lies up to a week back.
    v_dated constant interval := '7 days';
    -- A bank's clock may be some minutes off ours.
    v_slack constant interval := '5 minutes';
    v_payer bigint;
begin
    select y.id into v_payer from payer_account y where y.blind = p_payer_blind;
    update orders x
       set state = p_to, next_actor = p_next, payer_account_id = coalesce(v_payer, x.payer_account_id), payer_name = p_payer_name,
           declared_payer_account_id = nullif(x.payer_account_id, v_payer), declared_payer_name = nullif(x.payer_name, p_payer_name),
           claimed_at = greatest(v_at, x.matched_at), paid_at = coalesce(p_paid_at, greatest(v_at, x.matched_at)), version = x.version + 1,
           deadline_at = greatest(v_at, x.matched_at) + make_interval(secs => (select l.confirm_seconds from pool l where l.id = x.pool_id))
     where x.ref = p_ref and x.state = p_from and (p_merchant is null or x.merchant_id = p_merchant)
       and v_at <= x.deadline_at
       and (p_paid_at is null or p_paid_at between x.created_at - v_dated and greatest(v_at, x.matched_at) + v_slack)
       and (v_payer is not null or p_payer_sealed is not null)
    returning x.id, x.acceptor_id, x.customer_id, x.merchant_id, x.usdt_units, old.payer_account_id as declared, x.claimed_at into o;
    if not found then
        select x.state, x.risk_state, x.dispute_state, x.created_at, x.matched_at, x.deadline_at, x.merchant_id into o from orders x where x.ref = p_ref;
        if not found or o.merchant_id <> coalesce(p_merchant, o.merchant_id) then return null; end if;
        v_at := greatest(v_at, o.matched_at);
        answer.done := false; answer.state := o.state; answer.risk_state := o.risk_state; answer.dispute_state := o.dispute_state;
        answer.opened_at := o.created_at; answer.deadline_at := o.deadline_at;
        answer.late := coalesce(v_at > o.deadline_at, false);
        answer.early := coalesce(p_paid_at < o.created_at - v_dated, false);
        answer.future := coalesce(p_paid_at > v_at + v_slack, false);
        answer.stranger := p_payer_sealed is null and v_payer is null;
        return answer;
    end if;
    answer.done := true;
    v_at := o.claimed_at;
    if v_payer is null then
        insert into payer_account (ref, blind, sealed, masked, first_seen_at)
        values (p_payer_ref, p_payer_blind, p_payer_sealed, p_payer_masked, v_at)
        on conflict on constraint payer_account_once do update set ref = payer_account.ref returning id into v_payer;
        update orders set payer_account_id = v_payer where id = o.id;
    end if;
    -- That the same account is named again is nothing new to know.
    if v_payer is distinct from o.declared then
        insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units)
        values ('order_claimed', v_at, v_at, p_ref, o.customer_id, o.merchant_id, o.acceptor_id, v_payer, o.usdt_units);
    end if;
    insert into audit (at, actor, role, user_id, action, subject, order_id, reason, from_state, to_state, trace_id, event, acceptor_id)
    values (v_at, p_actor, p_role, p_user, 'order.claim_paid', p_ref, o.id, p_reason, p_from, p_to, p_trace, 'claim_paid', o.acceptor_id);
    return answer;
end $$;
CREATE FUNCTION public.order_end(p jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_order bigint := (p ->> 'order_id')::bigint;
    v_account bigint := (p ->> 'escrow_account_id')::bigint;
    v_units bigint := (p ->> 'usdt_units')::bigint;
begin
    perform order_change(v_order, (p ->> 'version')::int, p -> 'change');
    if p ? 'entry' then
        perform ledger_move(p ->> 'entry', (p ->> 'ref') || ':return', 'escrow_return', v_order, p #>> '{actor,name}', v_at,
            v_account, 'escrow', 'available', v_units);
        perform pool_account_give_back((p ->> 'pool_account_id')::bigint, (p ->> 'matched_at')::timestamptz, (p ->> 'fiat_units')::bigint);
    end if;
    if p ? 'fact' then
        insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units)
        values (p ->> 'fact', v_at, v_at, p ->> 'ref', (p ->> 'customer_id')::bigint, (p ->> 'merchant_id')::bigint,
                (p ->> 'acceptor_id')::bigint, (p ->> 'payer_account_id')::bigint, (p ->> 'usdt_units')::bigint);
    end if;
    perform order_tell_from(v_order, p, v_at, p -> 'event');
end $$;
CREATE FUNCTION public.order_for_step(p_ref text, p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    o orders;
    v_at timestamptz;
begin
    select * into o from orders where ref = p_ref for no key update;
    if not found then return null; end if;
    v_at := greatest(coalesce(p_at, clock_timestamp()), o.created_at, o.matched_at, o.claimed_at,
                     (select max(a.at) from audit a where a.order_id = o.id and a.event is not null));
    return to_jsonb(o) || jsonb_build_object('at', v_at, 'late', coalesce(v_at > o.deadline_at, false),
        'claimed_seconds_ago', extract(epoch from v_at - o.claimed_at)::bigint,
        'merchant_account_id', (select a.id from ledger_account a where a.party_id = o.merchant_id and a.asset = 'USDT'));
end $$;
CREATE FUNCTION public.order_freeze(p_order bigint, p_ref text, p_entry text, p_usdt bigint, p_fiat bigint, p_at timestamp with time zone, p_actor text, p_attempt integer, p_pool_accounts bigint[], p_accounts bigint[]) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare v_day date := (p_at at time zone 'UTC')::date; v_entry bigint; v_place int;
begin
    for i in 1 .. cardinality(p_accounts) loop
        with reserve as materialized (
            select id from ledger_account where id = p_accounts[i] and available >= p_usdt for no key update skip locked)
        update pool_account_load l
           set open_orders = l.open_orders + 1, day = v_day, day_units = case when l.day = v_day then l.day_units else 0 end + p_fiat
          from reserve cross join pool_account pa
         where l.pool_account_id = p_pool_accounts[i] and pa.id = p_pool_accounts[i] and pa.matchable
           and l.open_orders < pa.open_limit
           and case when l.day = v_day then l.day_units else 0 end + p_fiat <= pa.day_limit_units;
        if found then
            v_place := i;
            exit;
        end if;
    end loop;
    if v_place is null then
        v_place := order_freeze_patiently(p_usdt, p_fiat, v_day, p_pool_accounts, p_accounts);
        if v_place is null then return null; end if;
    end if;
    v_entry := ledger_move(p_entry, p_ref || ':freeze:' || p_attempt, 'escrow_freeze', p_order, p_actor, p_at,
                           p_accounts[v_place], 'available', 'escrow', p_usdt);
    return v_place;
end $$;
CREATE FUNCTION public.order_freeze_patiently(p_usdt bigint, p_fiat bigint, p_day date, p_pool_accounts bigint[], p_accounts bigint[]) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare v_busy boolean[] := array_fill(true, array[cardinality(p_accounts)]); v_highest bigint := 0;
begin
    for v_round in 1 .. 2 loop
        for i in 1 .. cardinality(p_accounts) loop
            continue when not v_busy[i];
            if v_round = 2 and p_accounts[i] > v_highest then
                perform 1 from ledger_account where id = p_accounts[i] for no key update;
            else
                perform 1 from ledger_account where id = p_accounts[i] for no key update skip locked;
                continue when not found;
            end if;
            v_busy[i] := false;
            v_highest := greatest(v_highest, p_accounts[i]);
            -- A statement of its own after the lock: it sees what whoever had the reserve before has changed.
            update pool_account_load l
               set open_orders = l.open_orders + 1, day = p_day, day_units = case when l.day = p_day then l.day_units else 0 end + p_fiat
              from pool_account pa join ledger_account a on a.id = pa.account_id
             where l.pool_account_id = p_pool_accounts[i] and pa.id = l.pool_account_id and pa.matchable and a.available >= p_usdt
               and l.open_orders < pa.open_limit
               and case when l.day = p_day then l.day_units else 0 end + p_fiat <= pa.day_limit_units;
            if found then return i; end if;
        end loop;
    end loop;
    return null;
end $$;
CREATE FUNCTION public.order_match(p jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_order bigint := (p ->> 'order_id')::bigint;
    v_attempt int := (p ->> 'attempt')::int;
    v_place int;
    v_won jsonb;
begin
    v_place := order_freeze(v_order, p ->> 'ref', p ->> 'entry', (p ->> 'usdt_units')::bigint, (p ->> 'fiat_units')::bigint, v_at,
        p #>> '{actor,name}', v_attempt, array(select x::bigint from jsonb_array_elements_text(p -> 'pool_accounts') x),
        array(select x::bigint from jsonb_array_elements_text(p -> 'accounts') x));
    if v_place is null then return null; end if;
    v_won := jsonb_build_object('pool_account_id', p -> 'pool_accounts' -> (v_place - 1), 'account_id', p -> 'accounts' -> (v_place - 1),
                                'acceptor_id', p -> 'acceptors' -> (v_place - 1));
    insert into dispatch (order_id, attempt, policy, policy_version, seed, chosen_acceptor_id, candidates, at)
    values (v_order, v_attempt, p #>> '{dispatch,policy}', (p #>> '{dispatch,policy_version}')::int, (p #>> '{dispatch,seed}')::bigint,
            (v_won ->> 'acceptor_id')::bigint, (p #> '{dispatch,candidates}')::json, v_at);
    update orders set state = p ->> 'state', acceptor_id = (v_won ->> 'acceptor_id')::bigint,
           pool_account_id = (v_won ->> 'pool_account_id')::bigint, escrow_account_id = (v_won ->> 'account_id')::bigint,
           next_actor = p ->> 'next_actor', deadline_at = (p ->> 'deadline_at')::timestamptz, matched_at = v_at, attempts = v_attempt,
           version = version + 1
     where id = v_order and version = (p ->> 'version')::int;
    if not found then raise exception 'order changed meanwhile' using errcode = 'lock_not_available', constraint = 'order_is_the_same'; end if;
    update order_waiting set deadline_at = (p ->> 'deadline_at')::timestamptz where order_id = v_order;
    perform order_tell_from(v_order, p || jsonb_build_object('acceptor_id', v_won -> 'acceptor_id'), v_at, p -> 'event');
    return v_won;
end $$;
CREATE FUNCTION public.order_must_be_sound() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.fiat_units > 0 and new.usdt_units > 0 and new.fee_units >= 0 and new.fee_units < new.usdt_units
       and (new.acceptor_id is null) = (new.matched_at is null) and (new.ended_at is null) = (new.deadline_at is not null) then
        return new;
    end if;
    raise exception 'order % is not sound', new.ref using errcode = 'check_violation', constraint = 'order_sound';
end $$;
CREATE FUNCTION public.order_open(p_at timestamp with time zone, p_ref text, p_external text, p_merchant bigint, p_agent bigint, p_pool bigint, p_quote bigint, p_customer bigint, p_customer_ref text, p_customer_external text, p_customer_name text, p_customer_country text, p_payer bigint, p_payer_ref text, p_payer_blind bytea, p_payer_sealed bytea, p_payer_masked text, p_payer_name text, p_currency text, p_fiat bigint, p_rate bigint, p_usdt bigint, p_fee bigint, p_schedule bigint, p_split jsonb, p_pay_code text, p_risk_state text, p_gate text, p_ruleset bigint, p_verdict text, p_score integer, p_features json, p_reasons json, p_alerts jsonb, p_entry text, p_pool_accounts bigint[], p_accounts bigint[], p_acceptors bigint[], p_policy text, p_policy_version integer, p_seed bigint, p_candidates json, p_created text, p_matched text, p_matched_event text, p_matched_next text, p_matched_seconds integer, p_other text, p_other_event text, p_other_next text, p_other_seconds integer, p_other_reason text, p_number bigint, p_turn integer, p_actor text, p_role text, p_user integer, p_trace text) RETURNS public.order_opened
    LANGUAGE plpgsql
    AS $$
declare
    v_customer bigint := p_customer;
    v_turn int;
    v_payer bigint := p_payer;
    v_order bigint := nextval('orders_id_seq');
    v_won int;
    v_deadline timestamptz;
    v_evaluation bigint;
begin
    -- A customer's openings take turns: the gate has counted all before this one, or the look is made anew.
    if v_customer is null then
        insert into customer as c (ref, merchant_id, external_id, verified_name, country, created_at, turn)
        values (p_customer_ref, p_merchant, p_customer_external, p_customer_name, p_customer_country, p_at, 1)
        on conflict on constraint customer_once do update set turn = c.turn + 1 returning c.id, c.turn into v_customer, v_turn;
    else
        update customer set turn = turn + 1 where id = v_customer and turn = p_turn returning 1 into v_turn;
    end if;
    if v_turn is distinct from 1 then
        raise exception 'another order of this customer was opened meanwhile'
            using errcode = 'lock_not_available', constraint = 'customer_is_the_same';
    end if;
    if v_payer is null then
        insert into payer_account (ref, blind, sealed, masked, first_seen_at)
        values (p_payer_ref, p_payer_blind, p_payer_sealed, p_payer_masked, p_at)
        on conflict on constraint payer_account_once do update set ref = payer_account.ref returning id into v_payer;
    end if;
    if cardinality(p_accounts) > 0 then
        v_won := order_freeze(v_order, p_ref, p_entry, p_usdt, p_fiat, p_at, p_actor, 1, p_pool_accounts, p_accounts);
    end if;
    -- What becomes of it when nobody was had, or the gate refused it, takes the place of what becomes of it otherwise.
    if v_won is null then
        p_matched := p_other; p_matched_event := p_other_event; p_matched_next := p_other_next; p_matched_seconds := p_other_seconds;
    else
        p_other_reason := '';
    end if;
    v_deadline := p_at + make_interval(secs => p_matched_seconds);
    insert into orders (id, ref, external_ref, kind, state, risk_state, merchant_id, customer_id, agent_id, pool_id, quote_id,
        acceptor_id, pool_account_id, escrow_account_id, payer_account_id, payer_name, currency, fiat_units, rate_price, usdt_units,
        fee_units, fee_schedule_id, split, pay_code, attempts, next_actor, deadline_at, created_at, matched_at, ended_at, apart)
    overriding system value values (v_order, p_ref, p_external, 'deposit', p_matched, p_risk_state, p_merchant, v_customer, p_agent,
        p_pool, p_quote, p_acceptors[v_won], p_pool_accounts[v_won], p_accounts[v_won], v_payer, p_payer_name, p_currency, p_fiat,
        p_rate, p_usdt, p_fee, p_schedule, p_split, p_pay_code, 1, p_matched_next, v_deadline, p_at,
        case when v_won is not null then p_at end, case when v_deadline is null then p_at end, order_apart(p_matched));
    if v_deadline is not null then
        insert into order_waiting values (v_order, v_deadline);
    end if;
    if p_policy is not null then
        insert into dispatch (order_id, attempt, policy, policy_version, seed, chosen_acceptor_id, candidates, at)
        values (v_order, 1, p_policy, p_policy_version, p_seed, p_acceptors[v_won], p_candidates, p_at);
    end if;
    v_evaluation := risk_evaluated(v_order, p_at, p_gate, p_ruleset, p_verdict, p_score, p_features, p_reasons, p_alerts);
    insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units)
    values ('order_opened', p_at, p_at, p_ref, v_customer, p_merchant, p_acceptors[v_won], v_payer, p_usdt);
    -- Two events at once: opened, and what became of it.
    insert into audit (at, actor, role, user_id, action, subject, order_id, reason, from_state, to_state, trace_id, event, acceptor_id)
    values (p_at, p_actor, p_role, p_user, 'order.open', p_ref, v_order, '', null, p_created, p_trace, 'open', null),
           (p_at, p_actor, p_role, p_user, 'order.' || p_matched_event, p_ref, v_order, p_other_reason,
            p_created, p_matched, p_trace, p_matched_event, p_acceptors[v_won]);
    -- Asked last, after all that may wait for a lock: what an officer has changed since the look is looked at anew.
    if p_number <> (select n.number from configuration n) then
        raise exception 'the configuration changed meanwhile' using errcode = 'lock_not_available', constraint = 'terms_are_the_same';
    end if;
    return (p_matched, v_deadline, p_acceptors[v_won]);
end $$;
CREATE FUNCTION public.order_open_look(p_merchant bigint, p_quote text, p_customer text, p_blind bytea, p_at timestamp with time zone, p_draw integer, p_known bigint, p_since timestamp with time zone, p_until timestamp with time zone) RETURNS public.order_open_seen
    LANGUAGE plpgsql STABLE
    AS $$
declare v_at timestamptz := coalesce(p_at, clock_timestamp()); v_day date; v_places int; v_quoted timestamptz; seen order_open_seen;
begin
    select q.id, q.kind, q.currency, q.fiat_units, q.rate_price, q.usdt_units, q.fee_units, q.margin_units, q.fee_schedule_id,
           v_at > q.expires_at, q.pool_id, (select n.number from configuration n), (select l.places from pool l where l.id = q.pool_id), q.created_at
      into seen.quote_id, seen.kind, seen.currency, seen.fiat_units, seen.rate_price, seen.usdt_units, seen.fee_units, seen.margin_units,
           seen.fee_schedule_id, seen.expired, seen.pool_id, seen.number, v_places, v_quoted
      from quote q where q.ref = p_quote and q.merchant_id = p_merchant;
    if not found then return null; end if;
    v_at := greatest(v_at, v_quoted);  -- an order is never opened before its quote
    seen.at := v_at;
    seen.told := (p_known = seen.number and v_at >= p_since and v_at < p_until) is not true;
    if seen.told then
        select t.merchant_state, t.merchant_code, t.merchant_country, t.agent_id, t.pool_state, t.policy, t.policy_version, t.pay_seconds,
               t.ruleset_id, t.path, t.path_codes, t.good_until
          into seen.merchant_state, seen.merchant_code, seen.merchant_country, seen.agent_id, seen.pool_state, seen.policy,
               seen.policy_version, seen.pay_seconds, seen.ruleset_id, seen.path, seen.path_codes, seen.good_until
          from order_open_terms(p_merchant, seen.pool_id, v_at) t;
    end if;
    select c.id, c.verified_name, c.state, c.country, c.kyc_level, extract(epoch from v_at - c.created_at)::bigint, c.turn,
           array(select z.acceptor_id from orders z where z.customer_id = c.id and z.dispute_state = 'open')
      into seen.customer_id, seen.customer_name, seen.customer_state, seen.customer_country, seen.customer_level, seen.customer_age, seen.customer_turn, seen.disputed
      from customer c where c.merchant_id = p_merchant and c.external_id = p_customer;
    select y.id, y.listed into seen.payer_id, seen.payer_listed from payer_account y where y.blind = p_blind;
    seen.vector := risk_vector(seen.customer_id, seen.payer_id, null, v_at);
    v_day := (v_at at time zone 'UTC')::date;
    seen.candidates := array(
        select array[x.id, x.account_id, x.acceptor_id, x.weight, a.available, d.open_orders, x.open_limit,
                     x.day_limit_units - case when d.day = v_day then d.day_units else 0 end]
          from (select id, account_id, acceptor_id, weight, open_limit, day_limit_units from pool_account n
                 where n.pool_id = seen.pool_id and n.matchable and n.place = any (pool_places(v_places, p_draw))
                 order by hashint4extended(n.place, p_draw) limit 4) x
          join ledger_account a on a.id = x.account_id
          join pool_account_load d on d.pool_account_id = x.id);
    if seen.candidates = '{}' then
        -- Hardly anybody can be matched: the first ones from some place on, wrapping round.
        seen.candidates := array(
            select array[x.id, x.account_id, x.acceptor_id, x.weight, a.available, d.open_orders, x.open_limit,
                         x.day_limit_units - case when d.day = v_day then d.day_units else 0 end]
              from ((select * from pool_account n where n.pool_id = seen.pool_id and n.matchable and n.place > p_draw % greatest(v_places, 1)
                      order by n.place limit 4)
                    union all
                    (select * from pool_account n where n.pool_id = seen.pool_id and n.matchable and n.place <= p_draw % greatest(v_places, 1)
                      order by n.place limit 4) limit 4) x
              join ledger_account a on a.id = x.account_id
              join pool_account_load d on d.pool_account_id = x.id);
    end if;
    return seen;
end $$;
CREATE FUNCTION public.order_open_terms(p_merchant bigint, p_pool bigint, p_at timestamp with time zone, OUT merchant_state text, OUT merchant_code text, OUT merchant_country text, OUT agent_id bigint, OUT pool_state text, OUT policy text, OUT policy_version integer, OUT pay_seconds integer, OUT ruleset_id bigint, OUT path bigint[], OUT path_codes text[], OUT good_until timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
begin
    select p.state, p.code, p.country, m.agent_id into merchant_state, merchant_code, merchant_country, agent_id
      from merchant m join party p on p.id = m.party_id where m.party_id = p_merchant;
    select l.state, l.policy, l.policy_version, l.pay_seconds into pool_state, policy, policy_version, pay_seconds
      from pool l where l.id = p_pool;
    select r.id into ruleset_id from ruleset r where r.state = 'active';
    good_until := 'infinity';
    if agent_id is null then return; end if;
    select least(min(g.volume_until) filter (where g.volume_until > p_at), min(v.effective_from) filter (where v.effective_from > p_at and v.withdrawn_at is null),
                 'infinity') into good_until
      from agent_closure u join agent g on g.party_id = u.ancestor_id join plan_version v on v.plan_id = g.plan_id
     where u.descendant_id = order_open_terms.agent_id;
    select array_agg(array[u.ancestor_id, a.id, v.id, v.version, case when (p_at < g.volume_until) is false then 0 else g.deposit_volume_units end,
                           coalesce(extract(epoch from g.volume_at)::bigint, 0)] order by u.distance), array_agg(p.code order by u.distance)
      into path, path_codes
      from agent_closure u join agent g on g.party_id = u.ancestor_id join party p on p.id = u.ancestor_id
      join ledger_account a on a.party_id = u.ancestor_id and a.asset = 'USDT'
      cross join lateral (select x.id, x.version from plan_version x where x.plan_id = g.plan_id and x.effective_from <= p_at
                           and x.withdrawn_at is null order by x.version desc limit 1) v
     where u.descendant_id = order_open_terms.agent_id and p.state <> 'barred';
end $$;
CREATE FUNCTION public.order_pay_to(p_pool_account bigint) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object('bank', b.bank, 'holder', b.holder, 'masked', b.masked, 'sealed', encode(b.sealed, 'hex'),
                              'acceptor_ref', p.ref, 'acceptor_code', p.code, 'acceptor_name', p.name)
      from pool_account pa join bank_account b on b.id = pa.bank_account_id join party p on p.id = pa.acceptor_id
     where pa.id = p_pool_account
$$;
CREATE FUNCTION public.order_release(p_at timestamp with time zone, p_order bigint, p_version integer, p_ref text, p_from text, p_to text, p_next text, p_received bigint, p_risk_state text, p_customer bigint, p_merchant bigint, p_acceptor bigint, p_payer bigint, p_usdt bigint, p_pool_account bigint, p_seconds integer, p_entry text, p_accounts bigint[], p_pockets text[], p_units bigint[], p_line_refs text[], p_gate text, p_ruleset bigint, p_verdict text, p_score integer, p_features json, p_reasons json, p_alerts jsonb, p_reason text, p_actor text, p_role text, p_user integer, p_trace text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare v_entry bigint; v_evaluation bigint; v_split jsonb;
begin
    update orders set state = p_to, next_actor = p_next, received_units = p_received, completed_at = p_at, ended_at = p_at,
           deadline_at = null, risk_state = p_risk_state, version = version + 1,
           dispute_state = case when dispute_state = 'open' then 'decided' else dispute_state end
     where id = p_order and version = p_version
    returning split into v_split;
    if not found then
        raise exception 'order changed meanwhile' using errcode = 'lock_not_available', constraint = 'order_is_the_same';
    end if;
    delete from order_waiting where order_id = p_order;
    v_entry := ledger_post(p_entry, p_ref || ':release', 'escrow_release', p_order, p_actor, p_at, p_accounts, p_pockets, p_units);
    update pool_account_load set open_orders = open_orders - 1 where pool_account_id = p_pool_account;
    if p_gate is not null then
        v_evaluation := risk_evaluated(p_order, p_at, p_gate, p_ruleset, p_verdict, p_score, p_features, p_reasons, p_alerts);
    end if;
    if cardinality(p_line_refs) > 0 then
        insert into commission_line (ref, order_id, agent_id, level, plan_version_id, own_bps, below_bps, rate_bps, base_units, units, period, accrued_at)
        select x.ref, p_order, x.agent, x.level, x.plan, x.own, x.below, x.rate, p_usdt, x.units, to_char(p_at at time zone 'UTC', 'YYYY-MM'), p_at
          from rows from (unnest(p_line_refs), jsonb_to_recordset(v_split) as (agent_id bigint, level int, plan_version_id bigint,
                   own_bps int, below_bps int, rate_bps int, units bigint)) as x (ref, agent, level, plan, own, below, rate, units);
    end if;
    insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units, seconds)
    values ('order_completed', p_at, p_at, p_ref, p_customer, p_merchant, p_acceptor, p_payer, p_usdt, p_seconds);
    insert into audit (at, actor, role, user_id, action, subject, order_id, reason, from_state, to_state, trace_id, event, acceptor_id)
    values (p_at, p_actor, p_role, p_user, 'order.confirm', p_ref, p_order, p_reason, p_from, p_to, p_trace, 'confirm', p_acceptor);
end $$;
CREATE FUNCTION public.order_release_look(p_ref text, p_at timestamp with time zone) RETURNS public.order_release_seen
    LANGUAGE plpgsql STABLE
    AS $$
declare v_at timestamptz := coalesce(p_at, clock_timestamp()); v_claimed timestamptz; v_declared bigint; seen order_release_seen;
begin
    select o.id, o.version, o.state, o.merchant_id, o.acceptor_id, o.customer_id, o.payer_account_id, o.escrow_account_id,
           o.pool_account_id, o.currency, o.fiat_units, o.usdt_units, o.fee_units, o.risk_state, o.dispute_state,
           o.split, o.matched_at, o.claimed_at, o.declared_payer_account_id, o.received_units
      into seen.id, seen.version, seen.state, seen.merchant_id, seen.acceptor_id, seen.customer_id, seen.payer_account_id,
           seen.escrow_account_id, seen.pool_account_id, seen.currency, seen.fiat_units, seen.usdt_units, seen.fee_units, seen.risk_state,
           seen.dispute_state, seen.split, seen.matched_at, v_claimed, v_declared, seen.received_units
      from orders o where o.ref = p_ref;
    if not found then return null; end if;
    v_at := greatest(v_at, v_claimed);  -- a step is never before the order's last one
    seen.at := v_at;
    seen.claimed_seconds_ago := extract(epoch from v_at - v_claimed)::bigint;
    select c.verified_name, c.kyc_level, extract(epoch from v_at - c.created_at)::bigint,
           (select y.listed from payer_account y where y.id = seen.payer_account_id),
           (select a.id from ledger_account a where a.party_id = seen.merchant_id and a.asset = 'USDT'),
           (select r.id from ruleset r where r.state = 'active')
      into seen.customer_name, seen.customer_level, seen.customer_age, seen.payer_listed, seen.merchant_account_id, seen.ruleset_id
      from customer c where c.id = seen.customer_id;
    seen.payer_listed := coalesce(seen.payer_listed, '');
    seen.open_alerts := 0;
    if seen.risk_state <> 'clear' then
        select count(*) into seen.open_alerts from alert x
         where x.order_id = seen.id and x.state <> 'closed' and x.verdict <> 'allow';
    end if;
    seen.vector := risk_vector(seen.customer_id, seen.payer_account_id, seen.acceptor_id, v_at);
    if v_declared is not null then
        select y.listed into seen.declared_listed from payer_account y where y.id = v_declared;
        seen.declared := (risk_vector(seen.customer_id, v_declared, 0, v_at))[11:12];  -- 0: no acceptor's record is asked again
    end if;
    return seen;
end $$;
CREATE FUNCTION public.order_steps() RETURNS TABLE(from_state text, event text, to_state text)
    LANGUAGE sql IMMUTABLE
    AS $$
    values (null, 'open', 'created'),
           ('created', 'refuse', 'refused'), ('created', 'queue', 'matching'), ('created', 'match', 'awaiting_payment'),
           ('created', 'offer', 'offered'), ('created', 'cancel', 'cancelled'), ('created', 'expire', 'expired'),
           ('created', 'give_up', 'no_liquidity'),
           ('matching', 'match', 'awaiting_payment'), ('matching', 'offer', 'offered'), ('matching', 'refuse', 'refused'),
           ('matching', 'cancel', 'cancelled'), ('matching', 'give_up', 'no_liquidity'),
           ('offered', 'accept', 'awaiting_payment'), ('offered', 'decline', 'matching'), ('offered', 'cancel', 'cancelled'),
           ('offered', 'expire', 'expired'),
           ('awaiting_payment', 'claim_paid', 'paid_claimed'), ('awaiting_payment', 'cancel', 'cancelled'),
           ('awaiting_payment', 'expire', 'expired'),
           ('paid_claimed', 'confirm', 'completed'), ('paid_claimed', 'refund', 'refunded'),
           ('expired', 'late_claim', 'paid_claimed'),
           ('completed', 'reverse', 'reversed')
$$;
CREATE FUNCTION public.order_stop(p jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_order bigint := (p ->> 'order_id')::bigint;
    v_account bigint := (p ->> 'escrow_account_id')::bigint;
    v_units bigint := (p ->> 'usdt_units')::bigint;
begin
    perform order_change(v_order, (p ->> 'version')::int, p -> 'change');
    perform risk_evaluated_from(v_order, v_at, p -> 'gate');
    if p ? 'hold' then
        perform ledger_move(p ->> 'entry', (p ->> 'hold') || ':open', 'hold_open', v_order, p #>> '{actor,name}', v_at,
            v_account, 'escrow', 'held', v_units);
        insert into hold (ref, order_id, account_id, alert_id, units, opened_at)
        values (p ->> 'hold', v_order, v_account, (select min(id) from alert where order_id = v_order and gate = 'G3'), v_units, v_at);
    end if;
    perform order_tell_from(v_order, p, v_at, p -> 'event');
end $$;
CREATE FUNCTION public.order_tell(p_order bigint, p_ref text, p_acceptor bigint, p_at timestamp with time zone, p_actor text, p_role text, p_user integer, p_trace text, p_event text, p_from text, p_to text, p_reason text DEFAULT ''::text, p_payload jsonb DEFAULT NULL::jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    insert into audit (at, actor, role, user_id, action, subject, order_id, reason, from_state, to_state, details, trace_id, event, acceptor_id)
    values (p_at, p_actor, p_role, p_user, 'order.' || p_event, p_ref, p_order, p_reason, p_from, p_to, p_payload, p_trace, p_event, p_acceptor);
end $$;
CREATE FUNCTION public.order_tell_from(p_order bigint, p jsonb, p_at timestamp with time zone, p_event jsonb) RETURNS void
    LANGUAGE sql
    AS $$
    select order_tell(p_order, p ->> 'ref', (p ->> 'acceptor_id')::bigint, p_at, p #>> '{actor,name}', p #>> '{actor,role}',
        (p #>> '{actor,user_id}')::int, coalesce(p #>> '{actor,trace}', ''), p_event ->> 'event', p_event ->> 'from_state',
        p_event ->> 'to_state', coalesce(p_event ->> 'reason', ''), nullif(p_event -> 'payload', 'null'))
$$;
CREATE FUNCTION public.period_is_open() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if exists (select 1 from period_lock where unlocked_at is null and starts_at <= new.happened_at and ends_at > new.happened_at) then
        raise exception 'the period of this posting is locked; post an adjustment in the open period'
            using errcode = 'check_violation', constraint = 'period_open';
    end if;
    return new;
end $$;
CREATE FUNCTION public.pool_account_flags(p_account bigint) RETURNS void
    LANGUAGE sql
    AS $$
    update pool_account pa set matchable = x.can
      from pool_account_rule() x where x.account_id = p_account and pa.id = x.id and pa.matchable <> x.can
$$;
CREATE FUNCTION public.pool_account_give_back(p_pool_account bigint, p_created timestamp with time zone, p_fiat bigint) RETURNS void
    LANGUAGE sql
    AS $$
    update pool_account_load
       set open_orders = open_orders - 1,
           day_units = case when day = (p_created at time zone 'UTC')::date then greatest(day_units - p_fiat, 0) else day_units end
     where pool_account_id = p_pool_account
$$;
CREATE FUNCTION public.pool_account_leave(p_account bigint, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare v_pool bigint; v_place int; v_last int;
begin
    select pool_id, place into v_pool, v_place from pool_account where id = p_account;
    update pool_account set left_at = p_at, place = null where id = p_account;
    update pool set places = places - 1 where id = v_pool returning places + 1 into v_last;
    update pool_account set place = v_place where pool_id = v_pool and place = v_last;
end $$;
CREATE FUNCTION public.pool_account_rule() RETURNS TABLE(id bigint, account_id bigint, can boolean)
    LANGUAGE sql STABLE
    AS $$
    select p.id, p.account_id, (p.left_at is null and l.available >= pool.min_reserve_units and a.online and not a.silent
                                and a.paused = '' and party.state = 'active' and b.state = 'active')
      from pool_account p join ledger_account l on l.id = p.account_id join pool on pool.id = p.pool_id
      join acceptor a on a.party_id = p.acceptor_id join party on party.id = a.party_id
      join bank_account b on b.id = p.bank_account_id
$$;
CREATE FUNCTION public.pool_account_sync(p_acceptor bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.pool_place(p_pool bigint) RETURNS integer
    LANGUAGE sql
    AS $$
    update pool set places = places + 1 where id = p_pool returning places
$$;
CREATE FUNCTION public.pool_places(p_places integer, p_draw integer) RETURNS integer[]
    LANGUAGE sql IMMUTABLE
    AS $$
    select case when p_places <= 8 then array[1, 2, 3, 4, 5, 6, 7, 8]
           else array(select 1 + ((hashint4extended(k, p_draw) & 2147483647) % p_places)::int from generate_series(1, 8) k) end
$$;
CREATE FUNCTION public.pool_sync(p_pool bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'rows of % are never changed or removed; a correction is a new row', tg_table_name
        using errcode = 'restrict_violation';
end $$;
CREATE FUNCTION public.refuse_emptying() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception using message = tg_table_name || ' is never emptied', errcode = 'restrict_violation';
end $$;
CREATE FUNCTION public.risk_evaluated(p_order bigint, p_at timestamp with time zone, p_gate text, p_ruleset bigint, p_verdict text, p_score integer, p_features json, p_reasons json, p_alerts jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare v_evaluation bigint;
begin
    insert into evaluation (order_id, gate, ruleset_id, verdict, score, features, reasons, at)
    values (p_order, p_gate, p_ruleset, p_verdict, p_score, p_features, p_reasons, p_at)
    returning id into v_evaluation;
    if p_alerts is not null then
        insert into alert (ref, order_id, evaluation_id, gate, rule, ruleset_id, verdict, score, reason, raised_at, due_at)
        select x.ref, p_order, v_evaluation, p_gate, x.rule, p_ruleset, p_verdict, p_score, x.reason, p_at,
               p_at + make_interval(secs => x.due_seconds)
          from jsonb_to_recordset(p_alerts) as x (ref text, rule text, reason jsonb, due_seconds int)
        on conflict on constraint alert_rule_once do nothing;
    end if;
    return v_evaluation;
end $$;
CREATE FUNCTION public.risk_evaluated_from(p_order bigint, p_at timestamp with time zone, g jsonb) RETURNS bigint
    LANGUAGE sql
    AS $$
    select risk_evaluated(p_order, p_at, g ->> 'gate', (g ->> 'ruleset_id')::bigint, g ->> 'verdict', (g ->> 'score')::int,
        (g -> 'features')::json, (g -> 'reasons')::json, nullif(g -> 'alerts', 'null'))
$$;
CREATE FUNCTION public.risk_vector(p_customer bigint, p_payer bigint, p_acceptor bigint, p_at timestamp with time zone) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    AS $$
declare
    c record;
    -- Null is what was not asked: each value given here would cost an expression a call.
    v_p95 bigint; v_users bigint; v_age bigint; v_disputed bigint; v_confirmed bigint; v_customer bigint[];
    -- The windows' beginnings, worked out once and not for each row; the short ones only where they are asked for.
    v_10m timestamptz; v_1h timestamptz; v_1d timestamptz;
    v_30d timestamptz := p_at - interval '30 days';
    v_90d timestamptz := p_at - interval '90 days';
begin
    if p_customer is not null and p_acceptor is null then
        v_10m := p_at - interval '10 minutes'; v_1h := p_at - interval '1 hour'; v_1d := p_at - interval '1 day';
        select count(*) filter (where opened and happened_at > v_10m) as m10,
               count(*) filter (where opened and happened_at > v_1h) as h1,
               count(*) filter (where opened and happened_at > v_1d) as d1,
               count(*) filter (where opened and happened_at > v_30d) as d30,
               coalesce(sum(usdt_units) filter (where opened and happened_at > v_1d), 0) as usdt_1d,
               coalesce(sum(usdt_units) filter (where opened and happened_at > v_30d), 0) as usdt_30d,
               count(*) filter (where opened) as opened,
               count(*) filter (where kind = 'order_completed') as completed,
               count(*) filter (where kind = 'order_expired' and happened_at > v_1d) as expired
          into c
          from (select kind, kind = 'order_opened' as opened, happened_at, usdt_units from risk_fact
                 where customer_id = p_customer and happened_at > v_90d and happened_at < p_at
                   and known_at < p_at) f;
        -- The usual size of a customer's orders asks for a sort: only of one who has some.
        if c.completed >= 8 then
            select percentile_disc(0.95) within group (order by usdt_units) into v_p95 from risk_fact
             where customer_id = p_customer and happened_at > v_90d and happened_at < p_at
               and known_at < p_at and kind = 'order_completed';
        end if;
        v_customer := array[c.m10, c.h1, c.d1, c.d30, c.usdt_1d, c.usdt_30d, coalesce(v_p95, 0), c.opened, c.completed, c.expired];
    end if;
    if p_payer is not null then
        select count(distinct customer_id) filter (where happened_at > v_30d and customer_id is distinct from p_customer) + 1,
               extract(epoch from p_at - min(happened_at))::bigint
          into v_users, v_age
          from risk_fact
         where payer_account_id = p_payer and happened_at > v_90d and happened_at < p_at and known_at < p_at;
    end if;
    -- Whom nobody disputes has no record to reckon: without this question its last fifty orders were read for each release.
    if p_acceptor is not null and exists (
            select from risk_fact where acceptor_id = p_acceptor and kind = 'order_disputed' and happened_at > v_30d
               and happened_at < p_at and known_at < p_at) then
        select count(*) filter (where kind = 'order_disputed'), count(*) filter (where kind = 'order_completed')
          into v_disputed, v_confirmed
          from (select f.kind from unnest(array['order_completed', 'order_disputed', 'confirm_without_bank_line']) k
                 cross join lateral (select x.kind, x.happened_at from risk_fact x
                                      where x.acceptor_id = p_acceptor and x.kind = k
                                        and x.kind in ('order_completed', 'order_disputed', 'confirm_without_bank_line')
                                        and x.happened_at > v_30d and x.happened_at < p_at and x.known_at < p_at
                                      order by x.happened_at desc limit 50) f
                 order by f.happened_at desc limit 50) last;
    end if;
    return coalesce(v_customer, '{0,0,0,0,0,0,0,0,0,0}')
        || array[coalesce(v_users, 1), coalesce(v_age, 0), coalesce(v_disputed, 0), coalesce(v_confirmed, 0)];
end $$;
CREATE FUNCTION public.rollup_acceptor(p_order bigint, p_to xid8) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    select coalesce((select case when o.source = 'import' then o.acceptor_id else last.acceptor_id end
      from orders o
      left join lateral (select p.acceptor_id from outbox p
                          where p.order_id = o.id and p.xid < p_to and p.to_state in ('created', 'offered', 'awaiting_payment')
                          order by p.created_at desc, p.id desc limit 1) last on true
     where o.id = p_order), 0)
$$;
CREATE FUNCTION public.rollup_add(p_hours_from xid8, p_commission_from xid8, p_alert_from xid8, p_to xid8) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare v_empty tid[];
begin
    with added as (
    insert into rollup_hour as r (hour, kind, currency, pool_id, merchant_id, acceptor_id, created, matched, claimed, completed,
        expired, cancelled, refused, refunded, no_liquidity, created_usdt_units, usdt_units, fiat_units, fee_units, settle_seconds,
        agent_id)
    select h.* from rollup_hours(p_hours_from, p_to) h order by 1, 2, 3, 4, 5, 6, h.agent_id
    on conflict (hour, kind, currency, pool_id, merchant_id, acceptor_id, agent_id) do update
       set created = r.created + excluded.created, matched = r.matched + excluded.matched, claimed = r.claimed + excluded.claimed,
           completed = r.completed + excluded.completed, expired = r.expired + excluded.expired,
           cancelled = r.cancelled + excluded.cancelled, refused = r.refused + excluded.refused,
           refunded = r.refunded + excluded.refunded, no_liquidity = r.no_liquidity + excluded.no_liquidity,
           created_usdt_units = r.created_usdt_units + excluded.created_usdt_units, usdt_units = r.usdt_units + excluded.usdt_units,
           fiat_units = r.fiat_units + excluded.fiat_units, fee_units = r.fee_units + excluded.fee_units,
           settle_seconds = r.settle_seconds + excluded.settle_seconds
     returning r.ctid, r.created = 0 and r.matched = 0 and r.claimed = 0 and r.completed = 0 and r.expired = 0 and r.cancelled = 0
               and r.refused = 0 and r.refunded = 0 and r.no_liquidity = 0 and r.created_usdt_units = 0 as is_empty)
    select array_agg(ctid) into v_empty from added where is_empty;
    -- A row whose orders all moved to the acceptors who took them later is as if it had never been.
    delete from rollup_hour where ctid = any (v_empty);
    insert into rollup_commission_day as r (day, agent_id, level, plan_version_id, lines, base_units, units)
    select c.* from rollup_commission_days(p_commission_from, p_to) c order by 1, 2, 3, 4
    on conflict (day, agent_id, level, plan_version_id) do update
       set lines = r.lines + excluded.lines, base_units = r.base_units + excluded.base_units, units = r.units + excluded.units;
    insert into rollup_commission_path_day as r (day, agents, plan_versions, orders, base_units)
    select c.* from rollup_commission_paths(p_commission_from, p_to) c order by 1, 2, 3
    on conflict (day, agents, plan_versions) do update
       set orders = r.orders + excluded.orders, base_units = r.base_units + excluded.base_units;
    with added as (
    insert into rollup_alert_day as r (day, rule, verdict, currency, merchant_id, acceptor_id, raised, false_positive, confirmed,
        closed, decide_seconds)
    select a.* from rollup_alert_days(p_alert_from, p_to) a order by 1, 2, 3, 4, 5, 6
    on conflict (day, rule, verdict, currency, merchant_id, acceptor_id) do update
       set raised = r.raised + excluded.raised, false_positive = r.false_positive + excluded.false_positive,
           confirmed = r.confirmed + excluded.confirmed, closed = r.closed + excluded.closed,
           decide_seconds = r.decide_seconds + excluded.decide_seconds
     returning r.ctid, r.raised = 0 and r.closed = 0 as is_empty)
    select array_agg(ctid) into v_empty from added where is_empty;
    delete from rollup_alert_day where ctid = any (v_empty);
    with added as (
    insert into rollup_alert_order as r (days, rules, currency, merchant_id, acceptor_id, orders, usdt_units)
    select a.* from rollup_alert_orders(p_alert_from, p_to) a order by 1, 2, 3, 4, 5
    on conflict (days, rules, currency, merchant_id, acceptor_id) do update
       set orders = r.orders + excluded.orders, usdt_units = r.usdt_units + excluded.usdt_units
     returning r.ctid, r.orders = 0 and r.usdt_units = 0 as is_empty)
    select array_agg(ctid) into v_empty from added where is_empty;
    delete from rollup_alert_order where ctid = any (v_empty);
    -- Never backwards: what has been counted is not counted again.
    update watermark set done_to = greatest(done_to, p_to), moved_at = clock_timestamp() where name in ('rollup', 'rollup_alert', 'rollup_commission');
end $$;
CREATE FUNCTION public.rollup_advance() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    v_hours xid8; v_alert xid8; v_commission xid8; v_to xid8; v_facts bigint;
begin
    perform 1 from watermark where name in ('rollup', 'rollup_alert', 'rollup_commission') order by name for update;
    select done_to into v_hours from watermark where name = 'rollup';
    select done_to into v_alert from watermark where name = 'rollup_alert';
    select done_to into v_commission from watermark where name = 'rollup_commission';
    v_to := pg_snapshot_xmin(pg_current_snapshot());
    select count(*) into v_facts from outbox where xid >= v_hours and xid < v_to;
    perform rollup_add(v_hours, v_commission, v_alert, v_to);
    return v_facts;
end $$;
CREATE FUNCTION public.rollup_alert_days(p_from xid8, p_to xid8) RETURNS TABLE(day date, rule text, verdict text, currency text, merchant_id bigint, acceptor_id bigint, raised bigint, false_positive bigint, confirmed bigint, closed bigint, decide_seconds bigint)
    LANGUAGE sql STABLE
    AS $$
    with ended as materialized (
        select b.subject as ref, b.xid from outbox b where b.topic = 'alert.closed' and b.xid >= p_from),
    happened as (
        select a.id, 1 as raised, 0 as closed, rollup_acceptor(a.order_id, p_to) as acceptor_id
          from alert a where a.xid >= p_from and a.xid < p_to
        union all
        select a.id, 0, 1, rollup_acceptor(a.order_id, p_to)
          from ended e join alert a on a.ref = e.ref where e.xid < p_to
        union all
        select a.id, move.n, case when a.state = 'closed' and not exists (select 1 from ended e where e.ref = a.ref) then move.n else 0 end,
               move.acceptor_id
          from rollup_alert_moves(p_from, p_to) m
          join alert a on a.order_id = m.order_id and a.xid < p_from
         cross join lateral (values (m.acceptor_before, -1), (m.acceptor_id, 1)) as move (acceptor_id, n))
    select (a.raised_at at time zone 'UTC')::date, a.rule, a.verdict, o.currency, o.merchant_id, h.acceptor_id,
           sum(h.raised),
           sum(case when a.disposition in ('false_positive', 'explained') then h.closed else 0 end),
           sum(case when a.disposition like 'confirmed%' then h.closed else 0 end),
           sum(h.closed),
           sum(case when h.closed <> 0 then h.closed * coalesce(floor(extract(epoch from a.closed_at - a.raised_at)), 0) else 0 end)::bigint
      from happened h
      join alert a on a.id = h.id
      join orders o on o.id = a.order_id
     group by 1, 2, 3, 4, 5, 6
    having sum(h.raised) <> 0 or sum(h.closed) <> 0
$$;
CREATE FUNCTION public.rollup_alert_moves(p_from xid8, p_to xid8) RETURNS TABLE(order_id bigint, acceptor_before bigint, acceptor_id bigint)
    LANGUAGE sql STABLE
    AS $$
    select m.* from (
        select t.order_id, rollup_acceptor(t.order_id, p_from) as acceptor_before, rollup_acceptor(t.order_id, p_to) as acceptor_id
          from (select b.order_id from outbox b
                 where b.xid >= p_from and b.xid < p_to and b.to_state in ('created', 'offered', 'awaiting_payment')
                   and exists (select 1 from alert a where a.order_id = b.order_id and a.xid < p_from)
                 group by 1) t) m
     where m.acceptor_before <> m.acceptor_id
$$;
CREATE FUNCTION public.rollup_alert_orders(p_from xid8, p_to xid8) RETURNS TABLE(days date[], rules text[], currency text, merchant_id bigint, acceptor_id bigint, orders bigint, usdt_units bigint)
    LANGUAGE sql STABLE
    AS $$
    with touched as (
        select a.order_id from alert a where a.xid >= p_from and a.xid < p_to
        union
        select m.order_id from rollup_alert_moves(p_from, p_to) m),
    told as (
        select t.order_id, side.n, rollup_acceptor(t.order_id, side.upto) as acceptor_id, its.days, its.rules
          from touched t
         cross join lateral (values (p_from, -1), (p_to, 1)) as side (upto, n)
         cross join lateral (select array_agg(x.day order by x.day, x.rule) as days, array_agg(x.rule order by x.day, x.rule) as rules
                               from (select distinct (a.raised_at at time zone 'UTC')::date as day, a.rule
                                       from alert a where a.order_id = t.order_id and a.xid < side.upto) x) its
         where its.days is not null)
    select t.days, t.rules, o.currency, o.merchant_id, t.acceptor_id, sum(t.n), sum(t.n * o.usdt_units)::bigint
      from told t join orders o on o.id = t.order_id
     group by 1, 2, 3, 4, 5
    having sum(t.n) <> 0 or sum(t.n * o.usdt_units) <> 0
$$;
CREATE FUNCTION public.rollup_commission_days(p_from xid8, p_to xid8) RETURNS TABLE(day date, agent_id bigint, level smallint, plan_version_id bigint, lines bigint, base_units bigint, units bigint)
    LANGUAGE sql STABLE
    AS $$
    select (c.accrued_at at time zone 'UTC')::date, c.agent_id, c.level, c.plan_version_id, count(*),
           sum(c.base_units)::bigint, sum(c.units)::bigint
      from commission_line c where c.xid >= p_from and c.xid < p_to group by 1, 2, 3, 4
$$;
CREATE FUNCTION public.rollup_commission_paths(p_from xid8, p_to xid8) RETURNS TABLE(day date, agents bigint[], plan_versions bigint[], orders bigint, base_units bigint)
    LANGUAGE sql STABLE
    AS $$
    select o.day, o.agents, o.plan_versions, count(*), sum(o.base_units)::bigint
      from (select (min(c.accrued_at) at time zone 'UTC')::date as day, max(c.base_units) as base_units,
                   array_agg(c.agent_id order by c.level, c.agent_id) as agents,
                   array_agg(c.plan_version_id order by c.level, c.agent_id) as plan_versions
              from commission_line c where c.xid >= p_from and c.xid < p_to group by c.order_id) o
     group by 1, 2, 3
$$;
CREATE FUNCTION public.rollup_hours(p_from xid8, p_to xid8) RETURNS TABLE(hour timestamp with time zone, kind text, currency text, pool_id bigint, merchant_id bigint, acceptor_id bigint, created bigint, matched bigint, claimed bigint, completed bigint, expired bigint, cancelled bigint, refused bigint, refunded bigint, no_liquidity bigint, created_usdt_units bigint, usdt_units bigint, fiat_units bigint, fee_units bigint, settle_seconds bigint, agent_id bigint)
    LANGUAGE sql STABLE
    AS $$
    with fed as (
        select b.* from outbox b
         where b.xid >= p_from and b.xid < p_to and b.order_id is not null and b.to_state is not null),
    counted as (
        select b.order_id, b.happened_at as at, b.acceptor_id, b.to_state as what, 1 as n from fed b where b.event <> 'import'
        union all
        select b.order_id, o.created_at, move.acceptor_id, 'created', move.n
          from fed b
          join orders o on o.id = b.order_id
          join lateral (select p.acceptor_id from outbox p
                         where p.order_id = b.order_id and p.id <> b.id and p.to_state in ('created', 'offered', 'awaiting_payment')
                           and (p.created_at, p.id) < (b.created_at, b.id)
                         order by p.created_at desc, p.id desc limit 1) before on before.acceptor_id is distinct from b.acceptor_id
         cross join lateral (values (before.acceptor_id, -1), (b.acceptor_id, 1)) as move (acceptor_id, n)
         where b.event <> 'import' and b.to_state in ('offered', 'awaiting_payment')
        union all
        select b.order_id, t.at, o.acceptor_id, t.what, 1
          from fed b
          join orders o on o.id = b.order_id
         cross join lateral (values ('created', o.created_at), ('awaiting_payment', o.matched_at), ('paid_claimed', o.claimed_at),
                  (o.state, case when o.state not in ('created', 'awaiting_payment', 'paid_claimed')
                                 then coalesce(o.completed_at, o.ended_at, o.claimed_at, o.created_at) end)) as t (what, at)
         where b.event = 'import' and t.at is not null)
    select date_trunc('hour', c.at, 'UTC'), o.kind, o.currency, o.pool_id, o.merchant_id, coalesce(c.acceptor_id, 0),
           sum(case when c.what = 'created' then c.n else 0 end),
           sum(case when c.what = 'awaiting_payment' then c.n else 0 end),
           sum(case when c.what = 'paid_claimed' then c.n else 0 end),
           sum(case when c.what = 'completed' then c.n else 0 end),
           sum(case when c.what = 'expired' then c.n else 0 end),
           sum(case when c.what = 'cancelled' then c.n else 0 end),
           sum(case when c.what = 'refused' then c.n else 0 end),
           sum(case when c.what = 'refunded' then c.n else 0 end),
           sum(case when c.what = 'no_liquidity' then c.n else 0 end),
           sum(case when c.what = 'created' then c.n * o.usdt_units else 0 end)::bigint,
           sum(case when c.what = 'completed' then o.usdt_units else 0 end)::bigint,
           sum(case when c.what = 'completed' then o.fiat_units else 0 end)::bigint,
           sum(case when c.what = 'completed' then o.fee_units else 0 end)::bigint,
           sum(case when c.what = 'completed' then coalesce(floor(extract(epoch from o.completed_at - o.claimed_at)), 0) else 0 end)::bigint,
           coalesce(o.agent_id, 0)
      from counted c join orders o on o.id = c.order_id
     group by 1, 2, 3, 4, 5, 6, coalesce(o.agent_id, 0)
    -- What came and moved on adds nothing.
    having count(*) filter (where c.what not in ('created', 'matching', 'offered')) > 0
        or sum(case when c.what = 'created' then c.n else 0 end) <> 0
        or sum(case when c.what = 'created' then c.n * o.usdt_units else 0 end) <> 0
$$;
CREATE FUNCTION public.rollup_rebuild() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    v_to xid8; v_facts bigint;
begin
    perform 1 from watermark where name in ('rollup', 'rollup_alert', 'rollup_commission') order by name for update;
    v_to := pg_snapshot_xmin(pg_current_snapshot());
    delete from rollup_hour;
    delete from rollup_commission_day;
    delete from rollup_commission_path_day;
    delete from rollup_alert_day;
    delete from rollup_alert_order;
    select count(*) into v_facts from outbox where xid < v_to;
    perform rollup_add('0', '0', '0', v_to);
    return v_facts;
end $$;
CREATE FUNCTION public.seal_advance(p_chain text, p_limit integer, p_block integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
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
end $_$;
CREATE FUNCTION public.seal_block_hash(p_chain text, p_no bigint, p_first bigint, p_last bigint, p_prev bytea) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
    select sha256(p_prev || convert_to(format('%s:%s:%s:%s:', p_chain, p_no, p_first, p_last), 'UTF8')
                  || coalesce(string_agg(r.hash, ''::bytea order by r.pos), ''::bytea))
      from seal_row r where r.chain = p_chain and r.pos between p_first and p_last
$$;
CREATE FUNCTION public.seal_waiting(p_chain text) RETURNS TABLE(row_id bigint, pos bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path TO 'public', 'pg_temp'
    AS $_$
begin
    return query execute format($q$
        select t.id, $1 + row_number() over (order by t.booked_at, t.xid, t.id) from %I t
         where t.xid >= $2 and not exists (select 1 from seal_row r where r.chain = $3 and r.row_id = t.id) $q$,
        case p_chain when 'journal' then 'journal_entry' when 'audit' then 'audit' end)
        using (select coalesce(max(s.pos), 0) from seal_row s where s.chain = p_chain),
              (select w.done_to from watermark w where w.name = 'seal_' || p_chain), p_chain;
end $_$;
CREATE FUNCTION public.version_must_be_withdrawn_in_time() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.effective_from - new.withdrawn_at < clock_timestamp() - transaction_timestamp() + interval '5 seconds' then
        raise exception 'version % begins at %, before everybody can see that it is withdrawn', new.version, new.effective_from
            using errcode = 'check_violation', constraint = 'version_withdrawn_in_time';
    end if;
    return null;
end $$;
CREATE FUNCTION public.version_must_begin_later() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.effective_from - new.created_at < clock_timestamp() - transaction_timestamp() + interval '5 seconds' then
        raise exception 'version % would begin at %, before everybody can see it', new.version, new.effective_from
            using errcode = 'check_violation', constraint = 'version_begins_later';
    end if;
    return null;
end $$;
CREATE FUNCTION public.version_must_stay() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare v_marks constant text[] := '{withdrawn_at,withdrawn_by,withdrawn_why}';
begin
    if tg_op = 'UPDATE' then
        if old.withdrawn_at is null and new.withdrawn_at is not null and to_jsonb(new) - v_marks = to_jsonb(old) - v_marks then
            return new;
        end if;
    end if;
    raise exception 'a version stays as it was approved, but for one withdrawal'
        using errcode = 'restrict_violation', constraint = 'version_stays';
end $$;
CREATE TABLE public.acceptor (
    party_id bigint NOT NULL,
    kind text DEFAULT 'acceptor'::text NOT NULL,
    agent_id bigint,
    auto_accept boolean DEFAULT true NOT NULL,
    online boolean DEFAULT false NOT NULL,
    seen_at timestamp with time zone,
    paused text DEFAULT ''::text NOT NULL,
    beat_at timestamp with time zone,
    silent boolean DEFAULT false NOT NULL,
    CONSTRAINT acceptor_kind_check CHECK ((kind = 'acceptor'::text))
);
CREATE TABLE public.agent (
    party_id bigint NOT NULL,
    kind text DEFAULT 'agent'::text NOT NULL,
    parent_id bigint,
    plan_id bigint NOT NULL,
    depth smallint DEFAULT 1 NOT NULL,
    held boolean DEFAULT false NOT NULL,
    deposit_volume_units bigint DEFAULT 0 NOT NULL,
    volume_at timestamp with time zone,
    volume_until timestamp with time zone,
    CONSTRAINT agent_kind_check CHECK ((kind = 'agent'::text)),
    CONSTRAINT agent_not_own_parent CHECK (((parent_id IS NULL) OR (parent_id <> party_id))),
    CONSTRAINT agent_volume CHECK ((deposit_volume_units >= 0))
);
CREATE TABLE public.agent_closure (
    ancestor_id bigint NOT NULL,
    descendant_id bigint NOT NULL,
    distance smallint NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.alert (
    id bigint NOT NULL,
    ref text NOT NULL,
    order_id bigint NOT NULL,
    evaluation_id bigint,
    gate text NOT NULL,
    rule text NOT NULL,
    ruleset_id bigint,
    verdict text NOT NULL,
    score integer NOT NULL,
    reason jsonb NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    disposition text DEFAULT ''::text NOT NULL,
    outcome text DEFAULT ''::text NOT NULL,
    narrative text DEFAULT ''::text NOT NULL,
    case_ref text,
    locked_by text,
    locked_until timestamp with time zone,
    raised_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    closed_by text,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    proposed_by text,
    proposed_at timestamp with time zone,
    confirmed_why text DEFAULT ''::text NOT NULL,
    CONSTRAINT alert_disposition_known CHECK ((disposition = ANY (ARRAY[''::text, 'false_positive'::text, 'explained'::text, 'confirmed_no_report'::text, 'confirmed_reported'::text, 'inconclusive'::text]))),
    CONSTRAINT alert_outcome_known CHECK ((outcome = ANY (ARRAY[''::text, 'release'::text, 'refuse'::text, 'dismiss'::text]))),
    CONSTRAINT alert_second_is_another CHECK (((confirmed_why = ''::text) OR ((proposed_by IS NOT NULL) AND (closed_by IS NOT NULL) AND (proposed_by <> closed_by)))),
    CONSTRAINT alert_state_known CHECK ((state = ANY (ARRAY['open'::text, 'in_case'::text, 'pending_second'::text, 'closed'::text])))
);
ALTER TABLE public.alert ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alert_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.api_key (
    id bigint NOT NULL,
    ref text NOT NULL,
    party_id bigint NOT NULL,
    hash bytea NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);
ALTER TABLE public.api_key ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.approval (
    id bigint NOT NULL,
    ref text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    payload jsonb NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    decided_why text DEFAULT ''::text NOT NULL,
    CONSTRAINT approval_four_eyes CHECK (((decided_by IS NULL) OR (state = 'withdrawn'::text) OR (decided_by <> requested_by))),
    CONSTRAINT approval_state_known CHECK ((state = ANY (ARRAY['waiting'::text, 'approved'::text, 'refused'::text, 'withdrawn'::text])))
);
ALTER TABLE public.approval ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.approval_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    booked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    user_id integer,
    action text NOT NULL,
    subject text NOT NULL,
    order_id bigint,
    reason text DEFAULT ''::text NOT NULL,
    from_state text,
    to_state text,
    details jsonb,
    trace_id text DEFAULT ''::text NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    event text,
    acceptor_id bigint
);
ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 50
);
CREATE TABLE public.bank_account (
    id bigint NOT NULL,
    ref text NOT NULL,
    party_id bigint NOT NULL,
    bank text NOT NULL,
    holder text NOT NULL,
    currency text NOT NULL,
    method text DEFAULT 'bank'::text NOT NULL,
    blind bytea NOT NULL,
    sealed bytea NOT NULL,
    masked text NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    frozen_why text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT bank_account_state_known CHECK ((state = ANY (ARRAY['active'::text, 'frozen'::text, 'closed'::text])))
);
ALTER TABLE public.bank_account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.bank_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.cohort (
    country text NOT NULL,
    at timestamp with time zone NOT NULL,
    median_units bigint NOT NULL,
    customers integer NOT NULL,
    CONSTRAINT cohort_median_positive CHECK ((median_units > 0))
);
CREATE TABLE public.commission_hold (
    id bigint NOT NULL,
    ref text NOT NULL,
    agent_id bigint NOT NULL,
    account_id bigint NOT NULL,
    by_standing boolean NOT NULL,
    units bigint DEFAULT 0 NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    opened_by text NOT NULL,
    reason text NOT NULL,
    closed_at timestamp with time zone,
    closed_by text,
    closed_why text DEFAULT ''::text NOT NULL,
    CONSTRAINT commission_hold_ended_by_somebody CHECK (((closed_at IS NULL) = (closed_by IS NULL))),
    CONSTRAINT commission_hold_not_negative CHECK ((units >= 0))
);
ALTER TABLE public.commission_hold ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.commission_hold_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.commission_line (
    id bigint NOT NULL,
    ref text NOT NULL,
    order_id bigint NOT NULL,
    agent_id bigint NOT NULL,
    level smallint NOT NULL,
    plan_version_id bigint NOT NULL,
    own_bps integer NOT NULL,
    below_bps integer NOT NULL,
    rate_bps integer NOT NULL,
    base_units bigint NOT NULL,
    units bigint NOT NULL,
    state public.commission_state DEFAULT 'pending'::text NOT NULL,
    period text NOT NULL,
    accrued_at timestamp with time zone NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL
);
ALTER TABLE public.commission_line ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.commission_line_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 50
);
CREATE TABLE public.configuration (
    one boolean DEFAULT true NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT configuration_one_check CHECK (one)
);
CREATE TABLE public.customer (
    id bigint NOT NULL,
    ref text NOT NULL,
    merchant_id bigint NOT NULL,
    external_id text NOT NULL,
    verified_name text NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    kyc_level smallint DEFAULT 1 NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    turn integer DEFAULT 0 NOT NULL,
    CONSTRAINT customer_state_known CHECK ((state = ANY (ARRAY['active'::text, 'barred'::text])))
)
WITH (fillfactor='85');
ALTER TABLE public.customer ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.customer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.dispatch (
    order_id bigint NOT NULL,
    attempt smallint NOT NULL,
    policy text NOT NULL,
    policy_version integer NOT NULL,
    seed bigint NOT NULL,
    chosen_acceptor_id bigint,
    candidates json NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.evaluation (
    id bigint NOT NULL,
    order_id bigint NOT NULL,
    gate public.risk_gate NOT NULL,
    ruleset_id bigint,
    verdict public.risk_verdict NOT NULL,
    score integer NOT NULL,
    features json NOT NULL,
    reasons json NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE public.evaluation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.evaluation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 50
);
CREATE TABLE public.export_file (
    id bigint NOT NULL,
    ref text NOT NULL,
    kind text NOT NULL,
    filters jsonb NOT NULL,
    requested_by text NOT NULL,
    user_id integer,
    role text NOT NULL,
    scope text NOT NULL,
    party_id bigint,
    state text DEFAULT 'waiting'::text NOT NULL,
    rows_done bigint DEFAULT 0 NOT NULL,
    rows_total bigint,
    path text,
    sha256 text,
    created_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    leased_until timestamp with time zone,
    CONSTRAINT export_done_has_file CHECK (((state <> 'done'::text) OR ((done_at IS NOT NULL) AND (sha256 IS NOT NULL)))),
    CONSTRAINT export_state_known CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);
ALTER TABLE public.export_file ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.export_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.fee_schedule (
    id bigint NOT NULL,
    code text NOT NULL,
    version integer NOT NULL,
    terms jsonb NOT NULL,
    effective_from timestamp with time zone NOT NULL,
    requested_by integer,
    approved_by integer,
    created_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    withdrawn_by integer,
    withdrawn_why text,
    CONSTRAINT fee_schedule_four_eyes CHECK (((approved_by IS NULL) OR (requested_by IS NULL) OR (approved_by <> requested_by))),
    CONSTRAINT fee_schedule_withdrawn_by_one_of_its_two CHECK (((num_nonnulls(withdrawn_at, withdrawn_by, withdrawn_why) = 0) OR ((num_nulls(withdrawn_at, withdrawn_by, withdrawn_why, requested_by, approved_by) = 0) AND ((withdrawn_by = requested_by) OR (withdrawn_by = approved_by)) AND (withdrawn_why <> ''::text))))
);
ALTER TABLE public.fee_schedule ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.fee_schedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.heartbeat (
    process text NOT NULL,
    at timestamp with time zone NOT NULL,
    details jsonb
);
CREATE TABLE public.hold (
    id bigint NOT NULL,
    ref text NOT NULL,
    order_id bigint NOT NULL,
    account_id bigint NOT NULL,
    alert_id bigint,
    units bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    outcome text DEFAULT ''::text NOT NULL,
    CONSTRAINT hold_outcome_known CHECK ((outcome = ANY (ARRAY[''::text, 'released'::text, 'refused'::text]))),
    CONSTRAINT hold_positive CHECK ((units > 0))
);
ALTER TABLE public.hold ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.hold_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.idempotency_key (
    party_id bigint NOT NULL,
    key text NOT NULL,
    request bytea NOT NULL,
    state text NOT NULL,
    status integer,
    body jsonb,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    answer bytea,
    turn integer DEFAULT 1 NOT NULL,
    CONSTRAINT idempotency_done_has_answer CHECK (((state = 'done'::text) = ((status IS NOT NULL) AND (answer IS NOT NULL)))),
    CONSTRAINT idempotency_state_known CHECK ((state = ANY (ARRAY['running'::text, 'done'::text])))
);
CREATE TABLE public.import_file (
    id bigint NOT NULL,
    kind text NOT NULL,
    sha256 text NOT NULL,
    rows_read bigint DEFAULT 0 NOT NULL,
    rows_added bigint DEFAULT 0 NOT NULL,
    rows_known bigint DEFAULT 0 NOT NULL,
    rows_bad bigint DEFAULT 0 NOT NULL,
    started_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone
);
ALTER TABLE public.import_file ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.import_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.job_run (
    id bigint NOT NULL,
    name text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    outcome text DEFAULT 'running'::text NOT NULL,
    details jsonb,
    CONSTRAINT job_outcome_known CHECK ((outcome = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text])))
);
ALTER TABLE public.job_run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.job_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.journal_entry (
    id bigint NOT NULL,
    ref text NOT NULL,
    key text NOT NULL,
    reason text NOT NULL,
    order_id bigint,
    actor text NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    booked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL
);
ALTER TABLE public.journal_entry ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.journal_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 50
);
CREATE TABLE public.journal_leg (
    id bigint NOT NULL,
    entry_id bigint NOT NULL,
    account_id bigint NOT NULL,
    pocket public.account_pocket NOT NULL,
    asset text NOT NULL,
    units bigint NOT NULL,
    xid xid8,
    CONSTRAINT journal_leg_not_zero CHECK ((units <> 0))
);
ALTER TABLE public.journal_leg ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.journal_leg_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 100
);
CREATE TABLE public.ledger_account (
    id bigint NOT NULL,
    name text NOT NULL,
    kind public.account_kind NOT NULL,
    party_id bigint,
    asset text NOT NULL,
    available bigint DEFAULT 0 NOT NULL,
    escrow bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    low_mark bigint DEFAULT 0 NOT NULL,
    folded pg_snapshot DEFAULT '1:1:'::pg_snapshot NOT NULL,
    CONSTRAINT account_not_overdrawn CHECK (public.account_sound((kind)::text, available, escrow, held))
)
WITH (fillfactor='50');
CREATE SEQUENCE public.ledger_account_acceptor_id
    START WITH 1000000000000
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE SEQUENCE public.ledger_account_agent_id
    START WITH 3000000000000
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE SEQUENCE public.ledger_account_house_id
    START WITH 4000000000000
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE SEQUENCE public.ledger_account_merchant_id
    START WITH 2000000000000
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.login_attempt (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    account text NOT NULL,
    ip text NOT NULL,
    agent text NOT NULL,
    succeeded boolean DEFAULT false NOT NULL,
    user_id integer,
    network text DEFAULT ''::text NOT NULL,
    device text DEFAULT ''::text NOT NULL,
    lifted boolean DEFAULT false NOT NULL
);
ALTER TABLE public.login_attempt ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.login_attempt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.merchant (
    party_id bigint NOT NULL,
    kind text DEFAULT 'merchant'::text NOT NULL,
    agent_id bigint,
    volume_30d_units bigint DEFAULT 0 NOT NULL,
    CONSTRAINT merchant_kind_check CHECK ((kind = 'merchant'::text))
);
CREATE TABLE public.notice (
    id bigint DEFAULT nextval('public.audit_id_seq'::regclass) CONSTRAINT outbox_id_not_null NOT NULL,
    topic text CONSTRAINT outbox_topic_not_null NOT NULL,
    subject text CONSTRAINT outbox_subject_not_null NOT NULL,
    order_id bigint,
    event text DEFAULT ''::text CONSTRAINT outbox_event_not_null NOT NULL,
    from_state text,
    to_state text,
    acceptor_id bigint,
    happened_at timestamp with time zone CONSTRAINT outbox_happened_at_not_null NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT outbox_created_at_not_null NOT NULL,
    payload jsonb,
    xid xid8 DEFAULT pg_current_xact_id() CONSTRAINT outbox_xid_not_null NOT NULL
);
CREATE TABLE public.order_waiting (
    order_id bigint NOT NULL,
    deadline_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE public.orders (
    id bigint NOT NULL,
    ref text NOT NULL,
    external_ref text NOT NULL,
    kind public.order_kind NOT NULL,
    state public.order_state NOT NULL,
    amount_state text DEFAULT 'exact'::text NOT NULL,
    timeliness text DEFAULT 'in_time'::text NOT NULL,
    dispute_state text DEFAULT 'none'::text NOT NULL,
    risk_state public.order_risk DEFAULT 'clear'::text NOT NULL,
    source public.order_source DEFAULT 'api'::text NOT NULL,
    merchant_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    agent_id bigint,
    pool_id bigint NOT NULL,
    quote_id bigint,
    acceptor_id bigint,
    pool_account_id bigint,
    escrow_account_id bigint,
    payer_account_id bigint,
    payer_name text DEFAULT ''::text NOT NULL,
    currency text NOT NULL,
    fiat_units bigint NOT NULL,
    rate_price bigint NOT NULL,
    usdt_units bigint NOT NULL,
    fee_units bigint NOT NULL,
    fee_schedule_id bigint,
    split jsonb DEFAULT '[]'::jsonb NOT NULL,
    received_units bigint,
    pay_code text DEFAULT ''::text NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    next_actor text NOT NULL,
    deadline_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    matched_at timestamp with time zone,
    claimed_at timestamp with time zone,
    paid_at timestamp with time zone,
    completed_at timestamp with time zone,
    ended_at timestamp with time zone,
    declared_payer_account_id bigint,
    declared_payer_name text,
    apart text
)
WITH (fillfactor='60');
ALTER TABLE public.orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 20
);
CREATE VIEW public.outbox AS
 SELECT n.id,
    n.topic,
    n.subject,
    n.order_id,
    n.event,
    n.from_state,
    n.to_state,
    n.acceptor_id,
    n.happened_at,
    n.created_at,
    n.payload,
    n.xid
   FROM public.notice n
UNION ALL
 SELECT a.id,
    a.action AS topic,
    a.subject,
    a.order_id,
    a.event,
    a.from_state,
    a.to_state,
    a.acceptor_id,
    a.at AS happened_at,
    a.booked_at AS created_at,
    a.details AS payload,
    a.xid
   FROM public.audit a
  WHERE (a.event IS NOT NULL);
CREATE TABLE public.outbox_batch (
    id bigint NOT NULL,
    from_xid xid8 NOT NULL,
    to_xid xid8 NOT NULL,
    rows integer NOT NULL,
    sent_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.outbox_batch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.party (
    id bigint NOT NULL,
    ref text NOT NULL,
    kind text NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    kyc_level smallint DEFAULT 1 NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT party_kind_known CHECK ((kind = ANY (ARRAY['merchant'::text, 'acceptor'::text, 'agent'::text]))),
    CONSTRAINT party_state_known CHECK ((state = ANY (ARRAY['active'::text, 'suspended'::text, 'barred'::text, 'imported'::text])))
);
ALTER TABLE public.party ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.party_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.payer_account (
    id bigint NOT NULL,
    ref text NOT NULL,
    blind bytea NOT NULL,
    sealed bytea NOT NULL,
    masked text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    listed text DEFAULT ''::text NOT NULL
);
ALTER TABLE public.payer_account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.payer_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.period_lock (
    id bigint NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    locked_at timestamp with time zone NOT NULL,
    unlocked_at timestamp with time zone,
    CONSTRAINT period_lock_range CHECK ((ends_at > starts_at))
);
ALTER TABLE public.period_lock ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.period_lock_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.plan (
    id bigint NOT NULL,
    code text NOT NULL
);
ALTER TABLE public.plan ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.plan_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.plan_version (
    id bigint NOT NULL,
    plan_id bigint NOT NULL,
    version integer NOT NULL,
    terms jsonb NOT NULL,
    effective_from timestamp with time zone NOT NULL,
    requested_by integer,
    approved_by integer,
    created_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    withdrawn_by integer,
    withdrawn_why text,
    CONSTRAINT plan_four_eyes CHECK (((approved_by IS NULL) OR (requested_by IS NULL) OR (approved_by <> requested_by))),
    CONSTRAINT plan_withdrawn_by_one_of_its_two CHECK (((num_nonnulls(withdrawn_at, withdrawn_by, withdrawn_why) = 0) OR ((num_nulls(withdrawn_at, withdrawn_by, withdrawn_why, requested_by, approved_by) = 0) AND ((withdrawn_by = requested_by) OR (withdrawn_by = approved_by)) AND (withdrawn_why <> ''::text))))
);
ALTER TABLE public.plan_version ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.plan_version_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.pool (
    id bigint NOT NULL,
    ref text NOT NULL,
    code text NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    fee_code text NOT NULL,
    policy text NOT NULL,
    policy_version integer DEFAULT 1 NOT NULL,
    min_fiat_units bigint NOT NULL,
    max_fiat_units bigint NOT NULL,
    min_reserve_units bigint DEFAULT 1000000 NOT NULL,
    pay_seconds integer DEFAULT 900 NOT NULL,
    confirm_seconds integer DEFAULT 900 NOT NULL,
    quote_seconds integer DEFAULT 600 NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    silent_seconds integer DEFAULT 600 NOT NULL,
    places integer DEFAULT 0 NOT NULL,
    CONSTRAINT pool_limits CHECK (((min_fiat_units > 0) AND (max_fiat_units >= min_fiat_units))),
    CONSTRAINT pool_places_check CHECK ((places >= 0)),
    CONSTRAINT pool_silent_seconds CHECK ((silent_seconds >= 60)),
    CONSTRAINT pool_state_known CHECK ((state = ANY (ARRAY['open'::text, 'paused'::text, 'imported'::text])))
);
CREATE TABLE public.pool_account (
    id bigint NOT NULL,
    pool_id bigint NOT NULL,
    acceptor_id bigint NOT NULL,
    bank_account_id bigint NOT NULL,
    account_id bigint NOT NULL,
    place integer,
    weight integer DEFAULT 1 NOT NULL,
    open_limit integer DEFAULT 20 NOT NULL,
    day_limit_units bigint NOT NULL,
    matchable boolean DEFAULT false NOT NULL,
    left_at timestamp with time zone,
    CONSTRAINT pool_account_day_limit_units_check CHECK ((day_limit_units > 0)),
    CONSTRAINT pool_account_open_limit_check CHECK ((open_limit > 0)),
    CONSTRAINT pool_account_place_while_it_serves CHECK ((((place IS NULL) = (left_at IS NOT NULL)) AND (place > 0))),
    CONSTRAINT pool_account_weight_check CHECK ((weight > 0))
);
ALTER TABLE public.pool_account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.pool_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.pool_account_load (
    pool_account_id bigint NOT NULL,
    open_orders public.load_count DEFAULT 0 NOT NULL,
    day date DEFAULT '-infinity'::date NOT NULL,
    day_units public.load_units DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE public.pool ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.pool_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.pool_merchant (
    pool_id bigint NOT NULL,
    merchant_id bigint NOT NULL
);
CREATE TABLE public.portal_session (
    id bigint NOT NULL,
    user_id integer NOT NULL,
    token_hash bytea NOT NULL,
    stamp bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_why text,
    ip text NOT NULL,
    agent text NOT NULL,
    CONSTRAINT portal_session_end_has_reason CHECK (((ended_at IS NULL) = (ended_why IS NULL))),
    CONSTRAINT portal_session_ends_later CHECK ((ends_at > created_at)),
    CONSTRAINT portal_session_token_hashed CHECK ((octet_length(token_hash) = 32))
);
ALTER TABLE public.portal_session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.portal_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.portal_user (
    user_id integer NOT NULL,
    language text DEFAULT ''::text NOT NULL,
    theme text DEFAULT 'system'::text NOT NULL,
    density text DEFAULT 'comfortable'::text NOT NULL,
    zone text DEFAULT 'UTC'::text NOT NULL,
    must_change_password boolean DEFAULT false NOT NULL,
    CONSTRAINT portal_user_density_known CHECK ((density = ANY (ARRAY['comfortable'::text, 'compact'::text]))),
    CONSTRAINT portal_user_theme_known CHECK ((theme = ANY (ARRAY['system'::text, 'light'::text, 'dark'::text])))
);
CREATE TABLE public.quote (
    id bigint NOT NULL,
    ref text NOT NULL,
    merchant_id bigint NOT NULL,
    kind text NOT NULL,
    pool_id bigint NOT NULL,
    fee_schedule_id bigint NOT NULL,
    currency text NOT NULL,
    fiat_units bigint NOT NULL,
    rate_price bigint NOT NULL,
    usdt_units bigint NOT NULL,
    fee_units bigint NOT NULL,
    lines jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    margin_units bigint NOT NULL,
    spread_units bigint DEFAULT 0 NOT NULL,
    bare_price bigint,
    volume_units bigint,
    CONSTRAINT quote_amounts CHECK (((fiat_units > 0) AND (usdt_units > 0) AND (fee_units >= 0) AND (fee_units < usdt_units))),
    CONSTRAINT quote_kind_known CHECK ((kind = ANY (ARRAY['deposit'::text, 'withdrawal'::text]))),
    CONSTRAINT quote_margin CHECK (((margin_units >= 0) AND (margin_units <= fee_units))),
    CONSTRAINT quote_spread CHECK ((spread_units >= 0))
);
ALTER TABLE public.quote ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.quote_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.rate (
    id bigint NOT NULL,
    currency text NOT NULL,
    price bigint NOT NULL,
    source text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    CONSTRAINT rate_positive CHECK ((price > 0))
);
ALTER TABLE public.rate ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rate_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.risk_fact (
    id bigint NOT NULL,
    kind text NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    known_at timestamp with time zone NOT NULL,
    order_ref text DEFAULT ''::text NOT NULL,
    customer_id bigint,
    merchant_id bigint,
    acceptor_id bigint,
    payer_account_id bigint,
    usdt_units bigint DEFAULT 0 NOT NULL,
    seconds integer,
    note jsonb
);
ALTER TABLE public.risk_fact ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.risk_fact_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 50
);
CREATE TABLE public.rollup_alert_day (
    day date NOT NULL,
    rule text NOT NULL,
    verdict text NOT NULL,
    currency text NOT NULL,
    merchant_id bigint NOT NULL,
    acceptor_id bigint NOT NULL,
    raised bigint DEFAULT 0 NOT NULL,
    false_positive bigint DEFAULT 0 NOT NULL,
    confirmed bigint DEFAULT 0 NOT NULL,
    closed bigint DEFAULT 0 NOT NULL,
    decide_seconds bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.rollup_alert_order (
    days date[] NOT NULL,
    rules text[] NOT NULL,
    currency text NOT NULL,
    merchant_id bigint NOT NULL,
    acceptor_id bigint NOT NULL,
    orders bigint DEFAULT 0 NOT NULL,
    usdt_units bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.rollup_commission_day (
    day date NOT NULL,
    agent_id bigint NOT NULL,
    level smallint NOT NULL,
    plan_version_id bigint NOT NULL,
    lines bigint DEFAULT 0 NOT NULL,
    base_units bigint DEFAULT 0 NOT NULL,
    units bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.rollup_commission_path_day (
    day date NOT NULL,
    agents bigint[] NOT NULL,
    plan_versions bigint[] NOT NULL,
    orders bigint DEFAULT 0 NOT NULL,
    base_units bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.rollup_hour (
    hour timestamp with time zone NOT NULL,
    kind text NOT NULL,
    currency text NOT NULL,
    pool_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    acceptor_id bigint NOT NULL,
    created bigint DEFAULT 0 NOT NULL,
    matched bigint DEFAULT 0 NOT NULL,
    claimed bigint DEFAULT 0 NOT NULL,
    completed bigint DEFAULT 0 NOT NULL,
    expired bigint DEFAULT 0 NOT NULL,
    cancelled bigint DEFAULT 0 NOT NULL,
    refused bigint DEFAULT 0 NOT NULL,
    refunded bigint DEFAULT 0 NOT NULL,
    no_liquidity bigint DEFAULT 0 NOT NULL,
    created_usdt_units bigint DEFAULT 0 NOT NULL,
    usdt_units bigint DEFAULT 0 NOT NULL,
    fiat_units bigint DEFAULT 0 NOT NULL,
    fee_units bigint DEFAULT 0 NOT NULL,
    settle_seconds bigint DEFAULT 0 NOT NULL,
    agent_id bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.ruleset (
    id bigint NOT NULL,
    ref text NOT NULL,
    version integer NOT NULL,
    state text NOT NULL,
    params jsonb NOT NULL,
    requested_by text NOT NULL,
    approved_by text,
    effective_from timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ruleset_four_eyes CHECK (((approved_by IS NULL) OR (approved_by <> requested_by))),
    CONSTRAINT ruleset_state_known CHECK ((state = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text])))
);
ALTER TABLE public.ruleset ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ruleset_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.sandbox_clock (
    one boolean DEFAULT true NOT NULL,
    offset_seconds bigint NOT NULL,
    CONSTRAINT sandbox_clock_once CHECK (one)
);
CREATE TABLE public.schema_functions (
    digest text NOT NULL
);
CREATE TABLE public.seal_block (
    chain text NOT NULL,
    no bigint NOT NULL,
    first_pos bigint NOT NULL,
    last_pos bigint NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT seal_chain_known CHECK ((chain = ANY (ARRAY['journal'::text, 'audit'::text])))
);
CREATE TABLE public.seal_row (
    chain text NOT NULL,
    pos bigint NOT NULL,
    row_id bigint NOT NULL,
    hash bytea NOT NULL
);
CREATE VIEW public.seal_source_audit AS
 SELECT id AS row_id,
    xid,
    ((action || ' '::text) || subject) AS ref,
    ((jsonb_build_array(id, ((EXTRACT(epoch FROM at) * (1000000)::numeric))::bigint, ((EXTRACT(epoch FROM booked_at) * (1000000)::numeric))::bigint, actor, role, user_id, action, subject, order_id, reason, from_state, to_state, (details)::text, trace_id) ||
        CASE
            WHEN (event IS NULL) THEN '[]'::jsonb
            ELSE jsonb_build_array(event, acceptor_id)
        END))::text AS text,
    booked_at
   FROM public.audit a;
CREATE VIEW public.seal_source_journal AS
 SELECT id AS row_id,
    xid,
    ref,
    (jsonb_build_array(id, ref, key, reason, order_id, actor, ((EXTRACT(epoch FROM happened_at) * (1000000)::numeric))::bigint, ((EXTRACT(epoch FROM booked_at) * (1000000)::numeric))::bigint, ( SELECT jsonb_agg(jsonb_build_array(l.id, l.account_id, l.pocket, l.asset, l.units) ORDER BY l.id) AS jsonb_agg
           FROM public.journal_leg l
          WHERE (l.entry_id = e.id))))::text AS text,
    booked_at
   FROM public.journal_entry e;
CREATE TABLE public.user_party (
    user_id integer NOT NULL,
    party_id bigint NOT NULL
);
CREATE VIEW public.v_alerts AS
 SELECT a.ref,
    a.rule,
    o.ref AS order_ref,
    c.ref AS party,
    a.verdict,
    a.raised_at AS at,
    a.case_ref
   FROM ((public.alert a
     JOIN public.orders o ON ((o.id = a.order_id)))
     JOIN public.customer c ON ((c.id = o.customer_id)));
CREATE VIEW public.v_audit AS
 SELECT COALESCE(r.pos, w.pos) AS seq,
    a.at,
    a.actor,
    a.action,
    a.subject,
    a.reason
   FROM ((public.audit a
     LEFT JOIN public.seal_row r ON (((r.chain = 'audit'::text) AND (r.row_id = a.id))))
     LEFT JOIN ( SELECT seal_waiting.row_id,
            min(seal_waiting.pos) AS pos
           FROM public.seal_waiting('audit'::text) seal_waiting(row_id, pos)
          GROUP BY seal_waiting.row_id) w ON ((w.row_id = a.id)));
CREATE VIEW public.v_balances AS
 SELECT (a.name ||
        CASE
            WHEN ((a.kind)::text = 'acceptor'::text) THEN ':reserve'::text
            ELSE ''::text
        END) AS account,
    a.asset,
    (a.available + (COALESCE(( SELECT sum(l.units) AS sum
           FROM public.journal_leg l
          WHERE ((l.account_id = a.id) AND public.leg_waits(l.xid, a.folded))), (0)::numeric))::bigint) AS units
   FROM public.ledger_account a
UNION ALL
 SELECT (a.name || ':escrow'::text) AS account,
    a.asset,
    a.escrow AS units
   FROM public.ledger_account a
  WHERE ((a.kind)::text = 'acceptor'::text)
UNION ALL
 SELECT (a.name || ':held'::text) AS account,
    a.asset,
    a.held AS units
   FROM public.ledger_account a
  WHERE (((a.kind)::text = 'acceptor'::text) OR (((a.kind)::text = 'agent'::text) AND (a.held <> 0)));
CREATE VIEW public.v_commission_lines AS
 SELECT c.ref AS line_ref,
    o.ref AS order_ref,
    p.code AS agent,
    c.level,
    ((pl.code || ' v'::text) || v.version) AS plan_version,
    c.rate_bps,
    c.base_units,
    c.units,
        CASE
            WHEN (g.held AND ((c.state)::text = ANY (ARRAY['pending'::text, 'approved'::text, 'payable'::text]))) THEN 'held'::text
            ELSE (c.state)::text
        END AS state,
    c.period
   FROM (((((public.commission_line c
     JOIN public.orders o ON ((o.id = c.order_id)))
     JOIN public.party p ON ((p.id = c.agent_id)))
     JOIN public.plan_version v ON ((v.id = c.plan_version_id)))
     JOIN public.plan pl ON ((pl.id = v.plan_id)))
     LEFT JOIN public.agent g ON ((g.party_id = c.agent_id)));
CREATE VIEW public.v_escrow_open AS
 SELECT o.ref AS order_ref,
    p.code AS acceptor,
    o.usdt_units
   FROM (public.orders o
     JOIN public.party p ON ((p.id = o.acceptor_id)))
  WHERE (((o.state)::text = ANY (ARRAY['offered'::text, 'awaiting_payment'::text, 'paid_claimed'::text])) AND (NOT (EXISTS ( SELECT 1
           FROM public.hold h
          WHERE ((h.order_id = o.id) AND (h.closed_at IS NULL))))));
CREATE VIEW public.v_journal AS
 SELECT COALESCE(r.pos, w.pos) AS seq,
    e.ref AS entry_ref,
    e.reason,
    e.key,
    (a.name ||
        CASE
            WHEN ((a.kind)::text = 'acceptor'::text) THEN
            CASE l.pocket
                WHEN 'available'::text THEN ':reserve'::text
                ELSE (':'::text || (l.pocket)::text)
            END
            WHEN ((l.pocket)::text = 'available'::text) THEN ''::text
            ELSE (':'::text || (l.pocket)::text)
        END) AS account,
    l.asset,
    l.units,
    e.happened_at,
    e.booked_at
   FROM ((((public.journal_entry e
     JOIN public.journal_leg l ON ((l.entry_id = e.id)))
     JOIN public.ledger_account a ON ((a.id = l.account_id)))
     LEFT JOIN public.seal_row r ON (((r.chain = 'journal'::text) AND (r.row_id = e.id))))
     LEFT JOIN ( SELECT seal_waiting.row_id,
            min(seal_waiting.pos) AS pos
           FROM public.seal_waiting('journal'::text) seal_waiting(row_id, pos)
          GROUP BY seal_waiting.row_id) w ON ((w.row_id = e.id)));
CREATE VIEW public.v_orders AS
 SELECT o.ref,
    o.external_ref,
    o.kind,
    o.state,
    o.amount_state,
    o.timeliness,
    o.dispute_state,
    o.risk_state,
    m.code AS merchant,
    a.code AS acceptor,
    g.code AS agent,
    c.external_id AS customer,
    o.currency,
    o.fiat_units,
    o.usdt_units,
    o.fee_units,
    o.created_at,
    o.claimed_at,
    o.completed_at,
    o.deadline_at
   FROM ((((public.orders o
     JOIN public.party m ON ((m.id = o.merchant_id)))
     LEFT JOIN public.party a ON ((a.id = o.acceptor_id)))
     LEFT JOIN public.party g ON ((g.id = o.agent_id)))
     JOIN public.customer c ON ((c.id = o.customer_id)));
CREATE VIEW public.v_outbox AS
 SELECT id,
    topic,
    created_at,
    ( SELECT
                CASE
                    WHEN (o.xid < b.to_xid) THEN b.sent_at
                    ELSE NULL::timestamp with time zone
                END AS "case"
           FROM public.outbox_batch b
          WHERE (b.from_xid <= o.xid)
          ORDER BY b.from_xid DESC, b.id DESC
         LIMIT 1) AS sent_at
   FROM public.outbox o;
CREATE TABLE public.watermark (
    name text NOT NULL,
    done_to xid8 DEFAULT '0'::xid8 NOT NULL,
    moved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE public.withdrawal_account (
    party_id bigint NOT NULL,
    bank_account_id bigint NOT NULL,
    designated_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.acceptor
    ADD CONSTRAINT acceptor_pkey PRIMARY KEY (party_id);
ALTER TABLE ONLY public.agent_closure
    ADD CONSTRAINT agent_closure_pkey PRIMARY KEY (ancestor_id, descendant_id);
ALTER TABLE ONLY public.agent
    ADD CONSTRAINT agent_pkey PRIMARY KEY (party_id);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_rule_once UNIQUE (order_id, gate, rule);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_hash_once UNIQUE (hash);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.bank_account
    ADD CONSTRAINT bank_account_once UNIQUE (party_id, blind);
ALTER TABLE ONLY public.bank_account
    ADD CONSTRAINT bank_account_owner UNIQUE (id, party_id);
ALTER TABLE ONLY public.bank_account
    ADD CONSTRAINT bank_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.bank_account
    ADD CONSTRAINT bank_account_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT cohort_pkey PRIMARY KEY (country, at);
ALTER TABLE ONLY public.commission_hold
    ADD CONSTRAINT commission_hold_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.commission_hold
    ADD CONSTRAINT commission_hold_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.commission_line
    ADD CONSTRAINT commission_line_once UNIQUE (order_id, agent_id, level);
ALTER TABLE ONLY public.configuration
    ADD CONSTRAINT configuration_pkey PRIMARY KEY (one);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_once UNIQUE (merchant_id, external_id);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.dispatch
    ADD CONSTRAINT dispatch_pkey PRIMARY KEY (order_id, attempt);
ALTER TABLE ONLY public.evaluation
    ADD CONSTRAINT evaluation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.export_file
    ADD CONSTRAINT export_file_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.export_file
    ADD CONSTRAINT export_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.fee_schedule
    ADD CONSTRAINT fee_schedule_once UNIQUE (code, version);
ALTER TABLE ONLY public.fee_schedule
    ADD CONSTRAINT fee_schedule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.heartbeat
    ADD CONSTRAINT heartbeat_pkey PRIMARY KEY (process);
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (party_id, key);
ALTER TABLE ONLY public.import_file
    ADD CONSTRAINT import_file_once UNIQUE (sha256);
ALTER TABLE ONLY public.import_file
    ADD CONSTRAINT import_file_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.job_run
    ADD CONSTRAINT job_run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.journal_entry
    ADD CONSTRAINT journal_entry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.journal_entry
    ADD CONSTRAINT journal_key_once UNIQUE (key);
ALTER TABLE ONLY public.journal_leg
    ADD CONSTRAINT journal_leg_pkey PRIMARY KEY (entry_id, id);
ALTER TABLE ONLY public.ledger_account
    ADD CONSTRAINT ledger_account_name_once UNIQUE (name);
ALTER TABLE ONLY public.ledger_account
    ADD CONSTRAINT ledger_account_party_once UNIQUE (party_id, asset);
ALTER TABLE ONLY public.ledger_account
    ADD CONSTRAINT ledger_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.login_attempt
    ADD CONSTRAINT login_attempt_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.merchant
    ADD CONSTRAINT merchant_pkey PRIMARY KEY (party_id);
ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (xid, id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT order_external_once UNIQUE (merchant_id, external_ref);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT order_quote_once UNIQUE (quote_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT order_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.order_waiting
    ADD CONSTRAINT order_waiting_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox_batch
    ADD CONSTRAINT outbox_batch_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT party_code_once UNIQUE (kind, code);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT party_id_kind UNIQUE (id, kind);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT party_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT party_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.payer_account
    ADD CONSTRAINT payer_account_once UNIQUE (blind);
ALTER TABLE ONLY public.payer_account
    ADD CONSTRAINT payer_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.payer_account
    ADD CONSTRAINT payer_account_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.period_lock
    ADD CONSTRAINT period_lock_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.plan
    ADD CONSTRAINT plan_code_once UNIQUE (code);
ALTER TABLE ONLY public.plan
    ADD CONSTRAINT plan_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.plan_version
    ADD CONSTRAINT plan_version_once UNIQUE (plan_id, version);
ALTER TABLE ONLY public.plan_version
    ADD CONSTRAINT plan_version_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.pool_account
    ADD CONSTRAINT pool_account_bank_once UNIQUE (bank_account_id);
ALTER TABLE ONLY public.pool_account_load
    ADD CONSTRAINT pool_account_load_pkey PRIMARY KEY (pool_account_id);
ALTER TABLE ONLY public.pool_account
    ADD CONSTRAINT pool_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.pool_account
    ADD CONSTRAINT pool_account_place_once UNIQUE (pool_id, place) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.pool
    ADD CONSTRAINT pool_code_once UNIQUE (code);
ALTER TABLE ONLY public.pool_merchant
    ADD CONSTRAINT pool_merchant_pkey PRIMARY KEY (pool_id, merchant_id);
ALTER TABLE ONLY public.pool
    ADD CONSTRAINT pool_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.pool
    ADD CONSTRAINT pool_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.portal_session
    ADD CONSTRAINT portal_session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.portal_session
    ADD CONSTRAINT portal_session_token_once UNIQUE (token_hash);
ALTER TABLE ONLY public.portal_user
    ADD CONSTRAINT portal_user_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY public.quote
    ADD CONSTRAINT quote_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.quote
    ADD CONSTRAINT quote_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.rate
    ADD CONSTRAINT rate_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rollup_alert_day
    ADD CONSTRAINT rollup_alert_day_pkey PRIMARY KEY (day, rule, verdict, currency, merchant_id, acceptor_id);
ALTER TABLE ONLY public.rollup_alert_order
    ADD CONSTRAINT rollup_alert_order_pkey PRIMARY KEY (days, rules, currency, merchant_id, acceptor_id);
ALTER TABLE ONLY public.rollup_commission_day
    ADD CONSTRAINT rollup_commission_day_pkey PRIMARY KEY (day, agent_id, level, plan_version_id);
ALTER TABLE ONLY public.rollup_commission_path_day
    ADD CONSTRAINT rollup_commission_path_day_pkey PRIMARY KEY (day, agents, plan_versions);
ALTER TABLE ONLY public.rollup_hour
    ADD CONSTRAINT rollup_hour_pkey PRIMARY KEY (hour, kind, currency, pool_id, merchant_id, acceptor_id, agent_id);
ALTER TABLE ONLY public.ruleset
    ADD CONSTRAINT ruleset_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.ruleset
    ADD CONSTRAINT ruleset_ref_once UNIQUE (ref);
ALTER TABLE ONLY public.ruleset
    ADD CONSTRAINT ruleset_version_once UNIQUE (version);
ALTER TABLE ONLY public.sandbox_clock
    ADD CONSTRAINT sandbox_clock_pkey PRIMARY KEY (one);
ALTER TABLE ONLY public.seal_block
    ADD CONSTRAINT seal_block_pkey PRIMARY KEY (chain, no);
ALTER TABLE ONLY public.seal_row
    ADD CONSTRAINT seal_row_once UNIQUE (chain, row_id);
ALTER TABLE ONLY public.seal_row
    ADD CONSTRAINT seal_row_pkey PRIMARY KEY (chain, pos);
ALTER TABLE ONLY public.user_party
    ADD CONSTRAINT user_party_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY public.watermark
    ADD CONSTRAINT watermark_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.withdrawal_account
    ADD CONSTRAINT withdrawal_account_pkey PRIMARY KEY (party_id);
CREATE INDEX acceptor_agent ON public.acceptor USING btree (agent_id);
CREATE INDEX agent_closure_up ON public.agent_closure USING btree (descendant_id, distance);
CREATE INDEX agent_parent ON public.agent USING btree (parent_id);
CREATE INDEX alert_closed ON public.alert USING btree (closed_at) WHERE (state = 'closed'::text);
CREATE INDEX alert_open ON public.alert USING btree (due_at) WHERE (state <> 'closed'::text);
CREATE INDEX alert_raised ON public.alert USING btree (raised_at DESC, id DESC);
CREATE INDEX alert_xid ON public.alert USING btree (xid);
CREATE UNIQUE INDEX approval_waiting_once ON public.approval USING btree (kind, subject) WHERE (state = 'waiting'::text);
CREATE INDEX audit_about ON public.audit USING btree (subject text_pattern_ops, id DESC) WHERE (to_state IS NULL);
CREATE INDEX audit_at ON public.audit USING brin (at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX audit_order ON public.audit USING btree (order_id);
CREATE INDEX audit_xid ON public.audit USING btree (xid, id);
CREATE INDEX bank_account_blind ON public.bank_account USING btree (blind);
CREATE INDEX commission_hold_account ON public.commission_hold USING btree (account_id) WHERE (closed_at IS NULL);
CREATE UNIQUE INDEX commission_hold_open_once ON public.commission_hold USING btree (agent_id) WHERE (closed_at IS NULL);
CREATE INDEX commission_line_accrued ON public.commission_line USING btree (accrued_at, id);
CREATE INDEX commission_line_agent ON public.commission_line USING btree (agent_id, accrued_at DESC, id DESC);
CREATE INDEX commission_line_moved ON public.commission_line USING btree (state, accrued_at) WHERE ((state)::text <> 'pending'::text);
CREATE INDEX commission_line_period ON public.commission_line USING btree (period, agent_id);
CREATE INDEX commission_line_xid ON public.commission_line USING btree (xid);
CREATE INDEX customer_name_words ON public.customer USING gin (string_to_array(regexp_replace(lower(NORMALIZE(verified_name, NFKD)), '[̀-ͯ]'::text, ''::text, 'g'::text), ' '::text));
CREATE INDEX export_file_open ON public.export_file USING btree (created_at) WHERE (state = ANY (ARRAY['waiting'::text, 'running'::text]));
CREATE INDEX export_file_user ON public.export_file USING btree (user_id, id DESC);
CREATE INDEX hold_account ON public.hold USING btree (account_id) WHERE (closed_at IS NULL);
CREATE UNIQUE INDEX hold_open_once ON public.hold USING btree (order_id) WHERE (closed_at IS NULL);
CREATE INDEX idempotency_key_age ON public.idempotency_key USING brin (created_at) WITH (pages_per_range='16', autosummarize='on');
CREATE INDEX job_run_name ON public.job_run USING btree (name, id DESC);
CREATE INDEX journal_entry_happened ON public.journal_entry USING brin (happened_at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX journal_entry_order ON public.journal_entry USING btree (order_id);
CREATE INDEX journal_entry_xid ON public.journal_entry USING btree (xid);
CREATE INDEX journal_leg_account ON public.journal_leg USING btree (account_id, entry_id);
CREATE INDEX journal_leg_unfolded ON public.journal_leg USING btree (account_id, xid) WHERE (xid IS NOT NULL);
CREATE INDEX login_attempt_account ON public.login_attempt USING btree (account, at DESC);
CREATE INDEX login_attempt_network ON public.login_attempt USING btree (network, at DESC) WHERE (NOT succeeded);
CREATE INDEX login_attempt_user ON public.login_attempt USING btree (user_id, at DESC) WHERE succeeded;
CREATE INDEX merchant_agent ON public.merchant USING btree (agent_id);
CREATE INDEX notice_order ON public.notice USING btree (order_id) WHERE (to_state = ANY (ARRAY['created'::text, 'offered'::text, 'awaiting_payment'::text]));
CREATE INDEX orders_acceptor ON public.orders USING btree (acceptor_id, created_at DESC, id DESC);
CREATE INDEX orders_agent ON public.orders USING btree (agent_id, created_at DESC, id DESC) WHERE (agent_id IS NOT NULL);
CREATE INDEX orders_amount ON public.orders USING btree (currency, fiat_units);
CREATE INDEX orders_apart ON public.orders USING btree (apart, ref) WHERE (apart IS NOT NULL);
CREATE INDEX orders_customer ON public.orders USING btree (customer_id, id DESC);
CREATE INDEX orders_disputed ON public.orders USING btree (dispute_state, ref) WHERE (dispute_state <> 'none'::text);
CREATE INDEX orders_merchant ON public.orders USING btree (merchant_id, created_at DESC, id DESC);
CREATE INDEX orders_pay_code ON public.orders USING brin (pay_code text_bloom_ops (n_distinct_per_range='400', false_positive_rate='0.001')) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX orders_risk ON public.orders USING btree (risk_state, ref) WHERE ((risk_state)::text <> 'clear'::text);
CREATE INDEX orders_times ON public.orders USING brin (created_at, ended_at) WITH (pages_per_range='16', autosummarize='on');
CREATE INDEX orders_usdt ON public.orders USING btree (usdt_units);
CREATE INDEX outbox_batch_from ON public.outbox_batch USING btree (from_xid);
CREATE INDEX payer_account_masked ON public.payer_account USING btree (masked);
CREATE INDEX pool_account_acceptor ON public.pool_account USING btree (acceptor_id);
CREATE INDEX pool_account_ledger ON public.pool_account USING btree (account_id);
CREATE INDEX pool_account_place ON public.pool_account USING btree (pool_id, place) WHERE matchable;
CREATE INDEX pool_currency ON public.pool USING btree (currency, method) WHERE (state = 'open'::text);
CREATE INDEX portal_session_open ON public.portal_session USING btree (user_id) WHERE (ended_at IS NULL);
CREATE INDEX rate_latest ON public.rate USING btree (currency, observed_at DESC);
CREATE INDEX risk_fact_acceptor ON public.risk_fact USING btree (acceptor_id, kind, happened_at) WHERE (kind = ANY (ARRAY['order_completed'::text, 'order_disputed'::text, 'confirm_without_bank_line'::text]));
CREATE INDEX risk_fact_customer ON public.risk_fact USING btree (customer_id, happened_at) INCLUDE (kind, known_at, usdt_units);
CREATE INDEX risk_fact_payer ON public.risk_fact USING btree (payer_account_id, happened_at) INCLUDE (kind, known_at, customer_id);
CREATE INDEX rollup_hour_lately ON public.rollup_hour USING btree (hour) INCLUDE (merchant_id, acceptor_id, agent_id, created, matched, completed, expired, cancelled, refused, refunded, no_liquidity, usdt_units);
CREATE UNIQUE INDEX ruleset_one_active ON public.ruleset USING btree (state) WHERE (state = 'active'::text);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.dispatch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.evaluation FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.journal_entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.journal_leg FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.notice FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.risk_fact FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.seal_block FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.seal_row FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE CONSTRAINT TRIGGER configuration_changes AFTER INSERT OR DELETE OR UPDATE OF plan_id, deposit_volume_units, volume_at, volume_until ON public.agent DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.configuration_changed();
CREATE CONSTRAINT TRIGGER configuration_changes AFTER INSERT OR DELETE OR UPDATE ON public.agent_closure DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.configuration_changed();
CREATE CONSTRAINT TRIGGER configuration_changes AFTER INSERT OR DELETE OR UPDATE OF agent_id ON public.merchant DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.configuration_changed();
CREATE CONSTRAINT TRIGGER configuration_changes AFTER INSERT OR DELETE OR UPDATE OF state, code, country ON public.party DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.configuration_changed();
CREATE CONSTRAINT TRIGGER configuration_changes AFTER INSERT OR DELETE OR UPDATE ON public.plan_version DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.configuration_changed();
CREATE CONSTRAINT TRIGGER configuration_changes AFTER INSERT OR DELETE OR UPDATE OF state, policy, policy_version, pay_seconds ON public.pool DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.configuration_changed();
CREATE CONSTRAINT TRIGGER configuration_changes AFTER DELETE ON public.pool_merchant DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.configuration_changed();
CREATE CONSTRAINT TRIGGER configuration_changes AFTER INSERT OR DELETE OR UPDATE ON public.ruleset DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.configuration_changed();
CREATE TRIGGER journal_balanced AFTER INSERT ON public.journal_leg REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.journal_must_balance();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.acceptor FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.agent FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.agent_closure FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.alert FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.approval FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.bank_account FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.commission_hold FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.commission_line FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.customer FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.dispatch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.evaluation FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.fee_schedule FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.hold FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.journal_entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.journal_leg FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.ledger_account FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.merchant FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.notice FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.orders FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.party FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.payer_account FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.period_lock FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.plan FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.plan_version FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.quote FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.rate FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.risk_fact FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.ruleset FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.seal_block FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.seal_row FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.withdrawal_account FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_emptying();
CREATE TRIGGER order_sound BEFORE INSERT OR UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.order_must_be_sound();
CREATE TRIGGER period_open BEFORE INSERT ON public.journal_entry FOR EACH ROW EXECUTE FUNCTION public.period_is_open();
CREATE CONSTRAINT TRIGGER version_begins_later AFTER INSERT ON public.fee_schedule DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.version > 1)) EXECUTE FUNCTION public.version_must_begin_later();
CREATE CONSTRAINT TRIGGER version_begins_later AFTER INSERT ON public.plan_version DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.version > 1)) EXECUTE FUNCTION public.version_must_begin_later();
CREATE TRIGGER version_starts_approved BEFORE INSERT ON public.fee_schedule FOR EACH ROW WHEN ((new.withdrawn_at IS NOT NULL)) EXECUTE FUNCTION public.version_must_stay();
CREATE TRIGGER version_starts_approved BEFORE INSERT ON public.plan_version FOR EACH ROW WHEN ((new.withdrawn_at IS NOT NULL)) EXECUTE FUNCTION public.version_must_stay();
CREATE TRIGGER version_stays BEFORE DELETE OR UPDATE ON public.fee_schedule FOR EACH ROW EXECUTE FUNCTION public.version_must_stay();
CREATE TRIGGER version_stays BEFORE DELETE OR UPDATE ON public.plan_version FOR EACH ROW EXECUTE FUNCTION public.version_must_stay();
CREATE CONSTRAINT TRIGGER version_withdrawn_in_time AFTER UPDATE ON public.fee_schedule DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.withdrawn_at IS NOT NULL)) EXECUTE FUNCTION public.version_must_be_withdrawn_in_time();
CREATE CONSTRAINT TRIGGER version_withdrawn_in_time AFTER UPDATE ON public.plan_version DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.withdrawn_at IS NOT NULL)) EXECUTE FUNCTION public.version_must_be_withdrawn_in_time();
ALTER TABLE ONLY public.acceptor
    ADD CONSTRAINT acceptor_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(party_id);
ALTER TABLE ONLY public.acceptor
    ADD CONSTRAINT acceptor_party_id_kind_fkey FOREIGN KEY (party_id, kind) REFERENCES public.party(id, kind);
ALTER TABLE ONLY public.agent_closure
    ADD CONSTRAINT agent_closure_ancestor_id_fkey FOREIGN KEY (ancestor_id) REFERENCES public.agent(party_id);
ALTER TABLE ONLY public.agent_closure
    ADD CONSTRAINT agent_closure_descendant_id_fkey FOREIGN KEY (descendant_id) REFERENCES public.agent(party_id);
ALTER TABLE ONLY public.agent
    ADD CONSTRAINT agent_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.agent(party_id);
ALTER TABLE ONLY public.agent
    ADD CONSTRAINT agent_party_id_kind_fkey FOREIGN KEY (party_id, kind) REFERENCES public.party(id, kind);
ALTER TABLE ONLY public.agent
    ADD CONSTRAINT agent_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES public.plan(id);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_evaluation_id_fkey FOREIGN KEY (evaluation_id) REFERENCES public.evaluation(id);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_ruleset_id_fkey FOREIGN KEY (ruleset_id) REFERENCES public.ruleset(id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_party_id_fkey FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.bank_account
    ADD CONSTRAINT bank_account_party_has_withdrawal_account FOREIGN KEY (party_id) REFERENCES public.withdrawal_account(party_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.bank_account
    ADD CONSTRAINT bank_account_party_id_fkey FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.commission_hold
    ADD CONSTRAINT commission_hold_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.ledger_account(id);
ALTER TABLE ONLY public.commission_hold
    ADD CONSTRAINT commission_hold_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(party_id);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchant(party_id);
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.ledger_account(id);
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id);
ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_party_id_fkey FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.ledger_account
    ADD CONSTRAINT ledger_account_party_id_fkey FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.merchant
    ADD CONSTRAINT merchant_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(party_id);
ALTER TABLE ONLY public.merchant
    ADD CONSTRAINT merchant_party_id_kind_fkey FOREIGN KEY (party_id, kind) REFERENCES public.party(id, kind);
ALTER TABLE ONLY public.plan_version
    ADD CONSTRAINT plan_version_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES public.plan(id);
ALTER TABLE ONLY public.pool_account
    ADD CONSTRAINT pool_account_acceptor_id_fkey FOREIGN KEY (acceptor_id) REFERENCES public.acceptor(party_id);
ALTER TABLE ONLY public.pool_account
    ADD CONSTRAINT pool_account_account_fkey FOREIGN KEY (account_id) REFERENCES public.ledger_account(id);
ALTER TABLE ONLY public.pool_account
    ADD CONSTRAINT pool_account_bank_account_id_acceptor_id_fkey FOREIGN KEY (bank_account_id, acceptor_id) REFERENCES public.bank_account(id, party_id);
ALTER TABLE ONLY public.pool_account_load
    ADD CONSTRAINT pool_account_load_pool_account_id_fkey FOREIGN KEY (pool_account_id) REFERENCES public.pool_account(id);
ALTER TABLE ONLY public.pool_account
    ADD CONSTRAINT pool_account_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES public.pool(id);
ALTER TABLE ONLY public.pool_merchant
    ADD CONSTRAINT pool_merchant_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchant(party_id);
ALTER TABLE ONLY public.pool_merchant
    ADD CONSTRAINT pool_merchant_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES public.pool(id);
ALTER TABLE ONLY public.quote
    ADD CONSTRAINT quote_fee_schedule_id_fkey FOREIGN KEY (fee_schedule_id) REFERENCES public.fee_schedule(id);
ALTER TABLE ONLY public.quote
    ADD CONSTRAINT quote_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES public.merchant(party_id);
ALTER TABLE ONLY public.quote
    ADD CONSTRAINT quote_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES public.pool(id);
ALTER TABLE ONLY public.user_party
    ADD CONSTRAINT user_party_party_id_fkey FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.withdrawal_account
    ADD CONSTRAINT withdrawal_account_is_theirs FOREIGN KEY (bank_account_id, party_id) REFERENCES public.bank_account(id, party_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.withdrawal_account
    ADD CONSTRAINT withdrawal_account_party_id_fkey FOREIGN KEY (party_id) REFERENCES public.party(id);
