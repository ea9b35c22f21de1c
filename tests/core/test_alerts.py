"""Alerts: taken by one officer, decided with a reason, and by two where money is held."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from core import clock
from core.actor import Actor, Right, Scope
from core.compliance import alerts, choices, queries
from core.db import transaction
from core.errors import BadInput, Conflict, Forbidden, NotFound, WrongState
from core.orders import deadlines, deposit
from core.orders import queries as orders
from core.orders.states import State
from tests import make
from tests.core import lives, review

WHY = "the bank's letter explains the other name"
ANN, BOB, EVE = (review.officer(name) for name in ("ann", "bob", "eve"))


@pytest.fixture(scope="module")
def market(module_database):
    """A market whose orders end at compliance; each test has a customer of its own."""
    return make.market(3, levels=2, reserve="1000000", open_limit=1000)


def who():
    return {"customer": f"c-{next(make.numbers)}"}


def decided(ref):
    """The alerts of an order as they ended: outcome, disposition, narrative, by whom."""
    return review.rows(
        "select a.state, a.outcome, a.disposition, a.narrative, a.closed_by from alert a"
        " join orders o on o.id = a.order_id where o.ref = %s order by a.id",
        ref,
    )


def test_held_usdt_is_released_only_when_a_second_officer_agrees(market):
    before = review.pockets(market)
    ref = review.held(market, **who())
    units = review.one("select usdt_units from orders where ref = %s", ref)
    assert review.pockets(market) == (before[0] - units, before[1], before[2] + units)
    alert = review.alert(ref)
    first = alerts.decide(ANN, alert, "release", "explained", WHY)
    assert (first.state, first.order_state) == ("pending_second", "paid_claimed")
    assert review.state(ref) == ("paid_claimed", "held", "none", "compliance")
    done = alerts.second(BOB, alert, True, "seen the letter")
    assert (done.state, done.order_state) == ("closed", "completed")
    assert review.state(ref) == ("completed", "clear", "none", "nobody")
    assert decided(ref) == [("closed", "release", "explained", WHY, "bob")]
    assert review.pockets(market) == (before[0] - units, before[1], before[2])
    assert review.one("select count(*) from commission_line c join orders o on o.id = c.order_id where o.ref = %s", ref)
    assert review.breaks() == []


def test_held_usdt_returns_to_the_acceptor_when_both_refuse(market):
    before = review.pockets(market)
    ref = review.held(market, **who())
    alert = review.alert(ref)
    alerts.decide(ANN, alert, "refuse", "confirmed_no_report", WHY)
    assert alerts.second(BOB, alert, True, "I agree").order_state == "refunded"
    assert review.state(ref) == ("refunded", "refused", "none", "nobody")
    assert review.pockets(market) == before
    assert review.breaks() == []


def test_nobody_is_their_own_second_officer(market):
    ref = review.held(market, **who())
    alert = review.alert(ref)
    alerts.decide(ANN, alert, "release", "explained", WHY)
    before = review.everything()
    with pytest.raises(Forbidden) as refused:
        alerts.second(ANN, alert, True, "I agree with myself")
    assert refused.value.facts["rule"] == "four_eyes"
    assert review.everything() == before


def test_the_database_knows_four_eyes_too(market):
    ref = review.held(market, **who())
    alerts.decide(ANN, review.alert(ref), "release", "explained", WHY)
    with pytest.raises(psycopg.errors.CheckViolation, match="approval_four_eyes"), transaction() as tx:
        tx.run("update approval set state = 'approved', decided_by = requested_by where subject = %s", (ref,))


def test_a_second_officer_may_turn_it_down_and_the_alert_is_open_again(market):
    ref = review.held(market, **who())
    alert = review.alert(ref)
    alerts.decide(ANN, alert, "release", "explained", WHY)
    turned = alerts.second(BOB, alert, False, "the letter is not signed")
    assert turned.state == "open"
    assert decided(ref) == [("open", "", "", "", None)]
    assert review.state(ref) == ("paid_claimed", "held", "none", "compliance")
    alerts.decide(BOB, alert, "refuse", "inconclusive", WHY)
    assert alerts.second(ANN, alert, True, "now I agree").order_state == "refunded"


def test_two_seconds_at_once_carry_it_out_once(market):
    ref = review.held(market, **who())
    alert = review.alert(ref)
    alerts.decide(ANN, alert, "release", "explained", WHY)

    def agree(actor):
        try:
            return alerts.second(actor, alert, True, "agreed").order_state
        except WrongState as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(agree, [BOB, EVE] * 4))
    assert sorted(answers) == ["completed"] + ["wrong_state"] * 7
    assert review.one("select count(*) from journal_entry where key = %s", f"{ref}:release") == 1
    assert review.breaks() == []


@pytest.mark.parametrize(("outcome", "ends"), [("release", "completed"), ("refuse", "refunded")])
def test_a_review_without_a_hold_takes_one_officer(market, outcome, ends):
    ref = review.stopped(market, **who())
    assert review.state(ref) == ("paid_claimed", "flagged", "none", "compliance")
    done = alerts.decide(ANN, review.alert(ref), outcome, "explained", WHY)
    assert (done.state, done.order_state, done.approval_ref) == ("closed", ends, None)
    assert review.state(ref)[0] == ends
    assert review.breaks() == []


def test_a_flagged_opening_goes_on_when_it_is_dismissed(market):
    ref = review.flagged(market, **who())
    assert review.state(ref)[:2] == ("awaiting_payment", "flagged")
    done = alerts.decide(ANN, review.alert(ref, "G1"), "dismiss", "false_positive", WHY)
    assert (done.state, done.order_state) == ("closed", "awaiting_payment")
    assert review.state(ref)[:2] == ("awaiting_payment", "clear")
    deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=f"BR99{next(make.numbers):08d}")
    assert review.confirm(market, ref, "12000.00") == "completed"


def test_a_flagged_opening_is_called_off_while_nobody_has_paid(market):
    before = review.pockets(market)
    ref = review.flagged(market, **who())
    done = alerts.decide(ANN, review.alert(ref, "G1"), "refuse", "confirmed_reported", WHY)
    assert done.order_state == "cancelled"
    assert review.state(ref)[:2] == ("cancelled", "refused")
    assert review.pockets(market) == before


def test_a_flagged_opening_cannot_be_called_off_once_it_is_paid(market):
    ref = review.flagged(market, **who())
    deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=f"BR98{next(make.numbers):08d}")
    before = review.everything()
    with pytest.raises(WrongState, match="the customer has paid by now") as refused:
        alerts.decide(ANN, review.alert(ref, "G1"), "refuse", "explained", WHY)
    assert refused.value.facts["allowed"] == ["dismiss"]
    assert review.everything() == before


def test_an_alert_about_a_completed_order_is_only_dismissed(market):
    ref = review.claimed(market, **who())
    assert review.confirm(market, ref, "250.00", seconds=3) == "completed"
    alert = review.alert(ref)
    assert review.alerts(ref)[0][2:] == ("M_CONFIRM", "allow", "open")
    with pytest.raises(WrongState, match="nothing to release"):
        alerts.decide(ANN, alert, "release", "explained", WHY)
    alerts.decide(ANN, alert, "dismiss", "explained", WHY)
    assert review.state(ref)[:2] == ("completed", "clear")


def test_what_keeps_a_payout_back_cannot_be_dismissed(market):
    ref = review.held(market, **who())
    with pytest.raises(WrongState, match="ends with a release or a refusal"):
        alerts.decide(ANN, review.alert(ref), "dismiss", "explained", WHY)


@pytest.mark.parametrize(
    ("outcome", "disposition", "narrative", "field"),
    [
        ("pay", "explained", WHY, "outcome"),
        ("release", "fine", WHY, "disposition"),
        ("release", "explained", "  too short ", "narrative"),
        ("release", "explained", "", "narrative"),
        ("release", "explained", "x" * 2001, "narrative"),
    ],
)
def test_a_decision_says_what_how_and_why(market, outcome, disposition, narrative, field):
    ref = review.held(market, **who())
    before = review.everything()
    with pytest.raises(BadInput) as refused:
        alerts.decide(ANN, review.alert(ref), outcome, disposition, narrative)
    assert refused.value.facts["field"] == field
    assert review.everything() == before


def test_all_alerts_of_an_order_and_gate_are_decided_together(market):
    ref = review.claimed(market, **who())
    with transaction() as tx:
        tx.run(
            "update payer_account set listed = 'police letter 7'"
            " where id = (select payer_account_id from orders where ref = %s)",
            (ref,),
        )
    review.confirm(market, ref, "250.00", payer_name="Xiulan Wang")
    assert [row[2] for row in review.alerts(ref)] == ["NAME_MISMATCH", "PAYER_HIT"]
    first = alerts.decide(ANN, review.alerts(ref)[1][0], "refuse", "confirmed_reported", WHY)
    assert len(first.alerts) == 2
    alerts.second(BOB, review.alerts(ref)[0][0], True, "agreed")
    assert {row[4] for row in review.alerts(ref)} == {"closed"}
    closed = review.rows(
        "select payload from outbox where topic = 'alert.closed' and payload ->> 'order' = %s order by id", ref
    )
    assert [row[0]["disposition"] for row in closed] == ["confirmed_reported"] * 2
    assert all(row[0]["seconds"] >= 0 for row in closed)


def test_an_alert_is_decided_once(market):
    ref = review.stopped(market, **who())
    alert = review.alert(ref)
    alerts.decide(ANN, alert, "release", "explained", WHY)
    for step in (
        lambda: alerts.decide(BOB, alert, "refuse", "explained", WHY),
        lambda: alerts.second(BOB, alert, True, "agreed"),
        lambda: alerts.take(BOB, alert),
    ):
        with pytest.raises(WrongState):
            step()


def test_an_officer_keeps_what_it_took_for_a_quarter_of_an_hour(market):
    ref = review.stopped(market, **who())
    alert = review.alert(ref)
    until = alerts.take(ANN, alert)
    assert timedelta(minutes=14) < until - clock.now() <= timedelta(minutes=15)
    for step in (
        lambda: alerts.take(BOB, alert),
        lambda: alerts.decide(BOB, alert, "release", "explained", WHY),
        lambda: alerts.put_back(BOB, alert),
    ):
        with pytest.raises(Conflict, match="ann works on this") as refused:
            step()
        assert refused.value.facts["locked_by"] == "ann"
    with clock.at(until + timedelta(seconds=1)):
        alerts.take(BOB, alert)
        alerts.put_back(BOB, alert)
    alerts.decide(ANN, alert, "release", "explained", WHY)


def test_officers_who_ask_for_the_next_at_once_get_one_each(market):
    for alert in queries.queue(ANN, limit=500):
        if alert.state == "open" and alert.gate == "G3" and alert.verdict == "review":
            alerts.decide(ANN, alert.ref, "release", "explained", WHY)
    refs = {review.alert(review.stopped(market, **who())) for _ in range(4)}
    crowd = [review.officer() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(alerts.next_alert, crowd))
    found = [ref for ref in got if ref]
    assert len(found) == len(set(found))
    orders = [queries.alert(ANN, ref).row.order_ref for ref in found]
    assert len(orders) == len(set(orders)), "one order's alerts go to one officer"
    assert refs & set(found)
    for actor, ref in zip(crowd, got, strict=True):
        if ref:
            alerts.put_back(actor, ref)


def test_the_next_is_the_riskiest_largest_and_oldest(module_database):
    market = make.market(2, reserve="100000")
    small = review.stopped(market, "100.00", **who())
    large = review.stopped(market, "4000.00", **who())
    heavy = review.held(market, "4000.00", **who())
    mine = queries.queue(ANN, merchant=market.merchant_code)
    assert [row.order_ref for row in mine] == [heavy, large, small]
    assert [row.order_ref for row in queries.queue(ANN, merchant=market.merchant_code, held=True)] == [heavy]


def test_the_page_of_an_alert_says_all_there_is_and_no_names(market):
    customer = who()
    before = lives.completed(market, **customer)
    ref = review.held(market, **customer)
    page = queries.alert(ANN, review.alert(ref))
    assert page.row.order_ref == ref
    assert page.possible == ("release", "refuse")
    assert page.reasons[0]["value"] == "60"
    assert page.reasons[0]["threshold"] == "750"
    assert "would not have held" in page.reasons[0]["counterfactual"]
    assert page.features["payer_name"] == "X••• W•••"
    assert "Wang" not in repr(page)
    assert page.held.units == page.row.usdt.units
    assert [row.ref for row in page.same_customer.last] == [before]
    assert page.history[0].action == "order.stop"
    alerts.decide(ANN, page.row.ref, "release", "explained", WHY)
    assert queries.alert(ANN, page.row.ref).may_second is False
    waiting = queries.alert(BOB, page.row.ref)
    assert waiting.may_second
    assert waiting.second.requested_by == "ann"


def test_an_alert_shows_who_else_paid_from_the_account(market):
    account = f"BR31{next(make.numbers):08d}"
    others = []
    for _ in range(2):
        other = lives.opened(market, **who())
        deposit.claim_paid(market.merchant, other, payer_name="Joao Silva", payer_account=account)
        others.append(other)
    ref = lives.opened(market, **who())
    deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=account)
    review.confirm(market, ref, "250.00")
    page = queries.alert(ANN, review.alert(ref))
    assert (page.same_payer.orders, page.same_payer.customers) == (2, 2)
    assert {row.ref for row in page.same_payer.last} == set(others)


def test_the_figures_tie_to_the_ledger(market):
    figures = queries.counts(ANN)
    assert figures.held == figures.ledger_held
    assert figures.held.units > 0
    assert figures.waiting >= figures.second > 0
    assert 0 <= figures.false_positive_bps <= 10_000
    assert figures.decision_seconds >= 0
    with clock.at(clock.now() + timedelta(days=40)):
        later = queries.counts(ANN)
    assert later.late == later.waiting
    assert (later.false_positive_bps, later.decision_seconds) == (None, None)


def test_only_who_may_see_alerts_sees_them(market):
    ref = review.held(market, **who())
    alert = review.alert(ref)
    acceptor = review.acceptor_of(market, ref).actor
    for nosy in (market.merchant, acceptor, make.person("finance", Right.SEE_ORDERS)):
        for look in (queries.queue, queries.counts, lambda actor: queries.alert(actor, alert)):
            with pytest.raises(Forbidden):
                look(nosy)
    strange = Actor("x", "merchant", Scope.MERCHANT, market.merchant.party_id, rights=frozenset({Right.SEE_ALERTS}))
    assert queries.queue(strange) == []
    with pytest.raises(NotFound):
        queries.alert(strange, alert)


def test_an_auditor_sees_and_decides_nothing(market):
    ref = review.held(market, **who())
    alert = review.alert(ref)
    auditor = make.person("auditor", Right.SEE_ALERTS)
    assert queries.alert(auditor, alert).row.ref == alert
    before = review.everything()
    for step in (
        lambda: alerts.take(auditor, alert),
        lambda: alerts.put_back(auditor, alert),
        lambda: alerts.next_alert(auditor),
        lambda: alerts.decide(auditor, alert, "release", "explained", WHY),
        lambda: alerts.second(auditor, alert, True, "agreed"),
    ):
        with pytest.raises(Forbidden):
            step()
    assert review.everything() == before


def test_an_alert_that_is_not_there_is_not_found(market):
    for ref, code in (("alr_0000000000000000", NotFound), ("ord_0000000000000000", BadInput), ("'; --", BadInput)):
        with pytest.raises(code):
            alerts.take(ANN, ref)
        with pytest.raises(code):
            queries.alert(ANN, ref)


def test_others_see_neither_officer_nor_reason_on_the_order(market):
    ref = review.held(market, **who())
    alerts.decide(ANN, review.alert(ref), "refuse", "confirmed_reported", WHY)
    alerts.second(BOB, review.alert(ref), True, "agreed")
    for party in (market.merchant, review.acceptor_of(market, ref).actor):
        told = orders.timeline(party, orders.order(party, ref))
        words = repr(told)
        assert [row.action for row in told][-2:] == ["order.stop", "order.refund"]
        for secret in ("ann", "bob", "compliance", "G3", "alert", "review", WHY):
            assert secret not in words
    officer = orders.timeline(ANN, orders.order(ANN, ref))
    assert {"alert.decide", "alert.close", "order.refund"} <= {row.action for row in officer}


def test_an_order_that_compliance_keeps_is_reminded_of_not_disputed(market):
    ref = review.held(market, **who())
    deadline = review.one("select deadline_at from orders where ref = %s", ref)
    with clock.at(deadline + timedelta(minutes=1)):
        assert deadlines.expire(ref) == "paid_claimed"
    assert review.state(ref) == ("paid_claimed", "held", "none", "compliance")
    assert review.one("select deadline_at from orders where ref = %s", ref) > deadline


def test_outcomes_of_every_gate_verdict_and_state_lead_somewhere():
    for gate in ("G1", "G3"):
        for verdict in ("allow", "review", "hold", "refuse"):
            for state in State:
                can = choices.possible(gate, verdict, state)
                assert can
                for outcome in choices.OUTCOMES:
                    if outcome in can:
                        choices.check(outcome, gate, verdict, state)
                    else:
                        with pytest.raises(WrongState):
                            choices.check(outcome, gate, verdict, state)
