"""What first orders from a country usually are: reckoned from the facts, and a new customer's is held against it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.db import forget
from core.errors import BadInput
from core.risk import cohorts, rulesets
from core.risk.rulesets import ruleset
from jobs import catalog
from tests import make
from tests.core import lives, review

ANN = review.officer("ann")


@pytest.fixture(scope="module")
def market(module_database):
    """A market in which forty customers from Brazil have each opened two orders, the first of 50 BRL (9.2 USDT)."""
    made = make.market(3, levels=1, reserve="1000000", open_limit=1000)
    with clock.at(clock.now() - timedelta(hours=1)):
        for n in range(40):
            lives.opened(made, "50.00", customer=f"usual-{n}")
            lives.opened(made, "900.00", customer=f"usual-{n}")
        for n in range(cohorts.LEAST_CUSTOMERS - 1):
            lives.opened(made, "50.00", customer=f"few-{n}", country="PT")
    return made


def at_opening(ref):
    verdict, reasons, features = review.rows(
        "select e.verdict, e.reasons, e.features from evaluation e join orders o on o.id = e.order_id"
        " where o.ref = %s and e.gate = 'G1'",
        ref,
    )[0]
    return verdict, [reason["text_key"] for reason in reasons], features.get("cohort_median_units")


def test_a_first_order_far_above_what_is_usual_in_its_country_is_looked_at(market):
    usual = review.one("select usdt_units from orders where fiat_units = 5000 limit 1")
    assert at_opening(lives.opened(market, "255.00", customer="before")) == ("allow", [], None)
    catalog.run("risk.cohorts")
    assert at_opening(lives.opened(market, "245.00", customer="below")) == ("allow", [], usual)
    above = lives.opened(market, "255.00", customer="above")
    assert at_opening(above) == ("review", ["NEW_LARGE.first"], usual)
    reason = review.one("select reason from alert where ref = %s", review.alert(above, "G1"))
    assert reason["evidence"]["cohort_median_units"] == usual


def test_of_a_country_with_few_customers_nothing_is_usual(market):
    catalog.run("risk.cohorts")
    assert at_opening(lives.opened(market, "255.00", customer="lisbon", country="PT")) == ("allow", [], None)
    assert at_opening(lives.opened(market, "255.00", customer="nowhere", country="")) == ("allow", [], None)


def test_each_reckoning_keeps_its_own_rows_and_the_last_counts(market):
    first = review.one("select count(*) from cohort")
    with clock.at(clock.now() + timedelta(days=1)):
        added = cohorts.reckon()
        assert (added > 0, cohorts.reckon()) == (True, 0)
    assert review.one("select count(*) from cohort") == first + added
    forget()
    assert cohorts.median("BR") > 0


def test_a_rule_that_has_no_data_is_not_drafted(market):
    before = len(rulesets.known(make.person("compliance", review.Right.SEE_RISK)))
    with pytest.raises(BadInput) as refused:
        rulesets.draft(ANN, {"params": {"M_CONFIRM": {"hold_without_bank_line": True}}}, "we want to see the money")
    assert refused.value.facts == {"parameter": "M_CONFIRM.hold_without_bank_line"}
    assert len(rulesets.known(make.person("compliance", review.Right.SEE_RISK))) == before
    assert ruleset(1).params["M_CONFIRM"]["hold_without_bank_line"] is False


@pytest.mark.parametrize(
    ("code", "gate"),
    [
        ("GEO", "G3"),
        ("VEL_CNT", "G3"),
        ("VEL_AMT", "G3"),
        ("NEW_LARGE", "G3"),
        ("CANCEL_PROBE", "G3"),
        ("M_CONFIRM", "G1"),
    ],
)
def test_a_rule_is_not_moved_to_a_gate_that_does_not_ask_for_its_figures(market, code, gate):
    before = review.one("select count(*) from ruleset")
    with pytest.raises(BadInput) as refused:
        rulesets.draft(ANN, {"params": {code: {"gates": ["G1", "G3"]}}}, "look at both gates")
    assert refused.value.facts == {"parameter": f"{code}.gates"}
    with pytest.raises(BadInput):
        rulesets.draft(ANN, {"params": {code: {"gates": [gate]}}}, "look at the other gate")
    assert review.one("select count(*) from ruleset") == before


def test_a_rule_whose_figures_both_gates_have_stands_at_either(market):
    both = {code: {"gates": ["G1", "G3"]} for code in ("NAME_MISMATCH", "SHARED_PAYER", "PAYER_HIT")}
    assert rulesets.draft(ANN, {"params": both}, "payers are looked at before the match too").startswith("rul_")
