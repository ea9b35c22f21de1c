"""Home and the search box: each role its figures and what is left to do; whole names and numbers of one's own rows."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core import vault
from core.analytics import rollup
from core.db import reading, transaction
from core.money import Money, fiat
from core.orders import release
from core.parties import acceptors
from tests.portal import market
from tests.portal.market import account_of, claimed, held, opened, signed_in

PAYER = account_of(4711)


@pytest.fixture(scope="module")
def desk(module_database, one_key):
    made = market.built()
    made.done = claimed(made.trade, number="SHOP-1", account=PAYER)
    received = Money.parse("542.00", fiat("BRL"))
    release.confirm(made.acceptor.actor, made.done, received=received, payer_name="Joao Santos")
    made.open = opened(made.trade, number="SHOP-2")
    made.held, made.alert = held(made)
    rollup.advance()
    return made


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def found(browser, text):
    return browser.get("/search/", query_string={"q": text})


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("admin", ("Waiting for review", "Held USDT", "Volume", "Fees", "Open orders", "position")),
        ("finance", ("Volume", "Completed", "Fees", "Held USDT, orders and commissions", "Custody", "0.000000")),
        ("auditor", ("Volume", "Fees", "Open orders")),
        ("compliance", ("Waiting for review", "Held USDT", "Past review time", "Median decision")),
        ("agent1", ("Your commission this month", "Active referrals", "of 1 merchant in your tree")),
        ("acceptor1", ("To confirm", "Reserve", "Next deadline")),
        ("merchant1", ("Balance", "Orders today", "Conversion")),
    ],
)
def test_each_role_finds_its_figures_on_its_home_page(desk, name, figures):
    page = words(signed_in(desk, name).get("/"))
    assert [each for each in figures if each not in page] == []


def test_a_merchants_orders_of_today_are_counted_to_the_minute_in_its_own_time(desk):
    # Midnight there is no whole hour of UTC, and figures kept by the hour cannot be cut there. Of the two zones
    # it is one in which it is not about midnight now: the orders that stay where they are were made today.
    zone = next(each for each in ("Asia/Kolkata", "America/St_Johns") if 1 <= datetime.now(ZoneInfo(each)).hour < 23)
    midnight = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    move = "update orders set created_at = %s where ref = %s"
    with transaction() as tx:
        kept = tx.rows("select created_at, ref from orders where ref = any(%s)", ([desk.open, desk.done],))
        tx.run(move, (midnight - timedelta(minutes=10), desk.open))
        tx.run(move, (midnight + timedelta(minutes=10), desk.done))
    browser = signed_in(desk, "merchant1")
    browser.post("/account/taste", {"language": "en", "zone": zone})
    assert "Orders today since midnight 2 1 completed" in words(browser.get("/"))
    browser.post("/account/taste", {"language": "en", "zone": "UTC"})
    with transaction() as tx:
        for row in kept:
            tx.run(move, tuple(row))


def test_a_party_sees_no_figure_of_the_platform(desk):
    for name in ("agent1", "acceptor1", "merchant1"):
        page = words(signed_in(desk, name).get("/"))
        assert "Custody" not in page
        assert "Fees" not in page


def test_a_new_party_is_told_what_is_left_to_do_until_it_is_done(desk):
    page = words(signed_in(desk, "merchant2").get("/"))
    assert "To begin 0 of 4" in page
    assert "Get an API key" in page
    assert "To begin 3 of 4" in words(signed_in(desk, "acceptor2").get("/"))
    acceptors.set_online(desk.other.actor, desk.other.ref, online=True)
    assert "To begin" not in words(signed_in(desk, "acceptor2").get("/"))
    acceptors.set_online(desk.other.actor, desk.other.ref, online=False)


def test_one_hit_opens_at_once(desk):
    officer = signed_in(desk, "compliance")
    for text, page in (
        (desk.open, f"/orders/show/{desk.open}"),
        (desk.open.lower(), f"/orders/show/{desk.open}"),
        ("SHOP-2", f"/orders/show/{desk.open}"),
        (desk.alert, f"/alerts/show/{desk.alert}"),
        (desk.acceptor.code, f"/acceptors/show/{desk.acceptor.ref}"),
        (desk.trade.merchant_ref, f"/merchants/show/{desk.trade.merchant_ref}"),
        (desk.acceptor.bank_account, f"/bank-accounts/show/{desk.acceptor.bank_account}"),
        (PAYER, f"/orders/show/{desk.done}"),
    ):
        answer = found(officer, text)
        assert answer.status_code == 302, text
        assert answer.headers["Location"].endswith(page), text


def test_nothing_of_others_is_found(desk):
    for name in ("merchant2", "acceptor2"):
        browser = signed_in(desk, name)
        for text in (desk.open, "SHOP-2", desk.alert, desk.acceptor.ref, desk.acceptor.bank_account, PAYER):
            answer = found(browser, text)
            assert answer.status_code == 200, f"{name} {text}"
            assert "Nothing found" in answer.text
    agent = signed_in(desk, "agent1")
    assert found(agent, desk.open).status_code == 302
    for text in (desk.trade.agents[1], desk.acceptor.ref, desk.alert, PAYER):
        assert "Nothing found" in found(agent, text).text


def test_an_account_number_finds_something_for_who_may_reveal_it_or_owns_it(desk):
    with reading() as tx:
        number = vault.open_(tx.call("select sealed from bank_account where ref = %s", (desk.acceptor.bank_account,)))
    page = f"/bank-accounts/show/{desk.acceptor.bank_account}"
    for name in ("compliance", "acceptor1"):
        assert found(signed_in(desk, name), number).headers["Location"].endswith(page)
    for name in ("admin", "finance", "auditor", "merchant1"):
        assert "Nothing found" in found(signed_in(desk, name), number).text
    assert "Nothing found" in found(signed_in(desk, "admin"), PAYER).text


def looked():
    with reading() as tx:
        return tx.rows("select actor, subject, details from audit where action = 'account.search' order by at, id")


def guess_of(number):
    """Return a number that ends as this one does and is another."""
    return number[:-5] + ("0" if number[-5] != "0" else "1") + number[-4:]


def test_nobody_without_the_right_to_reveal_can_tell_a_right_guess_from_a_wrong_one(desk):
    with reading() as tx:
        account = vault.open_(tx.call("select sealed from bank_account where ref = %s", (desk.acceptor.bank_account,)))
    before = looked()
    for name in ("admin", "finance", "auditor", "agent1", "merchant1", "acceptor1", "merchant2", "acceptor2"):
        browser = signed_in(desk, name)
        for number in (PAYER, account):
            right, wrong = found(browser, number), found(browser, guess_of(number))
            assert right.status_code == wrong.status_code, (name, number)
            assert right.headers.get("Location") == wrong.headers.get("Location"), (name, number)
            for page in ("/orders/list/", "/orders/export.csv", "/alerts/list/", "/bank-accounts/list/"):
                pages = [browser.get(page, query_string={"q": each}) for each in (number, guess_of(number))]
                assert pages[0].status_code == pages[1].status_code, (name, page)
                assert desk.done not in pages[0].text or desk.done in pages[1].text, (name, page)
                assert desk.acceptor.bank_account not in pages[0].text or desk.acceptor.bank_account in pages[1].text
    assert looked() == before


def test_a_search_by_a_whole_number_stands_in_the_trail_like_a_reveal(desk):
    officer = signed_in(desk, "compliance")
    with reading() as tx:
        payer = tx.call("select y.ref from payer_account y join orders o on o.payer_account_id = y.id where o.ref = %s",
                        (desk.done,))  # fmt: skip
        account = vault.open_(tx.call("select sealed from bank_account where ref = %s", (desk.acceptor.bank_account,)))
    before = len(looked())
    found(officer, PAYER)
    officer.get("/orders/list/", query_string={"q": f"{PAYER[:4]} {PAYER[4:]}"})
    found(officer, account)
    found(officer, guess_of(PAYER))
    found(officer, desk.open)
    found(officer, "SHOP-2")
    told = looked()[before:]
    assert ("compliance", payer, {"kind": "payer_account", "found": True}) in told
    assert sum(subject == payer for _name, subject, _details in told) == 2
    assert ("compliance", desk.acceptor.bank_account, {"kind": "bank_account", "found": True}) in told
    assert ("compliance", f"•• {PAYER[-4:]}", {"kind": "payer_account", "found": False}) in told
    assert not any(PAYER in str(row) or guess_of(PAYER) in str(row) or desk.open in str(row) for row in told)


def test_what_is_shown_of_a_number_finds_for_those_it_is_shown_to(desk):
    before = looked()
    for shown in (f"•• {PAYER[-4:]}", PAYER[-4:]):
        for name in ("merchant1", "acceptor1", "admin", "auditor", "compliance"):
            there = found(signed_in(desk, name), shown).headers["Location"]
            assert there.endswith(f"/orders/show/{desk.done}"), (name, shown)
        for name in ("merchant2", "acceptor2", "agent1"):
            assert "Nothing found" in found(signed_in(desk, name), shown).text
    assert looked() == before


def test_strange_words_find_nothing_and_break_nothing(desk):
    browser = signed_in(desk, "compliance")
    for text in ("%", "_", "'; drop table orders", "ord_", "x" * 120, "<script>", "用户", "\u202e", "ı"):
        answer = found(browser, text)
        assert answer.status_code == 200, text
        assert "<script>" not in answer.text.replace("<script src", "")
    assert found(browser, "x" * 121).status_code == 400
    assert browser.get("/search/?q=a&q=b").status_code == 400
    assert "What are you looking for?" in browser.get("/search/").text
