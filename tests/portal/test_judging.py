"""Payers' accounts are listed and customers barred on the pages of orders and alerts, by officers, with a reason."""

from __future__ import annotations

import pytest

from core.db import reading
from core.errors import Refusal
from core.money import Money, fiat
from core.orders import release
from tests.portal import market
from tests.portal.market import account_of, claimed, held, opened, signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


def act(browser, name, ref, **form):
    browser.get(f"/orders/show/{ref}")
    return browser.post(f"/orders/action/{name}/{ref}", form)


def rows(sql, *args):
    with reading() as tx:
        return tx.rows(sql, args)


def listed(ref):
    sql = "select y.listed from orders o join payer_account y on y.id = o.payer_account_id where o.ref = %s"
    return rows(sql, ref)[0][0]


def state(ref):
    return rows("select state, risk_state from orders where ref = %s", ref)[0]


def confirm(desk, ref):
    received = Money.parse("542.00", fiat("BRL"))
    release.confirm(desk.acceptor.actor, ref, received=received, payer_name="Joao Santos")


def test_what_a_listed_account_pays_is_kept_back(desk):
    ref = claimed(desk.trade)
    browser = signed_in(desk, "compliance")
    assert "ask-list_payer" in browser.get(f"/orders/show/{ref}").text
    for form in ({"reason": "", "source": "bank_notice"}, {"reason": "police letter 42", "source": "gossip"}):
        assert act(browser, "list_payer", ref, **form).status_code == 422
        assert listed(ref) == ""
    good = {"reason": "notice 42 of Banco Um", "source": "bank_notice"}
    assert act(browser, "list_payer", ref, **good).status_code == 302
    assert act(browser, "list_payer", ref, **good).status_code == 409
    assert listed(ref) == "notice 42 of Banco Um"
    page = browser.get(f"/orders/show/{ref}").text
    assert "notice 42 of Banco Um" in page
    assert "ask-unlist_payer" in page
    confirm(desk, ref)
    assert state(ref) == ("paid_claimed", "held")
    assert rows("select 1 from v_alerts where order_ref = %s and rule = 'PAYER_HIT'", ref)
    told = rows("select details from audit where action = 'payer.list' and actor = 'compliance'")
    assert told[0][0] == {"source": "bank_notice"}


def test_what_is_taken_off_the_list_pays_again(desk):
    account = account_of(900_001)
    first = claimed(desk.trade, account=account, customer="c-off")
    browser = signed_in(desk, "compliance")
    act(browser, "list_payer", first, reason="somebody said so", source="merchant")
    assert act(browser, "unlist_payer", first, reason="it was another account").status_code == 302
    assert act(browser, "unlist_payer", first, reason="it was another account").status_code == 409
    confirm(desk, first)
    assert state(first)[0] == "completed"


def test_from_an_alert_one_comes_back_to_the_alert(desk):
    ref, alert = held(desk)
    browser = signed_in(desk, "compliance")
    page = browser.get(f"/alerts/show/{alert}").text
    assert f'name="alert" value="{alert}"' in page
    answer = act(browser, "list_payer", ref, reason="police letter 43", source="police_letter", alert=alert)
    assert answer.headers["Location"].endswith(f"/alerts/show/{alert}")
    assert "police letter 43" in browser.get(f"/alerts/show/{alert}").text
    away = act(browser, "unlist_payer", ref, reason="letter withdrawn", alert="https://evil.example")
    assert away.headers["Location"].endswith(f"/orders/show/{ref}")


def test_a_barred_customer_opens_no_order_until_it_is_admitted(desk):
    ref = opened(desk.trade, customer="c-bad")
    browser = signed_in(desk, "compliance")
    assert act(browser, "bar_customer", ref, reason="").status_code == 422
    assert act(browser, "bar_customer", ref, reason="pays with stolen accounts").status_code == 302
    assert act(browser, "bar_customer", ref, reason="again").status_code == 409
    with pytest.raises(Refusal) as caught:
        opened(desk.trade, customer="c-bad")
    assert caught.value.code == "barred"
    assert state(ref)[0] == "awaiting_payment"
    assert act(signed_in(desk, "admin"), "admit_customer", ref, reason="it was a mix-up").status_code == 302
    assert opened(desk.trade, customer="c-bad")
    trail = rows("select actor, action, reason from audit where action like 'customer.%%' order by at")
    assert trail == [
        ("compliance", "customer.barred", "pays with stolen accounts"),
        ("admin", "customer.active", "it was a mix-up"),
    ]


@pytest.mark.parametrize("name", ["finance", "auditor", "acceptor1", "merchant1", "agent1", "admin"])
def test_nobody_else_lists_an_account_and_parties_do_not_see_that_it_is(desk, name):
    ref = claimed(desk.trade, number=f"L-{name}")
    act(signed_in(desk, "compliance"), "list_payer", ref, reason="police letter 99", source="police_letter")
    browser = signed_in(desk, name)
    page = browser.get(f"/orders/show/{ref}").text
    assert ("police letter 99" in page) is (name in {"auditor", "admin"})
    assert "ask-unlist_payer" not in page
    assert act(browser, "unlist_payer", ref, reason="let it go").status_code == 403
    assert listed(ref) == "police letter 99"
    if name != "admin":
        assert act(browser, "bar_customer", ref, reason="because").status_code == 403
