"""Bank accounts on screen: masked, revealed with a reason, designated, frozen, added, each party its own."""

from __future__ import annotations

import html
import re

import pytest

from core import vault
from core.db import reading
from tests.portal import market
from tests.portal.market import opened, signed_in

NUMBER = "000111222333"
WHY = {"why": "the old bank closes its branch"}


@pytest.fixture(scope="module")
def desk(module_database, one_key):
    made = market.built()
    made.order = opened(made.trade)
    made.mine = made.acceptor.bank_account
    with reading() as tx:
        made.name, made.code = tx.rows("select name, code from party where ref = %s", (made.acceptor.ref,))[0]
    return made


def account(ref):
    with reading() as tx:
        return tx.rows(
            "select b.state, b.frozen_why, w.bank_account_id = b.id from bank_account b"
            " join withdrawal_account w on w.party_id = b.party_id where b.ref = %s",
            (ref,),
        )[0]


def count(sql, *args):
    with reading() as tx:
        return tx.call(f"select count(*) from {sql}", args)


def plain_number(ref):
    with reading() as tx:
        return vault.open_(tx.call("select sealed from bank_account where ref = %s", (ref,)))


def test_each_party_sees_its_own_accounts_and_nobody_a_whole_number(desk):
    number = plain_number(desk.mine)
    for name in ("admin", "compliance", "finance", "auditor", "acceptor1"):
        browser = signed_in(desk, name)
        for path in ("/bank-accounts/list/", f"/bank-accounts/show/{desk.mine}", "/bank-accounts/export.csv"):
            answer = browser.get(path)
            assert answer.status_code == 200, f"{name} {path}"
            assert number not in answer.text
    stranger = signed_in(desk, "acceptor2")
    assert desk.mine not in stranger.get("/bank-accounts/list/").text
    assert stranger.get(f"/bank-accounts/show/{desk.mine}").status_code == 404
    assert signed_in(desk, "agent1").get("/bank-accounts/list/").status_code == 403


def test_a_number_is_shown_once_to_who_says_why_and_the_look_is_written_down(desk):
    browser, number = signed_in(desk, "compliance"), plain_number(desk.mine)
    browser.get(f"/bank-accounts/show/{desk.mine}")
    looks = "audit where action = 'reveal.bank_account' and subject = %s"
    before = count(looks, desk.mine)
    refused = browser.post(f"/bank-accounts/action/reveal/{desk.mine}", {"why": "x"})
    assert refused.status_code == 422
    assert number not in refused.text
    assert count(looks, desk.mine) == before
    shown = browser.post(f"/bank-accounts/action/reveal/{desk.mine}", {"why": "the bank asks about it"})
    assert number in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    assert number not in browser.get(f"/bank-accounts/show/{desk.mine}").text
    assert count(looks, desk.mine) == before + 1


@pytest.mark.parametrize("name", ["admin", "finance", "auditor", "acceptor1"])
def test_who_may_not_reveal_sees_no_number(desk, name):
    answer = signed_in(desk, name).post(f"/bank-accounts/action/reveal/{desk.mine}", {"why": "curious about it"})
    assert answer.status_code == 403
    assert plain_number(desk.mine) not in answer.text


def test_a_party_adds_an_account_of_its_own_and_makes_it_the_one_it_is_paid_out_to(desk):
    browser = signed_in(desk, "acceptor1")
    assert browser.get("/bank-accounts/new").status_code == 200
    form = {"bank": "Banco Dois", "holder": desk.name, "number": NUMBER, "offer": "BRL:pix"}
    answer = browser.post("/bank-accounts/new", form)
    assert answer.status_code == 302
    ref = answer.headers["Location"].rsplit("/", 1)[-1]
    assert account(ref) == ("active", "", False)
    assert browser.post(f"/bank-accounts/action/designate/{ref}").status_code == 422
    assert browser.post(f"/bank-accounts/action/designate/{ref}", WHY).status_code == 302
    assert account(ref)[2]
    assert browser.post(f"/bank-accounts/action/designate/{ref}", WHY).status_code == 409
    assert browser.post(f"/bank-accounts/action/designate/{desk.mine}", WHY).status_code == 302


