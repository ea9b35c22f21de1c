"""Refusals that no story passes by: what is decided, barred, chosen or asked for by the wrong one or a second time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.actor import Actor, Right, Scope
from core.analytics.boards import commissions
from core.analytics.boards.asking import Days
from core.compliance import alerts, disputes
from core.errors import AlreadyDone, BadInput, Conflict, Forbidden, NotFound, WrongState
from core.ledger import position
from core.money import USDT, Money, fiat
from core.parties import pools, reserves, standing
from tests import make
from tests.core import lives, review
from tests.core.review import refuses

ANN, BOB = review.officer("ann"), review.officer("bob")
WHY = "the acceptor's bank statement shows it"


@pytest.fixture(scope="module")
def market(module_database):
    """A market that all stories share; each has customers of its own."""
    return make.market(2, levels=1, reserve="1000000", open_limit=1000)


def test_who_asked_for_a_second_officer_does_not_keep_one_out_by_taking_the_case_again(market):
    alert = review.alert(review.held(market, customer="c-take"))
    alerts.decide(ANN, alert, "release", "explained", WHY)
    refuses(Conflict, lambda: alerts.take(ANN, alert), ref=alert)
    assert alerts.take(BOB, alert)


def test_nobody_agrees_to_what_nobody_has_decided(market):
    order = review.disputed(market)
    for verdict in (True, False):
        refuses(WrongState, lambda verdict=verdict: disputes.second(BOB, order, verdict, "agreed"), ref=order)


def test_a_release_that_the_gate_would_stop_does_not_pass_a_decision_that_waits(market):
    order = review.disputed(market)
    disputes.decide(ANN, order, "refuse", WHY)
    seen = {"received": Money.parse("250.00", fiat("BRL")), "payer_name": "Xiulan Wang"}
    refuses(AlreadyDone, lambda: disputes.decide(BOB, order, "release", WHY, **seen), subject=order)


def test_a_customer_is_barred_and_admitted_once_and_only_one_there_is(market):
    ref = review.one("select c.ref from customer c join orders o on o.customer_id = c.id where o.ref = %s",
                     lives.opened(market, customer="c-barred"))  # fmt: skip
    desk = make.person("compliance", Right.SET_STANDING, Right.SEE_ALERTS)
    refuses(WrongState, lambda: standing.admit_customer(desk, ref, "was never barred"), state="active")
    standing.bar_customer(desk, ref, "a mule")
    refuses(WrongState, lambda: standing.bar_customer(desk, ref, "a mule again"), state="barred")
    for act in (standing.bar_customer, standing.admit_customer):
        refuses(NotFound, lambda act=act: act(desk, "cus_0000000000000000", "nobody"))
    with pytest.raises(NotFound):
        standing.of_customer(desk, "cus_0000000000000000")
    refuses(Forbidden, lambda: standing.admit_customer(make.person("finance", Right.SEE_ALERTS), ref, "be kind"))


def test_a_party_is_suspended_and_reinstated_once_and_a_bar_has_no_end(market):
    ref = make.acceptor(market.pool_ref).ref
    admin = make.person("admin", Right.MANAGE_PARTIES)
    refuses(WrongState, lambda: standing.reinstate(admin, ref, "was never suspended"), state="active")
    standing.suspend(admin, ref, "papers are missing")
    refuses(WrongState, lambda: standing.suspend(admin, ref, "and again"), state="suspended")
    standing.bar(admin, ref, "forged papers")
    for act in (standing.suspend, standing.reinstate, standing.bar):
        refuses(WrongState, lambda act=act: act(admin, ref, "too late"), state="barred")


def test_a_pool_s_policy_is_changed_to_another_one_of_a_pool_there_is(market):
    admin = make.person("admin", Right.MANAGE_PARTIES)
    refuses(WrongState, lambda: pools.choose_policy(admin, market.pool_ref, "uniform_random", "again"), field="policy")
    refuses(BadInput, lambda: pools.choose_policy(admin, market.pool_ref, "best", "the best one"))
    refuses(NotFound, lambda: pools.choose_policy(admin, "pol_0000000000000000", "least_loaded", "nowhere"))
    assert pools.choose_policy(admin, market.pool_ref, "least_loaded", "to share the load") == 2


def test_an_acceptor_asks_about_its_own_reserve_only(market):
    mine, other = market.acceptors
    asks = replace(mine.actor, rights=frozenset({Right.TOP_UP_RESERVE, Right.SEE_BALANCE}))
    assert reserves.check(asks, mine.ref, Money.parse("5", USDT), "T-own").code == mine.code
    for step in (
        lambda: reserves.check(asks, other.ref, Money.parse("5", USDT), "T-other"),
        lambda: reserves.ask(asks, other.ref, Money.parse("5", USDT), "T-other", "arrived"),
        lambda: reserves.waiting(asks, other.ref),
    ):
        refuses(NotFound, step)


@pytest.mark.parametrize("scope", [Scope.MERCHANT, Scope.ACCEPTOR, Scope.AGENT, Scope.NONE])
def test_no_party_sees_the_platform_s_position_or_its_fees(market, scope):
    rights = frozenset({Right.SEE_LEDGER, Right.SEE_COMMISSIONS})
    party = Actor("p", "p", scope, market.acceptors[0].id, rights=rights)
    with pytest.raises(Forbidden):
        position.position(party)
    with pytest.raises(Forbidden):
        commissions.cost(party, Days(review.START.date(), review.START.date()))
