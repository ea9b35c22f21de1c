-- The money path: Python decides (rights, life cycle, gates, choice), these move the rows, one call a step.

-- Up to p_limit accounts of a pool that could serve the order now, from a slot onwards, wrapping round.
create or replace function match_candidates(p_pool bigint, p_usdt bigint, p_fiat bigint, p_day date, p_slot int, p_limit int)
returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_object('pool_account_id', c.id, 'account_id', c.account_id, 'acceptor_id', c.acceptor_id,
               'acceptor_ref', c.code, 'slot', c.slot, 'weight', c.weight, 'free_units', c.available, 'open_orders', c.open_orders,
               'open_limit', c.open_limit, 'day_left_units', c.day_left)), '[]')
      from (select pa.id, pa.account_id, pa.acceptor_id, p.code, pa.slot, pa.weight, a.available, l.open_orders, pa.open_limit,
                   pa.day_limit_units - case when l.day = p_day then l.day_units else 0 end as day_left
              from (select n.* from ((select x.*, 0 as turn from pool_account x where x.pool_id = p_pool and x.matchable and x.slot >= p_slot
                                       order by x.slot limit p_limit)
                                     union all
                                     (select x.*, 1 as turn from pool_account x where x.pool_id = p_pool and x.matchable and x.slot < p_slot
                                       order by x.slot limit p_limit)) n
                     order by n.turn, n.slot limit p_limit) pa
              join ledger_account a on a.id = pa.account_id
              join pool_account_load l on l.pool_account_id = pa.id
              join party p on p.id = pa.acceptor_id
             order by pa.turn, pa.slot) c
$$;

-- The same among all of the pool that have enough left: asked only when the first look found nobody.
create or replace function match_candidates_wide(p_pool bigint, p_usdt bigint, p_fiat bigint, p_day date, p_limit int)
returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_object('pool_account_id', c.id, 'account_id', c.account_id, 'acceptor_id', c.acceptor_id,
               'acceptor_ref', c.code, 'slot', c.slot, 'weight', c.weight, 'free_units', c.available, 'open_orders', c.open_orders,
               'open_limit', c.open_limit, 'day_left_units', c.day_left)), '[]')
      from (select pa.id, pa.account_id, pa.acceptor_id, p.code, pa.slot, pa.weight, a.available, l.open_orders, pa.open_limit,
                   pa.day_limit_units - case when l.day = p_day then l.day_units else 0 end as day_left
              from pool_account pa join ledger_account a on a.id = pa.account_id
              join pool_account_load l on l.pool_account_id = pa.id join party p on p.id = pa.acceptor_id
             where pa.pool_id = p_pool and pa.matchable and a.available >= p_usdt and l.open_orders < pa.open_limit
               and pa.day_limit_units - case when l.day = p_day then l.day_units else 0 end >= p_fiat
             order by random() limit p_limit) c
$$;

-- Everything the decision to open a deposit needs, in one look.
create or replace function order_open_context(p_merchant bigint, p_quote text, p_customer text, p_blind bytea, p_at timestamptz, p_slot int)
returns jsonb language plpgsql stable as $$
declare
    v_at timestamptz := coalesce(p_at, clock_timestamp());
    m record; q record; c record; y record;
