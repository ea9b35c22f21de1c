"""An order's steps stand in the order of time, though the clock of who takes one may be behind the last one's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from core.db import reading, transaction
from core.money import Money, fiat
from core.orders import deposit, disputing, release, rulings
from core.pricing import quotes
from core.verify.finding import Check
from core.verify.moments import moments_go_forward
from core.verify.orders import legal_path
from tests import make
from tests.portal.market import opened

AHEAD = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEHIND = AHEAD - timedelta(days=2)
"""What the clock says to a process that has not heard yet that it was moved."""


@pytest.fixture
def trade(database):
    with clock.at(BEHIND - timedelta(hours=1)):
        made = make.market(1, reserve="100000")
    for at in (BEHIND, AHEAD):
        with clock.at(at):
            make.rate(made.currency)
    return made


def told(ref):
    """The order's moments, and those of its steps in the trail in the order they were taken."""
    with reading() as tx:
        order = tx.rows(
            "select created_at, matched_at, claimed_at, paid_at, completed_at, ended_at, deadline_at from orders"
            " where ref = %s",
            (ref,),
        )[0]
        steps = [at for (at,) in tx.rows("select at from audit where subject = %s order by xid, id", (ref,))]
    return order, steps


def claim(trade, ref, **more):
    return deposit.claim_paid(trade.merchant, ref, payer_name="Joao Santos", payer_account="BR7712348812", **more)


def due(trade):
    return Money.parse("542.00", fiat(trade.currency))


def test_claim_and_release_by_a_clock_that_is_behind_take_the_moment_of_the_step_before(trade):
    with clock.at(AHEAD):
        ref = opened(trade)
    with clock.at(BEHIND):
        claim(trade, ref)
    claimed = told(ref)[0]
    assert claimed[2:4] == (AHEAD, AHEAD)
    assert claimed[6] > AHEAD
    with clock.at(BEHIND):
        release.confirm(trade.acceptors[0].actor, ref, received=due(trade), payer_name="Joao Santos")
    order, steps = told(ref)
    assert order[:6] == (AHEAD,) * 6
    assert steps == [AHEAD] * len(steps)
    with reading() as tx:
        moments = tx.rows("select happened_at, seconds from risk_fact where order_ref = %s", (ref,))
        booked = tx.rows("select happened_at from journal_entry where key like %s", (f"{ref}:%",))
    assert {at for at, _ in moments} == {AHEAD}
    assert all(seconds is None or seconds >= 0 for _, seconds in moments)
    assert {at for (at,) in booked} == {AHEAD}


def test_what_was_paid_just_now_is_no_payment_to_come_for_a_clock_that_is_behind(trade):
    with clock.at(AHEAD):
        ref = opened(trade)
    with clock.at(BEHIND):
        claim(trade, ref, paid_at=AHEAD + timedelta(minutes=1))
    assert told(ref)[0][3] == AHEAD + timedelta(minutes=1)


def test_no_end_and_no_dispute_lies_before_the_step_before(trade):
    with clock.at(AHEAD):
        cancelled, contested = opened(trade), opened(trade)
        claim(trade, contested)
    with clock.at(AHEAD + timedelta(minutes=5)):
        disputing.contest(
            trade.acceptors[0].actor, contested, received=Money.parse("500.00", fiat(trade.currency)), why="less came"
        )
    with clock.at(BEHIND):
        deposit.cancel(trade.merchant, cancelled, reason="the customer gave up")
        with transaction() as tx:
            rulings.refund(tx, make.system(), contested, reason="nothing more came")
    assert told(cancelled)[0][5] == AHEAD
    order, steps = told(contested)
    assert order[5] == steps[-1] == AHEAD + timedelta(minutes=5)
    assert steps == sorted(steps)


def test_a_clock_that_is_not_behind_is_taken_as_it_is(trade):
    with clock.at(BEHIND):
        ref = opened(trade)
    with clock.at(BEHIND + timedelta(minutes=2)):
        claim(trade, ref)
    assert told(ref)[0][2] == BEHIND + timedelta(minutes=2)


@pytest.mark.parametrize(
    "change",
    [
        "matched_at = created_at - interval '1 s'",
        "claimed_at = created_at - interval '2 days'",
        "completed_at = claimed_at - interval '1 s'",
        "ended_at = claimed_at - interval '1 s'",
    ],
)
def test_the_verifier_names_an_order_whose_moments_go_backwards(trade, change):
    with clock.at(BEHIND):
        ref = opened(trade)
        claim(trade, ref)
        release.confirm(trade.acceptors[0].actor, ref, received=due(trade), payer_name="Joao Santos")
    with transaction() as tx:
        check = Check(tx, "I6", "walks")
        moments_go_forward(check)
        assert check.finding().holds
        tx.run(f"update orders set {change} where ref = %s", (ref,))
        moments_go_forward(check)
        assert [words.partition(":")[0] for words in check.finding().breaks] == [f"order {ref} goes back in time"]
        tx.connection.rollback()


def test_no_order_is_opened_before_its_quote(trade):
    with clock.at(AHEAD):
        quote = quotes.quote(trade.merchant, "deposit", trade.currency, due(trade))
    asked = deposit.DepositRequest(quote.ref, "A-1", "c-1", "Joao Santos", "BR7712348812", "Joao Santos", "BR")
    with clock.at(BEHIND):
        ref = deposit.open_order(trade.merchant, asked).ref
    assert told(ref)[0][:2] == (AHEAD, AHEAD)


def test_the_walk_of_every_order_is_asked_for_its_moments(trade):
    with clock.at(BEHIND):
        ref = opened(trade)
    with transaction() as tx:
        tx.run("update orders set matched_at = created_at - interval '1 s' where ref = %s", (ref,))
        assert any(f"order {ref} goes back in time" in words for words in legal_path(tx).breaks)
        tx.connection.rollback()
