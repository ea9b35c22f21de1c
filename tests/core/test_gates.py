"""The live gates: each rule fires where it should, what they saw replays exactly, and a hold is a posting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.db import transaction
from core.errors import BadInput, Forbidden, NotFound, UnderReview, WrongState
from core.money import Money, fiat
from core.orders import deadlines, deposit, release
from core.risk import gates, lists, rulesets
from core.risk.rules import Features, evaluate
from core.risk.rulesets import ruleset
from tests import make
from tests.core import lives, review

ANN, BOB, EVE = (review.officer(name) for name in ("ann", "bob", "eve"))


@pytest.fixture(scope="module")
def market(module_database, one_key):
    """A market with room for everybody; each test has customers of its own."""
    return make.market(3, levels=1, reserve="1000000", open_limit=1000)


@pytest.fixture(autouse=True)
def replayed(market):
    """After each story: every evaluation, from its stored features and ruleset, gives its stored verdict again."""
    yield
    stored = review.rows("select gate, ruleset_id, verdict, score, features, reasons from evaluation")
    assert stored
    for gate, number, verdict, score, features, reasons in stored:
        again = evaluate(gate, Features.from_json(features), ruleset(number))
        assert (again.verdict, again.score) == (verdict, score)
        assert [reason.to_json() for reason in again.reasons] == reasons


def who():
    return {"customer": f"c-{next(make.numbers)}"}


def fired(ref, gate):
    """The rules that fired at a gate, with their thresholds' names, and the verdict."""
    rows = review.rows(
        "select e.verdict, e.reasons from evaluation e join orders o on o.id = e.order_id"
        " where o.ref = %s and e.gate = %s order by e.id",
        ref,
        gate,
    )
    verdict, reasons = rows[-1]
    return verdict, [reason["text_key"] for reason in reasons]


def features(ref, gate):
    return review.one(
        "select e.features from evaluation e join orders o on o.id = e.order_id where o.ref = %s and e.gate = %s"
        " order by e.id desc limit 1",
        ref,
        gate,
    )


def level(customer, number):
    """Give a customer the level its documents allow."""
    with transaction() as tx:
        tx.run("update customer set kyc_level = %s where external_id = %s", (number, customer))


def test_an_ordinary_order_passes_both_gates_and_leaves_what_they_saw(market):
    ref = review.claimed(market, **who())
    assert review.confirm(market, ref, "250.00") == "completed"
    assert fired(ref, "G1") == ("allow", [])
    assert fired(ref, "G3") == ("allow", [])
    assert review.alerts(ref) == []
    assert review.state(ref)[1] == "clear"


def test_the_sixth_order_in_ten_minutes_is_refused(market):
    customer = who()
    refs = [lives.opened(market, "50.00", **customer) for _ in range(6)]
    assert [review.state(ref)[0] for ref in refs] == ["awaiting_payment"] * 5 + ["refused"]
    assert fired(refs[4], "G1") == ("allow", [])
    assert fired(refs[5], "G1") == ("refuse", ["VEL_CNT"])
    assert review.alerts(refs[5])[0][2:] == ("VEL_CNT", "refuse", "open")
    booked = review.one(
        "select count(*) from journal_entry e join orders o on o.id = e.order_id where o.ref = %s", refs[5]
    )
    assert booked == 0


@pytest.mark.parametrize(("country", "key"), [("KP", "GEO.customer"), ("ir", "GEO.customer")])
def test_a_customer_of_a_barred_country_is_refused_at_opening(market, country, key):
    before = review.pockets(market)
    ref = lives.opened(market, "50.00", country=country, **who())
    assert review.state(ref) == ("refused", "refused", "none", "nobody")
    assert fired(ref, "G1") == ("refuse", [key])
    assert features(ref, "G1")["customer_country"] == country.upper()
    assert review.alerts(ref)[0][2:] == ("GEO", "refuse", "open")
    assert review.one("select reason from alert where ref = %s", review.alert(ref, "G1"))["args"] == {
        "country": country.upper(),
        "barred": "IR, KP",
    }
    assert review.pockets(market) == before