begin
    select p.state, p.code, mm.agent_id into m from merchant mm join party p on p.id = mm.party_id where mm.party_id = p_merchant;
    if not found then return null; end if;
    select t.*, l.code as pool_code, l.policy, l.policy_version, l.pay_seconds, l.state as pool_state,
           exists (select 1 from orders o where o.quote_id = t.id) as taken into q
      from quote t join pool l on l.id = t.pool_id where t.ref = p_quote and t.merchant_id = p_merchant;
    select id, verified_name, country, state, kyc_level, created_at into c from customer where merchant_id = p_merchant and external_id = p_customer;
    select id, listed, first_seen_at, masked into y from payer_account where blind = p_blind;
    return jsonb_build_object(
        'at', v_at, 'merchant_state', m.state, 'merchant_code', m.code, 'agent_id', m.agent_id,
        'quote', case when q.id is null then null else jsonb_build_object('id', q.id, 'pool_id', q.pool_id, 'pool_state', q.pool_state,
            'kind', q.kind, 'currency', q.currency, 'fiat_units', q.fiat_units, 'rate_price', q.rate_price, 'usdt_units', q.usdt_units,
            'fee_units', q.fee_units, 'fee_schedule_id', q.fee_schedule_id, 'expired', v_at > q.expires_at, 'taken', q.taken, 'policy', q.policy,
            'policy_version', q.policy_version, 'pay_seconds', q.pay_seconds) end,
        'customer', case when c.id is null then null else jsonb_build_object('id', c.id, 'name', c.verified_name, 'country', c.country,
            'state', c.state, 'kyc_level', c.kyc_level, 'age_seconds', extract(epoch from v_at - c.created_at)::bigint) end,
        'payer', case when y.id is null then null else jsonb_build_object('id', y.id, 'listed', y.listed, 'masked', y.masked) end,
        'path', (select coalesce(jsonb_agg(jsonb_build_object('agent_id', u.ancestor_id, 'agent_ref', p.code, 'held', g.held,
                     'plan_version_id', v.id, 'version', v.version) order by u.distance), '[]')
                   from agent_closure u join agent g on g.party_id = u.ancestor_id join party p on p.id = u.ancestor_id and p.state <> 'barred'
                   cross join lateral (select id, version from plan_version where plan_id = g.plan_id and effective_from <= v_at
                                        order by version desc limit 1) v
                  where u.descendant_id = m.agent_id),
        'ruleset_id', (select id from ruleset where state = 'active'),
        'features', risk_features(c.id, y.id, null, v_at),
        'candidates', case when q.id is null then '[]' else
            match_candidates(q.pool_id, q.usdt_units, q.fiat_units, (v_at at time zone 'UTC')::date, p_slot, 8) end);
end $$;

-- What happened, for the other rooms (outbox) and for the auditor (audit): one row each an event.
create or replace function order_tell(p_order bigint, p_ref text, p_acceptor bigint, p_at timestamptz, p_actor jsonb, p_events jsonb)
returns void language plpgsql as $$
begin
    insert into outbox (topic, subject, order_id, event, from_state, to_state, acceptor_id, happened_at, payload)
    select 'order.' || x.event, p_ref, p_order, x.event, x.from_state, x.to_state, p_acceptor, p_at, x.payload
      from jsonb_to_recordset(p_events) as x (event text, from_state text, to_state text, reason text, payload jsonb);
    insert into audit (at, actor, role, user_id, action, subject, order_id, reason, details, trace_id)
    select p_at, p_actor ->> 'name', p_actor ->> 'role', (p_actor ->> 'user_id')::int, 'order.' || x.event, p_ref, p_order,
           coalesce(x.reason, ''), jsonb_build_object('from', x.from_state, 'to', x.to_state), coalesce(p_actor ->> 'trace', '')
      from jsonb_to_recordset(p_events) as x (event text, from_state text, to_state text, reason text, payload jsonb);
end $$;

-- Try to freeze the reserve of the accounts in p_tries, in that order; returns the one that won, or null.
create or replace function order_freeze(p_order bigint, p_ref text, p_entry text, p_usdt bigint, p_fiat bigint, p_at timestamptz,
    p_actor text, p_attempt int, p_tries jsonb) returns jsonb language plpgsql as $$
declare
    t record;
    v_day date := (p_at at time zone 'UTC')::date;
    v_round int;
begin
    for v_round in 1..2 loop
        for t in select x.pool_account_id, x.account_id, x.acceptor_id from jsonb_to_recordset(p_tries)
                 as x (pool_account_id bigint, account_id bigint, acceptor_id bigint) loop
            if v_round = 1 then
                perform 1 from ledger_account where id = t.account_id and available >= p_usdt for no key update skip locked;
            else
                perform 1 from ledger_account where id = t.account_id and available >= p_usdt for no key update;
            end if;
            continue when not found;
            update pool_account_load l
               set open_orders = l.open_orders + 1, day = v_day, day_units = case when l.day = v_day then l.day_units else 0 end + p_fiat
              from pool_account pa
             where l.pool_account_id = t.pool_account_id and pa.id = l.pool_account_id and pa.matchable
               and l.open_orders < pa.open_limit
               and case when l.day = v_day then l.day_units else 0 end + p_fiat <= pa.day_limit_units;
            continue when not found;
            perform ledger_post(p_entry, p_ref || ':freeze:' || p_attempt, 'escrow_freeze', p_order, p_actor, p_at,
                array[t.account_id, t.account_id], array['available', 'escrow'], array[-p_usdt, p_usdt]);
            return jsonb_build_object('pool_account_id', t.pool_account_id, 'account_id', t.account_id, 'acceptor_id', t.acceptor_id);
        end loop;
    end loop;
    return null;
