-- The money path: Python decides (rights, life cycle, gates, choice), these move the rows, one call a step.

drop function if exists match_candidates(bigint, bigint, bigint, date, int, int);
drop function if exists match_candidates(bigint, date, int, int);

-- Accounts of a pool that have enough left, each as pool account, ledger account, acceptor, weight, free, open orders,
-- limit of open orders, left of the day: asked only when the look at an opening found nobody among the first few.
drop function if exists match_candidates_wide(bigint, bigint, bigint, date, int);
create or replace function match_candidates_wide(p_pool bigint, p_usdt bigint, p_fiat bigint, p_at timestamptz, p_limit int) returns bigint[]
language sql stable as $$
    select array_agg(c.row) from (
        select array[x.id, x.account_id, x.acceptor_id, x.weight, a.available, l.open_orders, x.open_limit,
                     x.day_limit_units - case when l.day = (p_at at time zone 'UTC')::date then l.day_units else 0 end] as row
          from pool_account x join ledger_account a on a.id = x.account_id join pool_account_load l on l.pool_account_id = x.id
         where x.pool_id = p_pool and x.matchable and a.available >= p_usdt and l.open_orders < x.open_limit
           and x.day_limit_units - case when l.day = (p_at at time zone 'UTC')::date then l.day_units else 0 end >= p_fiat
         order by random() limit p_limit) c
$$;

-- What happened, for the auditor and for the other rooms: one row of the trail an event, which the feed reads too.
drop function if exists order_tell(bigint, text, bigint, timestamptz, jsonb, jsonb);
create or replace function order_tell(p_order bigint, p_ref text, p_acceptor bigint, p_at timestamptz, p_actor text, p_role text, p_user int,
    p_trace text, p_event text, p_from text, p_to text, p_reason text default '', p_payload jsonb default null) returns void
language plpgsql as $$
begin
    insert into audit (at, actor, role, user_id, action, subject, order_id, reason, from_state, to_state, details, trace_id, event, acceptor_id)
    values (p_at, p_actor, p_role, p_user, 'order.' || p_event, p_ref, p_order, p_reason, p_from, p_to, p_payload, p_trace, p_event, p_acceptor);
end $$;

-- Try to freeze the reserve of the accounts named, in that order: each reserve's row is locked first, then a slot and the
-- day's limit of its bank account are taken. Returns the place of the one that won, or null. At first nobody waits for a lock.
drop function if exists order_freeze(bigint, text, text, bigint, bigint, timestamptz, text, int, jsonb);
create or replace function order_freeze(p_order bigint, p_ref text, p_entry text, p_usdt bigint, p_fiat bigint, p_at timestamptz,
    p_actor text, p_attempt int, p_pool_accounts bigint[], p_accounts bigint[]) returns int language plpgsql as $$
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

-- The same once more when all were busy or short; in its second round it waits. A reserve that was locked and found too small
-- stays locked until the transaction ends, so one waits only for an account of a higher number than all that one has, as
-- everywhere: two that want each other's would wait for ever. One of a lower number that somebody has just now is left to the
-- next run, seconds later.
create or replace function order_freeze_patiently(p_usdt bigint, p_fiat bigint, p_day date, p_pool_accounts bigint[], p_accounts bigint[])
returns int language plpgsql as $$
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

-- How the customer pays the order: the acceptor's bank account, as stored (sealed).
create or replace function order_pay_to(p_pool_account bigint) returns jsonb language sql stable as $$
    select jsonb_build_object('bank', b.bank, 'holder', b.holder, 'masked', b.masked, 'sealed', encode(b.sealed, 'hex'),
                              'acceptor_ref', p.ref, 'acceptor_code', p.code, 'acceptor_name', p.name)
      from pool_account pa join bank_account b on b.id = pa.bank_account_id join party p on p.id = pa.acceptor_id
     where pa.id = p_pool_account
$$;

drop function if exists order_open(jsonb);
drop function if exists order_open(
    timestamptz, text, text, bigint, bigint, bigint, bigint, bigint, text, text, text, text, bigint, text, bytea, bytea, text, text,
    text, bigint, bigint, bigint, bigint, bigint, jsonb, text, text, text, bigint, text, int, json, json, jsonb, text, bigint[], bigint[],
    bigint[], text, int, bigint, json, text, text, text, text, timestamptz, text, text, text, timestamptz, text, text, text, int, text);
