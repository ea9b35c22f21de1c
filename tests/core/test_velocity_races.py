"""Openings of one customer at once: the gate counts each of them for the next, as if they had come in turn."""

from __future__ import annotations

import itertools

import pytest

from core.errors import Changed
from core.money import Money, fiat
from core.orders import deposit
from core.orders.deposit import DepositRequest
from core.pricing import quotes
from tests import make
from tests.beside import Deed, other, raced, together, waits_for_a_lock
from tests.core import lives, review


@pytest.fixture
def market(database):
    return make.market(4, reserve="100000")


def requests(market, many, amount, customer="c-fast"):
    """So many requests of one customer, each with a quote of its own."""
    money = Money.parse(amount, fiat(market.currency))
    for number in range(many):
        quote = quotes.quote(market.merchant, "deposit", market.currency, money)
        yield DepositRequest(quote.ref, f"fast-{customer}-{number}", customer, "Ana Souza", "BR5511", "Ana Souza", "BR")


def at_once(market, many, amount, **more):
    """Open all of them at once; whoever is told that it lost its turn comes again, as a program does."""
    waiting = list(requests(market, many, amount, **more))
    taking = itertools.count()

    def one():
        request = waiting[next(taking)]
        while True:
            try:
                return deposit.open_order(market.merchant, request).state
            except Changed:
                continue

    return together(many, one)


def in_turn(market, many, amount, **more):
    return [deposit.open_order(market.merchant, each).state for each in requests(market, many, amount, **more)]


@pytest.mark.parametrize(("many", "amount"), [(5, "50000"), (14, "100")], ids=["sum", "count"])
@pytest.mark.parametrize("known", [False, True], ids=["a new customer", "a known one"])
def test_openings_at_once_are_refused_as_those_in_turn(market, many, amount, known):
    if known:
        for customer in ("c-slow", "c-fast"):
            lives.opened(market, customer=customer)
    slowly = in_turn(market, many, amount, customer="c-slow")
    answers = at_once(market, many, amount)
    assert sorted(answers) == sorted(slowly)
    assert "refused" in answers
    assert review.breaks() == []


def test_an_opening_waits_for_another_of_its_customer_and_of_nobody_else(market):
    lives.opened(market, customer="c-fast")
    (mine,) = requests(market, 1, "100")
    strangers = requests(market, 10, "100", customer="c-other")

    def race():
        stranger = next(strangers)
        with other() as holder:
            holder.execute("update customer set turn = turn + 1 where external_id = 'c-fast'")
            waiting = Deed(lambda: deposit.open_order(market.merchant, mine).state)
            waits_for_a_lock(holder, waiting)
            assert deposit.open_order(market.merchant, stranger).state == "awaiting_payment"
            holder.commit()
            return waiting.answer()

    assert raced(race) == "awaiting_payment"
