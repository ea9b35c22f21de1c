"""The acceptor's live desk: what it holds, what waits for it, one confirmation, and all that is refused."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from core.actor import system
from core.db import forget, reading, transaction
from core.orders import live as orders_live
from core.parties import acceptors, keys, presence
from tests.portal import market
from tests.portal.market import claimed, held, opened, signed_in, unchanged

LIVE = re.compile(r'data-ref="([^"]+)"')


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


def words(text):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def row(ref):
    with reading() as tx:
        return tx.rows("select state, risk_state, next_actor from orders where ref = %s", (ref,))[0]


def test_a_new_order_and_its_claim_are_in_the_next_news(desk):
    browser = signed_in(desk, "acceptor1")
    before = browser.get("/desk/live.json").json
    ref = opened(desk.trade, customer="n-1")
    news = browser.get("/desk/live.json").json
    assert ref in LIVE.findall(news["html"])
    assert ref not in LIVE.findall(before["html"])
    assert ref not in news["claims"]
    paid = claimed(desk.trade, customer="n-2")
    news = browser.get("/desk/live.json").json
    assert paid in news["claims"]
    assert LIVE.findall(news["html"])[0] in news["claims"]
    assert "Joao S•••••" in words(news["html"])
    assert "Joao Santos" not in news["html"]


def test_the_menus_number_goes_with_the_news_and_stays_on_the_next_page(desk):
    browser, officer = signed_in(desk, "acceptor1"), signed_in(desk, "admin")
    badge = re.compile(r'data-item="desk".*?(?:<span class="count hot">(\d+)</span>)?</a>', re.DOTALL)
    browser.get("/desk/")
    for _ in range(2):
        claimed(desk.trade)
        news = browser.get("/desk/live.json").json
        number = str(len(news["claims"]))
        assert news["menu"] == {"desk": {"text": number, "hot": True}}
        assert badge.search(browser.get("/orders/list/").text)[1] == number
    claimed(desk.trade)
    page = browser.get("/desk/").text
    assert badge.search(page)[1] == str(len(re.search(r'data-claims="([^"]*)"', page)[1].split()))
    assert officer.get(f"/desk/of/{desk.acceptor.ref}/live.json").json["menu"] == {}


def test_of_more_orders_than_are_listed_the_most_urgent_stand_there_and_figures_count_all(desk, monkeypatch):
    for _ in range(3):
        claimed(desk.trade)
    for _ in range(2):
        opened(desk.trade)
    with reading() as tx:
        live, claims, escrow = tx.rows(
            "select count(*), count(*) filter (where state = 'paid_claimed' and next_actor <> 'compliance'),"
            " count(*) filter (where risk_state <> 'held') from orders where acceptor_id = %s"
            " and state in ('offered', 'awaiting_payment', 'paid_claimed')",
            (desk.acceptor.id,),
        )[0]
    browser, officer = signed_in(desk, "acceptor1"), signed_in(desk, "admin")
    assert "the most urgent first" not in browser.get("/desk/live.json").json["html"]
    monkeypatch.setattr(orders_live, "MOST", 2)
    monkeypatch.setattr(orders_live, "URGENT", timedelta(days=2))
    news = browser.get("/desk/live.json").json
    assert LIVE.findall(news["html"]) == news["claims"] == list(news["came"])
    assert len(news["claims"]) == 2
    assert f"2 of {live} live orders, the most urgent first." in words(news["html"])
    assert browser.get("/orders/list/?stage=open").status_code == 200
    assert 'href="/orders/list/?stage=open"' in news["html"]
    assert f"{escrow} live orders" in words(news["figures"])
    assert news["menu"]["desk"]["text"] == str(claims)
    home = words(browser.get("/").text)
    assert f"To confirm {claims} {claims} due within 5 minutes" in home
    other = officer.get(f"/desk/of/{desk.acceptor.ref}/live.json").json["html"]
    address = f"/orders/list/?stage=open&amp;acceptor={desk.acceptor.code}"
    assert f'href="{address}"' in other
    assert officer.get(html.unescape(address)).status_code == 200
    chinese = words(browser.get("/desk/live.json?lang=zh").json["html"])
    assert f"共 {live} 笔进行中的订单，显示最紧急的 2 笔。" in chinese
    browser.get("/?lang=en")


def test_the_figures_are_the_ledgers_with_all_decimals_as_on_every_screen(desk):
    with reading() as tx:
        reserve, escrow = (
            tx.call("select units from v_balances where account = %s", (f"acceptor:{desk.acceptor.code}:{pocket}",))
            for pocket in ("reserve", "escrow")
        )
    told = words(signed_in(desk, "acceptor1").get("/desk/").text)
    for units in (reserve, escrow):
        assert f" {units // 10**6:,}.{units % 10**6:06} USDT" in told
    figure = r"([\d.,]+) USDT (?:for new orders|\d+ live|under review|nothing|\d+ order)"
    assert all(re.fullmatch(r"[\d,]+\.\d{6}", each) for each in re.findall(figure, told))


def test_a_confirmation_pays_out_and_the_second_one_is_refused(desk):
    ref = claimed(desk.trade, customer="n-3")
    browser = signed_in(desk, "acceptor1")
    browser.get("/desk/")
    form = {"received": "542.00", "payer_name": "Joao Santos"}
    assert browser.post(f"/desk/confirm/{ref}", form).headers["Location"] == "/desk/"
    assert row(ref)[0] == "completed"
    with unchanged(ref):
        again = browser.post(f"/desk/confirm/{ref}", form)
    assert again.status_code == 409
    assert "wrong_state" in again.text


@pytest.mark.parametrize(
    ("received", "code", "status"),
    [
        ("541.99", "amount_differs", 409),
        ("5420.00", "amount_differs", 409),
        ("542.001", "bad_amount", 422),
        ("", "bad_amount", 422),
        ("-542.00", "bad_amount", 422),
        ("5.42e2", "bad_amount", 422),
        ("５４２.00", "bad_amount", 422),
        ("NaN", "bad_amount", 422),
    ],
)
def test_another_amount_is_refused_with_its_code_and_changes_nothing(desk, received, code, status):
    if not getattr(desk, "typed", None):
        desk.typed = claimed(desk.trade, customer="n-4")
    browser = signed_in(desk, "acceptor1")
    browser.get("/desk/")
    with unchanged(desk.typed):
        answer = browser.post(f"/desk/confirm/{desk.typed}", {"received": received, "payer_name": "Joao Santos"})
    assert answer.status_code == status
    assert f"[{code}]" in answer.text
    assert f'href="/orders/show/{desk.typed}#ask-contest"' in answer.text, "the dialog leads to saying what has come"


def test_a_stopped_payout_says_under_review_and_nothing_more(desk):
    ref = claimed(desk.trade, customer="n-5", payer="Maria Lucia Rojas")
    browser = signed_in(desk, "acceptor1")
    browser.get("/desk/")
    browser.post(f"/desk/confirm/{ref}", {"received": "542.00", "payer_name": "Maria Lucia Rojas"})
    assert row(ref) == ("paid_claimed", "held", "compliance")
    told = browser.get("/desk/").text
    assert "under review" in told.lower()
    assert "NAME_MISMATCH" not in told
    with unchanged(ref):
        again = browser.post(f"/desk/confirm/{ref}", {"received": "542.00", "payer_name": "Maria Lucia Rojas"})
    assert "[under_review]" in again.text


def test_the_switch_turns_new_orders_off_and_on(desk):
    browser = signed_in(desk, "acceptor1")
    browser.get("/desk/")
    for wanted in ("no", "yes"):
        assert browser.post("/desk/online", {"online": wanted}).status_code == 302
        with reading() as tx:
            assert tx.call("select online from acceptor where party_id = %s", (desk.acceptor.id,)) is (wanted == "yes")


def test_nobody_confirms_anothers_order_and_no_other_role_has_a_desk(desk):
    ref, _alert = held(desk)
    other = signed_in(desk, "acceptor2")
    other.get("/desk/")
    with unchanged(ref):
        assert other.post(f"/desk/confirm/{ref}", {"received": "542.00", "payer_name": "x"}).status_code == 404
        assert LIVE.findall(other.get("/desk/live.json").json["html"]) == []
        for name in ("admin", "compliance", "finance", "merchant1", "agent1", "auditor"):
            browser = signed_in(desk, name)
            assert browser.get("/desk/").status_code == 403
            assert browser.post(f"/desk/confirm/{ref}").status_code == 403
        assert other.get(f"/desk/of/{desk.acceptor.ref}").status_code == 403


def test_an_administrator_looks_at_any_desk_and_does_nothing_there(desk):
    browser = signed_in(desk, "admin")
    page = browser.get(f"/desk/of/{desk.acceptor.ref}")
    assert page.status_code == 200
    assert "data-confirm-order" not in page.text
    assert "/desk/online" not in page.text
    assert browser.get(f"/desk/of/{desk.acceptor.ref}/live.json").json["html"]
    assert browser.get("/desk/of/acc_nothing").status_code == 404


def standing(desk):
    with reading() as tx:
        return tx.rows("select online, silent, beat_at from acceptor where party_id = %s", (desk.acceptor.id,))[0]


def test_the_live_page_is_a_sign_of_life_and_says_so_when_it_was_missed(desk):
    browser, admin = signed_in(desk, "acceptor1"), signed_in(desk, "admin")
    assert "After 10 minutes without a sign" in words(browser.get("/desk/").text)
    with transaction() as tx:
        tx.run("update acceptor set beat_at = now() - interval '11 minutes' where party_id = %s", (desk.acceptor.id,))
    presence.hush()
    assert standing(desk)[:2] == (True, True)
    told = words(admin.get(f"/desk/of/{desk.acceptor.ref}").text)
    assert "Silent" in told
    assert "not heard any more" in told
    assert f"/acceptors/show/{desk.acceptor.ref}" in admin.get("/acceptors/list/?status=silent").text
    assert "not matched until it is heard again" in words(admin.get(f"/acceptors/show/{desk.acceptor.ref}").text)
    assert standing(desk)[1], "looking at another's desk is no sign of its life"
    forget()
    assert browser.get("/desk/live.json").json["back"] is True
    assert standing(desk)[:2] == (True, False)
    assert "Nothing was heard from you since" in words(browser.get("/desk/").text)
    assert browser.get("/desk/live.json").json["back"] is False
    assert "Nothing was heard from you since" not in words(browser.get("/desk/").text)


def test_a_program_that_asks_for_news_is_there_and_one_that_looks_at_its_balance_is_not_watched(desk):
    _ref, key = keys.create(system(), desk.other.ref, "presence")
    client, head = desk.app.test_client(), {"Authorization": f"Bearer {key}"}
    acceptors.set_online(desk.other.actor, desk.other.ref, online=True)
    forget()
    beat_at = "select beat_at is not null from acceptor where party_id = %s"
    for path, watched in (("/api/v1/balances", False), ("/api/v1/events", True)):
        assert client.get(path, headers=head).status_code == 200
        with reading() as tx:
            assert tx.call(beat_at, (desk.other.id,)) is watched, path
