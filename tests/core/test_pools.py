"""Pools: only fitting accounts join, and who may be matched is right after every change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import db
from core.actor import Right, system
from core.errors import AlreadyDone, BadAmount, BadInput, Conflict, Forbidden, Frozen, NotFound, WrongState
from core.ledger import accounts
from core.ledger.post import Leg, post
from core.money import USDT, Money, fiat
from core.orders.matching import POLICIES as KNOWN_POLICIES
from core.parties import acceptors, bank_accounts, listing, merchants, pool_changes, pools, queries, standing
from tests import beside, make
from tests.core import lives, review

BRL = fiat("BRL")
LIMIT = Money.parse("50000", BRL)


def matchable(acceptor):
    with db.reading() as tx:
        return tx.call("select matchable from pool_account where id = %s", (acceptor.pool_account,))


def wrong_flags():
    """Pool accounts whose flag differs from the rule, reckoned afresh."""
    with db.reading() as tx:
        return tx.rows(
            "select pa.id, pa.matchable from pool_account pa join pool on pool.id = pa.pool_id"
            " join acceptor a on a.party_id = pa.acceptor_id join party p on p.id = a.party_id"
            " join bank_account b on b.id = pa.bank_account_id join ledger_account l on l.id = pa.account_id"
            " where pa.matchable <> (a.online and not a.silent and a.paused = '' and p.state = 'active'"
            " and b.state = 'active' and l.available >= pool.min_reserve_units)",
        )


def spend(acceptor, units):
    """Take USDT out of the reserve, back to custody (or, negative, put it in)."""
    with db.transaction() as tx:
        legs = [
            Leg(accounts.of_party(tx, acceptor.id), "available", -units),
            Leg(accounts.house(tx, "custody"), "available", units),
        ]
        post(tx, key=f"spend-{next(make.numbers)}", reason="test", legs=legs, actor="test")


def create(**changed):
    named = {"min_fiat": Money.parse("10", BRL), "max_fiat": Money.parse("5000", BRL)} | changed
    words = {
        "code": "brl-pix",
        "currency": "BRL",
        "method": "pix",
        "fee_code": "standard",
        "policy": "least_loaded",
    }
    plain = [named.pop(key, value) for key, value in words.items()]
    return pools.create(named.pop("actor", system()), *plain, **named)


def test_the_policies_offered_are_those_matching_knows():
    assert set(pools.POLICIES) == set(KNOWN_POLICIES)


def test_a_pool_that_cannot_be_is_refused(database):
    for changed, error in (
        ({"currency": "XXX"}, BadInput),
        ({"policy": "favourites"}, BadInput),
        ({"fee_code": "free"}, BadInput),
        ({"method": "By Hand"}, BadInput),
        ({"code": "a b"}, BadInput),
        ({"pay_seconds": 1}, BadInput),
        ({"quote_seconds": 10**9}, BadInput),
        ({"min_fiat": Money.parse("9000", BRL)}, BadAmount),
        ({"min_fiat": Money(0, BRL)}, BadAmount),
        ({"max_fiat": Money.parse("5000", fiat("EUR"))}, BadAmount),
        ({"min_reserve": Money.parse("5000", BRL)}, BadAmount),
        ({"actor": make.person("finance", Right.MANAGE_PRICING)}, Forbidden),
    ):
        with pytest.raises(error):
            create(**changed)
    with db.reading() as tx:
        assert tx.call("select count(*) from pool") == 0
    create()
    with pytest.raises(AlreadyDone):
        create()


def test_a_merchant_is_admitted_once(database):
    market = make.market(0)
    with pytest.raises(AlreadyDone):
        pools.admit(system(), market.pool_ref, market.merchant_ref)
    with pytest.raises(NotFound):
        pools.admit(system(), "pol_nothing", market.merchant_ref)
    with pytest.raises(NotFound):
        pools.admit(system(), market.pool_ref, "acc_nobody")


def test_only_a_fitting_account_of_an_acceptor_joins_and_only_one_pool(database):
    market = make.market(1)
    joao = market.acceptors[0]
    euro = make.bank_account(joao.ref, joao.name, currency="EUR")
    frozen = make.bank_account(joao.ref, joao.name)
    bank_accounts.freeze(system(), frozen, "the bank called")
    shop = merchants.create(system(), "shop", "Shop Ltda", country="BR")
    shops = make.bank_account(shop, "Shop Ltda")
    fresh = make.bank_account(joao.ref, joao.name)
    for account, day_limit, error in (
        (joao.bank_account, LIMIT, AlreadyDone),
        (euro, LIMIT, Conflict),
        (frozen, LIMIT, Frozen),
        (shops, LIMIT, Conflict),
        ("bnk_nothing", LIMIT, NotFound),
        (fresh, Money(0, BRL), BadAmount),
        (fresh, Money.parse("5", USDT), BadAmount),
    ):
        with pytest.raises(error):
            pools.join(system(), market.pool_ref, account, day_limit=day_limit)
    for wrong in ({"open_limit": 0}, {"open_limit": True}):
        with pytest.raises(BadInput):
            pools.join(system(), market.pool_ref, fresh, day_limit=LIMIT, **wrong)
    pools.join(system(), market.pool_ref, fresh, day_limit=LIMIT)
    with db.reading() as tx:
        assert tx.call("select count(*) from pool_account") == tx.call("select count(*) from pool_account_load") == 2
    assert wrong_flags() == []


def test_each_thing_that_stops_an_acceptor_takes_it_out_of_matching_and_back(database):
    market = make.market(1)
    joao = market.acceptors[0]
    steps = [
        (lambda: acceptors.set_online(joao.actor, joao.ref, online=False), False),
        (lambda: acceptors.set_online(joao.actor, joao.ref, online=True), True),
        (lambda: acceptors.pause(system(), joao.ref, "holiday"), False),
        (lambda: acceptors.resume(system(), joao.ref, "is back"), True),
        (lambda: bank_accounts.freeze(system(), joao.bank_account, "the bank"), False),
        (lambda: bank_accounts.unfreeze(system(), joao.bank_account, "the bank"), True),
        (lambda: standing.suspend(system(), joao.ref, "papers"), False),
        (lambda: standing.reinstate(system(), joao.ref, "papers"), True),
    ]
    assert matchable(joao)
    for step, expected in steps:
        step()
        assert matchable(joao) is expected
    for again in (
        lambda: acceptors.resume(system(), joao.ref, "again"),
        lambda: pools.reopen(system(), market.pool_ref, "again"),
    ):
        with pytest.raises(WrongState):
            again()


def test_a_pause_or_another_bound_of_an_order_waits_for_nobodys_reserve(database):
    market = make.market(1)
    joao, pool = market.acceptors[0], market.pool_ref
    with beside.other() as booking:
        booking.execute("select 1 from ledger_account where party_id = %s for no key update", (joao.id,))
        pools.pause(system(), pool, "repairs")
        with pytest.raises(Conflict, match="no open pool"):
            lives.opened(market)
        pool_changes.limit(system(), pool, "as agreed", max_fiat=Money.parse("600", BRL), silent_seconds=120)
        assert ready(pool) == (0, False), "no account of a paused pool is ready"
        pools.reopen(system(), pool, "repaired")
    assert ready(pool) == (1, True)
    assert review.state(lives.opened(market))[0] == "awaiting_payment"


def ready(pool_ref):
    """How many accounts the list of pools calls ready, and whether the acceptor's own page does."""
    with db.transaction() as tx:
        counted = tx.session.scalar(sa.select(listing.PoolRow.matchable).where(listing.PoolRow.ref == pool_ref))
    [ref] = review.rows("select ref from party where kind = 'acceptor'")
    return counted, queries.served_pools(system(), *ref)[0].matchable


