"""The demo's course: the market day by day from months ago to now, then a few orders left open for the desks."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from core import clock
from core.actor import system
from core.db import reading, transaction
from core.errors import AlreadyDone, Conflict
from core.orders import deadlines
from core.parties import acceptors
from core.pricing import rates
from core.settings import settings
from core.simulator import officers, people
from core.simulator.lane import Lane
from core.simulator.market import DAY, SOURCE, Market, Plan
from core.simulator.patience import patiently
from core.simulator.settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.simulator.people import Cast

LANES: Final = 3
LIVE: Final = 48
"""How many orders are opened at the end, so that the demo acceptors find some on their desks."""
_WAITING: Final = {"acceptor-01": 6, "acceptor-02": 4}
_UNPAID: Final = 3
_LIVE_AGO: Final = timedelta(minutes=6)


class Progress(NamedTuple):
    """How far the demo is."""

    day: int
    days: int
    done: Counter[str]


def play(
    *,
    orders: int = 20_000,
    days: int = 90,
    seed: int = 1,
    again: bool = False,
    enrolled: Callable[[Cast], None] | None = None,
    told: Callable[[Progress], None] | None = None,
) -> Counter[str]:
    """Play the market up to now; return how many orders stand in each state afterwards.

    Only public commands are used, under a clock that walks from `days` ago to now. `enrolled` hears of the
    cast before the first order, `told` after each day. Refuses as `may_play`. A database that goes away for
    less than a minute is waited for.
    """
    known = may_play(again=again)
    end = datetime.now(UTC).replace(microsecond=0)
    start = end - days * DAY
    with clock.at(start - timedelta(hours=2)):
        cast = patiently(lambda: people.enrol(Random(f"{seed}:people")))
    market = Market(seed=seed, start=start, days=days, orders=orders)
    if enrolled:
        enrolled(cast)
    with clock.at(start - timedelta(hours=1)):
        officers.list_accounts(market.listed())
    lanes = [Lane(cast, f"{'D' if not known else f'D{known}'}{place}") for place in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        for number in range(days):
            plans = market.day(number)
            upto = start + (number + 1) * DAY
            with clock.at(start + number * DAY):
                _morning(cast)
            with clock.at(upto):
                _observe(market, plans)
            for plan in plans:
                lanes[plan.merchant % LANES].add(plan)
            list(pool.map(lambda lane, upto=upto: lane.play(upto), lanes))
            with clock.at(upto):
                officers.evening(seed=seed, left_days=days - 1 - number)
            if told:
                told(Progress(number + 1, days, sum((lane.done for lane in lanes), Counter())))
    _now(market, lanes[0], Random(f"{seed}:live"))
    for lane in lanes:
        lane.play(datetime.now(UTC))
    patiently(deadlines.expire_due)
    patiently(settle)
    return states()


def states() -> Counter[str]:
    """Return how many orders stand in each state."""
    with reading() as tx:
        return Counter(dict(tx.rows("select state, count(*) from orders group by state")))


def may_play(*, again: bool) -> int:
    """Return how many orders there are; refuse with `conflict` in production, and if there are any unless `again`."""
    if settings().production:
        raise Conflict("the demo plays in the sandbox only; DESK_ENV is production")
    with reading() as tx:
        fresh = tx.call("select to_regclass('orders') is null")  # nothing was set up yet
        known: int = 0 if fresh else tx.call("select count(*) from orders")
    if known and not again:
        raise Conflict(
            f"this database has {known:,} orders already; `desk demo --again` plays another market into it",
            orders=known,
        )
    return known


def _observe(market: Market, plans: list[Plan]) -> None:
    """Store what the market's source said just before each order of the day."""

    def store() -> None:
        with transaction() as tx:
            for plan in plans:
                at = plan.at - timedelta(seconds=3)
                rates.observe(tx, plan.corridor.currency, market.rate(plan.corridor, at), SOURCE, at)

    patiently(store)


def _morning(cast: Cast) -> None:
    """Top up the reserves that ran low."""
    with reading() as tx:
        low = tx.rows(
            "select p.ref from party p join ledger_account a on a.party_id = p.id"
            " where p.kind = 'acceptor' and p.state = 'active' and a.available < %s order by p.id",
            (people.LOW_UNITS,),
        )
    key = f"morning-{clock.now().isoformat()}"
    for (ref,) in low:
        if ref in cast.acceptors:
            _top_up(ref, key)


def _top_up(ref: str, key: str) -> None:
    with suppress(AlreadyDone):  # the database went away after it had stored it and before it could say so
        patiently(lambda: acceptors.top_up(system("treasury"), ref, people.TOP_UP, key))


def _now(market: Market, lane: Lane, rng: Random) -> None:
    """Open some orders in the last minutes; the demo acceptors' wait for them, the others' are completed."""
    waiting, unpaid = dict(_WAITING), _UNPAID
    for _ in range(LIVE):
        at = datetime.now(UTC) - _LIVE_AGO
        plan = market.live(rng, at)
        with clock.at(at):
            _observe(market, [plan])
            order = lane.open(plan)
        if order is None:
            continue
        mine = lane.cast.acceptors[order.acceptor_ref].code
        if mine in waiting and unpaid and rng.random() < 0.3:  # noqa: PLR2004 - some have not paid yet
            unpaid -= 1
            continue
        with clock.at(at + timedelta(minutes=3)):
            lane.claim(order)
        if waiting.get(mine, 0) > 0:
            waiting[mine] -= 1
            continue
        with clock.at(at + timedelta(minutes=5)):
            lane.confirm(order)
