-- What Python looks at before it decides a step of the money path; the steps themselves are in orders.sql.

-- Everything the decision to open a deposit needs, in one look; no row when there is no such merchant. `path` has for each
-- agent its number, account, plan version, that version's number, the volume of the plan's window and when that was reckoned;
-- `candidates` the first few accounts of the pool from a slot on, wrapping round, as `match_candidates_wide` has them.
-- A small query for each table: a join of them all carries every column through every level, and costs twice.
drop function if exists order_open_context(bigint, text, text, bytea, timestamptz, int);
drop function if exists order_open_look(bigint, text, text, bytea, timestamptz, int);
create function order_open_look(p_merchant bigint, p_quote text, p_customer text, p_blind bytea, p_at timestamptz, p_slot int,
    out at text, out merchant_state text, out merchant_code text, out merchant_country text, out agent_id bigint, out quote_id bigint, out kind text,
    out currency text, out fiat_units bigint, out rate_price bigint, out usdt_units bigint, out fee_units bigint, out margin_units bigint,
    out fee_schedule_id bigint, out expired boolean, out pool_id bigint, out pool_state text, out policy text,
    out policy_version int, out pay_seconds int, out customer_id bigint, out customer_name text, out customer_state text,
    out customer_country text, out customer_level int, out customer_age bigint, out payer_id bigint, out payer_listed text, out ruleset_id bigint,
    out path bigint[], out path_codes text[], out vector bigint[], out candidates bigint[], out disputed bigint[])
returns setof record language plpgsql stable as $$
declare v_at timestamptz := coalesce(p_at, clock_timestamp());
begin
    at := v_at;
    select p.state, p.code, p.country, m.agent_id into merchant_state, merchant_code, merchant_country, agent_id
      from merchant m join party p on p.id = m.party_id where m.party_id = p_merchant;
    if not found then return; end if;
    select q.id, q.kind, q.currency, q.fiat_units, q.rate_price, q.usdt_units, q.fee_units, q.margin_units, q.fee_schedule_id,
           v_at > q.expires_at, q.pool_id
      into quote_id, kind, currency, fiat_units, rate_price, usdt_units, fee_units, margin_units, fee_schedule_id, expired, pool_id
      from quote q where q.ref = p_quote and q.merchant_id = p_merchant;
    if not found then return next; return; end if;
    select l.state, l.policy, l.policy_version, l.pay_seconds, (select r.id from ruleset r where r.state = 'active')
      into pool_state, policy, policy_version, pay_seconds, ruleset_id from pool l where l.id = order_open_look.pool_id;
    select c.id, c.verified_name, c.state, c.country, c.kyc_level, extract(epoch from v_at - c.created_at)::bigint,
           (select array_agg(z.acceptor_id) from orders z where z.customer_id = c.id and z.dispute_state = 'open')
      into customer_id, customer_name, customer_state, customer_country, customer_level, customer_age, disputed
      from customer c where c.merchant_id = p_merchant and c.external_id = p_customer;
    select y.id, y.listed into payer_id, payer_listed from payer_account y where y.blind = p_blind;
    if agent_id is not null then
        select array_agg(array[u.ancestor_id, a.id, v.id, v.version, case when (v_at < g.volume_until) is false then 0 else g.deposit_volume_units end,
                               coalesce(extract(epoch from g.volume_at)::bigint, 0)] order by u.distance), array_agg(p.code order by u.distance)
          into path, path_codes
          from agent_closure u join agent g on g.party_id = u.ancestor_id join party p on p.id = u.ancestor_id
          join ledger_account a on a.party_id = u.ancestor_id and a.asset = 'USDT'
          cross join lateral (select x.id, x.version from plan_version x where x.plan_id = g.plan_id and x.effective_from <= v_at
                               order by x.version desc limit 1) v
         where u.descendant_id = agent_id and p.state <> 'barred';
    end if;
    vector := risk_vector(customer_id, payer_id, null, v_at);
    select array_agg(array[x.id, x.account_id, x.acceptor_id, x.slot, x.weight, a.available, d.open_orders, x.open_limit,
               x.day_limit_units - case when d.day = (v_at at time zone 'UTC')::date then d.day_units else 0 end]) into candidates
      from (select id, account_id, acceptor_id, slot, weight, open_limit, day_limit_units from pool_account n
             where n.pool_id = order_open_look.pool_id and n.matchable and n.slot >= p_slot order by n.slot limit 4) x
      join ledger_account a on a.id = x.account_id
      join pool_account_load d on d.pool_account_id = x.id;
    if candidates is null or array_length(candidates, 1) < 4 then
        select candidates || array_agg(array[x.id, x.account_id, x.acceptor_id, x.slot, x.weight, a.available, d.open_orders, x.open_limit,
                   x.day_limit_units - case when d.day = (v_at at time zone 'UTC')::date then d.day_units else 0 end]) into candidates
          from (select id, account_id, acceptor_id, slot, weight, open_limit, day_limit_units from pool_account n
                 where n.pool_id = order_open_look.pool_id and n.matchable and n.slot < p_slot
                 order by n.slot limit 4 - coalesce(array_length(candidates, 1), 0)) x
          join ledger_account a on a.id = x.account_id
          join pool_account_load d on d.pool_account_id = x.id;
    end if;
    return next;