def test_a_known_customer_s_file_and_what_is_declared_now_are_both_looked_at(market):
    customer = who()
    lives.opened(market, "50.00", country="BR", **customer)
    ref = lives.opened(market, "50.00", country="KP", **customer)
    assert fired(ref, "G1") == ("refuse", ["GEO.declared"])
    with transaction() as tx:
        tx.run("update customer set country = 'IR' where external_id = %s", (customer["customer"],))
    ref = lives.opened(market, "50.00", country="", **customer)
    assert fired(ref, "G1") == ("refuse", ["GEO.customer"])
    with transaction() as tx:
        tx.run("update customer set country = '' where external_id = %s", (customer["customer"],))
    assert fired(lives.opened(market, "50.00", country="US", **customer), "G1") == ("allow", [])


def test_a_merchant_of_a_barred_country_opens_nothing(market):
    with transaction() as tx:
        tx.run("update party set country = 'KP' where id = %s", (market.merchant.party_id,))
    try:
        assert fired(lives.opened(market, "50.00", **who()), "G1") == ("refuse", ["GEO.merchant"])
    finally:
        with transaction() as tx:
            tx.run("update party set country = 'BR' where id = %s", (market.merchant.party_id,))


def test_another_list_of_barred_countries_is_another_version_that_two_officers_make(market):
    draft = rulesets.draft(ANN, {"params": {"GEO": {"barred_countries": ["CU"]}}}, "our own law")
    rulesets.activate(BOB, draft, "agreed")
    try:
        assert fired(lives.opened(market, "50.00", country="CU", **who()), "G1") == ("refuse", ["GEO.customer"])
        assert fired(lives.opened(market, "50.00", country="KP", **who()), "G1") == ("allow", [])
    finally:
        rulesets.activate(BOB, rulesets.draft(ANN, {}, "back to what it was"), "agreed")


def test_orders_leave_the_window_of_ten_minutes(market):
    customer = who()
    with clock.at(clock.now() - timedelta(minutes=20)):
        for _ in range(5):
            lives.opened(market, "50.00", **customer)
    ref = lives.opened(market, "50.00", **customer)
    assert fired(ref, "G1") == ("allow", [])
    assert features(ref, "G1")["orders_1h"] == 5
    assert "orders_10m" not in features(ref, "G1")


def test_more_than_the_day_s_cap_of_the_level_is_refused(market):
    customer = who()
    lives.opened(market, "10000.00", **customer)
    level(customer["customer"], 0)
    ref = lives.opened(market, "100.00", **customer)
    assert review.state(ref)[0] == "refused"
    assert fired(ref, "G1") == ("refuse", ["VEL_AMT.cap"])
    assert features(ref, "G1")["kyc_level"] == 0


def test_a_day_far_above_the_customer_s_own_past_is_looked_at(market):
    customer = who()
    for day in range(9, 1, -1):
        with clock.at(clock.now() - timedelta(days=day)):
            ref = lives.claimed(market, "100.00", **customer)
            review.confirm(market, ref, "100.00")
    ref = lives.opened(market, "1000.00", **customer)
    assert fired(ref, "G1") == ("review", ["VEL_AMT.profile"])
    assert review.state(ref)[:2] == ("awaiting_payment", "flagged")
    assert features(ref, "G1")["prior_completed"] == 8


def test_a_large_first_order_is_flagged_goes_on_and_is_not_paid_out(market):
    ref = lives.opened(market, "12000.00", **who())
    assert fired(ref, "G1") == ("review", ["NEW_LARGE.first"])
    assert review.state(ref)[:2] == ("awaiting_payment", "flagged")
    deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=f"BR11{next(make.numbers):08d}")
    assert review.confirm(market, ref, "12000.00") == "paid_claimed"
    assert review.state(ref)[1] == "flagged", "the flag of the opening stays until an officer has looked"


def test_a_large_order_of_a_young_customer_is_flagged(market):
    customer = who()
    lives.opened(market, "50.00", **customer)
    assert fired(lives.opened(market, "12000.00", **customer), "G1") == ("review", ["NEW_LARGE.young"])


def test_who_lets_four_orders_expire_in_a_day_is_refused(market):
    customer = who()
    for hours in (9, 7, 5, 3):
        with clock.at(clock.now() - timedelta(hours=hours)):
            ref = lives.opened(market, "50.00", **customer)
        with clock.at(clock.now() - timedelta(hours=hours - 1)):
            assert deadlines.expire(ref) == "expired"
    ref = lives.opened(market, "50.00", **customer)
    assert review.state(ref)[0] == "refused"
    assert fired(ref, "G1") == ("refuse", ["CANCEL_PROBE"])


