-- What Python looks at before it decides a step of the money path; the steps themselves are in orders.sql.

-- What an opening reads of the configuration, as it is at `p_at`, and until when that is good if nobody changes it: the next
-- moment at which a plan of the path takes a new version, or the window of an agent's volume ends.
create or replace function order_open_terms(p_merchant bigint, p_pool bigint, p_at timestamptz, out merchant_state text, out merchant_code text,
    out merchant_country text, out agent_id bigint, out pool_state text, out policy text, out policy_version int, out pay_seconds int,
    out ruleset_id bigint, out path bigint[], out path_codes text[], out good_until timestamptz) language plpgsql stable as $$
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

-- Everything the decision to open a deposit needs, in one look; null when that merchant has no such quote. `path` has
-- for each agent its number, account, plan version, that version's number, the volume of the plan's window and when that was
-- reckoned; `candidates` up to four of the pool's accounts, drawn, as `match_candidates_wide` has them (decision 0036).
-- A small query for each table: a join of them all carries every column through every level, and costs twice.
--
-- Merchant, pool, rules and path change seldom. Who has read them under the configuration's number `p_known`, and asks within
-- the time they were told to be good for, gets them no more: `told` is false then (core/orders/terms.py, decision 0029).
drop function if exists order_open_context(bigint, text, text, bytea, timestamptz, int);
drop function if exists order_open_look(bigint, text, text, bytea, timestamptz, int);
drop function if exists order_open_look(bigint, text, text, bytea, timestamptz, int, bigint, timestamptz, timestamptz);
drop type if exists order_open_seen;
create type order_open_seen as (
    at text, told boolean, merchant_state text, merchant_code text, merchant_country text, agent_id bigint, quote_id bigint, kind text,
    currency text, fiat_units bigint, rate_price bigint, usdt_units bigint, fee_units bigint, margin_units bigint,
    fee_schedule_id bigint, expired boolean, pool_id bigint, pool_state text, policy text,
    policy_version int, pay_seconds int, customer_id bigint, customer_name text, customer_state text,
    customer_country text, customer_level int, customer_age bigint, customer_turn int, payer_id bigint, payer_listed text, ruleset_id bigint,
    path bigint[], path_codes text[], number bigint, good_until text, vector bigint[], candidates bigint[], disputed bigint[]);
create function order_open_look(p_merchant bigint, p_quote text, p_customer text, p_blind bytea, p_at timestamptz, p_draw int,
    p_known bigint, p_since timestamptz, p_until timestamptz)
returns order_open_seen language plpgsql stable as $$
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

-- What a release asks: the order as seen, without a lock (what follows is guarded by its version), and gate G3's
-- figures. Null when there is no such order. Where the claim named another account than was declared at the opening,
-- both are looked at; `declared` is then what the vector says of the one declared: its customers, its age. `open_alerts`
-- are those of any gate that an officer must decide before anything goes out.
drop function if exists order_release_look(text, timestamptz);
drop type if exists order_release_seen;
create type order_release_seen as (
    at text, id bigint, version int, state text, merchant_id bigint, acceptor_id bigint,
    customer_id bigint, payer_account_id bigint, escrow_account_id bigint, pool_account_id bigint, currency text,
    fiat_units bigint, usdt_units bigint, fee_units bigint, risk_state text, dispute_state text,
    split text, matched_at text, claimed_seconds_ago bigint, customer_name text,
    customer_level int, customer_age bigint, payer_listed text, open_alerts bigint, merchant_account_id bigint,
    ruleset_id bigint, vector bigint[], declared_listed text, declared bigint[], received_units bigint);
create function order_release_look(p_ref text, p_at timestamptz) returns order_release_seen language plpgsql stable as $$
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
