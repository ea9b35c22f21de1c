"""The ways on from an order and an alert: to its parties' pages for who may open them, to all orders of its payer."""

from __future__ import annotations

import re

import pytest

from core.db import reading
from tests.portal import market
from tests.portal.market import claimed, held, opened, signed_in

ROW = re.compile(r'<tr data-href="/orders/show/([^"]+)"')
PARTY = re.compile(r'<a href="(/(?:merchants|acceptors|agents|pools)/show/[^"]+)">[^<]+</a>')
PAYER = re.compile(r'<a href="(/orders/list/\?payer=pay_[0-9A-Z]+)"')
ACCOUNT = "BR5500000099"


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.held, made.alert = held(made)
    made.same = [claimed(made.trade, account=ACCOUNT), opened(made.trade, account=ACCOUNT)]
    with reading() as tx:
        made.payer = tx.call(
            "select y.ref from orders o join payer_account y on y.id = o.payer_account_id where o.ref = %s",
            (made.same[0],),
        )
    return made


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("compliance", {"merchants", "acceptors", "agents", "pools"}),
        ("auditor", {"merchants", "acceptors", "agents", "pools"}),
        ("acceptor1", {"acceptors"}),
        ("merchant1", {"merchants"}),
        ("agent1", {"agents"}),
    ],
)
def test_a_code_on_an_order_leads_to_the_pages_one_may_open_and_to_no_other(desk, name, kinds):
    browser = signed_in(desk, name)
    ways = PARTY.findall(browser.get(f"/orders/show/{desk.held}").text)
    assert {way.split("/")[1] for way in ways} == kinds
    for way in ways:
        assert browser.get(way).status_code == 200, way


def test_an_alert_leads_to_the_parties_of_its_order(desk):
    ways = PARTY.findall(signed_in(desk, "compliance").get(f"/alerts/show/{desk.alert}").text)
    assert {way.split("/")[1] for way in ways} == {"merchants", "acceptors", "agents", "pools"}


def test_the_orders_of_one_payers_account_are_those_its_figure_counts(desk):
    browser = signed_in(desk, "compliance")
    way = PAYER.search(browser.get(f"/orders/show/{desk.same[0]}").text)[1]
    assert way.endswith(desk.payer)
    page = browser.get(way)
    assert set(ROW.findall(page.text)) == set(desk.same)
    assert f"account: {desk.payer}" in page.text
    assert PAYER.search(browser.get(f"/alerts/show/{desk.alert}").text) is None  # it is the only one of its payer


def test_a_payers_account_finds_ones_own_orders_only_and_an_agent_may_not_ask(desk):
    asked = f"/orders/list/?payer={desk.payer}"
    assert set(ROW.findall(signed_in(desk, "merchant1").get(asked).text)) == set(desk.same)
    assert ROW.findall(signed_in(desk, "merchant2").get(asked).text) == []
    assert signed_in(desk, "agent1").get(asked).status_code == 400
    assert ROW.findall(signed_in(desk, "compliance").get("/orders/list/?payer=pay_nobody").text) == []
