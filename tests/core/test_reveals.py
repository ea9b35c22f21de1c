"""Personal data: masked until somebody with the right asks by name and reason, and each look is in the trail."""

from __future__ import annotations

import pytest

from core import vault, verify
from core.actor import Actor, Right, Scope
from core.compliance import alerts, disputes, reveals
from core.errors import AlreadyDone, AmountDiffers, BadInput, Forbidden, NotFound, UnderReview, WrongState
from core.money import Money, fiat
from core.orders import deposit
from core.risk import lists
from tests import make
from tests.core import lives, review

WHY = "the acceptor's bank statement shows it"
ANN, BOB = review.officer("ann"), review.officer("bob")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of this module's keys."""
    with review.kept_home(tmp_path_factory):
        yield


@pytest.fixture(autouse=True)
def own_home(home):
    """In place of a folder for each test."""


@pytest.fixture(scope="module")
def market(home, module_database):
    """A market whose customers and payers are looked up."""
    return make.market(2, levels=1, reserve="100000", open_limit=1000)


@pytest.fixture(scope="module")
def ref(market):
    """An order of a customer that is known, paid from an account that is known."""
    number = lives.opened(market, customer="c-known")
    deposit.claim_paid(market.merchant, number, payer_name="Maria Silva", payer_account="BR77 1234-8812")
    return number


def refs(order):
    return review.rows(
        "select c.ref, y.ref, b.ref from orders o join customer c on c.id = o.customer_id"
        " join payer_account y on y.id = o.payer_account_id join pool_account p on p.id = o.pool_account_id"
        " join bank_account b on b.id = p.bank_account_id where o.ref = %s",
        order,
    )[0]


def looks(subject):
    return review.rows(
        "select a.actor, a.action, a.reason, a.details ->> 'subject', o.ref from audit a"
        " join orders o on o.id = a.order_id"
        " where a.subject = %s order by a.at",
        subject,
    )


def test_each_look_says_who_saw_whose_data_for_what_and_why(market, ref):
    customer, payer, bank = refs(ref)
    assert reveals.reveal(ANN, "customer", customer, "checking the ID", ref) == "Joao Silva"
    assert reveals.reveal(ANN, "payer_account", payer, "calling the bank", ref) == "BR7712348812"
    assert reveals.reveal(BOB, "payer", ref, "comparing names", ref) == "Maria Silva"
    assert reveals.reveal(BOB, "bank_account", bank, "asking the acceptor", ref).isalnum()
    assert looks(customer) == [("ann", "reveal.customer", "checking the ID", ref, ref)]
    assert looks(payer) == [("ann", "reveal.payer_account", "calling the bank", ref, ref)]
    assert looks(bank) == [("bob", "reveal.bank_account", "asking the acceptor", ref, ref)]


def test_a_look_may_be_for_an_alert(market):
    order = review.held(market, customer="c-held")
    customer = refs(order)[0]
    reveals.reveal(ANN, "customer", customer, "name differs", review.alert(order))
    assert looks(customer) == [("ann", "reveal.customer", "name differs", review.alert(order), order)]


@pytest.mark.parametrize(
    ("kind", "what", "reason", "subject", "code"),
    [
        ("customer", 0, "no", None, BadInput),
        ("customer", 0, "     ", None, BadInput),
        ("customer", 0, "x" * 501, None, BadInput),
        ("customer", 1, "looking", None, BadInput),
        ("secret", 0, "looking", None, BadInput),
        ("customer", 0, "looking", "", BadInput),
        ("customer", 0, "looking", "ord_0000000000000000", NotFound),
        ("customer", 0, "looking", "alr_0000000000000000", NotFound),
        ("customer", "cus_0000000000000000", "looking", None, NotFound),
    ],
)
def test_a_look_that_is_refused_shows_and_logs_nothing(market, ref, kind, what, reason, subject, code):
    before = review.everything()
    thing = refs(ref)[what] if isinstance(what, int) else what
    with pytest.raises(code):
        reveals.reveal(ANN, kind, thing, reason, ref if subject is None else subject)
    assert review.everything() == before


def test_only_who_may_reveal_does(market, ref):
    customer = refs(ref)[0]
    curious = Actor("x", "merchant", Scope.MERCHANT, market.merchant.party_id, rights=frozenset({Right.REVEAL}))
    for nosy in (market.merchant, make.person("auditor", Right.SEE_ALERTS), curious):
        with pytest.raises(Forbidden):
            reveals.reveal(nosy, "customer", customer, "curious", ref)