drop function if exists order_open(
    timestamptz, text, text, bigint, bigint, bigint, bigint, bigint, text, text, text, text, bigint, text, bytea, bytea, text, text,
    text, bigint, bigint, bigint, bigint, bigint, jsonb, text, text, text, bigint, text, int, json, json, jsonb, text, bigint[], bigint[],
    bigint[], text, int, bigint, json, text, text, text, text, int, text, text, text, int, text, text, text, int, text);
drop function if exists order_open(
    timestamptz, text, text, bigint, bigint, bigint, bigint, bigint, text, text, text, text, bigint, text, bytea, bytea, text, text,
    text, bigint, bigint, bigint, bigint, bigint, jsonb, text, text, text, bigint, text, int, json, json, jsonb, text, bigint[], bigint[],
    bigint[], text, int, bigint, json, text, text, text, text, int, text, text, text, int, text, bigint, text, text, int, text);
drop function if exists order_open(
    timestamptz, text, text, bigint, bigint, bigint, bigint, bigint, text, text, text, text, bigint, text, bytea, bytea, text, text,
    text, bigint, bigint, bigint, bigint, bigint, jsonb, text, text, text, bigint, text, int, json, json, jsonb, text, bigint[], bigint[],
    bigint[], text, int, bigint, json, text, text, text, text, int, text, text, text, int, text, bigint, int, text, text, int, text);
drop type if exists order_opened;
create type order_opened as (state text, deadline_at timestamptz, acceptor_id bigint);
create function order_open(
    p_at timestamptz, p_ref text, p_external text, p_merchant bigint, p_agent bigint, p_pool bigint, p_quote bigint,
    p_customer bigint, p_customer_ref text, p_customer_external text, p_customer_name text, p_customer_country text,
    p_payer bigint, p_payer_ref text, p_payer_blind bytea, p_payer_sealed bytea, p_payer_masked text, p_payer_name text,
    p_currency text, p_fiat bigint, p_rate bigint, p_usdt bigint, p_fee bigint, p_schedule bigint, p_split jsonb, p_pay_code text,
    p_risk_state text, p_gate text, p_ruleset bigint, p_verdict text, p_score int, p_features json, p_reasons json, p_alerts jsonb,
    p_entry text, p_pool_accounts bigint[], p_accounts bigint[], p_acceptors bigint[],
    p_policy text, p_policy_version int, p_seed bigint, p_candidates json,
    p_created text, p_matched text, p_matched_event text, p_matched_next text, p_matched_seconds int,
    p_other text, p_other_event text, p_other_next text, p_other_seconds int, p_other_reason text,
    p_number bigint, p_turn int, p_actor text, p_role text, p_user int, p_trace text) returns order_opened language plpgsql as $$
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

