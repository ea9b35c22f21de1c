"""Each dispatch says why everybody else lost, and made again from what it stored it gives the same for all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.db import transaction
from core.errors import Forbidden
from core.orders import deadlines, dispatch, explaining, queries
from tests import make
from tests.core import lives, review


def told(market, ref):
    """The explanation of an order's only dispatch, for who sees all of it, and the order."""
    view = queries.order(market.merchant, ref)
    auditor = make.person("auditor", review.Right.SEE_DISPATCH, review.Right.SEE_ORDERS)
    (row,) = explaining.dispatches(auditor, view)
    return row, view


def outcomes(row):
    return {each["acceptor"]: each["outcome"] for each in row.candidates}


def again(row, view, policy=""):
    choice = explaining.replay(
        policy or row.policy,
        row.candidates,
        seed=row.seed,
        need_units=view.usdt.units,
        need_fiat_units=view.fiat.units,
    )
    return {each.candidate.pool_account_id: each.outcome for each in choice.considered}


@pytest.mark.parametrize("policy", ["uniform_random", "least_loaded"])
def test_the_choice_made_again_gives_every_candidate_its_outcome(database, policy):
    market = make.market(1, reserve="1000", policy=policy, open_limit=3)
    poor = make.acceptor(market.pool_ref, reserve="10")
    short = make.acceptor(market.pool_ref, reserve="1000", day_limit="100")
    full = make.acceptor(market.pool_ref, reserve="1000", open_limit=1)
    with transaction() as tx:
        tx.run("update pool_account_load set open_orders = 1 where pool_account_id = %s", (full.pool_account,))
    why = {poor.code: "short_reserve", short.code: "day_limit", full.code: "slots_full"}
    for n in range(3):
        row, view = told(market, lives.opened(market, "250.00", customer=f"c-{n}"))
        assert outcomes(row) == why | {view.acceptor.code: "chosen"}
        assert again(row, view) == {each["pool_account_id"]: each["outcome"] for each in row.candidates}


def test_whom_the_other_policy_would_have_chosen_is_said(database):
    market = make.market(2, reserve="1000", policy="uniform_random")
    busy, idle = market.acceptors
    with transaction() as tx:
        tx.run("update pool_account_load set open_orders = 5 where pool_account_id = %s", (busy.pool_account,))
    row, _view = told(market, lives.opened(market))
    assert row.others == {"least_loaded": idle.code}


def test_a_customer_is_not_given_to_an_acceptor_it_is_in_dispute_with(database):
    market = make.market(2, reserve="10000")
    with clock.at(review.START):
        first = lives.claimed(market, customer="c-1")
    with clock.at(review.START + timedelta(hours=1)):
        deadlines.expire(first)
        disputed = review.acceptor_of(market, first)
        for n in range(4):
            row, view = told(market, lives.opened(market, "50.00", customer="c-1"))
            assert view.acceptor.code != disputed.code
            assert outcomes(row)[disputed.code] == "in_dispute"
            assert again(row, view) == {each["pool_account_id"]: each["outcome"] for each in row.candidates}
            anybody = told(market, lives.opened(market, "50.00", customer=f"other-{n}"))[0]
            assert "in_dispute" not in outcomes(anybody).values()


def test_an_order_that_waits_is_not_matched_with_an_acceptor_in_dispute_either(database):
    market = make.market(1, reserve="10000")
    with clock.at(review.START):
        first = lives.claimed(market, customer="c-1")
    with clock.at(review.START + timedelta(hours=1)):
        deadlines.expire(first)
        waits = lives.opened(market, "50.00", customer="c-1")
        assert review.state(waits)[0] == "matching"
        assert dispatch.match_due() == 0
        make.acceptor(market.pool_ref, reserve="1000")
        assert dispatch.match_due() == 1


def test_the_stored_row_is_short_and_an_earlier_one_is_still_read():
    row = [7, 12, 5_000, 3, 1, "not_drawn", 90_000, 20]
    assert explaining.read(row)["day_left_units"] == 90_000
    earlier = explaining.read([7, 12, 5_000, 3, 1, 0, 271_828, "busier"])
    assert (earlier["outcome"], "slot_limit" in earlier) == ("busier", False)


def test_an_acceptor_may_ask_why_it_was_not_chosen_and_sees_nobody_else(database):
    market = make.market(2, reserve="1000")
    view = queries.order(market.merchant, lives.opened(market))
    for each in market.acceptors:
        curious = each.actor.__class__(
            each.actor.name, "acceptor", each.actor.scope, each.actor.party_id,
            rights=frozenset({review.Right.SEE_DISPATCH}),
        )  # fmt: skip
        (row,) = explaining.dispatches(curious, view)
        assert [row["acceptor"] for row in row.candidates] == [each.code]
        assert row.others == {}
    with pytest.raises(Forbidden):
        explaining.dispatches(market.merchant, view)


def test_who_was_quicker_is_told_apart_from_who_was_best(database):
    market = make.market(2, reserve="1000")
    held, free = market.acceptors
    with transaction() as tx:  # somebody else has this acceptor's account in hand
        tx.run("select 1 from ledger_account where party_id = %s for no key update", (held.id,))
        refs = [lives.opened(market, "10.00", customer=f"c-{n}") for n in range(20)]
    ways = [outcomes(told(market, ref)[0]) for ref in refs]
    assert {way[free.code] for way in ways} == {"chosen"}
    assert {way[held.code] for way in ways} - {"not_drawn"} == {"taken_meanwhile"}
