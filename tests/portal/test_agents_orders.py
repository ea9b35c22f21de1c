"""An agent sees the orders it earns on without the customer's data: on pages, in files and by no search."""

from __future__ import annotations

import html
import re

import pytest

from core.actor import Actor, Right, Scope
from core.db import reading
from core.orders import finding, queries
from portal.roles import ROLES
from tests.portal import market
from tests.portal.market import claimed, held, opened, signed_in

ORDER_ROW = re.compile(r'<tr data-href="/orders/show/([^"]+)"')
ACCOUNT = "BR7700099988123"


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.open = opened(made.trade, number="SHOP-7", customer="cust-seven", name="Joana Ferreira", account=ACCOUNT)
    made.paid = claimed(made.trade, number="SHOP-8", customer="cust-eight", payer="Maria Lucia Rojas")
    made.held = held(made)
    with reading() as tx:
        made.codes = dict(tx.rows("select ref, pay_code from orders where pay_code <> ''"))
    return made


def agent_of(desk):
    with reading() as tx:
        number = tx.call("select id from party where ref = %s", (desk.trade.agents[0],))
    return Actor(name="agent1", role="agent", scope=Scope.AGENT, party_id=number, rights=ROLES["agent"].rights)


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_the_orders_page_tells_an_agent_the_order_and_not_the_customer(desk):
    browser, officer = signed_in(desk, "agent1"), signed_in(desk, "compliance")
    for ref in (desk.open, desk.paid, desk.held[0]):
        told, whole = words(browser.get(f"/orders/show/{ref}")), words(officer.get(f"/orders/show/{ref}"))
        for part in ("Customer's number", "Payer", "Payment reference", "level 2", "cust-", "Joa", "Maria", "••"):
            assert part not in told, (ref, part)
        assert desk.codes[ref] not in told
        assert desk.codes[ref] in whole
        assert "542.00 BRL" in told
        assert "of which you" in told


def test_nothing_of_the_customer_leaves_the_core_for_an_agent(desk):
    agent = agent_of(desk)
    view = queries.order(agent, desk.paid)
    assert view.customer_name == view.customer_external_id == view.customer_ref == view.customer_country == ""
    assert view.payer_name == view.payer_account == view.pay_code == view.declared_name == view.declared_account == ""
    assert view.payer_ref is view.declared_ref is None
    assert queries.page(agent)[0].pay_code == ""
    assert not [step.reason for step in queries.timeline(agent, view) if step.reason and step.role != "system"]


def test_lists_files_and_filters_leave_the_customer_away(desk):
    browser = signed_in(desk, "agent1")
    page = browser.get("/orders/list/")
    assert set(ORDER_ROW.findall(page.text)) == {desk.open, desk.paid, desk.held[0]}
    assert "Customer" not in words(page)
    assert "Customer" in words(signed_in(desk, "merchant1").get("/orders/list/"))
    assert browser.get("/orders/list/?customer=cust-seven").status_code == 400
    assert browser.get("/orders/export.csv?customer=cust-seven").status_code == 400
    file = browser.get("/orders/export.csv")
    if agent_of(desk).may(Right.EXPORT):
        assert file.status_code == 200
        assert "Customer" not in file.text
        assert "cust-" not in file.text


def test_no_search_of_an_agent_finds_by_the_customer(desk):
    browser = signed_in(desk, "agent1")
    agent = agent_of(desk)
    for asked in ("cust-seven", desk.codes[desk.open], "Joana Ferreira", ACCOUNT, ACCOUNT[-4:], f"•• {ACCOUNT[-4:]}"):
        assert finding.find(agent, asked) == [], asked
        for address in ("/orders/list/", "/search/"):
            answer = browser.get(address, query_string={"q": asked})
            assert answer.status_code == 200, (address, asked)
            assert desk.open not in answer.text, (address, asked)
    assert browser.get("/orders/list/?q=SHOP-7").headers["Location"] == f"/orders/show/{desk.open}"