@pytest.mark.parametrize(
    ("payer", "verdict", "key", "risk"),
    [
        ("Xiulan Wang", "hold", "NAME_MISMATCH.hard", "held"),
        ("Joao Silvano Pereira", "review", "NAME_MISMATCH.soft", "flagged"),
        ("SILVA, João", "allow", None, "clear"),
    ],
)
def test_a_payer_s_name_is_compared_with_the_customer_s(market, payer, verdict, key, risk):
    ref = review.claimed(market, **who())
    assert review.confirm(market, ref, "250.00", payer_name=payer) == (
        "completed" if risk == "clear" else "paid_claimed"
    )
    assert fired(ref, "G3") == (verdict, [key] if key else [])
    assert review.state(ref)[1] == risk


def test_a_claim_under_another_s_name_is_held_when_the_bank_line_bears_it_too(market):
    with clock.at(clock.now() - timedelta(minutes=2)):
        ref = lives.opened(market, **who())
        deposit.claim_paid(
            market.merchant, ref, payer_name="Xiulan Wang", payer_account=f"BR12{next(make.numbers):08d}"
        )
    review.confirm(market, ref, "250.00")
    assert fired(ref, "G3") == ("hold", ["NAME_MISMATCH.hard"])


def test_the_declared_name_never_stands_in_for_the_bank_s(market):
    ref = review.claimed(market, **who())
    acceptor, due = review.acceptor_of(market, ref).actor, Money.parse("250.00", fiat("BRL"))
    with pytest.raises(BadInput) as refused:
        release.confirm(acceptor, ref, received=due, payer_name="")
    assert refused.value.facts == {"field": "payer.name"}
    assert review.state(ref)[0] == "paid_claimed"
    assert not review.alerts(ref)


def test_an_account_that_pays_for_two_customers_while_new_is_held(market):
    account = f"BR13{next(make.numbers):08d}"
    refs = []
    with clock.at(clock.now() - timedelta(minutes=3)):
        for _ in range(2):
            ref = lives.opened(market, **who())
            deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=account)
            refs.append(ref)
    review.confirm(market, refs[1], "250.00")
    assert fired(refs[1], "G3") == ("hold", ["SHARED_PAYER"])
    assert features(refs[1], "G3")["payer_users_30d"] == 2


def test_an_old_account_may_serve_two_customers_but_not_three(market):
    account = f"BR14{next(make.numbers):08d}"
    with clock.at(clock.now() - timedelta(days=20)):
        first = lives.opened(market, account=account, **who())
        deposit.cancel(market.merchant, first, reason="changed their mind")
    held = []
    for _ in range(2):
        with clock.at(clock.now() - timedelta(minutes=2)):
            ref = lives.opened(market, **who())
            deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=account)
        review.confirm(market, ref, "250.00")
        held.append(fired(ref, "G3"))
    assert held == [("allow", []), ("hold", ["SHARED_PAYER"])]


def test_a_listed_account_is_held(market):
    ref = review.claimed(market, **who())
    payer = review.one(
        "select y.ref from payer_account y join orders o on o.payer_account_id = y.id where o.ref = %s", ref
    )
    lists.list_payer(ANN, payer, "bank freeze notice")
    review.confirm(market, ref, "250.00")
    assert fired(ref, "G3") == ("hold", ["PAYER_HIT"])


@pytest.mark.parametrize("seconds", [0, 3, 19])
def test_a_confirmation_within_seconds_pays_out_and_tells_an_officer(market, seconds):
    ref = review.claimed(market, **who())
    assert review.confirm(market, ref, "250.00", seconds=seconds) == "completed"
    assert fired(ref, "G3") == ("allow", ["M_CONFIRM.fast"])
    assert review.alerts(ref)[0][2:] == ("M_CONFIRM", "allow", "open")
    assert review.state(ref)[:2] == ("completed", "flagged")
    assert features(ref, "G3")["confirm_seconds"] == seconds


def test_the_twentieth_second_is_slow_enough(market):
    ref = review.claimed(market, **who())
    review.confirm(market, ref, "250.00", seconds=20)
    assert review.alerts(ref) == []


