"""Dispatch: reserved limits, orders that wait for an acceptor, and who is chosen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from core import clock
from core.actor import system
from core.money import USDT, Money
from core.orders import deadlines, deposit, dispatch, explaining, opening, queries
from core.parties import acceptors, pools
from tests import beside, make
from tests.core import lives, review


@pytest.fixture
def market(database):
    """A market of one acceptor with 100 USDT: an order of 250 BRL takes 46."""
    return make.market(1, reserve="100")


def top_up(market, amount):
    make.top_up(market.acceptors[0].ref, Money.parse(amount, USDT), f"more-{next(make.numbers)}")


def test_an_order_waits_when_nobody_has_the_reserve_and_a_top_up_wakes_it(market):
    first, second = lives.opened(market, customer="c-1"), lives.opened(market, customer="c-2")
    third = lives.opened(market, customer="c-3")
    assert [review.state(ref)[0] for ref in (first, second, third)] == [
        "awaiting_payment",
        "awaiting_payment",
        "matching",
    ]
    assert review.state(third)[3] == "system"
    assert dispatch.match_due() == 0
    top_up(market, "50")
    assert dispatch.match_due() == 1
    assert review.state(third)[0] == "awaiting_payment"
    view = queries.order(market.merchant, third)
    assert view.deadline_at - view.matched_at == timedelta(minutes=15)
    assert [row.attempt for row in explaining.dispatches(review_dispatch(), view)] == [1, 2]
    assert review.breaks() == []


def review_dispatch():
    return make.person("auditor", review.Right.SEE_DISPATCH, review.Right.SEE_ORDERS)


def test_runs_that_meet_match_each_order_once_and_none_dies_of_another(market):
    lives.opened(market, "500.00", customer="c-big")
    waiting = [lives.opened(market, customer=f"c-{number}") for number in range(12)]
    assert {review.state(ref)[0] for ref in waiting} == {"matching"}
    top_up(market, "5000")
    with ThreadPoolExecutor(3) as pool:
        matched = [run.result() for run in [pool.submit(dispatch.match_due) for _ in range(3)]]
    # A run may find an order that another has just locked: the next run of the job takes what is left.
    assert sum(matched) + dispatch.match_due() == 12
    assert {review.state(ref)[0] for ref in waiting} == {"awaiting_payment"}
    assert review.breaks() == []


def test_those_who_wait_are_served_by_their_deadline(market):
    lives.opened(market, "500.00", customer="c-big")
    waiting = []
    for minutes in (3, 2, 1):
        with clock.at(clock.now() - timedelta(minutes=minutes)):
            waiting.append(lives.opened(market, customer=f"c-{minutes}"))
    top_up(market, "50")
    assert dispatch.match_due() == 1
    assert [review.state(ref)[0] for ref in waiting] == ["awaiting_payment", "matching", "matching"]


def test_an_order_nobody_serves_ends_without_liquidity(market):
    lives.opened(market, "500.00", customer="c-big")
    ref = lives.opened(market, customer="c-1")
    before = review.pockets(market)
    with clock.at(clock.now() + timedelta(minutes=6)):
        assert dispatch.match_due() == 0
        assert deadlines.expire(ref) == "no_liquidity"
    assert review.pockets(market) == before
    assert (
        review.rows("select reason from journal_entry e join orders o on o.id = e.order_id where o.ref = %s", ref) == []
    )
    assert review.breaks() == []


def test_a_waiting_order_can_be_cancelled_and_is_not_matched_then(market):
    lives.opened(market, "500.00", customer="c-big")
    ref = lives.opened(market, customer="c-1")
    deposit.cancel(market.merchant, ref, reason="changed their mind")
    top_up(market, "500")
    assert dispatch.match_due() == 0
    assert review.state(ref)[0] == "cancelled"


NOON = datetime.fromisoformat("2026-10-05T12:00:00+00:00")
"""When stories begin that must not meet the end of a day."""


def test_limits_are_reserved_when_an_order_is_matched_and_given_back_when_it_ends(database):
    market = make.market(1, reserve="10000", open_limit=2, day_limit="600")
    with clock.at(NOON):
        refs = [lives.opened(market, customer=f"c-{n}") for n in range(3)]
        assert [review.state(ref)[0] for ref in refs] == ["awaiting_payment", "awaiting_payment", "matching"]
        deposit.cancel(market.merchant, refs[0], reason="changed their mind")
        assert dispatch.match_due() == 1
        deposit.cancel(market.merchant, refs[1], reason="changed their mind")
        deposit.claim_paid(market.merchant, refs[2], payer_name="Joao Silva", payer_account="BR5500000001")
        lives.confirm(market, refs[2])
        day_is_full = lives.opened(market, "400.00", customer="c-9")
        assert review.state(day_is_full)[0] == "matching", "250 of the day's 600 are used up"
        late = lives.opened(market, "350.00", customer="c-10")
        assert review.state(late)[0] == "awaiting_payment"
    with clock.at(NOON + timedelta(days=1)):
        assert review.state(lives.opened(market, "600.00", customer="c-11"))[0] == "awaiting_payment"
        # What ends of the day before gives nothing back of today's.
        assert deadlines.expire(late) == "expired"
        assert load(market) == (1, 60_000)
        assert review.state(lives.opened(market, "1.00", customer="c-12"))[0] == "matching"


def load(market):
    """How many open orders the market's first bank account has, and how much of its day is taken, in cents."""
    return review.rows(
        "select open_orders, day_units from pool_account_load where pool_account_id = %s",
        market.acceptors[0].pool_account,
    )[0]