def test_accounts_that_were_marked_by_the_pause_of_their_pool_are_marked_anew_by_the_migration(database):
    market = make.market(2)
    acceptors.set_online(market.acceptors[0].actor, market.acceptors[0].ref, online=False)
    pools.pause(system(), market.pool_ref, "repairs")
    with db.transaction() as tx:
        tx.run("update pool_account set matchable = false")
        tx.run(import_module("core.migrations.versions.0039_each_pools_own_least").FLAGS)
    assert [matchable(each) for each in market.acceptors] == [False, True]
    assert wrong_flags() == []


def test_a_reserve_below_the_pools_least_leaves_matching_until_it_is_topped_up(database):
    market = make.market(1, reserve="100", min_reserve="20")
    joao = market.acceptors[0]
    spend(joao, 80_000_000)
    assert matchable(joao)
    spend(joao, 1)
    assert not matchable(joao)
    make.top_up(joao.ref, Money(1, USDT), "one more unit")
    assert matchable(joao)


def test_each_pools_own_least_reserve_counts_for_an_acceptor_in_several(database):
    market = make.market(1, reserve="100", min_reserve="20")
    joao = market.acceptors[0]
    strict = make.pool(min_reserve="200")
    second = joao._replace(
        pool_account=pools.join(system(), strict, make.bank_account(joao.ref, joao.name), day_limit=LIMIT)
    )

    def both():
        assert wrong_flags() == []
        return matchable(joao), matchable(second)

    assert both() == (True, False), "what another pool asks for is nothing to this one"
    make.top_up(joao.ref, Money.parse("100", USDT), "enough for both")
    assert both() == (True, True)
    spend(joao, 1)
    assert both() == (True, False)
    spend(joao, 180_000_000)
    assert both() == (False, False)
    make.top_up(joao.ref, Money(1, USDT), "enough for one")
    assert both() == (True, False)
    pool_changes.limit(system(), strict, "as agreed", min_reserve=Money.parse("10", USDT))
    assert both() == (True, True)
    spend(joao, 5_000_000)
    assert both() == (False, True)


