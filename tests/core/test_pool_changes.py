"""What a pool was given is taken back: an admission, an account, limits; open orders go on and new ones heed it."""

from __future__ import annotations

import pytest

from core.actor import Right, system
from core.errors import BadAmount, BadInput, Conflict, Forbidden, NotFound, QuoteExpired, Refusal, WrongState
from core.money import USDT, Money, fiat
from core.orders import deposit
from core.parties import pool_changes, pool_pages, pools
from core.pricing import quotes
from tests import make
from tests.core import lives, review

RUNS = make.person("admin", Right.MANAGE_PARTIES, Right.SEE_POOLS)
BRL = fiat("BRL")


@pytest.fixture
def market(database):
    return make.market(1, reserve="1000")


def quoted(market):
    return quotes.quote(market.merchant, "deposit", "BRL", Money.parse("250", BRL)).ref


def opened(market, quote):
    mine = next(make.numbers)
    asked = deposit.DepositRequest(quote, f"A-{mine}", f"c{mine}", "Joao Silva", f"BR77{mine:011d}", "Joao Silva", "BR")
    return deposit.open_order(market.merchant, asked)


def state(market):
    return opened(market, quoted(market)).state


def trail(ref):
    return review.rows("select action, reason, details from audit where subject = %s order by id desc limit 1", ref)[0]


def refused(kind, command, *args, **named):
    before = review.everything(), review.rows("select * from pool_account"), review.rows("select * from pool")
    with pytest.raises(kind) as caught:
        command(*args, **named)
    assert (review.everything(), review.rows("select * from pool_account"), review.rows("select * from pool")) == before
    return caught.value


def test_a_merchant_whose_admission_is_withdrawn_quotes_no_more_and_its_orders_go_on(market):
    going, kept = lives.claimed(market), quoted(market)
    refused(BadInput, pool_changes.withdraw_admission, RUNS, market.pool_ref, market.merchant_ref, " ")
    refused(
        Forbidden,
        pool_changes.withdraw_admission,
        make.person("finance"),
        market.pool_ref,
        market.merchant_ref,
        "agreed",
    )
    refused(NotFound, pool_changes.withdraw_admission, RUNS, market.pool_ref, "mer_nobody", "agreed")
    used = "select q.ref, q.expires_at from orders o join quote q on q.id = o.quote_id where o.ref = %s"
    until = review.rows(used, going)
    assert pool_changes.withdraw_admission(RUNS, market.pool_ref, market.merchant_ref, "contract ended") == 1
    assert review.rows(used, going) == until, "the quote that became an order is kept as it was"
    with pytest.raises(Refusal):
        quoted(market)
    with pytest.raises(QuoteExpired):
        opened(market, kept)
    lives.confirm(market, going)
    assert review.state(going)[0] == "completed"
    action, reason, details = trail(market.pool_ref)
    assert (action, reason, details["merchant"]) == ("pool.withdraw_admission", "contract ended", market.merchant_ref)
    refused(WrongState, pool_changes.withdraw_admission, RUNS, market.pool_ref, market.merchant_ref, "again")
    pools.admit(system(), market.pool_ref, market.merchant_ref)
    assert state(market) == "awaiting_payment"
    assert review.breaks() == []


def test_an_account_that_leaves_gets_no_new_orders_finishes_its_own_and_may_join_again(market):
    (acceptor,) = market.acceptors
    going = lives.claimed(market)
    assert pool_changes.leave(RUNS, market.pool_ref, acceptor.bank_account, "the bank asks questions") == 1
    assert pool_pages.accounts(RUNS, market.pool_ref) == []
    assert [each.ref for each in pool_pages.fitting(RUNS, market.pool_ref)] == [acceptor.bank_account]
    assert state(market) == "matching"
    lives.confirm(market, going)
    assert review.state(going)[0] == "completed"
    assert trail(market.pool_ref)[1] == "the bank asks questions"
    refused(WrongState, pool_changes.leave, RUNS, market.pool_ref, acceptor.bank_account, "twice")
    refused(NotFound, pool_changes.leave, RUNS, market.pool_ref, "bnk_nothing", "agreed")
    limit = Money.parse("5000", BRL)
    pools.join(system(), market.pool_ref, acceptor.bank_account, day_limit=limit, open_limit=3)
    (account,) = pool_pages.accounts(RUNS, market.pool_ref)
    assert (account.open_limit, account.day.limit, account.open_orders, account.matchable) == (3, limit, 0, True)
    assert state(market) == "awaiting_payment"
    with pytest.raises(Conflict):
        pools.join(system(), market.pool_ref, acceptor.bank_account, day_limit=limit)
    assert review.breaks() == []


def test_an_accounts_new_limits_hold_from_the_next_order_on(market):
    account = market.acceptors[0].bank_account
    lives.claimed(market)
    refused(WrongState, pool_changes.limit_account, RUNS, market.pool_ref, account, "nothing is another")
    refused(BadInput, pool_changes.limit_account, RUNS, market.pool_ref, account, "agreed", open_limit=0)
    refused(BadAmount, pool_changes.limit_account, RUNS, market.pool_ref, account, "agreed", day_limit=Money(5, USDT))
    refused(WrongState, pool_changes.limit_account, RUNS, make.pool(), account, "agreed", open_limit=2)
    pool_changes.limit_account(RUNS, market.pool_ref, account, "one at a time", open_limit=1)
    assert state(market) == "matching"
    pool_changes.limit_account(RUNS, market.pool_ref, account, "a few", open_limit=9, day_limit=Money.parse("100", BRL))
    assert pool_pages.accounts(RUNS, market.pool_ref)[0].day.left.units == 0
    assert trail(market.pool_ref)[2]["open_limit"] == {"from": 1, "to": 9}
    assert state(market) == "matching"
    pool_changes.limit_account(RUNS, market.pool_ref, account, "as it was", day_limit=Money.parse("9000", BRL))
    assert state(market) == "awaiting_payment"


def test_a_pools_new_limits_bound_orders_and_reserves(market):
    refused(WrongState, pool_changes.limit, RUNS, market.pool_ref, "nothing is another")
    refused(BadAmount, pool_changes.limit, RUNS, market.pool_ref, "agreed", max_fiat=Money.parse("0.5", BRL))
    refused(NotFound, pool_changes.limit, RUNS, "pol_nothing", "agreed")
    pool_changes.limit(RUNS, market.pool_ref, "larger reserves", min_reserve=Money.parse("5000", USDT))
    assert state(market) == "matching"
    pool_changes.limit(RUNS, market.pool_ref, "smaller again", min_reserve=Money.parse("10", USDT))
    assert state(market) == "awaiting_payment"
    pool_changes.limit(RUNS, market.pool_ref, "large orders only", min_fiat=Money.parse("300", BRL))
    assert trail(market.pool_ref)[2] == {"min_fiat_units": {"from": 100, "to": 30000}}
    with pytest.raises(Refusal):
        quoted(market)
