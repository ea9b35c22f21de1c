"""Alerts: taken by one officer, decided with a reason, and by two where money is held."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from core.compliance import alerts, choices
from core.db import transaction
from core.errors import BadInput, Forbidden, WrongState
from core.orders import deposit
from core.orders.states import State
from tests import make
from tests.core import review

WHY = "the bank's letter explains the other name"
ANN, BOB, EVE = (review.officer(name) for name in ("ann", "bob", "eve"))


@pytest.fixture(scope="module")
def market(module_database, one_key):
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
    kept = review.rows(
        "select proposed_by, narrative, closed_by, confirmed_why, proposed_at <= closed_at from alert where ref = %s",
        alert,
    )
    assert kept == [("ann", WHY, "bob", "I agree", True)]
    trail = review.rows(
        "select action, actor, reason, details ->> 'proposed_by' from audit where subject = %s order by booked_at",
        alert,
    )
    assert trail == [("alert.decide", "ann", WHY, None), ("alert.close", "bob", "I agree", "ann")]
    assert review.state(ref) == ("refunded", "refused", "none", "nobody")
    assert review.pockets(market) == before
    assert review.breaks() == []


def test_what_was_decided_before_the_words_of_both_were_kept_is_filled_in(market):
    both, one = review.held(market, **who()), review.stopped(market, **who())
    waits = review.held(market, **who())
    for ref in (both, waits):
        alerts.decide(ANN, review.alert(ref), "refuse", "explained", WHY)
    alerts.second(BOB, review.alert(both), True, "I agree")
    alerts.decide(EVE, review.alert(one), "release", "false_positive", WHY)
    sql = "select ref, proposed_by, proposed_at is null, confirmed_why from alert order by id"
    before = review.rows(sql)
    migration = importlib.import_module("core.migrations.versions.0013_two_officers")
    with transaction() as tx:
        tx.run("update alert set proposed_by = null, proposed_at = null, confirmed_why = ''")
        tx.raw.execute(migration.BY_TWO)
        tx.raw.execute(migration.BY_ONE)
    assert review.rows(sql) == before


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
    with pytest.raises(WrongState, match="while this alert is open the payout waits") as refused:
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


def test_outcomes_of_every_gate_verdict_and_state_lead_somewhere():
    for gate in ("G1", "G3"):
        for verdict in ("allow", "review", "hold", "refuse"):
            for state in State:
                for confirmed in (False, True):
                    can = choices.possible(gate, verdict, state, confirmed=confirmed)
                    assert can
                    for outcome in choices.OUTCOMES:
                        if outcome in can:
                            choices.check(outcome, gate, verdict, state, confirmed=confirmed)
                        else:
                            with pytest.raises(WrongState):
                                choices.check(outcome, gate, verdict, state, confirmed=confirmed)
