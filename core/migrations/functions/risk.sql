-- The one feature query of the gates: what was known strictly before the moment `p_at`, in the order of the
-- names in core/risk/gates.py. Somebody who is not known yet has no history and costs no query. With an acceptor it
-- is gate G3 that asks: whether the order may be released. What the customer did before counts at G1 only, where the
-- rules of velocity and profile stand; here it would be a quarter of the gate's cost for figures no rule reads.
create or replace function risk_vector(p_customer bigint, p_payer bigint, p_acceptor bigint, p_at timestamptz)
returns bigint[] language plpgsql stable as $$
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
drop function if exists risk_features(bigint, bigint, bigint, timestamptz);

-- Store what a gate said, and its alerts; returns the evaluation's id.
drop function if exists risk_evaluated(bigint, timestamptz, text, bigint, text, int, json, json, jsonb);
create function risk_evaluated(p_order bigint, p_at timestamptz, p_gate text, p_ruleset bigint, p_verdict text, p_score int,
    p_features json, p_reasons json, p_alerts jsonb) returns bigint language plpgsql as $$
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
