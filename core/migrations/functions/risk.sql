-- The one feature query of the gates: what was known strictly before the moment `p_at`.
create or replace function risk_features(p_customer bigint, p_payer bigint, p_acceptor bigint, p_at timestamptz)
returns jsonb language sql stable as $$
    select jsonb_build_object(
        'orders_10m', coalesce(c.orders_10m, 0), 'orders_1h', coalesce(c.orders_1h, 0), 'orders_30d', coalesce(c.orders_30d, 0),
        'orders_1d', coalesce(c.orders_1d, 0),
        'usdt_24h_units', coalesce(c.usdt_24h, 0), 'usdt_30d_units', coalesce(c.usdt_30d, 0),
        'p95_90d_units', coalesce(c.p95_90d, 0), 'prior_orders', coalesce(c.prior_orders, 0),
        'prior_completed', coalesce(c.prior_completed, 0),
        'expired_unpaid_24h', coalesce(c.expired_24h, 0),
        'payer_users_30d', coalesce(p.users_30d, 0), 'payer_age_seconds', coalesce(p.age_seconds, 0),
        'acceptor_disputed_30d', coalesce(a.disputed_30d, 0), 'acceptor_confirmed_30d', coalesce(a.confirmed_30d, 0))
      from (select count(*) filter (where kind = 'order_opened' and happened_at > p_at - interval '10 minutes') as orders_10m,
                   count(*) filter (where kind = 'order_opened' and happened_at > p_at - interval '1 hour') as orders_1h,
                   count(*) filter (where kind = 'order_opened' and happened_at > p_at - interval '1 day') as orders_1d,
                   count(*) filter (where kind = 'order_opened' and happened_at > p_at - interval '30 days') as orders_30d,
                   sum(usdt_units) filter (where kind = 'order_opened' and happened_at > p_at - interval '1 day') as usdt_24h,
                   sum(usdt_units) filter (where kind = 'order_opened' and happened_at > p_at - interval '30 days') as usdt_30d,
                   percentile_disc(0.95) within group (order by usdt_units) filter (where kind = 'order_completed') as p95_90d,
                   count(*) filter (where kind = 'order_opened') as prior_orders,
                   count(*) filter (where kind = 'order_completed') as prior_completed,
                   count(*) filter (where kind = 'order_expired' and happened_at > p_at - interval '1 day') as expired_24h
              from risk_fact
             where customer_id = p_customer and happened_at > p_at - interval '90 days' and happened_at < p_at and known_at < p_at) c,
           (select count(distinct customer_id) filter (where happened_at > p_at - interval '30 days' and customer_id <> p_customer)
                   + 1 as users_30d,
                   extract(epoch from p_at - min(happened_at))::bigint as age_seconds
              from risk_fact
             where payer_account_id = p_payer and happened_at > p_at - interval '90 days' and happened_at < p_at and known_at < p_at) p,
           (select count(*) filter (where kind = 'order_disputed') as disputed_30d,
                   count(*) filter (where kind = 'order_completed') as confirmed_30d
              from (select kind from risk_fact
                     where acceptor_id = p_acceptor and kind in ('order_completed', 'order_disputed', 'confirm_without_bank_line')
                       and happened_at > p_at - interval '30 days' and happened_at < p_at and known_at < p_at
                     order by happened_at desc limit 200) last) a
$$;

create or replace function risk_evaluated(p_order bigint, p_at timestamptz, p_gate jsonb) returns void language plpgsql as $$
declare v_evaluation bigint;
begin
    insert into evaluation (order_id, gate, ruleset_id, verdict, score, features, reasons, at)
    values (p_order, p_gate ->> 'gate', (p_gate ->> 'ruleset_id')::bigint, p_gate ->> 'verdict', (p_gate ->> 'score')::int,
            p_gate -> 'features', p_gate -> 'reasons', p_at)
    returning id into v_evaluation;
    if jsonb_array_length(coalesce(p_gate -> 'alerts', '[]')) > 0 then
        insert into alert (ref, order_id, evaluation_id, gate, rule, ruleset_id, verdict, score, reason, raised_at, due_at)
        select x.ref, p_order, v_evaluation, p_gate ->> 'gate', x.rule, (p_gate ->> 'ruleset_id')::bigint, p_gate ->> 'verdict',
               (p_gate ->> 'score')::int, x.reason, p_at, p_at + make_interval(secs => x.due_seconds)
          from jsonb_to_recordset(p_gate -> 'alerts') as x (ref text, rule text, reason jsonb, due_seconds int)
        on conflict on constraint alert_rule_once do nothing;
    end if;
end $$;
