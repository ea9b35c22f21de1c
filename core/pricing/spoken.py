"""Rates that people and feeds bring in: audited, guarded against slips of the finger, listed with their age."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from core import audit, clock, outbox, words
from core.actor import Right
from core.db import reading, transaction
from core.errors import Conflict, Unavailable
from core.money import Rate, fiat
from core.pricing import rates
from core.settings import settings

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction

MOST_APART_BPS: Final = 500
"""A rate further from what was last known needs to be meant: a slip of a digit is ten times as much."""
REMEMBERED: Final = timedelta(days=30)
_LONGEST_WHY: Final = 500
_LAST: Final = """
select percentile_disc(0.5) within group (order by last.price) from (
    select distinct on (source) price from rate where currency = %s and observed_at > %s
       and observed_at > (select max(observed_at) from rate where currency = %s) - interval '1 hour'
     order by source, observed_at desc, id desc) last
"""
_KNOWN: Final = """
select distinct on (currency, source) currency, source, price, observed_at from rate
 where observed_at > %s order by currency, source, observed_at desc, id desc
"""


class Spoken(NamedTuple):
    """What a source last said one USDT costs, how long ago, and whether quotes still go by it."""

    source: str
    rate: Rate
    observed_at: datetime
    age_seconds: int
    counts: bool


def tell(actor: Actor, currency: str, price: str, *, source: str, why: str, meant: bool = False) -> Rate:
    """Store what one USDT costs now by a source (a person or a feed); it counts until it is too old.

    Raises Forbidden, BadInput for no currency, price, source or reason, Conflict for a rate more than 5 % from
    what was last known unless it is `meant`.
    """
    actor.must(Right.MANAGE_PRICING)
    reason = words.reason(why, longest=_LONGEST_WHY, lines=True)
    rate = Rate.parse(price, fiat(currency))
    with transaction() as tx:
        tx.call("select pg_advisory_xact_lock(hashtextextended('rate ' || %s, 0))::text", (rate.currency.code,))
        before = _last(tx, rate)
        if before is not None and not meant and 10_000 * abs(rate.units - before.units) > MOST_APART_BPS * before.units:
            raise Conflict(
                f"{rate} is more than {MOST_APART_BPS // 100} % from the last known {before}; if meant, add --meant",
                given=rate.text(),
                known=before.text(),
            )
        rates.observe(tx, rate.currency, rate, source)
        details = {"rate": rate.text(), "before": before.text() if before else None, "source": source, "meant": meant}
        audit.write(tx, actor, "rate.told", rate.currency.code, reason=reason, details=details)
        outbox.tell(tx, "rate.told", rate.currency.code, payload={"rate": rate.text(), "source": source})
    return rate


def _last(tx: Transaction, rate: Rate) -> Rate | None:
    code = rate.currency.code
    price: int | None = tx.call(_LAST, (code, clock.now() - REMEMBERED, code))
    return Rate(price, rate.currency) if price else None


def known(actor: Actor) -> dict[str, tuple[Rate | None, list[Spoken]]]:
    """Return for each currency the rate that quotes go by (None: no quotes) and what each source last said.

    Raises Forbidden.
    """
    actor.must(Right.MANAGE_PRICING)
    now, longest = clock.now(), settings().rate_max_age_seconds
    found: dict[str, tuple[Rate | None, list[Spoken]]] = {}
    with reading() as tx:
        for code, source, price, at in tx.rows(_KNOWN, (now - REMEMBERED,)):
            if code not in found:
                found[code] = (_current(tx, code), [])
            age = max(0, int((now - at).total_seconds()))
            found[code][1].append(Spoken(source, Rate(price, fiat(code)), at, age, age < longest))
    return found


def _current(tx: Transaction, code: str) -> Rate | None:
    try:
        return rates.current(tx, code)
    except Unavailable:
        return None