def test_no_revealed_value_is_in_the_trail(market, ref):
    customer, payer, _ = refs(ref)
    value = reveals.reveal(ANN, "payer_account", payer, "calling the bank", ref)
    assert not review.rows("select 1 from audit a where a::text like %s", f"%{value}%")
    assert not review.rows("select 1 from audit a where subject = %s and a::text like '%%Joao%%'", customer)


def test_a_listed_account_is_held_at_the_payout_and_flagged_at_the_opening(market):
    payer = lists.list_payer(ANN, "BR66 0000-1111", "police letter 42")
    order = lives.opened(market, customer="c-listed", account="BR6600001111")
    assert review.alerts(order)[0][1:4] == ("G1", "PAYER_HIT", "review")
    deposit.claim_paid(market.merchant, order, payer_name="Joao Silva", payer_account="BR66-0000-1111")
    review.confirm(market, order, "250.00")
    assert review.state(order)[1] == "held"
    listed = "select reason -> 'args' ->> 'listed' from alert where ref = %s"
    assert "police letter 42" in review.one(listed, review.alert(order))
    with pytest.raises(AlreadyDone):
        lists.list_payer(ANN, payer, "police letter 43")
    assert lists.unlist_payer(BOB, payer, "letter withdrawn") == payer
    with pytest.raises(WrongState):
        lists.unlist_payer(BOB, "BR6600001111", "letter withdrawn")
    clean = review.claimed(market, customer="c-later")
    assert review.confirm(market, clean, "250.00") == "completed"
    told = review.rows("select actor, action, reason from audit where subject = %s order by at", payer)
    assert told == [("ann", "payer.list", "police letter 42"), ("bob", "payer.unlist", "letter withdrawn")]


@pytest.mark.parametrize(
    ("account", "reason", "code"),
    [
        ("BR1", "police letter", BadInput),
        ("", "police letter", BadInput),
        ("Ж1234567", "police letter", BadInput),
        ("9" * 41, "police letter", BadInput),
        ("BR99123456", "why", BadInput),
        ("pay_0000000000000000", "police letter", NotFound),
        ("pay_nonsense", "police letter", BadInput),
    ],
)
def test_an_account_that_cannot_be_listed_is_refused(market, account, reason, code):
    before = review.everything()
    with pytest.raises(code):
        lists.list_payer(ANN, account, reason)
    assert review.everything() == before


def test_only_officers_list_accounts(market):
    for nosy in (market.merchant, make.person("auditor", Right.SEE_ALERTS)):
        with pytest.raises(Forbidden):
            lists.list_payer(nosy, "BR99123456", "police letter")
    with pytest.raises(NotFound):
        lists.unlist_payer(ANN, "BR99123456", "never listed")


def brl(amount):
    return Money.parse(amount, fiat("BRL"))


def test_a_dispute_is_released_by_two_officers_on_proof_of_the_whole_payment(market):
    order = review.disputed(market)
    assert review.state(order) == ("paid_claimed", "clear", "open", "compliance")
    for received, code in (
        (None, BadInput),
        (brl("249.99"), AmountDiffers),
        (Money.parse("250", fiat("EUR")), BadInput),
    ):
        before = review.everything()
        with pytest.raises(code):
            disputes.decide(ANN, order, "release", WHY, received=received, payer_name="Joao Silva")
        assert review.everything() == before
    for name in ("", " ", "x" * 141):
        with pytest.raises(BadInput) as unnamed:
            disputes.decide(ANN, order, "release", WHY, received=brl("250.00"), payer_name=name)
        assert unnamed.value.facts["field"] == "payer.name"
    assert review.everything() == before
    seen = {"received": brl("250.00"), "payer_name": "Joao Silva"}
    assert not disputes.decide(ANN, order, "release", WHY, **seen).decided
    with pytest.raises(AlreadyDone):
        disputes.decide(BOB, order, "refuse", WHY)
    with pytest.raises(Forbidden) as refused:
        disputes.second(ANN, order, True, "me again")
    assert refused.value.facts["rule"] == "four_eyes"
    assert disputes.second(BOB, order, True, "seen it too").order_state == "completed"
    assert review.state(order) == ("completed", "clear", "decided", "nobody")
    assert review.one("select received_units from orders where ref = %s", order) == 25000
    assert evaluated(order) == ["allow"]
    assert review.breaks() == []