def test_who_freezes_the_withdrawal_account_is_warned_and_the_page_says_the_way_out(desk):
    browser, page = signed_in(desk, "compliance"), f"/bank-accounts/show/{desk.mine}"
    warned = f"It is the account that {desk.code} is paid out to: nothing is paid out until another is designated"
    assert account(desk.mine)[2], "it is the withdrawal account"
    before = browser.get(page).text
    assert warned in before
    assert f"{desk.code} is shown that it is frozen, not the reason." in before
    assert "nothing is paid out to it" not in before
    assert browser.post(f"/bank-accounts/action/freeze/{desk.mine}", {"why": "the bank asks"}).status_code == 302
    for name in ("compliance", "admin", "acceptor1"):
        told = signed_in(desk, name).get(page).text
        assert f"{desk.code} is paid out to this account, and it is frozen: nothing is paid out to it." in told, name
        found = html.unescape(re.search(r'href="([^"]+)">Its active accounts', told)[1])
        assert signed_in(desk, name).get(found).status_code == 200
        assert ("or an administrator designates it" in told) == (name == "compliance")
    assert "and frozen: designate another" in signed_in(desk, "acceptor1").get(page).text
    assert browser.post(f"/bank-accounts/action/unfreeze/{desk.mine}", {"why": "it is clear"}).status_code == 302
    assert "nothing is paid out to it" not in browser.get(page).text
    with reading() as tx:
        other = tx.call(
            "select b.ref from bank_account b where not exists (select 1 from withdrawal_account w where"
            " w.bank_account_id = b.id) and b.state = 'active' order by b.id limit 1"
        )
    if other:
        assert "is paid out to: nothing is" not in browser.get(f"/bank-accounts/show/{other}").text


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"number": "12"}, "number"),
        ({"number": "DE89370400440532013001"}, "number"),
        ({"holder": "Somebody Else Entirely"}, "holder"),
        ({"offer": "XXX:pix"}, "offer"),
        ({"offer": ""}, "offer"),
        ({"bank": " "}, "bank"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_added(desk, wrong, at):
    browser = signed_in(desk, "acceptor1")
    browser.get("/bank-accounts/new")
    before = count("bank_account")
    form = {"bank": "Banco Tres", "holder": desk.name, "number": "55667788", "offer": "BRL:pix"} | wrong
    answer = browser.post("/bank-accounts/new", form)
    assert 400 <= answer.status_code < 500
    assert f'id="e-{at}"' in answer.text
    assert count("bank_account") == before


def test_an_account_is_never_added_to_a_foreign_party(desk):
    browser = signed_in(desk, "merchant1")
    browser.get("/bank-accounts/new")
    form = {
        "party": f"acceptor:{desk.code}",
        "bank": "Banco",
        "holder": desk.name,
        "number": "99887766",
        "offer": "BRL:pix",
    }
    answer = browser.post("/bank-accounts/new", form)
    assert answer.status_code == 409, "the merchant's own name is not the acceptor's"
    assert count("bank_account where bank = 'Banco'") == 0
    admin = signed_in(desk, "admin")
    admin.get("/bank-accounts/new")
    assert admin.post("/bank-accounts/new", form | {"number": "99887755"}).status_code == 302
    assert 'id="e-party"' in admin.post("/bank-accounts/new", form | {"party": "acceptor:nobody"}).text


def test_a_frozen_account_takes_no_new_orders_and_its_open_ones_are_listed(desk):
    browser = signed_in(desk, "compliance")
    page = browser.get(f"/bank-accounts/show/{desk.mine}")
    assert desk.order in page.text
    assert browser.post(f"/bank-accounts/action/freeze/{desk.mine}", {"why": ""}).status_code == 422
    assert account(desk.mine)[0] == "active"
    assert browser.post(f"/bank-accounts/action/freeze/{desk.mine}", {"why": "police letter 7"}).status_code == 302
    assert account(desk.mine)[:2] == ("frozen", "police letter 7")
    for name in ("compliance", "admin", "finance", "auditor"):
        assert "police letter 7" in signed_in(desk, name).get(f"/bank-accounts/show/{desk.mine}").text, name
    own = signed_in(desk, "acceptor1")
    for path in (
        "/bank-accounts/list/",
        f"/bank-accounts/show/{desk.mine}",
        "/bank-accounts/export.csv",
        "/",
        "/desk/",
    ):
        assert "police letter 7" not in own.get(path).text, "a reason may tell of a review"
    assert "Ask an administrator of the desk" in own.get(f"/bank-accounts/show/{desk.mine}").text
    with reading() as tx:
        assert not tx.call("select matchable from pool_account where id = %s", (desk.acceptor.pool_account,))
    assert browser.post(f"/bank-accounts/action/unfreeze/{desk.mine}", {"why": "letter withdrawn"}).status_code == 302
    assert account(desk.mine)[:2] == ("active", "")


@pytest.mark.parametrize(
    ("name", "status"), [("acceptor1", 403), ("acceptor2", 404), ("finance", 403), ("auditor", 403)]
)
def test_nobody_else_freezes_or_designates(desk, name, status):
    browser = signed_in(desk, name)
    deed = "freeze" if name != "acceptor2" else "designate"
    assert browser.post(f"/bank-accounts/action/{deed}/{desk.mine}", {"why": "because"}).status_code == status
    assert account(desk.mine)[0] == "active"