def test_a_least_reserve_that_changes_while_a_reserve_is_booked_counts_for_it_too(database):
    market = make.market(2, reserve="100", min_reserve="20")
    joao = market.acceptors[0]
    lower = Money.parse("10", USDT)
    with beside.other() as looking:
        with db.transaction() as tx:
            legs = [
                Leg(accounts.of_party(tx, joao.id), "available", -85_000_000),
                Leg(accounts.house(tx, "custody"), "available", 85_000_000),
            ]
            post(tx, key="spend-meanwhile", reason="test", legs=legs, actor="test")
            change = beside.Deed(lambda: pool_changes.limit(system(), market.pool_ref, "as agreed", min_reserve=lower))
            beside.waits_for_a_lock(looking, change)
        assert change.answer() is None
    assert matchable(joao), "its booking went by the least reserve of before"
    assert wrong_flags() == []


def test_flags_are_right_after_many_things_at_once(database):
    market = make.market(2, reserve="100", min_reserve="50")

    def step(number):
        acceptor = market.acceptors[number % 2]
        match number % 4:
            case 0:
                spend(acceptor, 60_000_000 if number % 8 else -60_000_000)
            case 1:
                acceptors.set_online(acceptor.actor, acceptor.ref, online=bool(number % 3))
            case 2:
                spend(acceptor, -60_000_000 if number % 8 == 2 else 60_000_000)
            case _:
                make.top_up(acceptor.ref, Money(1, USDT), f"t{number}")

    def attempt(number):
        try:
            step(number)
        except Conflict:
            return 0
        return 1

    with ThreadPoolExecutor(6) as crowd:
        assert sum(crowd.map(attempt, range(48)))
    assert wrong_flags() == []


@pytest.fixture(scope="module")
def quiet(module_database):
    return make.market(2, reserve="100", min_reserve="50")


moves = st.lists(
    st.tuples(
        st.sampled_from(["online", "offline", "pause", "resume", "freeze", "unfreeze", "spend", "fund"]),
        st.booleans(),
    ),
    max_size=10,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves)
def test_any_moves_leave_true_flags(quiet, moves):
    for move, second in moves:
        one = quiet.acceptors[second]
        try:
            match move:
                case "online" | "offline":
                    acceptors.set_online(one.actor, one.ref, online=move == "online")
                case "pause":
                    acceptors.pause(system(), one.ref, "as agreed")
                case "resume":
                    acceptors.resume(system(), one.ref, "as agreed")
                case "freeze":
                    bank_accounts.freeze(system(), one.bank_account, "as agreed")
                case "unfreeze":
                    bank_accounts.unfreeze(system(), one.bank_account, "as agreed")
                case "spend":
                    spend(one, 60_000_000)
                case _:
                    spend(one, -60_000_000)
        except Conflict:
            continue
    assert wrong_flags() == []