def evaluated(order):
    """The verdicts of gate G3 about an order, in turn."""
    sql = (
        "select e.verdict from evaluation e join orders o on o.id = e.order_id where o.ref = %s and e.gate = 'G3'"
        " order by e.id"
    )
    return [verdict for (verdict,) in review.rows(sql, order)]


def test_a_dispute_s_release_that_the_gate_holds_is_an_alert_of_two_officers(market):
    before = review.pockets(market)
    order = review.disputed(market)
    said = disputes.decide(ANN, order, "release", WHY, received=brl("250.00"), payer_name="Xiulan Wang")
    assert (said.decided, said.request, said.alert) == (False, "", review.alert(order))
    assert review.state(order) == ("paid_claimed", "held", "open", "compliance")
    with pytest.raises(UnderReview):
        disputes.decide(BOB, order, "refuse", WHY)
    assert alerts.decide(ANN, said.alert, "release", "explained", WHY).state == "pending_second"
    with pytest.raises(Forbidden):
        alerts.second(ANN, said.alert, True, "me again")
    assert alerts.second(BOB, said.alert, True, "the spouse paid").order_state == "completed"
    assert review.state(order) == ("completed", "clear", "decided", "nobody")
    assert evaluated(order) == ["hold"]
    assert review.pockets(market)[1:] == before[1:]
    assert review.breaks() == []


def test_a_disputed_order_takes_two_officers_even_where_nothing_is_held(market):
    order = review.disputed(market)
    said = disputes.decide(ANN, order, "release", WHY, received=brl("250.00"), payer_name="Joao Silvano Pereira")
    assert review.state(order)[1] == "flagged"
    assert alerts.decide(BOB, said.alert, "refuse", "explained", WHY).state == "pending_second"
    assert alerts.second(ANN, said.alert, True, "nothing came").order_state == "refunded"
    assert review.state(order) == ("refunded", "refused", "decided", "nobody")
    assert review.breaks() == []


def test_what_is_known_only_after_the_first_officer_s_word_is_not_passed_over(market):
    order = review.disputed(market)
    account = review.one(
        "select y.sealed from orders o join payer_account y on y.id = o.payer_account_id where o.ref = %s", order
    )
    disputes.decide(ANN, order, "release", WHY, received=brl("250.00"), payer_name="Joao Silva")
    lists.list_payer(ANN, vault.open_(account), "police letter")
    before = review.everything()
    with pytest.raises(UnderReview):
        disputes.second(BOB, order, True, "agreed")
    assert review.everything() == before
    assert not disputes.second(BOB, order, False, "the account is listed by now").decided
    said = disputes.decide(ANN, order, "release", WHY, received=brl("250.00"), payer_name="Joao Silva")
    assert [row[2:] for row in review.alerts(order) if row[1] == "G3"] == [("PAYER_HIT", "hold", "open")]
    assert alerts.decide(ANN, said.alert, "refuse", "confirmed_reported", WHY).state == "pending_second"
    assert alerts.second(BOB, said.alert, True, "agreed").order_state == "refunded"
    assert review.breaks() == []


def test_a_dispute_is_refunded_by_two_officers(market):
    before = review.pockets(market)
    order = review.disputed(market)
    disputes.decide(ANN, order, "refuse", WHY)
    assert not disputes.second(BOB, order, False, "wait for the statement").decided
    assert review.state(order)[2] == "open"
    disputes.decide(BOB, order, "refuse", WHY)
    assert disputes.second(ANN, order, True, "it never came").order_state == "refunded"
    assert review.state(order)[2] == "decided"
    assert review.pockets(market) == before
    assert [each.breaks for each in verify.run() if each.invariant in {"I3", "I5", "I12", "I15"}] == [[]] * 4


def test_an_acceptor_cannot_confirm_what_is_in_dispute(market):
    order = review.disputed(market)
    with pytest.raises(UnderReview):
        review.confirm(market, order, "250.00", seconds=7200)


def test_an_order_without_a_dispute_has_none_to_decide(market, ref):
    for step in (
        lambda: disputes.decide(ANN, ref, "refuse", WHY),
        lambda: disputes.second(ANN, ref, True, "agreed"),
        lambda: disputes.decide(ANN, review.held(market, customer="c-h"), "refuse", WHY),
    ):
        with pytest.raises(WrongState):
            step()
    with pytest.raises(NotFound):
        disputes.decide(ANN, "ord_0000000000000000", "refuse", WHY)
    with pytest.raises(BadInput):
        disputes.decide(ANN, ref, "dismiss", WHY)
    with pytest.raises(Forbidden):
        disputes.decide(market.merchant, ref, "refuse", WHY)
