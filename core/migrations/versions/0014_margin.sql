-- `margin_units` is the platform's own part of the fee. The bare price is that before the acceptor's spread, the volume
-- the merchant's of 30 days that chose its tier: unknown (null) for some quotes of before.
alter table quote
    add column margin_units bigint,
    add column spread_units bigint not null default 0,
    add column bare_price bigint,
    add column volume_units bigint;
update quote q
   set margin_units = coalesce((select sum((l ->> 'units')::bigint) from jsonb_array_elements(q.lines) l where l ->> 'code' = 'platform_fee'),
                               q.fee_units),
       bare_price = case when coalesce((s.terms ->> 'spread_bps')::int, 0) = 0 then q.rate_price end
  from fee_schedule s where s.id = q.fee_schedule_id;
alter table quote alter column margin_units set not null,
    add constraint quote_margin check (margin_units between 0 and fee_units),
    add constraint quote_spread check (spread_units >= 0);