end $$;

-- How the customer pays the order: the acceptor's bank account, as stored (sealed).
create or replace function order_pay_to(p_pool_account bigint) returns jsonb language sql stable as $$
    select jsonb_build_object('bank', b.bank, 'holder', b.holder, 'masked', b.masked, 'sealed', encode(b.sealed, 'hex'),
                              'acceptor_ref', p.ref, 'acceptor_code', p.code, 'acceptor_name', p.name)
      from pool_account pa join bank_account b on b.id = pa.bank_account_id join party p on p.id = pa.acceptor_id
     where pa.id = p_pool_account
$$;

create or replace function order_open(p jsonb) returns jsonb language plpgsql as $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_customer bigint := (p ->> 'customer_id')::bigint;
    v_payer bigint := (p ->> 'payer_id')::bigint;
    v_order bigint := nextval(pg_get_serial_sequence('orders', 'id'));
    v_state text := p ->> 'state_unmatched';
    v_won jsonb;
begin
    if v_customer is null then
        insert into customer (ref, merchant_id, external_id, verified_name, country, created_at)
        values (p #>> '{customer,ref}', (p ->> 'merchant_id')::bigint, p #>> '{customer,external_id}', p #>> '{customer,name}',
                p #>> '{customer,country}', v_at)
        on conflict on constraint customer_once do update set external_id = excluded.external_id returning id into v_customer;
    end if;
    if v_payer is null and p ? 'payer' then
        insert into payer_account (ref, blind, sealed, masked, first_seen_at)
        values (p #>> '{payer,ref}', decode(p #>> '{payer,blind}', 'hex'), decode(p #>> '{payer,sealed}', 'hex'), p #>> '{payer,masked}', v_at)
        on conflict on constraint payer_account_once do update set ref = payer_account.ref returning id into v_payer;
    end if;
    if jsonb_array_length(p -> 'tries') > 0 then
        v_won := order_freeze(v_order, p ->> 'ref', p ->> 'entry', (p ->> 'usdt_units')::bigint, (p ->> 'fiat_units')::bigint, v_at,
                              p #>> '{actor,name}', 1, p -> 'tries');
    end if;
    if v_won is not null then v_state := p ->> 'state_matched'; end if;
    insert into orders (id, ref, external_ref, kind, state, risk_state, merchant_id, customer_id, agent_id, pool_id, quote_id,
        acceptor_id, pool_account_id, escrow_account_id, payer_account_id, payer_name, currency, fiat_units, rate_price, usdt_units,
        fee_units, fee_schedule_id, split, pay_code, attempts, next_actor, deadline_at, created_at, matched_at, ended_at)
    overriding system value values (v_order, p ->> 'ref', p ->> 'external_ref', 'deposit', v_state, p ->> 'risk_state',
        (p ->> 'merchant_id')::bigint, v_customer, (p ->> 'agent_id')::bigint, (p ->> 'pool_id')::bigint, (p ->> 'quote_id')::bigint,
        (v_won ->> 'acceptor_id')::bigint, (v_won ->> 'pool_account_id')::bigint, (v_won ->> 'account_id')::bigint, v_payer,
        p ->> 'payer_name', p ->> 'currency', (p ->> 'fiat_units')::bigint, (p ->> 'rate_price')::bigint, (p ->> 'usdt_units')::bigint,
        (p ->> 'fee_units')::bigint, (p ->> 'fee_schedule_id')::bigint, p -> 'split', p ->> 'pay_code', 1,
        p #>> array['next_actor', v_state], (p #>> array['deadline', v_state])::timestamptz, v_at,
        case when v_won is not null then v_at end, case when p ->> 'ended' = 'true' then v_at end);
    if p ? 'dispatch' then
        insert into dispatch (order_id, attempt, policy, policy_version, seed, chosen_acceptor_id, candidates, at)
        values (v_order, 1, p #>> '{dispatch,policy}', (p #>> '{dispatch,policy_version}')::int, (p #>> '{dispatch,seed}')::bigint,
                (v_won ->> 'acceptor_id')::bigint, p #> '{dispatch,candidates}', v_at);
    end if;
    perform risk_evaluated(v_order, v_at, p -> 'gate');
    insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units)
    values ('order_opened', v_at, v_at, p ->> 'ref', v_customer, (p ->> 'merchant_id')::bigint, (v_won ->> 'acceptor_id')::bigint, v_payer,
            (p ->> 'usdt_units')::bigint);
    perform order_tell(v_order, p ->> 'ref', (v_won ->> 'acceptor_id')::bigint, v_at, p -> 'actor', p #> array['events', v_state]);
    return jsonb_build_object('id', v_order, 'state', v_state, 'deadline_at', p #> array['deadline', v_state],
        'pay_to', order_pay_to((v_won ->> 'pool_account_id')::bigint), 'acceptor_id', v_won -> 'acceptor_id');
end $$;

-- Lock an order for a step; with p_gate also what gate G3 asks for. Null when there is no such order.
create or replace function order_lock(p_ref text, p_at timestamptz, p_gate boolean) returns jsonb language plpgsql as $$
declare
    o orders;
    v_at timestamptz;
    v jsonb;
begin
    select * into o from orders where ref = p_ref for no key update;
    if not found then return null; end if;
    v_at := coalesce(p_at, clock_timestamp());
    v := to_jsonb(o) || jsonb_build_object('at', v_at, 'late', o.deadline_at is not null and v_at > o.deadline_at,
        'confirm_seconds', (select l.confirm_seconds from pool l where l.id = o.pool_id));
    if p_gate then
        v := v || jsonb_build_object(
            'features', risk_features(o.customer_id, o.payer_account_id, o.acceptor_id, v_at),
            'claimed_seconds_ago', extract(epoch from v_at - o.claimed_at)::bigint,
            'ruleset_id', (select id from ruleset where state = 'active'),
            'customer', (select jsonb_build_object('name', c.verified_name, 'kyc_level', c.kyc_level, 'country', c.country,
                             'age_seconds', extract(epoch from v_at - c.created_at)::bigint) from customer c where c.id = o.customer_id),
            'payer_listed', coalesce((select y.listed from payer_account y where y.id = o.payer_account_id), ''),
            'open_alerts', (select count(*) from alert a where a.order_id = o.id and a.gate = 'G3' and a.state <> 'closed'),
            'accounts', (select jsonb_object_agg(coalesce(a.party_id::text, a.name), a.id) from ledger_account a
                          where a.asset = 'USDT' and (a.party_id = o.merchant_id or a.name = 'house:fees'
                             or a.party_id in (select (s ->> 'agent_id')::bigint from jsonb_array_elements(o.split) s))));
    end if;
    return v;
end $$;

-- The columns a step changes, guarded by the version it saw.
create or replace function order_change(p_order bigint, p_version int, p jsonb) returns void language plpgsql as $$
begin
    update orders o
       set state = coalesce(p ->> 'state', o.state), risk_state = coalesce(p ->> 'risk_state', o.risk_state),
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
        raise exception 'order changed meanwhile' using errcode = 'lock_not_available';
    end if;
end $$;

create or replace function order_claim(p jsonb) returns void language plpgsql as $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_order bigint := (p ->> 'order_id')::bigint;
    v_payer bigint := (p #>> '{change,payer_account_id}')::bigint;
    v_change jsonb := p -> 'change';
begin
    if p ? 'payer' then
        insert into payer_account (ref, blind, sealed, masked, first_seen_at)
        values (p #>> '{payer,ref}', decode(p #>> '{payer,blind}', 'hex'), decode(p #>> '{payer,sealed}', 'hex'), p #>> '{payer,masked}', v_at)
        on conflict on constraint payer_account_once do update set ref = payer_account.ref returning id into v_payer;
        v_change := v_change || jsonb_build_object('payer_account_id', v_payer);
    end if;
    perform order_change(v_order, (p ->> 'version')::int, v_change);
    insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units)
    values ('order_claimed', v_at, v_at, p ->> 'ref', (p ->> 'customer_id')::bigint, (p ->> 'merchant_id')::bigint,
            (p ->> 'acceptor_id')::bigint, v_payer, (p ->> 'usdt_units')::bigint);
    perform order_tell(v_order, p ->> 'ref', (p ->> 'acceptor_id')::bigint, v_at, p -> 'actor', p -> 'events');
end $$;

create or replace function pool_account_give_back(p_pool_account bigint, p_created timestamptz, p_fiat bigint) returns void language sql as $$
    update pool_account_load
       set open_orders = open_orders - 1,
           day_units = case when day = (p_created at time zone 'UTC')::date then greatest(day_units - p_fiat, 0) else day_units end
     where pool_account_id = p_pool_account
$$;

-- Release: one entry from escrow to merchant, house and agents; commission lines; the order ends.
create or replace function order_release(p jsonb) returns void language plpgsql as $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_order bigint := (p ->> 'order_id')::bigint;
begin
    perform order_change(v_order, (p ->> 'version')::int, p -> 'change');
    perform ledger_post(p ->> 'entry', (p ->> 'ref') || ':release', 'escrow_release', v_order, p #>> '{actor,name}', v_at,
        array(select jsonb_array_elements_text(p -> 'accounts')::bigint), array(select jsonb_array_elements_text(p -> 'pockets')),
        array(select jsonb_array_elements_text(p -> 'units')::bigint));
    perform pool_account_give_back((p ->> 'pool_account_id')::bigint, v_at, 0);
    if p ? 'gate' then perform risk_evaluated(v_order, v_at, p -> 'gate'); end if;
    if jsonb_array_length(p -> 'lines') > 0 then
        insert into commission_line (ref, order_id, agent_id, level, plan_version_id, own_bps, below_bps, rate_bps, base_units, units, period, accrued_at)
        select x.ref, v_order, x.agent_id, x.level, x.plan_version_id, x.own_bps, x.below_bps, x.rate_bps, x.base_units, x.units,
               to_char(v_at at time zone 'UTC', 'YYYY-MM'), v_at
          from jsonb_to_recordset(p -> 'lines') as x (ref text, agent_id bigint, level smallint, plan_version_id bigint, own_bps int,
               below_bps int, rate_bps int, base_units bigint, units bigint);
    end if;
    insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units, seconds)
    values ('order_completed', v_at, v_at, p ->> 'ref', (p ->> 'customer_id')::bigint, (p ->> 'merchant_id')::bigint,
            (p ->> 'acceptor_id')::bigint, (p ->> 'payer_account_id')::bigint, (p ->> 'usdt_units')::bigint, (p ->> 'settle_seconds')::int);
    perform order_tell(v_order, p ->> 'ref', (p ->> 'acceptor_id')::bigint, v_at, p -> 'actor', p -> 'events');
end $$;

-- Gate G3 said no for now: the evaluation and its alerts are stored, and with `hold` the escrow moves to held.
create or replace function order_stop(p jsonb) returns void language plpgsql as $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_order bigint := (p ->> 'order_id')::bigint;
    v_account bigint := (p ->> 'escrow_account_id')::bigint;
    v_units bigint := (p ->> 'usdt_units')::bigint;
begin
    perform order_change(v_order, (p ->> 'version')::int, p -> 'change');
    perform risk_evaluated(v_order, v_at, p -> 'gate');
    if p ? 'hold' then
        perform ledger_post(p ->> 'entry', (p ->> 'hold') || ':open', 'hold_open', v_order, p #>> '{actor,name}', v_at,
            array[v_account, v_account], array['escrow', 'held'], array[-v_units, v_units]);
        insert into hold (ref, order_id, account_id, alert_id, units, opened_at)
        values (p ->> 'hold', v_order, v_account, (select min(id) from alert where order_id = v_order and gate = 'G3'), v_units, v_at);
    end if;
    perform order_tell(v_order, p ->> 'ref', (p ->> 'acceptor_id')::bigint, v_at, p -> 'actor', p -> 'events');
end $$;

-- An open hold ends: what was held goes back to escrow; the release or the return follows in the same transaction.
create or replace function hold_close(p_order bigint, p_entry text, p_at timestamptz, p_actor text, p_outcome text) returns boolean
language plpgsql as $$
declare h hold;
begin
    update hold set closed_at = p_at, outcome = p_outcome where order_id = p_order and closed_at is null returning * into h;
    if not found then return false; end if;
    perform ledger_post(p_entry, h.ref || ':close', 'hold_close', p_order, p_actor, p_at,
        array[h.account_id, h.account_id], array['held', 'escrow'], array[-h.units, h.units]);
    return true;
end $$;

-- An order ends without a release: what was frozen returns to the acceptor's reserve, limits are given back.
create or replace function order_end(p jsonb) returns void language plpgsql as $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_order bigint := (p ->> 'order_id')::bigint;
    v_account bigint := (p ->> 'escrow_account_id')::bigint;
    v_units bigint := (p ->> 'usdt_units')::bigint;
begin
    perform order_change(v_order, (p ->> 'version')::int, p -> 'change');
    if p ? 'gate' then perform risk_evaluated(v_order, v_at, p -> 'gate'); end if;
    if p ? 'entry' then
        perform ledger_post(p ->> 'entry', (p ->> 'ref') || ':return', 'escrow_return', v_order, p #>> '{actor,name}', v_at,
            array[v_account, v_account], array['escrow', 'available'], array[-v_units, v_units]);
        perform pool_account_give_back((p ->> 'pool_account_id')::bigint, (p ->> 'matched_at')::timestamptz, (p ->> 'fiat_units')::bigint);
    end if;
    if p ? 'fact' then
        insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, merchant_id, acceptor_id, payer_account_id, usdt_units)
        values (p ->> 'fact', v_at, v_at, p ->> 'ref', (p ->> 'customer_id')::bigint, (p ->> 'merchant_id')::bigint,
                (p ->> 'acceptor_id')::bigint, (p ->> 'payer_account_id')::bigint, (p ->> 'usdt_units')::bigint);
    end if;
    perform order_tell(v_order, p ->> 'ref', (p ->> 'acceptor_id')::bigint, v_at, p -> 'actor', p -> 'events');
end $$;

-- An order that waits in matching gets an acceptor.
create or replace function order_match(p jsonb) returns jsonb language plpgsql as $$
declare
    v_at timestamptz := (p ->> 'at')::timestamptz;
    v_order bigint := (p ->> 'order_id')::bigint;
    v_attempt int := (p ->> 'attempt')::int;
    v_won jsonb;
begin
    v_won := order_freeze(v_order, p ->> 'ref', p ->> 'entry', (p ->> 'usdt_units')::bigint, (p ->> 'fiat_units')::bigint, v_at,
                          p #>> '{actor,name}', v_attempt, p -> 'tries');
    if v_won is null then return null; end if;
    insert into dispatch (order_id, attempt, policy, policy_version, seed, chosen_acceptor_id, candidates, at)
    values (v_order, v_attempt, p #>> '{dispatch,policy}', (p #>> '{dispatch,policy_version}')::int, (p #>> '{dispatch,seed}')::bigint,
            (v_won ->> 'acceptor_id')::bigint, p #> '{dispatch,candidates}', v_at);
    update orders set state = p ->> 'state', acceptor_id = (v_won ->> 'acceptor_id')::bigint,
           pool_account_id = (v_won ->> 'pool_account_id')::bigint, escrow_account_id = (v_won ->> 'account_id')::bigint,
           next_actor = p ->> 'next_actor', deadline_at = (p ->> 'deadline_at')::timestamptz, matched_at = v_at, attempts = v_attempt,
           version = version + 1
     where id = v_order and version = (p ->> 'version')::int;
    if not found then raise exception 'order changed meanwhile' using errcode = 'lock_not_available'; end if;
    perform order_tell(v_order, p ->> 'ref', (v_won ->> 'acceptor_id')::bigint, v_at, p -> 'actor', p -> 'events');
    return v_won;
end $$;