@pytest.mark.parametrize(
    "full", [{"open_limit": 1}, {"day_limit": "400"}, {"reserve": "60"}], ids=["slots", "day", "reserve"]
)
def test_what_another_order_took_since_the_look_is_not_taken_twice(database, monkeypatch, full):
    market = make.market(1, **full)
    course, others = opening.course, []

    def while_another_is_quicker(*given, **more):
        found = course(*given, **more)
        if not others:
            others.append("")
            others[0] = lives.opened(market, customer="c-quick")
        return found

    monkeypatch.setattr(opening, "course", while_another_is_quicker)
    slow = lives.opened(market, customer="c-slow")
    assert [review.state(ref)[0] for ref in (*others, slow)] == ["awaiting_payment", "matching"]
    assert load(market) == (1, 25_000)


def test_an_acceptor_that_went_away_since_the_look_is_not_taken(database, monkeypatch):
    market = make.market(1)
    course = opening.course

    def while_it_goes(*given, **more):
        found = course(*given, **more)
        acceptors.set_online(market.acceptors[0].actor, market.acceptors[0].ref, online=False)
        return found

    monkeypatch.setattr(opening, "course", while_it_goes)
    assert review.state(lives.opened(market, customer="c-1"))[0] == "matching"


def test_an_acceptor_that_is_away_gets_no_order(database):
    market = make.market(2, reserve="1000")
    away, here = market.acceptors
    acceptors.set_online(away.actor, away.ref, online=False)
    for n in range(6):
        assert review.acceptor_of(market, lives.opened(market, customer=f"c-{n}")).ref == here.ref
    acceptors.pause(system(), here.ref, "too many complaints")
    assert review.state(lives.opened(market, customer="c-9"))[0] == "matching"
    acceptors.set_online(away.actor, away.ref, online=True)
    assert dispatch.match_due() == 1


def test_the_one_that_has_enough_is_found_among_many_that_have_not(database):
    market = make.market(1, reserve="1000")
    for _ in range(24):
        make.acceptor(market.pool_ref, reserve="5")
    for n in range(6):
        assert review.acceptor_of(market, lives.opened(market, customer=f"c-{n}")).ref == market.acceptors[0].ref


def test_the_least_loaded_acceptor_is_chosen(database):
    market = make.market(3, reserve="10000", policy="least_loaded")
    took = [review.acceptor_of(market, lives.opened(market, customer=f"c-{n}")).ref for n in range(6)]
    assert sorted(took.count(each.ref) for each in market.acceptors) == [2, 2, 2]


