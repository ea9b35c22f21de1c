"""The demo's course: the market day by day from months ago to now, then a few orders left open for the desks."""

from __future__ import annotations

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from core import clock
from core.db import reading, transaction
from core.errors import Conflict
from core.orders import deadlines
from core.pricing import rates
from core.settings import settings
from core.simulator import officers, people, progress, treasury
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
_GAP: Final = timedelta(hours=2)
"""A market that was cut off and is played on so soon needs no further day."""
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
    less than a minute is waited for. A market that was cut off is played on from where it stopped, with the
    seed and sizes it was begun with.
    """
    known = may_play(again=again)
    end = datetime.now(UTC).replace(microsecond=0)
    begun = None if again else _to_go_on(known)
    if begun is None:
        begun = progress.begin(seed, orders, days, end - days * DAY, "D" if not known else f"D{known}")
    market, days = _up_to(begun, end)
    with clock.at(market.start - timedelta(hours=2)):
        cast = patiently(lambda: people.enrol(Random(f"{begun.seed}:people")))
    if enrolled:
        enrolled(cast)
    with clock.at(market.start - timedelta(hours=1)):
        officers.list_accounts(market.listed())
    lanes = [Lane(cast, f"{begun.prefix}{place}") for place in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        for number in range(days):
            _day(market, lanes, number, min(market.start + (number + 1) * DAY, end), pool)
            if told:
                told(Progress(number + 1, days, sum((lane.done for lane in lanes), Counter())))
    _now(market, lanes[0], Random(f"{begun.seed}:live"))
    for lane in lanes:
        lane.play(datetime.now(UTC))
    patiently(deadlines.expire_due)
    patiently(settle)
    found = patiently(states)
    patiently(lambda: progress.finish(begun, found))
    return found


def _to_go_on(known: int) -> progress.Begun | None:
    """Return the market to be played on; one of which no order was opened is forgotten."""
    begun = progress.unfinished()
    if begun is not None and not known:
        progress.give_up(begun)
        return None
    return begun


def _up_to(begun: progress.Begun, end: datetime) -> tuple[Market, int]:
    """Return the market and its days; one that is played on gets the days that have passed meanwhile."""
    days = max(begun.days, math.ceil((end - begun.start - _GAP) / DAY))
    market = Market(seed=begun.seed, start=begun.start, days=begun.days, orders=begun.orders)
    market.lengthen(days)
    return market, days


def _day(market: Market, lanes: list[Lane], number: int, upto: datetime, pool: ThreadPoolExecutor) -> None:
    """Play one day; of a day that was played before, only what was left under way."""
    plans = [plan for plan in market.day(number) if plan.at < upto]
    fresh = [plan for plan in plans if lanes[plan.merchant % LANES].add(plan)]
    if fresh:
        with clock.at(market.start + number * DAY):
            patiently(lambda: _morning(lanes[0].cast))
        with clock.at(upto):
            _observe(market, fresh)
    elif not any(lane.busy for lane in lanes):
        return
    list(pool.map(lambda lane: lane.play(upto), lanes))
    with clock.at(upto):
        officers.evening(seed=market.seed, left_days=len(market.sizes) - 1 - number)


def states() -> Counter[str]:
    """Return how many orders stand in each state."""
    with reading() as tx:
        return Counter(dict(tx.rows("select state, count(*) from orders group by state")))


def may_play(*, again: bool) -> int:
    """Return how many orders there are.

    Refuses with `conflict` in production, and if there are any unless `again` or a market was cut off.
    """
    if settings().production:
        raise Conflict("the demo plays in the sandbox only; DESK_ENV is production")
    with reading() as tx:
        fresh = tx.call("select to_regclass('orders') is null")  # nothing was set up yet
        known: int = 0 if fresh else tx.call("select count(*) from orders")
    if known and not again and progress.unfinished() is None:
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
    for (ref,) in low:
        if ref in cast.acceptors:
            _top_up(ref, f"morning-{clock.now().isoformat()}-{ref}")


def _top_up(ref: str, key: str) -> None:
    patiently(lambda: treasury.fund(ref, people.TOP_UP, key))


def _now(market: Market, lane: Lane, rng: Random) -> None:
    """Open some orders in the last minutes; the demo acceptors' wait for them, the others' are completed.

    Each demo acceptor finds one that is paid on its desk.
    """
    waiting, unpaid = dict(_WAITING), _UNPAID
    for turn in range(3 * LIVE):
        if turn >= LIVE and all(waiting[code] < most for code, most in _WAITING.items()):
            break  # a draw by lot may have passed one of them by: then some more are opened
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
