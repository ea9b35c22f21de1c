"""No risk rules in force: orders go on with a flag, releases are held, officers are told, and it all replays."""

from __future__ import annotations

import json

import pytest

from core.compliance import alerts, queries
from core.db import transaction
from core.errors import UnderReview
from core.risk.rules import Features, evaluate
from tests import make
from tests.core import lives, review

ANN, BOB = review.officer("ann"), review.officer("bob")


@pytest.fixture
def market(database):
    return make.market(2, levels=1, reserve="100000")


def rules(state):
    """Put the only ruleset out of force, or back."""
    with transaction() as tx:
        tx.run("update ruleset set state = %s", (state,))


def evaluations(ref):
    return review.rows(
        "select e.gate, e.ruleset_id, e.verdict, e.features, e.reasons from evaluation e"
        " join orders o on o.id = e.order_id where o.ref = %s order by e.id",
        ref,
    )


def test_without_rules_an_order_opens_with_a_flag_and_its_release_is_held(market):
    rules("retired")
    ref = review.claimed(market)
    assert review.state(ref)[:2] == ("paid_claimed", "flagged")
    assert [row[1:4] for row in review.alerts(ref)] == [("G1", "NO_RULES", "review")]
    reserve, escrow, held = review.pockets(market)
    assert review.confirm(market, ref, "250.00") == "paid_claimed"
    assert review.state(ref)[1:] == ("held", "none", "compliance")
    assert review.pockets(market) == (reserve, 0, held + escrow)
    assert [row[1:4] for row in review.alerts(ref)][1:] == [("G3", "NO_RULES", "hold")]
    with pytest.raises(UnderReview):
        review.confirm(market, ref, "250.00")
    for gate, number, verdict, features, reasons in evaluations(ref):
        assert number is None
        again = evaluate(gate, Features.from_json(features), None)
        assert (again.verdict, [reason.to_json() for reason in again.reasons]) == (verdict, reasons)


def test_an_officer_reads_why_and_two_officers_release_what_was_held(market):
    rules("retired")
    ref = review.claimed(market)
    review.confirm(market, ref, "250.00")
    shown = queries.alert(ANN, review.alert(ref))
    assert shown.ruleset_version is None
    assert shown.row.reason["text_key"] == "NO_RULES.G3"
    assert [row.rule for row in queries.queue(ANN)] == ["NO_RULES", "NO_RULES"]
    alerts.decide(ANN, review.alert(ref), "release", "explained", "the bank's statement was looked at")
    alerts.second(BOB, review.alert(ref), True, "agreed, the money came")
    assert review.state(ref)[:2] == ("completed", "clear")
    # That nobody of the desk took the rules out of force is a break of its own: only the next version does.
    assert [invariant for invariant, _ in review.breaks()] == ["I15"]
    rules("active")
    assert review.breaks() == []


def test_with_rules_in_force_again_the_gates_judge_as_before(market):
    rules("retired")
    lives.opened(market, customer="before")
    rules("active")
    ref = review.claimed(market, customer="after")
    assert review.confirm(market, ref, "250.00") == "completed"
    assert [row[1:3] for row in evaluations(ref)] == [(1, "allow"), (1, "allow")]


@pytest.mark.parametrize("broken", [{"params": {"VEL_CNT": {"most_1h": "many"}}}, {"version": 1}, []])
def test_rules_that_cannot_be_read_are_no_rules(market, broken):
    with transaction() as tx:
        tx.run("update ruleset set params = %s::jsonb", (json.dumps(broken),))
    ref = review.claimed(market)
    assert [row[1] for row in evaluations(ref)] == [None]
    assert review.confirm(market, ref, "250.00") == "paid_claimed"
    assert review.state(ref)[1] == "held"