def asked_for(monkeypatch):
    """The orders for which somebody is asked from now on."""
    asked, as_always = [], dispatch.match_waiting

    def match_waiting(actor, ref):
        asked.append(ref)
        return as_always(actor, ref)

    monkeypatch.setattr(dispatch, "match_waiting", match_waiting)
    return asked


def test_a_pool_where_nobody_has_room_does_not_keep_another_waiting(database, monkeypatch):
    dry, other = (make.market(1, reserve="1") for _ in range(2))
    for each in (dry, other):
        make.rate(each.currency)
    with clock.at(clock.now() - timedelta(minutes=1)):
        large = [lives.opened(dry, "250.00", customer=f"d-{n}") for n in range(5)]
    small = lives.opened(dry, "60.00", customer="d-small")
    waits = [lives.opened(other, customer=f"c-{n}") for n in range(2)]
    make.top_up(dry.acceptors[0].ref, Money.parse("20", USDT), "enough for the small one")
    make.top_up(other.acceptors[0].ref, Money.parse("500", USDT), "enough for all")
    asked = asked_for(monkeypatch)
    assert dispatch.match_due(2) == 3
    assert sorted(asked) == sorted([large[0], small, *waits]), "nobody is asked in vain for an order just as large"
    assert review.state(small)[0] == "awaiting_payment", "one that is smaller than what nobody had room for"


def test_of_each_pool_so_many_are_asked_and_the_most_urgent_first(database, monkeypatch):
    markets = [make.market(1, reserve="1") for _ in range(2)]
    refs = {}
    for at, market in enumerate(markets):
        make.rate(market.currency)
        for minutes in (1, 3, 2):
            with clock.at(clock.now() - timedelta(minutes=minutes, seconds=at)):
                refs[minutes, at] = lives.opened(market, customer=f"c-{minutes}")
        make.top_up(market.acceptors[0].ref, Money.parse("500", USDT), f"enough-{at}")
    asked = asked_for(monkeypatch)
    assert dispatch.match_due(2) == 4
    assert asked == [refs[3, 1], refs[3, 0], refs[2, 1], refs[2, 0]]
    assert dispatch.match_due(2) == 2


def test_that_a_customer_is_in_dispute_says_nothing_about_the_orders_of_others(database):
    market = make.market(1, reserve="100")
    with clock.at(NOON):
        disputed = lives.claimed(market, customer="c-1")
    with clock.at(NOON + timedelta(hours=1)):
        deadlines.expire(disputed)
        lives.opened(market, customer="c-2")
        of_disputed, of_another = (lives.opened(market, customer=customer) for customer in ("c-1", "c-3"))
        top_up(market, "50")
        assert dispatch.match_due() == 1
    assert [review.state(ref)[0] for ref in (of_disputed, of_another)] == ["matching", "awaiting_payment"]


def test_an_order_of_a_paused_pool_waits_and_one_that_is_being_matched_is_waited_for(market, monkeypatch):
    lives.opened(market, "500.00", customer="c-big")
    first, second = (lives.opened(market, customer=f"c-{number}") for number in range(2))
    top_up(market, "500")
    wider, pausing = dispatch.wider, []

    def while_it_is_paused(*given, **more):
        found = wider(*given, **more)
        pausing.append(beside.Deed(lambda: pools.pause(system(), market.pool_ref, "repairs")))
        with beside.other() as looking:
            beside.waits_for_a_lock(looking, pausing[0])
        return found

    monkeypatch.setattr(dispatch, "wider", while_it_is_paused)
    assert dispatch.match_waiting(system(), first) is dispatch.Tried.MATCHED
    assert pausing[0].answer() is None
    assert dispatch.match_waiting(system(), second) is dispatch.Tried.NOT_NOW
    assert dispatch.match_due() == 0
    pools.reopen(system(), market.pool_ref, "repaired")
    monkeypatch.setattr(dispatch, "wider", wider)
    assert dispatch.match_due() == 1
