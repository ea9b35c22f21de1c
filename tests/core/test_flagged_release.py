"""No flagged order is released while an alert of it is open, whichever gate raised it; officers decide all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.compliance import alerts, disputes, queries
from core.errors import UnderReview, WrongState
from core.money import Money, fiat
from core.orders import deadlines, deposit
from core.orders.states import State
from tests import make
from tests.core import review

ANN, BOB = review.officer("ann"), review.officer("bob")
WHY = "Looked at the customer's file and the bank's line."
AMOUNT = "12000.00"


@pytest.fixture(scope="module")
def market(module_database, one_key):
    """A market with room for everybody; each test has customers of its own."""
    return make.market(3, levels=1, reserve="1000000", open_limit=1000)


def paid(market):
    """A flagged order whose customer says that it has paid; returns its ref."""
    return review.claimed(market, AMOUNT, customer=f"c-{next(make.numbers)}")


def kept(market):
    """The same, confirmed by its acceptor."""
    ref = paid(market)
    assert review.confirm(market, ref, AMOUNT) == State.PAID_CLAIMED
    return ref


def evaluations(ref):
    return review.rows(
        "select e.gate, e.verdict from evaluation e join orders o on o.id = e.order_id where o.ref = %s order by e.id",
        ref,
    )


def test_a_confirmed_order_waits_for_the_officer_of_its_opening(market):
    before = review.pockets(market)
    ref = paid(market)
    frozen = review.pockets(market)
    assert review.confirm(market, ref, AMOUNT) == "paid_claimed"
    assert review.state(ref) == ("paid_claimed", "flagged", "none", "compliance")
    assert review.pockets(market) == frozen != before, "nothing is held for a review: the escrow waits"
    assert [row[1:4] for row in review.alerts(ref)] == [("G1", "NEW_LARGE", "review")]
    assert evaluations(ref) == [("G1", "review"), ("G3", "allow")]
    told = review.rows(
        "select reason from audit a join orders o on o.id = a.order_id where o.ref = %s and a.event = 'stop'", ref
    )
    assert told == [("gate G1",)]
    assert review.breaks() == []


def test_a_second_confirmation_is_refused_and_changes_nothing(market):
    ref = kept(market)
    before = review.everything()
    with pytest.raises(UnderReview, match="under review; nothing is needed from you"):
        review.confirm(market, ref, AMOUNT)
    assert review.everything() == before


@pytest.mark.parametrize(
    ("outcome", "ends", "risk"), [("release", "completed", "clear"), ("refuse", "refunded", "refused")]
)
def test_one_officer_ends_the_wait(market, outcome, ends, risk):
    before = review.pockets(market)
    ref = kept(market)
    done = alerts.decide(ANN, review.alert(ref, "G1"), outcome, "explained", WHY)
    assert (done.order_state, done.state, done.approval_ref) == (ends, "closed", None)
    assert review.state(ref)[:2] == (ends, risk)
    assert (review.pockets(market) == before) is (outcome == "refuse")
    assert review.breaks() == []


def test_it_cannot_be_dismissed_while_the_release_waits_for_it(market):
    ref = kept(market)
    before = review.everything()
    with pytest.raises(WrongState, match="ends with a release or a refusal") as refused:
        alerts.decide(ANN, review.alert(ref, "G1"), "dismiss", "explained", WHY)
    assert refused.value.facts["allowed"] == ["release", "refuse"]
    assert review.everything() == before


def test_dismissed_before_the_confirmation_it_keeps_nothing_back(market):
    ref = paid(market)
    assert alerts.decide(ANN, review.alert(ref, "G1"), "dismiss", "explained", WHY).order_state == "paid_claimed"
    assert review.confirm(market, ref, AMOUNT) == "completed"


def test_what_both_gates_raised_is_decided_at_once_and_with_money_held_by_two(market):
    ref = paid(market)
    review.confirm(market, ref, AMOUNT, payer_name="Xiulan Wang")
    assert [row[1:3] for row in review.alerts(ref)] == [("G1", "NEW_LARGE"), ("G3", "NAME_MISMATCH")]
    first = alerts.decide(ANN, review.alert(ref, "G1"), "refuse", "confirmed_reported", WHY)
    assert (first.state, len(first.alerts)) == ("pending_second", 2)
    assert review.state(ref)[:2] == ("paid_claimed", "held")
    done = alerts.second(BOB, review.alert(ref, "G3"), True, "agreed")
    assert (done.order_state, len(done.alerts)) == ("refunded", 2)
    assert {row[4] for row in review.alerts(ref)} == {"closed"}
    assert review.breaks() == []


def test_a_small_alert_of_the_second_gate_is_no_way_round_the_first(market):
    ref = paid(market)
    assert review.confirm(market, ref, AMOUNT, seconds=3) == "paid_claimed"
    small = next(row[0] for row in review.alerts(ref) if row[2] == "M_CONFIRM")
    keeper = review.alert(ref, "G1")
    for outcome in ("release", "refuse"):
        with pytest.raises(WrongState, match=f"{keeper} keeps the payout back.*; possible: dismiss") as no:
            alerts.decide(ANN, small, outcome, "explained", WHY)
        assert no.value.facts["alert"] == keeper
    assert alerts.decide(ANN, small, "dismiss", "explained", WHY).order_state == "paid_claimed"
    assert review.state(ref) == ("paid_claimed", "flagged", "none", "compliance")
    alerts.decide(ANN, review.alert(ref, "G1"), "release", "explained", WHY)
    assert review.state(ref)[:2] == ("completed", "clear")


def test_what_keeps_a_release_back_comes_before_what_only_waits_for_its_payment(market):
    waiting = review.alert(review.flagged(market, "90000.00", customer=f"c-{next(make.numbers)}"), "G1")
    confirmed = review.alert(kept(market), "G1")
    row = {each.ref: each for each in queries.queue(ANN, limit=500)}
    order = list(row)
    assert order.index(confirmed) < order.index(waiting)
    assert (row[confirmed].kept, row[waiting].kept) == (True, False)


def test_in_a_dispute_no_one_officer_takes_the_alert_away(market):
    with clock.at(review.START):
        ref = review.flagged(market, AMOUNT, customer=f"c-{next(make.numbers)}")
        deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=f"BR96{next(make.numbers):08d}")
    with clock.at(review.START + timedelta(hours=1)):
        deadlines.expire(ref)
        assert review.state(ref)[2] == "open"
        alert = review.alert(ref, "G1")
        assert alerts.decide(ANN, alert, "dismiss", "explained", WHY).state == "pending_second"
        assert review.alerts(ref)[0][4] == "pending_second"
        assert alerts.second(BOB, alert, True, "agreed").state == "closed"
        assert review.state(ref)[:3] == ("paid_claimed", "clear", "open")
        assert disputes.decide(ANN, ref, "refuse", WHY).order_state == "paid_claimed"
        assert disputes.second(BOB, ref, True, "agreed").order_state == "refunded"


def test_what_was_decided_before_the_ruling_is_not_carried_out_after_it(market):
    with clock.at(review.START):
        ref = review.flagged(market, AMOUNT, customer=f"c-{next(make.numbers)}")
        deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=f"BR95{next(make.numbers):08d}")
    with clock.at(review.START + timedelta(hours=1)):
        deadlines.expire(ref)
        alert = review.alert(ref, "G1")
        alerts.decide(ANN, alert, "dismiss", "explained", WHY)
        disputes.decide(ANN, ref, "release", WHY, received=Money.parse(AMOUNT, fiat("BRL")), payer_name="Joao Silva")
        before = review.everything()
        with pytest.raises(WrongState, match="ends with a release or a refusal"):
            alerts.second(BOB, alert, True, "agreed")
        assert review.everything() == before
        assert alerts.second(BOB, alert, False, "the order has gone on").state == "open"
        alerts.decide(ANN, alert, "release", "explained", WHY)
        assert alerts.second(BOB, alert, True, "agreed").order_state == "completed"
    assert review.breaks() == []


def test_a_ruling_in_the_acceptor_s_place_waits_for_the_alert_too(market):
    with clock.at(review.START):
        ref = review.flagged(market, AMOUNT, customer=f"c-{next(make.numbers)}")
        deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=f"BR97{next(make.numbers):08d}")
    with clock.at(review.START + timedelta(hours=1)):
        deadlines.expire(ref)
        assert review.state(ref)[2] == "open"
        received = Money.parse(AMOUNT, fiat("BRL"))
        ruling = disputes.decide(ANN, ref, "release", WHY, received=received, payer_name="Joao Silva")
        assert (ruling.decided, ruling.alert) == (False, review.alert(ref, "G1"))
        with pytest.raises(UnderReview, match="decide the alert"):
            disputes.decide(ANN, ref, "refuse", WHY)
        assert alerts.decide(ANN, ruling.alert, "release", "explained", WHY).state == "pending_second"
        assert alerts.second(BOB, ruling.alert, True, "agreed").order_state == "completed"
    assert review.breaks() == []
