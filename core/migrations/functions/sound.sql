-- What a row of the money path's tables must be, whoever writes it. A CHECK is parsed from its text at every statement, and
-- costs by the number of its words; a call of one function costs a third of what the words of `orders` did.

-- An order has amounts that make sense; an acceptor if and only if it was matched; a deadline as long as it has not ended.
create or replace function order_sound(p_acceptor bigint, p_matched timestamptz, p_ended timestamptz, p_deadline timestamptz,
    p_fiat bigint, p_usdt bigint, p_fee bigint) returns boolean language plpgsql immutable as $$
begin
    return p_fiat > 0 and p_usdt > 0 and p_fee >= 0 and p_fee < p_usdt
       and (p_acceptor is null) = (p_matched is null) and (p_ended is null) = (p_deadline is not null);
end $$;

-- Nobody but the house may owe: none of the three pockets is below nothing.
create or replace function account_sound(p_kind text, p_available bigint, p_escrow bigint, p_held bigint) returns boolean
language plpgsql immutable as $$
begin
    return p_kind = 'house' or (p_available >= 0 and p_escrow >= 0 and p_held >= 0);
end $$;

create or replace function load_sound(p_open int, p_day bigint) returns boolean language plpgsql immutable as $$
begin
    return p_open >= 0 and p_day >= 0;
end $$;

-- The end of an order that ended otherwise than most, else null: what `orders.apart` holds for the lists (decision 0022).
create or replace function order_apart(p_state text) returns text language sql immutable as $$
    select case when p_state in ('cancelled', 'expired', 'no_liquidity', 'refused', 'refunded', 'reversed') then p_state end
$$;
