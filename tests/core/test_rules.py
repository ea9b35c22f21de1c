"""The rules of the gates: each threshold from both sides, sums that add up, the same verdict every time."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.risk.names import similarity
from core.risk.rules import DEFAULT_RULESET, DEFAULTS, RULES, Features, Ruleset, evaluate
from core.risk.verdicts import UNJUDGED
from core.risk.wording import WORDINGS

USDT = 1_000_000
DAY = 86_400
# A customer with a history, paying from its own account, confirmed after a minute: nothing to see.
PLAIN = Features(
    usdt_units=100 * USDT,
    prior_orders=20,
    prior_completed=18,
    p95_90d_units=300 * USDT,
    account_age_seconds=90 * DAY,
    payer_users_30d=1,
    payer_age_seconds=60 * DAY,
    payer_name="Ivan Tanaka",
    verified_name="Ivan Tanaka",
    confirm_seconds=60,
)


def judged(gate: str, ruleset: Ruleset = DEFAULT_RULESET, **facts):
    verdict = evaluate(gate, PLAIN._replace(**facts), ruleset)
    return verdict.verdict, [reason.code for reason in verdict.reasons]


def changed(code: str, **params) -> Ruleset:
    return Ruleset.read({"version": 2, "params": {code: params}})


def test_an_ordinary_order_passes_both_gates_with_no_reason():
    for gate in ("G1", "G3"):
        verdict = evaluate(gate, PLAIN, DEFAULT_RULESET)
        assert (verdict.verdict, verdict.reasons, verdict.alerts, verdict.passes) == ("allow", (), (), True)
        assert verdict.score == DEFAULT_RULESET.prior_milli


@pytest.mark.parametrize(
    ("gate", "below", "above", "code", "answer"),
    [
        ("G1", {"orders_10m": 4}, {"orders_10m": 5}, "VEL_CNT", "refuse"),
        ("G1", {"orders_1h": 11}, {"orders_1h": 12}, "VEL_CNT", "refuse"),
        ("G1", {"orders_1d": 29}, {"orders_1d": 30}, "VEL_CNT", "refuse"),
        (
            "G1",
            {"usdt_24h_units": 19_900 * USDT, "p95_90d_units": 0},
            {"usdt_24h_units": 19_900 * USDT + 1, "p95_90d_units": 0},
            "VEL_AMT",
            "refuse",
        ),
        ("G1", {"usdt_30d_units": 99_900 * USDT}, {"usdt_30d_units": 99_900 * USDT + 1}, "VEL_AMT", "refuse"),
        ("G1", {"usdt_24h_units": 1_100 * USDT}, {"usdt_24h_units": 1_100 * USDT + 1}, "VEL_AMT", "review"),
        (
            "G1",
            {"prior_orders": 0, "usdt_units": 2_000 * USDT, "p95_90d_units": 0},
            {"prior_orders": 0, "usdt_units": 2_000 * USDT + 1, "p95_90d_units": 0},
            "NEW_LARGE",
            "review",
        ),
        (
            "G1",
            {"account_age_seconds": 7 * DAY, "usdt_units": 2_001 * USDT, "p95_90d_units": 0},
            {"account_age_seconds": 7 * DAY - 1, "usdt_units": 2_001 * USDT, "p95_90d_units": 0},
            "NEW_LARGE",
            "review",
        ),
        (
            "G1",
            {"prior_orders": 0, "cohort_median_units": 20 * USDT},
            {"prior_orders": 0, "cohort_median_units": 20 * USDT - 1},
            "NEW_LARGE",
            "review",
        ),
        ("G1", {"customer_country": "RU"}, {"customer_country": "IR"}, "GEO", "refuse"),
        ("G1", {"declared_country": "IE"}, {"declared_country": "KP"}, "GEO", "refuse"),
        ("G1", {"merchant_country": "KR"}, {"merchant_country": "KP"}, "GEO", "refuse"),
        ("G1", {"expired_unpaid_24h": 3}, {"expired_unpaid_24h": 4}, "CANCEL_PROBE", "refuse"),
        ("G1", {}, {"payer_listed": "police letter"}, "PAYER_HIT", "review"),
        ("G3", {}, {"payer_listed": "police letter"}, "PAYER_HIT", "hold"),
        ("G3", {"payer_name": "TANAKA, IVAN"}, {"payer_name": "Ivan Haddad"}, "NAME_MISMATCH", "hold"),
        ("G3", {"payer_name": "Ivan Tanaka"}, {"payer_name": "Ivan Tanaha"}, "NAME_MISMATCH", "review"),
        ("G3", {"payer_users_30d": 2}, {"payer_users_30d": 3}, "SHARED_PAYER", "hold"),
        (
            "G3",
            {"payer_users_30d": 2, "payer_age_seconds": 7 * DAY},
            {"payer_users_30d": 2, "payer_age_seconds": 7 * DAY - 1},
            "SHARED_PAYER",
            "hold",
        ),
        ("G3", {"declared_users_30d": 1}, {"declared_users_30d": 2}, "SHARED_PAYER", "hold"),
        ("G3", {}, {"declared_listed": "police letter"}, "PAYER_HIT", "hold"),
        ("G3", {"confirm_seconds": 20}, {"confirm_seconds": 19}, "M_CONFIRM", "allow"),
        (
            "G3",
            {"confirm_seconds": 5, "bank_line_seen": True},
            {"confirm_seconds": 5, "bank_line_seen": False},
            "M_CONFIRM",
            "allow",
        ),
    ],
)
def test_a_rule_fires_just_past_its_threshold_and_not_before(gate, below, above, code, answer):
    assert judged(gate, **below) == ("allow", [])
    assert judged(gate, **above) == (answer, [code])


def test_every_rule_of_the_catalogue_is_here_by_its_number():
    assert {code: rule.number for code, rule in RULES.items()} == {
        "GEO": 19,
        "VEL_CNT": 2,
        "VEL_AMT": 3,
        "NEW_LARGE": 5,
        "NAME_MISMATCH": 9,
        "SHARED_PAYER": 10,
        "PAYER_HIT": 12,
        "M_CONFIRM": 25,
        "CANCEL_PROBE": 30,
    }
    assert set(DEFAULT_RULESET.params) == set(RULES)


def test_a_review_goes_on_before_the_match_and_waits_before_the_release():
    assert evaluate("G1", PLAIN._replace(payer_listed="x"), DEFAULT_RULESET).passes
    assert not evaluate("G3", PLAIN._replace(payer_name="Ivan Tanaha"), DEFAULT_RULESET).passes
    assert not evaluate("G1", PLAIN._replace(orders_10m=5), DEFAULT_RULESET).passes


def test_a_quick_confirmation_is_released_and_tells_an_officer():
    verdict = evaluate("G3", PLAIN._replace(confirm_seconds=3), DEFAULT_RULESET)
    assert verdict.passes
    assert [reason.code for reason in verdict.alerts] == ["M_CONFIRM"]


def test_where_the_policy_asks_for_a_bank_line_none_means_hold():
    strict = changed("M_CONFIRM", hold_without_bank_line=True)
    assert judged("G3", strict, bank_line_seen=False) == ("hold", ["M_CONFIRM"])
    assert judged("G3", strict, bank_line_seen=True) == ("allow", [])
    # A bank that sends no lines cannot be asked for one.
    assert judged("G3", strict, bank_line_seen=None) == ("allow", [])


def test_an_acceptors_record_of_disputes_adds_to_the_score_only():
    verdict = evaluate("G3", PLAIN._replace(acceptor_disputed_30d=5, acceptor_confirmed_30d=95), DEFAULT_RULESET)
    assert (verdict.verdict, len(verdict.reasons), verdict.alerts) == ("allow", 1, ())
    assert verdict.score > DEFAULT_RULESET.prior_milli
    assert judged("G3", acceptor_disputed_30d=3, acceptor_confirmed_30d=97) == ("allow", [])
    assert judged("G3", acceptor_disputed_30d=5, acceptor_confirmed_30d=5) == ("allow", [])


def test_an_acceptors_record_counts_from_the_least_number_of_orders_on():
    assert judged("G3", acceptor_disputed_30d=10, acceptor_confirmed_30d=9) == ("allow", [])
    assert judged("G3", acceptor_disputed_30d=10, acceptor_confirmed_30d=10) == ("allow", ["M_CONFIRM"])


def test_a_customers_own_usual_counts_from_the_least_number_of_orders_on():
    facts = {"usdt_24h_units": 5_000 * USDT}
    assert judged("G1", prior_completed=7, **facts) == ("allow", [])
    assert judged("G1", prior_completed=8, **facts) == ("review", ["VEL_AMT"])


def test_names_exactly_as_like_as_asked_for_are_like_enough():
    likeness = similarity("Ivan Tanaha", PLAIN.verified_name).score_milli
    for hold, review, answer in (
        (0, likeness, ("allow", [])),
        (likeness, likeness + 1, ("review", ["NAME_MISMATCH"])),
        (likeness + 1, likeness + 1, ("hold", ["NAME_MISMATCH"])),
    ):
        bounds = changed("NAME_MISMATCH", hold_below_milli=hold, review_below_milli=review)
        assert judged("G3", bounds, payer_name="Ivan Tanaha") == answer


def test_a_score_counts_from_the_beginning_of_its_band():
    for start, answer in ((-4000, "review"), (-3999, "allow")):
        banded = Ruleset.read({"version": 2, "bands": {"G1": {"review": start}, "G3": {"review": start}}})
        assert judged("G1", banded) == judged("G3", banded) == (answer, [])


def test_who_has_paid_is_not_refused_but_held():
    refusing = changed("PAYER_HIT", outcome="refuse")
    assert judged("G1", refusing, payer_listed="police letter") == ("refuse", ["PAYER_HIT"])
    assert judged("G3", refusing, payer_listed="police letter") == ("hold", ["PAYER_HIT"])


def test_a_payer_without_a_name_is_told_to_an_officer():
    assert judged("G3", payer_name="") == ("allow", ["NAME_MISMATCH"])
    assert judged("G3", payer_name="", verified_name="") == ("allow", [])


def test_limits_rise_with_the_level_and_an_unknown_level_counts_as_the_next_lower():
    facts = {"usdt_24h_units": 30_000 * USDT, "p95_90d_units": 0}
    assert judged("G1", kyc_level=1, **facts) == ("refuse", ["VEL_AMT"])
    assert judged("G1", kyc_level=2, **facts) == ("allow", [])
    assert judged("G1", kyc_level=9, **facts) == ("allow", [])
    assert judged("G1", kyc_level=0, usdt_24h_units=901 * USDT) == ("refuse", ["VEL_AMT"])


def test_velocity_counts_once_however_many_of_its_rules_fire():
    facts = {"orders_10m": 50, "usdt_24h_units": 10**12, "expired_unpaid_24h": 40}
    verdict = evaluate("G1", PLAIN._replace(**facts), DEFAULT_RULESET)
    velocity = [reason.contribution for reason in verdict.reasons if reason.family == "velocity"]
    assert len(velocity) == 3
    assert sum(velocity) == DEFAULT_RULESET.family_caps_milli["velocity"]


def test_enough_suspicion_stops_even_where_no_single_rule_does():
    mild = {code: {"outcome": "score"} for code in ("NAME_MISMATCH", "SHARED_PAYER")}
    ruleset = Ruleset.read({"version": 3, "params": mild})
    facts = {"payer_name": "Peter Novak", "payer_users_30d": 4}
    assert judged("G3", ruleset, payer_name="Peter Novak") == ("review", ["NAME_MISMATCH"])
    assert judged("G3", ruleset, **facts) == ("hold", ["NAME_MISMATCH", "SHARED_PAYER"])


anything = st.builds(
    Features,
    usdt_units=st.integers(1, 10**14),
    kyc_level=st.integers(0, 9),
    orders_10m=st.integers(0, 100),
    orders_1d=st.integers(0, 100),
    usdt_24h_units=st.integers(0, 10**14),
    p95_90d_units=st.integers(0, 10**10),
    prior_orders=st.integers(0, 3),
    prior_completed=st.integers(0, 20),
    expired_unpaid_24h=st.integers(0, 10),
    account_age_seconds=st.integers(0, 20 * DAY),
    payer_users_30d=st.integers(0, 5),
    payer_age_seconds=st.integers(0, 20 * DAY),
    payer_listed=st.sampled_from(["", "bank freeze notice 100% sure"]),
    payer_name=st.sampled_from(["", "Ivan Tanaka", "Ivan Tanaha", "Ivan Haddad"]),
    verified_name=st.sampled_from(["", "Ivan Tanaka"]),
    confirm_seconds=st.none() | st.integers(0, 60),
    bank_line_seen=st.sampled_from([None, True, False]),
    acceptor_disputed_30d=st.integers(0, 40),
    acceptor_confirmed_30d=st.integers(0, 200),
)


@given(st.sampled_from(["G1", "G3"]), anything)
def test_a_stored_evaluation_replays_to_the_same_verdict(gate, features):
    verdict = evaluate(gate, features, DEFAULT_RULESET)
    stored_features = json.loads(json.dumps(features.to_json()))
    stored_ruleset = json.loads(json.dumps(DEFAULT_RULESET.to_json()))
    again = evaluate(gate, Features.from_json(stored_features), Ruleset.read(stored_ruleset))
    assert again == verdict
    assert json.dumps(again.to_json()) == json.dumps(verdict.to_json())


@given(st.sampled_from(["G1", "G3"]), anything)
def test_the_score_is_the_prior_and_what_each_reason_adds(gate, features):
    verdict = evaluate(gate, features, DEFAULT_RULESET)
    assert verdict.score == DEFAULT_RULESET.prior_milli + sum(reason.contribution for reason in verdict.reasons)
    assert verdict.verdict in ({"allow", "review", "refuse"} if gate == "G1" else {"allow", "review", "hold"})
    for reason in verdict.reasons:
        assert reason.contribution >= 0
        assert reason.text
        assert reason.counterfactual
        assert reason.version == DEFAULT_RULESET.version
        assert reason.evidence == {name: getattr(features, name) for name in reason.evidence}


def test_a_reason_says_what_happened_and_what_would_have_kept_it_silent():
    reason = evaluate("G1", PLAIN._replace(prior_orders=0, usdt_units=2_500_500_000), DEFAULT_RULESET).reasons[-1]
    assert (reason.value, reason.threshold) == ("2500.5", "2000")
    assert reason.text == "2500.5 USDT as the first order within 90 days, above 2000 USDT"
    assert reason.counterfactual == "up to 2000 USDT, or after a first order, it would not have fired"
    assert not {"text", "counterfactual"} & reason.to_json().keys()


def test_words_exist_for_every_rule():
    assert {key.split(".")[0] for key in WORDINGS} == {*RULES, UNJUDGED}


def test_a_rule_can_be_switched_off_or_moved_to_no_gate():
    off = Ruleset.read({"version": 2, "params": {"VEL_CNT": None}})
    assert judged("G1", off, orders_10m=50) == ("allow", [])
    assert Ruleset.read(json.loads(json.dumps(off.to_json()))) == off
    assert judged("G1", changed("VEL_CNT", gates=[]), orders_10m=50) == ("allow", [])


def test_a_barred_country_is_a_hard_fact_that_no_score_outweighs():
    light = Ruleset.read({"version": 2, "params": {"GEO": {"weight_milli": 0, "barred_countries": ["CU", "BR"]}}})
    verdict = evaluate("G1", PLAIN._replace(customer_country="CU"), light)
    assert (verdict.verdict, verdict.score) == ("refuse", light.prior_milli)
    assert verdict.reasons[0].evidence == {"customer_country": "CU"}
    assert judged("G1", light, customer_country="IR") == ("allow", [])
    assert light.params["GEO"]["barred_countries"] == ["BR", "CU"]
    assert judged("G1", changed("GEO", barred_countries=[]), customer_country="IR") == ("allow", [])


def test_a_version_stored_before_a_rule_was_written_does_not_know_it():
    older = json.loads(json.dumps(DEFAULTS))
    del older["params"]["GEO"]
    assert "GEO" not in Ruleset.stored(older).params
    assert Ruleset.stored(json.loads(json.dumps(DEFAULTS))) == DEFAULT_RULESET


def test_the_defaults_are_ready_for_storage():
    assert Ruleset.read(json.loads(json.dumps(DEFAULTS))) == DEFAULT_RULESET


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"version": 0}, "version"),
        ({"version": None}, "version"),
        ({"params": []}, "params"),
        ({"params": {"VEL_CTN": {}}}, "VEL_CTN"),
        ({"params": {"VEL_CNT": {"most_10m": 0}}}, "VEL_CNT.most_10m"),
        ({"params": {"VEL_CNT": {"most_10m": 5.0}}}, "VEL_CNT.most_10m"),
        ({"params": {"VEL_CNT": {"most_10m": True}}}, "VEL_CNT.most_10m"),
        ({"params": {"VEL_CNT": {"most": 5}}}, "most"),
        ({"params": {"VEL_CNT": {"outcome": "shout"}}}, "VEL_CNT.outcome"),
        ({"params": {"VEL_CNT": {"outcome": ["hold"]}}}, "VEL_CNT.outcome"),
        ({"params": {"VEL_CNT": {"gates": ["G9"]}}}, "VEL_CNT.gates"),
        ({"params": {"VEL_CNT": {"gates": "G1"}}}, "VEL_CNT.gates"),
        ({"params": {"VEL_AMT": {"cap_24h_units": {"1": 5}}}}, "VEL_AMT.cap_24h_units"),
        ({"params": {"VEL_AMT": {"cap_24h_units": {"0": 5, "x": 5}}}}, "VEL_AMT.cap_24h_units"),
        ({"params": {"VEL_AMT": {"cap_24h_units": {"0": -5}}}}, "VEL_AMT.cap_24h_units.0"),
        ({"params": {"NAME_MISMATCH": {"hold_below_milli": 1001}}}, "NAME_MISMATCH.hold_below_milli"),
        ({"params": {"NAME_MISMATCH": {"hold_below_milli": 900}}}, "NAME_MISMATCH"),
        ({"params": {"M_CONFIRM": {"hold_without_bank_line": 1}}}, "M_CONFIRM.hold_without_bank_line"),
        ({"params": {"GEO": {"barred_countries": "IR"}}}, "GEO.barred_countries"),
        ({"params": {"GEO": {"barred_countries": ["UK"]}}}, "GEO.barred_countries"),
        ({"params": {"GEO": {"barred_countries": ["ir"]}}}, "GEO.barred_countries"),
        ({"params": {"GEO": {"barred_countries": [7]}}}, "GEO.barred_countries"),
        ({"bands": {"G2": {}}}, "G2"),
        ({"bands": {"G1": {"review": 5000}}}, "bands.G1"),
        ({"bands": {"G1": {"hold": 5000}}}, "hold"),
        ({"family_caps_milli": {"velocity": -1}}, "family_caps_milli.velocity"),
        ({"family_caps_milli": {"gravity": 1}}, "gravity"),
        ({"prior_milli": "low"}, "prior_milli"),
        ({"rules": {}}, "rules"),
    ],
)
def test_a_broken_ruleset_is_refused_by_the_name_of_its_parameter(change, parameter):
    with pytest.raises(BadInput) as refused:
        Ruleset.read({"version": 1, **change})
    assert refused.value.facts["parameter"] == parameter


def test_an_unknown_gate_or_feature_is_refused():
    with pytest.raises(BadInput):
        evaluate("G7", PLAIN, DEFAULT_RULESET)
    with pytest.raises(BadInput):
        Features.from_json({"usdt_units": 1, "mood": "good"})
    with pytest.raises(BadInput):
        Features.from_json({})
