"""Orders on screen: whose they are, what each role is told, what may be done, and what is refused."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta

import pytest

from core import clock
from core.db import reading
from core.money import USDT, Money
from core.orders import deposit
from portal.format import money_text
from tests.portal import market
from tests.portal.market import claimed, held, opened, signed_in, unchanged

ROW = re.compile(r'<tr data-href="/orders/show/([^"]+)"')


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.open = opened(made.trade, number="SHOP-7", customer="c-7")
    made.claimed = claimed(made.trade, number="SHOP-8", customer="c-8")
    made.held, made.alert = held(made)
    return made


def refs(answer):
    return ROW.findall(answer.text)


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def state(ref):
    with reading() as tx:
        return tx.call("select state from orders where ref = %s", (ref,))


def test_each_party_sees_its_own_orders_and_an_agent_those_of_its_subtree(desk):
    every = {desk.open, desk.claimed, desk.held}
    for name in ("admin", "compliance", "finance", "auditor", "merchant1", "acceptor1", "agent1"):
        assert set(refs(signed_in(desk, name).get("/orders/list/"))) == every, name
    for name in ("merchant2", "acceptor2"):
        browser = signed_in(desk, name)
        assert refs(browser.get("/orders/list/")) == []
        assert browser.get(f"/orders/show/{desk.open}").status_code == 404
        assert desk.open not in browser.get("/orders/export.csv").text


def test_the_file_of_orders_has_fee_and_net_with_their_sums_and_a_merchants_screen_has_them_too(desk):
    with reading() as tx:
        orders = tx.rows("select ref, usdt_units, fee_units from orders")
    usdt, fees = sum(each[1] for each in orders), sum(each[2] for each in orders)
    assert fees > 0
    for name in ("merchant1", "finance", "acceptor1", "agent1"):
        browser = signed_in(desk, name)
        rows = list(csv.reader(io.StringIO(browser.get("/orders/export.csv").data.decode("utf-8-sig"))))
        head = rows[0]
        net_at, fee_at = head.index("Merchant receives"), head.index("Fee")
        told = {row[0]: (row[net_at], row[fee_at]) for row in rows if row[0].startswith("ord_")}
        assert {"Merchant", "Pool"} <= set(head)
        assert told == {
            ref: (Money(units - fee, USDT).text(), Money(fee, USDT).text()) for ref, units, fee in orders
        }, name
        foot = {row[0]: row[1:] for row in rows if row[0].startswith("# sum")}
        assert foot["# sum: Fee"] == [Money(fees, USDT).text(), "USDT"]
        assert foot["# sum: Merchant receives"] == [Money(usdt - fees, USDT).text(), "USDT"]
        shown = words(browser.get("/orders/list/"))
        assert f"Sum Fee {money_text(Money(fees, USDT))}" in shown
        assert f"Sum Merchant receives {money_text(Money(usdt - fees, USDT))}" in shown
        ref, units, fee = orders[0]
        row = re.search(rf'<tr data-href="/orders/show/{ref}".*?</tr>', browser.get("/orders/list/").text, re.DOTALL)[0]
        each = f"{money_text(Money(units - fee, USDT))} Fee {money_text(Money(fee, USDT))}"
        assert (each in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row))) is (name == "merchant1")


def test_who_may_not_see_alerts_is_told_under_review_and_nothing_more(desk):
    secret = ("Held", "NAME_MISMATCH", "gate G3", "alr_", "Maria Lucia", "verified name by")
    for name in ("merchant1", "acceptor1", "agent1", "finance"):
        browser = signed_in(desk, name)
        for path in ("/orders/list/", f"/orders/show/{desk.held}", "/orders/export.csv"):
            answer = browser.get(path)
            assert answer.status_code == 200
            told = words(answer)
            # What is booked is the acceptor's own: its ledger says which of its USDT is held, never why.
            assert not [each for each in secret if each in told and not (each == "Held" and "show" in path)], path
        assert "Under review" in words(browser.get("/orders/list/"))
        assert browser.get("/orders/list/?risk_state=held").status_code == 400
        assert browser.get("/orders/list/?dispute_state=open").status_code == 400
    officer = words(signed_in(desk, "compliance").get(f"/orders/show/{desk.held}"))
    assert "NAME_MISMATCH" in officer
    assert desk.alert in officer


def test_an_officer_finds_held_orders_by_the_filter(desk):
    browser = signed_in(desk, "compliance")
    assert refs(browser.get("/orders/list/?risk_state=held")) == [desk.held]
    assert refs(browser.get("/orders/list/?stage=review")) == [desk.held]


@pytest.mark.parametrize(
    ("query", "which"),
    [
        ("state=awaiting_payment", {"open"}),
        ("state=paid_claimed&state=awaiting_payment", {"open", "claimed", "held"}),
        ("state=completed", set()),
        ("stage=open", {"open", "claimed", "held"}),
        ("stage=near", set()),
        ("merchant=nobody", set()),
        ("customer=c-7", {"open"}),
        ("currency=BRL&fiat_units_min=542", {"open", "claimed", "held"}),
        ("currency=VND", set()),
        ("usdt_units_max=1", set()),
        ("kind=withdrawal", set()),
        ("from=2020-01-01&to=2020-01-02", set()),
        ("from=2020-01-01T00:00:00Z", {"open", "claimed", "held"}),
        ("ended_from=2020-01-01T00:00:00Z&ended_to=2099-01-01T00:00:00Z", set()),
        ("q=SHOP-", {"open", "claimed"}),
        ("q=c-8&currency=BRL", {"claimed"}),
        ("stage=open&sort=-usdt_units", {"open", "claimed", "held"}),
    ],
)
def test_the_list_is_filtered_as_its_address_says(desk, query, which):
    answer = signed_in(desk, "auditor").get(f"/orders/list/?{query}")
    assert answer.status_code == 200
    assert set(refs(answer)) == {getattr(desk, name) for name in which}


@pytest.mark.parametrize(
    "query", ["stage=lost", "currency=XXX", "sort=usdt_units", "from=soon", "state=done", "payer_name=x", "fee=1"]
)
def test_an_address_that_asks_for_nonsense_is_refused(desk, query):
    assert signed_in(desk, "auditor").get(f"/orders/list/?{query}").status_code == 400


def test_a_search_for_one_whole_number_opens_the_order(desk):
    browser = signed_in(desk, "merchant1")
    with reading() as tx:
        code = tx.call("select pay_code from orders where ref = %s", (desk.open,))
    for asked in (desk.open, "SHOP-7", code, desk.open.lower().replace("ord_", "ORD_")):
        answer = browser.get("/orders/list/", query_string={"q": asked})
        assert answer.headers.get("Location") == f"/orders/show/{desk.open}", asked
    assert signed_in(desk, "merchant2").get("/orders/list/?q=SHOP-7").status_code == 200


def test_a_payers_account_finds_its_orders_for_officers_only(database):
    fresh = market.built()
    ref = claimed(fresh.trade, account="BR7700011122233")
    asked = "/orders/list/?stage=open&q=BR77 0001 1122 233"
    assert refs(signed_in(fresh, "compliance").get(asked)) == [ref]
    assert refs(signed_in(fresh, "merchant1").get(asked)) == []


def test_the_merchant_is_told_where_its_customer_pays_and_others_are_not(database):
    fresh = market.built()
    ref = opened(fresh.trade)
    assert "Banco Um" in words(signed_in(fresh, "merchant1").get(f"/orders/show/{ref}"))
    for name in ("agent1", "admin", "compliance", "auditor"):
        assert "Banco Um" not in words(signed_in(fresh, name).get(f"/orders/show/{ref}")), name


def test_the_page_tells_money_ledger_timeline_and_choice(desk):
    told = words(signed_in(desk, "admin").get(f"/orders/show/{desk.claimed}"))
    for part in ("542.00 BRL", "Merchant receives", "schedule standard v1", "Escrow frozen", "balanced", "Chosen"):
        assert part in told, part
    assert "not sealed yet" in told
    assert "Joao S•••••" in told
    assert "Joao Santos" not in told


def test_a_party_sees_its_own_legs_and_only_its_own_share(desk):
    done = claimed(desk.trade, customer="c-9", amount="1084.00")
    acceptor = signed_in(desk, "acceptor1")
    acceptor.get(f"/orders/show/{done}")
    form = {"received": "1084.00", "payer_name": "Joao Santos"}
    assert acceptor.post(f"/orders/action/confirm/{done}", form).status_code == 302
    assert state(done) == "completed"
    seen = words(acceptor.get(f"/orders/show/{done}"))
    assert "house" not in seen
    assert "merchant, agents and platform" in seen
    agent = words(signed_in(desk, "agent1").get(f"/orders/show/{done}"))
    assert "of which you" in agent
    with reading() as tx:
        split = tx.call("select split from orders where ref = %s", (done,))
        me = tx.call("select code from party where ref = %s", (desk.trade.agents[0],))
    others = [share["agent_ref"] for share in split if share["agent_ref"] != me]
    assert others
    assert not [code for code in others if re.search(rf"\b{re.escape(code)}\b", agent)]


def test_a_merchant_reads_what_is_set_aside_for_its_order_and_not_that_nothing_is(desk):
    page = words(signed_in(desk, "merchant1").get(f"/orders/show/{desk.claimed}"))
    assert "Nothing is booked on your account yet. 100" in page
    assert "of the acceptor's reserve is set aside for this order" in page


def test_a_merchant_cancels_before_the_payment_and_says_why(desk):
    ref = opened(desk.trade, customer="c-10")
    browser = signed_in(desk, "merchant1")
    browser.get(f"/orders/show/{ref}")
    with unchanged(ref):
        refused = browser.post(f"/orders/action/cancel/{ref}", {"reason": ""})
    assert refused.status_code == 422
    assert "bad_input" in refused.text
    assert browser.post(f"/orders/action/cancel/{ref}", {"reason": "customer left"}).status_code == 302
    assert state(ref) == "cancelled"


def test_what_is_not_possible_now_is_grey_with_its_reason(desk):
    told = signed_in(desk, "merchant1").get(f"/orders/show/{desk.claimed}").text
    assert re.search(r"<button[^>]*disabled[^>]*title=\"The customer has said that it paid", told)


def test_deeds_need_their_right_their_row_and_their_token(desk):
    with unchanged(desk.open, desk.claimed):
        stranger = signed_in(desk, "merchant2")
        stranger.get("/orders/list/")
        assert stranger.post(f"/orders/action/cancel/{desk.open}", {"reason": "mine"}).status_code == 404
        other = signed_in(desk, "acceptor2")
        other.get("/orders/list/")
        form = {"received": "542.00", "payer_name": "Joao Santos"}
        assert other.post(f"/orders/action/confirm/{desk.claimed}", form).status_code == 404
        auditor = signed_in(desk, "auditor")
        auditor.get("/orders/list/")
        for name in ("cancel", "confirm", "contest", "reveal", "dispute", "dispute_second"):
            assert auditor.post(f"/orders/action/{name}/{desk.claimed}").status_code == 403
        acceptor = signed_in(desk, "acceptor1")
        acceptor.token = "forged"
        assert acceptor.post(f"/orders/action/confirm/{desk.claimed}", form).status_code == 400
        assert acceptor.get(f"/orders/action/confirm/{desk.claimed}").status_code == 405


def test_when_it_was_paid_by_the_claim_s_words_is_shown_to_who_compares_it_with_the_bank_line(desk):
    ref = opened(desk.trade, number="SHOP-paid-at", customer="c-paid-at")
    paid = clock.now().replace(microsecond=0) - timedelta(minutes=2)
    account = {"payer_name": "Joao Santos", "payer_account": "BR5500000077"}
    deposit.claim_paid(desk.trade.merchant, ref, **account, paid_at=paid)
    for name in ("compliance", "merchant1", "acceptor1", "auditor"):
        told = words(signed_in(desk, name).get(f"/orders/show/{ref}"))
        assert f"Paid, as claimed {paid:%Y-%m-%d %H:%M:%S}" in told, name
    assert "Paid, as claimed" not in words(signed_in(desk, "compliance").get(f"/orders/show/{desk.open}"))


def test_a_reveal_is_shown_once_and_stands_in_the_trail(desk):
    browser = signed_in(desk, "compliance")
    browser.get(f"/orders/show/{desk.claimed}")
    assert browser.post(f"/orders/action/reveal/{desk.claimed}", {"kind": "payer", "reason": ""}).status_code == 422
    shown = browser.post(f"/orders/action/reveal/{desk.claimed}", {"kind": "payer", "reason": "bank asked"})
    assert "Joao Santos" in words(shown)
    assert "Joao Santos" not in words(browser.get(f"/orders/show/{desk.claimed}"))
    with reading() as tx:
        rows = tx.rows("select actor, reason from audit where action = 'reveal.payer'")
    assert rows == [("compliance", "bank asked")]


def test_where_the_claim_names_another_payer_both_are_shown_and_both_can_be_revealed(desk):
    assert "as declared" not in words(signed_in(desk, "compliance").get(f"/orders/show/{desk.claimed}"))
    for name in ("compliance", "merchant1", "acceptor1", "auditor"):
        told = words(signed_in(desk, name).get(f"/orders/show/{desk.held}"))
        assert "Payer, as claimed Maria R•••••" in told, name
        assert "Payer, as declared Joao S•••••" in told, name
    officer = signed_in(desk, "compliance")
    assert "Payer, as declared Joao S•••••" in words(officer.get(f"/alerts/show/{desk.alert}"))
    asked = {"kind": "declared", "reason": "comparing both names"}
    assert "Joao Santos" in words(officer.post(f"/orders/action/reveal/{desk.held}", asked))
    assert "Joao Santos" in words(officer.post(f"/alerts/action/reveal/{desk.alert}", asked))
    assert officer.post(f"/orders/action/reveal/{desk.claimed}", asked).status_code == 422


def test_of_an_order_that_was_called_off_nobody_receives_anything(desk):
    browser = signed_in(desk, "merchant1")
    before = browser.get("/orders/export.csv").text
    ref = opened(desk.trade, number="SHOP-off", customer="c-off")
    deposit.cancel(desk.trade.merchant, ref, reason="the customer changed their mind")
    rows = list(csv.reader(io.StringIO(browser.get("/orders/export.csv").data.decode("utf-8-sig"))))
    (row,) = [each for each in rows if each[0] == ref]
    assert [row[rows[0].index(name)] for name in ("Merchant receives", "Fee")] == ["", ""]
    for foot in [each for each in rows if each[0] in {"# sum: Fee", "# sum: Merchant receives"}]:
        assert ",".join(foot) in before, "the sums are as they were"


def test_a_payers_account_is_asked_for_by_its_reference_and_a_number_is_told_so(desk):
    browser = signed_in(desk, "compliance")
    for typed in ("US443322", "•• 3322", "3322"):
        answer = browser.get("/orders/list/", query_string={"payer": typed})
        assert answer.status_code == 400
        assert "is not a reference of the form pay_" in words(answer)