def test_a_hold_moves_the_escrow_to_held_and_the_books_stay_clean(market):
    reserve, escrow, held = review.pockets(market)
    ref = review.held(market, **who())
    units = review.one("select usdt_units from orders where ref = %s", ref)
    assert review.pockets(market) == (reserve - units, escrow, held + units)
    entries = review.rows(
        "select e.reason from journal_entry e join orders o on o.id = e.order_id where o.ref = %s order by e.id", ref
    )
    assert sorted(entries) == [("escrow_freeze",), ("hold_open",)]
    assert review.one("select count(*) from v_escrow_open where order_ref = %s", ref) == 0
    assert review.breaks() == []
    for again in range(2):
        with pytest.raises(UnderReview):
            review.confirm(market, ref, "250.00", seconds=70 + again)
    with pytest.raises(WrongState):
        deposit.cancel(market.merchant, ref, reason="changed their mind")


def test_the_order_that_is_judged_counts_in_no_figure_of_its_own_history(market):
    ref = lives.opened(market, **who())
    seen = features(ref, "G1")
    assert "prior_orders" not in seen
    assert seen["payer_users_30d"] == 1


def test_what_became_known_later_changes_no_replay(market):
    """The feature query asked again for that moment gives what it gave, whatever has happened since."""
    customer = who()
    with clock.at(clock.now() - timedelta(days=1)):
        ref = review.claimed(market, **customer)
    review.confirm(market, ref, "250.00")
    for _ in range(3):
        review.confirm(market, review.claimed(market, **customer), "250.00")
    at, customer_id, payer_id, acceptor_id, stored = review.rows(
        "select e.at, o.customer_id, o.payer_account_id, o.acceptor_id, e.features from evaluation e"
        " join orders o on o.id = e.order_id where o.ref = %s and e.gate = 'G3'",
        ref,
    )[0]
    vector = review.one("select risk_vector(%s, %s, %s, %s)", customer_id, payer_id, acceptor_id, at)
    again = dict(zip(gates.VECTOR, vector, strict=True))
    assert {name: value for name, value in again.items() if value} == {
        name: stored[name] for name in gates.VECTOR if name in stored
    }


def test_new_rules_are_put_in_force_by_a_second_person_and_named_by_what_they_judge(market):
    ref = lives.opened(market, **who())
    params = {"params": {"NEW_LARGE": {"large_units": 1_000_000}}}
    number = rulesets.draft(ANN, params, "small first orders too")
    assert fired(lives.opened(market, **who()), "G1") == ("allow", []), "a draft judges nothing"
    with pytest.raises(Forbidden) as refused:
        rulesets.activate(ANN, number, "I like it")
    assert refused.value.facts["rule"] == "four_eyes"
    last = review.one("select max(version) from ruleset where state <> 'draft'")
    assert rulesets.activate(BOB, number, "seen the figures") == last + 1
    later = lives.opened(market, **who())
    assert fired(ref, "G1") == ("allow", [])
    assert fired(later, "G1") == ("review", ["NEW_LARGE.first"])
    versions = review.rows(
        "select r.version from evaluation e join ruleset r on r.id = e.ruleset_id join orders o on o.id = e.order_id"
        " where o.ref = any (%s) order by r.version",
        [ref, later],
    )
    assert versions == [(last,), (last + 1,)]
    with pytest.raises(WrongState):
        rulesets.activate(EVE, number, "again")
    rulesets.activate(BOB, rulesets.draft(ANN, {}, "back to what it was"), "agreed")
    assert fired(lives.opened(market, **who()), "G1") == ("allow", [])


@pytest.mark.parametrize(
    ("given", "why", "code"),
    [
        ({"params": {"NO_RULE": {}}}, "because", BadInput),
        ({"params": {"NEW_LARGE": {"large_units": "many"}}}, "because", BadInput),
        ({"bands": {"G1": {"review": 5000, "refuse": 10}}}, "because", BadInput),
        ({}, " ", BadInput),
    ],
)
def test_a_draft_that_cannot_be_read_is_refused(market, given, why, code):
    before = review.one("select count(*) from ruleset"), review.one("select count(*) from audit")
    with pytest.raises(code):
        rulesets.draft(ANN, given, why)
    assert (review.one("select count(*) from ruleset"), review.one("select count(*) from audit")) == before
    with pytest.raises(Forbidden):
        rulesets.draft(market.merchant, {}, "because")
    with pytest.raises(NotFound):
        rulesets.activate(BOB, "rul_0000000000000000", "because")
