"""Pools: only fitting accounts join, and who may be matched is right after every change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import db
from core.actor import Right, system
from core.errors import AlreadyDone, BadAmount, BadInput, Conflict, Forbidden, Frozen, NotFound, WrongState
from core.ledger import accounts
from core.ledger.post import Leg, post
from core.money import USDT, Money, fiat
from core.orders.matching import POLICIES as KNOWN_POLICIES
from core.parties import acceptors, bank_accounts, merchants, pools, standing
from tests import make

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
            " and b.state = 'active' and pool.state = 'open'"
            " and l.available >= (select max(x.min_reserve_units) from pool_account y"
            " join pool x on x.id = y.pool_id where y.acceptor_id = pa.acceptor_id))",
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
        (lambda: pools.pause(system(), market.pool_ref, "repairs"), False),
        (lambda: pools.reopen(system(), market.pool_ref, "repaired"), True),
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


def test_a_reserve_below_the_pools_least_leaves_matching_until_it_is_topped_up(database):
    market = make.market(1, reserve="100", min_reserve="20")
    joao = market.acceptors[0]
    spend(joao, 80_000_000)
    assert matchable(joao)
    spend(joao, 1)
    assert not matchable(joao)
    make.top_up(joao.ref, Money(1, USDT), "one more unit")
    assert matchable(joao)


def test_the_highest_least_reserve_of_its_pools_counts_for_an_acceptor(database):
    market = make.market(1, reserve="100", min_reserve="20")
    joao = market.acceptors[0]
    strict = make.pool(min_reserve="200")
    second = make.bank_account(joao.ref, joao.name)
    pools.join(system(), strict, second, day_limit=LIMIT)
    assert not matchable(joao)
    make.top_up(joao.ref, Money.parse("100", USDT), "enough for both")
    assert matchable(joao)
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