-- An order for a step, locked. Null when there is no such order. A step's moment is never before the order's last one, though
-- the clock of who takes it may be behind (the sandbox's is moved, and processes hear of it one after the other).
drop function if exists order_for_step(text, timestamptz, boolean, boolean);
create or replace function order_for_step(p_ref text, p_at timestamptz) returns jsonb language plpgsql as $$
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

-- The columns a step changes, guarded by the version it saw.
create or replace function order_change(p_order bigint, p_version int, p jsonb) returns void language plpgsql as $$
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

-- The customer says it has paid: one guarded update, of an order of that merchant in the state Python names, within its
-- time, by a payer account that is known or told with the call. Null for no such order, else what was found and whether it
-- was done. The sweep (`order_waiting`) keeps the earlier deadline and finds the later one when it comes to it. The moment is
-- never before the order's match, as with every step.
drop function if exists order_claim(jsonb);
drop function if exists order_claim(text, bigint, timestamptz, text, text, text, text, timestamptz, text, bytea, bytea, text, text, text, int, text);
drop function if exists order_claim(text, bigint, timestamptz, text, text, text, text, timestamptz, text, bytea, bytea, text, text, text, text, int, text);
drop type if exists order_claimed;
create type order_claimed as (done boolean, state text, risk_state text, dispute_state text, late boolean, early boolean, future boolean,
    stranger boolean, opened_at timestamptz, deadline_at timestamptz);
create function order_claim(p_ref text, p_merchant bigint, p_at timestamptz, p_from text, p_to text, p_next text,
    p_payer_name text, p_paid_at timestamptz, p_payer_ref text, p_payer_blind bytea, p_payer_sealed bytea, p_payer_masked text,
    p_reason text, p_actor text, p_role text, p_user int, p_trace text) returns order_claimed language plpgsql as $$
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

create or replace function pool_account_give_back(p_pool_account bigint, p_created timestamptz, p_fiat bigint) returns void language sql as $$
    update pool_account_load
       set open_orders = open_orders - 1,
           day_units = case when day = (p_created at time zone 'UTC')::date then greatest(day_units - p_fiat, 0) else day_units end
     where pool_account_id = p_pool_account
$$;

-- Release: one entry from escrow to merchant, house and agents; commission lines; the order ends.
drop function if exists order_release(jsonb);
drop function if exists order_release(
    timestamptz, bigint, int, text, text, text, text, bigint, text, bigint, bigint, bigint, bigint, bigint, bigint, int, text, bigint[],
    text[], bigint[], text[], bigint[], int[], bigint[], int[], int[], int[], bigint[], text, bigint, text, int, json, json, jsonb,
    text, text, text, int, text);
create or replace function order_release(
    p_at timestamptz, p_order bigint, p_version int, p_ref text, p_from text, p_to text, p_next text, p_received bigint, p_risk_state text,
    p_customer bigint, p_merchant bigint, p_acceptor bigint, p_payer bigint, p_usdt bigint, p_pool_account bigint, p_seconds int,
    p_entry text, p_accounts bigint[], p_pockets text[], p_units bigint[],
    p_line_refs text[],
    p_gate text, p_ruleset bigint, p_verdict text, p_score int, p_features json, p_reasons json, p_alerts jsonb,
    p_reason text, p_actor text, p_role text, p_user int, p_trace text) returns void language plpgsql as $$
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

-- The same, from the JSON that the rarer steps hand over.
create or replace function order_tell_from(p_order bigint, p jsonb, p_at timestamptz, p_event jsonb) returns void language sql as $$
    select order_tell(p_order, p ->> 'ref', (p ->> 'acceptor_id')::bigint, p_at, p #>> '{actor,name}', p #>> '{actor,role}',
        (p #>> '{actor,user_id}')::int, coalesce(p #>> '{actor,trace}', ''), p_event ->> 'event', p_event ->> 'from_state',
        p_event ->> 'to_state', coalesce(p_event ->> 'reason', ''), nullif(p_event -> 'payload', 'null'))
$$;
drop function if exists risk_evaluated_from(bigint, timestamptz, jsonb);
create function risk_evaluated_from(p_order bigint, p_at timestamptz, g jsonb) returns bigint language sql as $$
    select risk_evaluated(p_order, p_at, g ->> 'gate', (g ->> 'ruleset_id')::bigint, g ->> 'verdict', (g ->> 'score')::int,
        (g -> 'features')::json, (g -> 'reasons')::json, nullif(g -> 'alerts', 'null'))
$$;

-- Gate G3 said no for now: the evaluation and its alerts are stored, and with `hold` the escrow moves to held.
create or replace function order_stop(p jsonb) returns void language plpgsql as $$
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

-- An open hold ends: what was held goes back to escrow; the release or the return follows in the same transaction.
create or replace function hold_close(p_order bigint, p_entry text, p_at timestamptz, p_actor text, p_outcome text) returns boolean
language plpgsql as $$
declare h hold;
begin
    update hold set closed_at = p_at, outcome = p_outcome where order_id = p_order and closed_at is null returning * into h;
    if not found then return false; end if;
    perform ledger_move(p_entry, h.ref || ':close', 'hold_close', p_order, p_actor, p_at, h.account_id, 'held', 'escrow', h.units);
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

-- An order that waits in matching gets an acceptor.
create or replace function order_match(p jsonb) returns jsonb language plpgsql as $$
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
