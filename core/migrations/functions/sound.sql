-- What a row of the money path's tables must be, whoever writes it. A CHECK is parsed from its text at every statement, and
-- costs by the number of its words: an account has one call of one function, an order a trigger, a load its columns' domains.

-- An order has amounts that make sense; an acceptor if and only if it was matched; a deadline as long as it has not ended.
create or replace function order_must_be_sound() returns trigger language plpgsql as $$
begin
    if new.fiat_units > 0 and new.usdt_units > 0 and new.fee_units >= 0 and new.fee_units < new.usdt_units
       and (new.acceptor_id is null) = (new.matched_at is null) and (new.ended_at is null) = (new.deadline_at is not null) then
        return new;
    end if;
    raise exception 'order % is not sound', new.ref using errcode = 'check_violation', constraint = 'order_sound';
end $$;

-- Nobody but the house may owe: none of the three pockets is below nothing.
create or replace function account_sound(p_kind text, p_available bigint, p_escrow bigint, p_held bigint) returns boolean
language plpgsql immutable as $$
begin
    return p_kind = 'house' or (p_available >= 0 and p_escrow >= 0 and p_held >= 0);
end $$;

-- The end of an order that ended otherwise than most, else null: what `orders.apart` holds for the lists (decision 0022).
create or replace function order_apart(p_state text) returns text language sql immutable as $$
    select case when p_state in ('cancelled', 'expired', 'no_liquidity', 'refused', 'refunded', 'reversed') then p_state end
$$;

-- The next version of a fee schedule or plan begins when everybody can see it: at least five seconds after the end of the
-- transaction that stores it (decision 0030). Asked at that end, after every wait for a lock. The version's own moment was
-- taken in the transaction, so no more time has gone by since than since its beginning: right by any clock that is set.
create or replace function version_must_begin_later() returns trigger language plpgsql as $$
begin
    if new.effective_from - new.created_at < clock_timestamp() - transaction_timestamp() + interval '5 seconds' then
        raise exception 'version % would begin at %, before everybody can see it', new.version, new.effective_from
            using errcode = 'check_violation', constraint = 'version_begins_later';
    end if;
    return null;
end $$;

-- A version stays as it was approved. One change there is: its withdrawal, once (decision 0034); an insert asks only of one that
-- would be withdrawn already.
create or replace function version_must_stay() returns trigger language plpgsql as $$
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

-- A withdrawal is stored at least five seconds before the version would have begun: whoever asks at that moment or later sees
-- it (decisions 0030, 0034). Asked at the transaction's end, after every wait for a lock, and in spans, as above.
create or replace function version_must_be_withdrawn_in_time() returns trigger language plpgsql as $$
begin
    if new.effective_from - new.withdrawn_at < clock_timestamp() - transaction_timestamp() + interval '5 seconds' then
        raise exception 'version % begins at %, before everybody can see that it is withdrawn', new.version, new.effective_from
            using errcode = 'check_violation', constraint = 'version_withdrawn_in_time';
    end if;
    return null;
end $$;
