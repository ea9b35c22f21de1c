"""What is open when an account is frozen or a merchant barred: who is told where to pay, and who says it was paid."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from core.actor import system
from core.db import reading
from core.money import Money, fiat
from core.orders import queries, release
from core.parties import bank_accounts, keys, standing
from tests import make
from tests.portal import market
from tests.portal.api_client import Program
from tests.portal.market import opened, signed_in

WHY = "letter of the bank, 22 November"
CLAIM = {"payer_name": "Joao Santos", "payer_account": "BR7712348812", "reason": "the slip of the customer's bank"}


@pytest.fixture
def desk(database):
    made = market.built()
    made.order = opened(made.trade)
    made.shop = Program(made.app, keys.create(system(), made.trade.merchant_ref, "test")[1])
    return made


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def claim(browser, ref, **changes):
    browser.get(f"/orders/show/{ref}")
    form = CLAIM | {"paid_at": f"{datetime.now(UTC) - timedelta(minutes=2):%Y-%m-%dT%H:%M}"} | changes
    return browser.post(f"/orders/action/claim/{ref}", form)


def order(ref):
    with reading() as tx:
        return tx.rows("select state, payer_name, paid_at, version from orders where ref = %s", (ref,))[0]


def test_where_to_pay_is_withheld_while_the_account_is_frozen(desk):
    before = desk.shop.get(f"/deposits/{desk.order}").json
    assert before["pay_to"]["account"].isdigit()
    assert before["pay_to_reason"] is None
    bank_accounts.freeze(make.system(), desk.acceptor.bank_account, WHY)
    now = desk.shop.get(f"/deposits/{desk.order}").json
    assert now == before | {"pay_to": None, "pay_to_reason": "bank_account_frozen"}
    for name in ("merchant1", "acceptor1", "compliance"):
        page = signed_in(desk, name).get(f"/orders/show/{desk.order}")
        assert before["pay_to"]["account"] not in page.text
        assert "The bank account of this order is frozen" in words(page), name
        assert WHY not in page.text
    assert "is frozen" not in words(signed_in(desk, "agent1").get(f"/orders/show/{desk.order}"))
    bank_accounts.unfreeze(make.system(), desk.acceptor.bank_account, WHY)
    assert desk.shop.get(f"/deposits/{desk.order}").json == before


def test_what_was_paid_to_a_frozen_account_is_claimed_as_usual(desk):
    bank_accounts.freeze(make.system(), desk.acceptor.bank_account, WHY)
    payer = {"name": "Joao Santos", "account": "BR7712348812"}
    claimed = desk.shop.post(f"/deposits/{desk.order}/claim", {"payer": payer})
    assert (claimed.status_code, claimed.json["state"]) == (200, "paid_claimed")
    assert claimed.json["pay_to_reason"] is None


def test_who_freezes_is_told_how_many_orders_wait_to_be_paid_there(desk):
    browser = signed_in(desk, "compliance")
    path = f"/bank-accounts/show/{desk.acceptor.bank_account}"
    assert "1 of them waits to be paid to it" in words(browser.get(path))
    market.claimed(desk.trade)
    opened(desk.trade)
    page = words(browser.get(path))
    assert "3 open orders go on" in page
    assert "2 of them wait to be paid to it" in page


@pytest.mark.parametrize("name", ["compliance", "admin"])
def test_the_desk_says_that_the_customer_of_a_barred_merchant_has_paid(desk, name):
    browser = signed_in(desk, name)
    assert "1 order of it is open and goes on" in words(browser.get(f"/merchants/show/{desk.trade.merchant_ref}"))
    standing.bar(make.system(), desk.trade.merchant_ref, "papers were forged")
    assert desk.shop.get(f"/deposits/{desk.order}").status_code == 403
    assert 'id="ask-claim"' in browser.get(f"/orders/show/{desk.order}").text
    assert claim(browser, desk.order).status_code == 302
    state, payer, paid, _ = order(desk.order)
    assert (state, payer) == ("paid_claimed", "Joao Santos")
    assert timedelta(minutes=1) < datetime.now(UTC) - paid < timedelta(minutes=4)
    with reading() as tx:
        trail = tx.rows("select actor, role, reason from audit where action = 'order.claim_paid'")
    assert trail == [(name, name, CLAIM["reason"])]
    page = browser.get(f"/orders/show/{desk.order}")
    assert 'id="ask-claim"' not in page.text
    assert CLAIM["reason"] in words(page)
    assert CLAIM["reason"] not in words(signed_in(desk, "acceptor1").get(f"/orders/show/{desk.order}"))
    due = queries.order(make.system(), desk.order).fiat
    done = release.confirm(desk.acceptor.actor, desk.order, received=due, payer_name="Joao Santos")
    assert done == "completed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": ""}, "bad_input"),
        ({"reason": "-----"}, "bad_input"),
        ({"payer_name": ""}, "bad_input"),
        ({"payer_account": "1"}, "bad_input"),
        ({"paid_at": ""}, "bad_input"),
        ({"paid_at": "yesterday"}, "bad_input"),
        ({"paid_at": "2999-01-01T10:00"}, "bad_input"),
        ({"paid_at": "2001-01-01T10:00"}, "bad_input"),
    ],
)
def test_a_claim_of_the_desk_says_who_paid_when_and_why(desk, changes, code):
    before = order(desk.order)
    answer = claim(signed_in(desk, "compliance"), desk.order, **changes)
    assert answer.status_code == 422
    assert code in answer.text
    assert order(desk.order) == before


def test_nobody_else_is_offered_to_say_so_and_only_what_waits_to_be_paid_can_be(desk):
    for name in ("merchant1", "acceptor1", "agent1", "finance", "auditor"):
        assert "ask-claim" not in signed_in(desk, name).get(f"/orders/show/{desk.order}").text, name
    for name in ("acceptor1", "agent1", "finance", "auditor"):
        assert claim(signed_in(desk, name), desk.order).status_code == 403, name
    assert order(desk.order)[0] == "awaiting_payment"
    browser = signed_in(desk, "compliance")
    assert claim(browser, desk.order).status_code == 302
    again = claim(browser, desk.order)
    assert again.status_code == 409
    assert "wrong_state" in again.text
    due = Money.parse("542.00", fiat(desk.trade.currency))
    release.confirm(desk.acceptor.actor, desk.order, received=due, payer_name="Joao Santos")
    assert claim(browser, desk.order).status_code == 409