end $$;

-- What a release asks: the order as seen, without a lock (what follows is guarded by its version), and gate G3's
-- figures. No row when there is no such order. Where the claim named another account than was declared at the opening,
-- both are looked at; `declared` is then what the vector says of the one declared: its customers, its age. `open_alerts`
-- are those of any gate that an officer must decide before anything goes out.
drop function if exists order_release_look(text, timestamptz);
create function order_release_look(p_ref text, p_at timestamptz,
    out at text, out id bigint, out version int, out state text, out merchant_id bigint, out acceptor_id bigint,
    out customer_id bigint, out payer_account_id bigint, out escrow_account_id bigint, out pool_account_id bigint, out currency text,
    out fiat_units bigint, out usdt_units bigint, out fee_units bigint, out risk_state text, out dispute_state text,
    out payer_name text, out split json, out matched_at text, out claimed_seconds_ago bigint, out customer_name text,
    out customer_level int, out customer_age bigint, out payer_listed text, out open_alerts bigint, out merchant_account_id bigint,
    out ruleset_id bigint, out vector bigint[], out declared_listed text, out declared bigint[], out received_units bigint)
returns setof record language plpgsql stable as $$
declare v_at timestamptz := coalesce(p_at, clock_timestamp()); v_claimed timestamptz; v_declared bigint;
begin
    at := v_at;
    select o.id, o.version, o.state, o.merchant_id, o.acceptor_id, o.customer_id, o.payer_account_id, o.escrow_account_id,
           o.pool_account_id, o.currency, o.fiat_units, o.usdt_units, o.fee_units, o.risk_state, o.dispute_state, o.payer_name,
           o.split, o.matched_at, o.claimed_at, o.declared_payer_account_id, o.received_units
      into id, version, state, merchant_id, acceptor_id, customer_id, payer_account_id, escrow_account_id, pool_account_id,
           currency, fiat_units, usdt_units, fee_units, risk_state, dispute_state, payer_name, split, matched_at, v_claimed, v_declared,
           received_units
      from orders o where o.ref = p_ref;
    if not found then return; end if;
    claimed_seconds_ago := extract(epoch from v_at - v_claimed)::bigint;
    select c.verified_name, c.kyc_level, extract(epoch from v_at - c.created_at)::bigint,
           (select y.listed from payer_account y where y.id = order_release_look.payer_account_id),
           (select a.id from ledger_account a where a.party_id = order_release_look.merchant_id and a.asset = 'USDT'),
           (select r.id from ruleset r where r.state = 'active')
      into customer_name, customer_level, customer_age, payer_listed, merchant_account_id, ruleset_id
      from customer c where c.id = order_release_look.customer_id;
    payer_listed := coalesce(payer_listed, '');
    open_alerts := 0;
    if risk_state <> 'clear' then
        select count(*) into open_alerts from alert x
         where x.order_id = order_release_look.id and x.state <> 'closed' and x.verdict <> 'allow';
    end if;
    vector := risk_vector(customer_id, payer_account_id, acceptor_id, v_at);
    if v_declared is not null then
        select y.listed into declared_listed from payer_account y where y.id = v_declared;
        declared := (risk_vector(customer_id, v_declared, 0, v_at))[11:12];  -- 0: no acceptor's record is asked again
    end if;
    return next;
end $$;
