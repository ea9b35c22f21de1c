"""Each order's fee and split reckoned again: from the versions in force when it was opened, by the pure functions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from core.commissions import plans
from core.errors import Refusal
from core.money import USDT, Money, Rate, fiat
from core.pricing import fees
from core.verify.withdrawn import nothing_has_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.db import Transaction
    from core.verify.finding import Check

_AT_ONCE: Final = 5_000

_QUOTED = """
select o.ref, q.ref, q.fee_schedule_id, l.method, q.currency, q.fiat_units, q.rate_price, q.bare_price, q.usdt_units,
       q.fee_units, q.margin_units, q.spread_units, q.volume_units, q.lines
  from orders o join quote q on q.id = o.quote_id join pool l on l.id = q.pool_id order by o.id
"""
_SPLIT = """
select o.ref, o.kind, o.usdt_units, coalesce(q.margin_units, o.fee_units), o.split
  from orders o left join quote q on q.id = o.quote_id where o.split <> '[]' order by o.id
"""
# Whose quote is gone cannot be reckoned again, and is no less wrong for it.
_UNPRICED = """
select o.id, format('order %s: its quote is gone', o.ref) from orders o
 where o.quote_id is not null and not exists (select 1 from quote q where q.id = o.quote_id)
 union all
select o.id, format('order %s: the version of fees that quote %s was priced by is gone', o.ref, q.ref)
  from orders o join quote q on q.id = o.quote_id
 where not exists (select 1 from fee_schedule s where s.id = q.fee_schedule_id)
"""
# A version written down later says nothing about what was in force before, whatever it claims.
_SCHEDULES = """
select o.id, format('order %s: quote %s took version %s of schedule %s, in force was version %s', o.ref, q.ref,
       s.version, s.code, x.version)
  from orders o join quote q on q.id = o.quote_id join fee_schedule s on s.id = q.fee_schedule_id
  join lateral (select f.version from fee_schedule f where f.code = s.code and f.effective_from <= q.created_at
                   and f.created_at <= q.created_at and f.withdrawn_at is null
                 order by f.version desc limit 1) x on x.version <> s.version
"""
_PLANS = """
select o.id, format('order %s: agent %s was paid by version %s of its plan, in force was version %s', o.ref,
       h.share ->> 'agent_ref', v.version, x.version)
  from orders o cross join lateral jsonb_array_elements(o.split) as h (share)
  join plan_version v on v.id = (h.share ->> 'plan_version_id')::bigint
  join lateral (select f.version from plan_version f where f.plan_id = v.plan_id and f.effective_from <= o.created_at
                   and f.created_at <= o.created_at and f.withdrawn_at is null
                 order by f.version desc limit 1) x on x.version <> v.version
 where o.source <> 'import'
"""


def reckoned_again(check: Check) -> None:
    """Add to I10 every order whose fee, quote lines or split are not what its versions give.

    Rows are streamed: a million orders take a minute or two and no more memory than a thousand.
    """
    check.none(_UNPRICED)
    check.none(_SCHEDULES)
    check.none(_PLANS)
    nothing_has_one(check)
    check.each(_fees(check.tx))
    check.each(_splits(check.tx))


def _fees(tx: Transaction) -> Iterator[str]:
    """Yield the orders whose quote is not what its schedule makes of amount, rate, volume and method."""
    schedules = {
        number: fees.Schedule.read({**terms, "version": version})
        for number, version, terms in tx.rows("select id, version, terms from fee_schedule")
    }
    for ref, quote, schedule_id, method, currency, paid, price, known, *kept, volume, lines in _stream(tx, _QUOTED):
        if schedule_id not in schedules:
            continue  # told above
        schedule, bare = schedules[schedule_id], known or price
        stored = (price, *kept, [(each["code"], each["units"], each["bps"]) for each in lines])
        if known is None:
            # The spread of a quote of before is known to be in its rate, and no more.
            schedule = replace(schedule, spread_bps=0)
        # Whose volume is not known may have had any tier.
        volumes = (volume,) if volume is not None else (0, *(start for start, _ in schedule.tiers))
        asset = fiat(currency)
        money, rate = Money(paid, asset), Rate(bare, asset)
        found = [_priced(schedule, money, rate, each, method) for each in volumes]
        if stored not in found and not (volume is None and _without_spread(stored) in map(_without_spread, found)):
            yield (
                f"order {ref}: quote {quote} (rate, gross, fee, margin, spread, lines) is {stored}; its schedule"
                f" gives {found[0]}"
            )


def _priced(schedule: fees.Schedule, paid: Money, rate: Rate, volume: int, method: str) -> tuple[Any, ...]:
    try:
        done = fees.price(schedule, fiat=paid, rate=rate, volume_30d_units=volume, method=method)
    except Refusal as refusal:
        return (refusal.code,)
    lines = [(each.code, each.amount.units, each.bps) for each in done.shown]
    return (done.rate.units, done.gross.units, done.fee.units, done.margin.units, done.spread.units, lines)


def _without_spread(priced: tuple[Any, ...]) -> tuple[Any, ...]:
    """Quotes of before showed no line for the acceptor's spread."""
    *figures, lines = priced
    return (*figures, [line for line in lines if line[0] != fees.SPREAD] if isinstance(lines, list) else lines)


def _splits(tx: Transaction) -> Iterator[str]:
    """Yield the orders whose split is not what the frozen plan versions and volumes make of the order."""
    versions = {
        number: plans.PlanVersion.read({**terms, "id": number, "version": version})
        for number, version, terms in tx.rows("select id, version, terms from plan_version")
    }
    for ref, kind, gross, margin, stored in _stream(tx, _SPLIT):
        try:
            kept = plans.from_json(stored)
            again = _split(kept, versions, kind, gross, margin)
        except (Refusal, KeyError) as broken:
            yield f"order {ref}: its split cannot be reckoned again: {broken}"
            continue
        for share in sorted({*kept} ^ {*again}, key=lambda each: each.level)[:1]:
            said = next((each for each in again if each.level == share.level), None)
            due = "nothing" if said is None else f"{said.units} units at {said.rate_bps} bps of tier {said.tier}"
            was = next((each for each in kept if each.level == share.level), None)
            paid = "nothing" if was is None else f"{was.units} units at {was.rate_bps} bps of tier {was.tier}"
            yield f"order {ref}: its split pays {share.agent_ref or 'an agent'} {paid}; by its plan version {due}"


def _split(
    kept: tuple[plans.Share, ...], versions: Mapping[int, plans.PlanVersion], kind: str, gross: int, margin: int
) -> tuple[plans.Share, ...]:
    """Return the split again. Who earned nothing is not in it: such a level only may have had the rate below."""
    links: list[plans.Link] = []
    highest = 0
    for share in kept:
        missing = share.level - len(links) - 1
        for gap in range(missing):
            own = share.below_bps if gap == missing - 1 and share.below_bps > highest else 0
            links.append(plans.Link(-len(links) - 1, "", 0, 0, own))
        plan = versions[share.plan_version_id]
        own = plan.rate_for(kind, share.volume_units, gross)
        tier = plan.tier_at(kind, share.volume_units + gross) if share.volume_at else share.tier
        links.append(
            plans.Link(
                share.agent_id, share.agent_ref, plan.id, plan.version, own, tier, share.volume_units, share.volume_at
            )
        )
        highest = max(highest, own)
    return plans.split(links, base=Money(gross, USDT), margin=Money(margin, USDT))


def _stream(tx: Transaction, sql: str) -> Iterator[tuple[Any, ...]]:
    with tx.raw.cursor("reckoned_again") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(sql)
        yield from cursor
