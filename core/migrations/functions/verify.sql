-- What the verifier asks of the whole database: the published life cycle of an order, as rows.

-- The same table as core.orders.states.TRANSITIONS (a test compares them); null is an order not yet opened.
create or replace function order_steps() returns table (from_state text, event text, to_state text) language sql immutable as $$
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
