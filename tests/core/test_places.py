"""Drawing among a pool's accounts: each that can be matched is as likely as any other, through joins and leaves."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from core import chance, db
from core.actor import Right, system
from core.money import Money, fiat
from core.orders import dispatch, opening
from core.parties import acceptors, pool_changes, pools
from core.pricing import quotes
from core.verify import run as verify
from tests import make
from tests.beside import Deed, other, together, waits_for_a_lock
from tests.core import review

LIMIT = Money.parse("100000", fiat("BRL"))
RUNS = make.person("admin", Right.MANAGE_PARTIES, Right.SEE_POOLS)
# Of eleven and of seven degrees of freedom, one fair draw in ten thousand is above these.
ABOVE = {12: 37.4, 8: 29.9}


@pytest.fixture
def of(database):
    """Make a market of so many acceptors."""
    return make.market


def places():
    return review.rows("select place from pool_account where left_at is null order by place")


def drawn(market, many):
    """How often each acceptor is chosen in so many openings, none of which is stored."""
    make.rate("BRL")
    quote = quotes.quote(market.merchant, "deposit", "BRL", Money.parse("50", fiat("BRL")))
    found = Counter()
    for _ in range(many):
        row = opening.look(market.merchant.party_id, quote.ref, "c-1", b"")
        assert 0 < len(row["candidates"]) <= 4
        plan = dispatch.plan("uniform_random", 1, row["candidates"], need_units=1, fiat_units=1)
        found[plan.acceptors[0]] += 1
    return found


def chi_square(found, of):
    expected = found.total() / of
    return sum((found[each] - expected) ** 2 / expected for each in found) + (of - len(found)) * expected


@pytest.mark.parametrize(("serving", "away"), [(12, 0), (8, 0), (20, 8), (16, 8)], ids=str)
def test_each_that_can_be_matched_is_as_likely_as_any_other(of, monkeypatch, serving, away):
    market, lots = of(serving), random.Random(serving)  # noqa: S311 - seeded
    monkeypatch.setattr(chance, "bits", lots.getrandbits)
    gone = lots.sample(market.acceptors, away)
    for each in gone:
        acceptors.set_online(each.actor, each.ref, online=False)
    found = drawn(market, 1800)
    assert not {each.id for each in gone} & set(found)
    assert chi_square(found, serving - away) < ABOVE[serving - away]


def test_where_hardly_anybody_can_be_matched_somebody_still_is(of, monkeypatch):
    market = of(30)
    monkeypatch.setattr(chance, "bits", random.Random(1).getrandbits)  # noqa: S311 - seeded
    only = market.acceptors[17]
    for each in market.acceptors:
        if each is not only:
            acceptors.set_online(each.actor, each.ref, online=False)
    assert drawn(market, 40) == {only.id: 40}


def test_places_have_no_gap_whoever_joins_leaves_and_comes_back(of):
    market = of(6)
    lots, outside = random.Random(3), []  # noqa: S311 - seeded
    for _ in range(40):
        inside = [each for each in market.acceptors if each not in outside]
        if outside and (not inside or lots.random() < 0.5):
            back = outside.pop(lots.randrange(len(outside)))
            pools.join(system(), market.pool_ref, back.bank_account, day_limit=LIMIT)
        else:
            outside.append(lots.choice(inside))
            pool_changes.leave(RUNS, market.pool_ref, outside[-1].bank_account, "as agreed")
        serving = 6 - len(outside)
        assert places() == [(place,) for place in range(1, serving + 1)]
        assert review.one("select places from pool where ref = %s", market.pool_ref) == serving


def test_who_leave_at_once_leave_no_gap(of):
    market = of(6)
    leaving = [each.bank_account for each in market.acceptors[:4]]
    answers = together(4, lambda: pool_changes.leave(RUNS, market.pool_ref, leaving.pop(), "as agreed"))
    assert answers == [0] * 4
    assert places() == [(1,), (2,)]
    assert [each.invariant for each in verify() if not each.holds] == []


@pytest.mark.parametrize("deed", ["leave", "join"])
def test_a_change_of_the_pool_waits_for_a_reserve_before_it_locks_the_account(of, deed):
    market = of(2)
    mine = market.acceptors[0]
    if deed == "join":
        pool_changes.leave(RUNS, market.pool_ref, mine.bank_account, "for a while")
    with other() as release:
        release.execute("select 1 from ledger_account where party_id = %s for no key update", (mine.id,))
        if deed == "leave":
            changing = Deed(lambda: pool_changes.leave(RUNS, market.pool_ref, mine.bank_account, "as agreed"))
        else:
            changing = Deed(lambda: pools.join(system(), market.pool_ref, mine.bank_account, day_limit=LIMIT))
        waits_for_a_lock(release, changing)
        # As a release does whose reserve crosses its low mark: it holds the reserve, and marks the account.
        release.execute("set local lock_timeout = '2s'")
        release.execute("update pool_account set matchable = matchable where acceptor_id = %s", (mine.id,))
        release.rollback()
        assert isinstance(changing.answer(), int)


def test_the_database_refuses_a_place_twice_and_an_account_without_one(of):
    of(2)
    for wrong in ("place = 1", "place = null where place = 2", "place = 0 where place = 2"):
        with pytest.raises(Exception, match="pool_account_place"), db.transaction() as tx:
            tx.run(f"update pool_account set {wrong}")
