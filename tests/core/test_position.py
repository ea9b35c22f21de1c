"""The platform's position: every figure is the ledger's, and all of them together are what custody holds."""

from __future__ import annotations

from core.actor import Right, system
from core.ledger import position
from core.parties import standing
from tests import make
from tests.core import lives, review


def balances(like):
    return review.one("select coalesce(sum(units), 0)::bigint from v_balances where account like %s", like)


def test_each_figure_is_the_ledgers_and_together_they_are_custody(database):
    market = make.market(2, levels=2, reserve="1000")
    lives.completed(market)
    lives.opened(market, customer="c-open")
    review.held(market, customer="c-held")
    standing.suspend(system(), market.agents[0], "is looked into")
    found = position.position(make.person("finance", Right.SEE_LEDGER))
    assert found.reserves.units == balances("acceptor:%:reserve") > 0
    assert found.escrow.units == balances("acceptor:%:escrow") > 0
    assert found.held.units == balances("%:held") > balances("agent:%:held") > 0
    assert found.merchants.units == balances("merchant:%") > 0
    assert found.agents.units == balances("agent:%") - balances("agent:%:held") > 0
    assert found.house.units == balances("house:fees") + balances("house:rounding") > 0
    assert found.custody.units == -balances("house:custody") == 2_000_000_000
    assert found.difference.units == 0
