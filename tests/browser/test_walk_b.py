"""In Chromium: finance fetches a month of commissions, an agent finds why it earned; a top-up, a tree, a search."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core import clock
from core.analytics import rollup
from core.money import Money, fiat
from core.orders import release
from tests.browser.chromium import NARROW, fits, served, visit
from tests.portal import market
from tests.portal.market import claimed

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.order = claimed(made.trade)
    received = Money.parse("542.00", fiat("BRL"))
    release.confirm(made.acceptor.actor, made.order, received=received, payer_name="Joao Santos")
    rollup.advance()
    with served(made):
        yield made


def test_finance_fetches_the_months_commissions_as_a_spreadsheet(desk, chromium):
    with visit(desk, chromium, "finance") as page:
        page.get_by_role("link", name="Commissions").first.click()
        page.get_by_role("link", name="Report").click()
        expect(page.locator(".tie .up").first).to_contain_text("0.000000")
        with page.expect_download() as fetched:
            page.get_by_role("link", name="XLSX").click()
        assert fetched.value.suggested_filename == f"commission-{clock.now():%Y-%m}.xlsx"


def test_an_agent_finds_this_months_commission_and_why(desk, chromium):
    with visit(desk, chromium, "agent1", NARROW) as page:
        expect(page.locator(".figure").first).to_contain_text("Your commission this month")
        page.goto("/commissions/list/")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator(".formula")).to_contain_text("USDT =")
        assert fits(page)


def test_finance_reads_a_top_up_back_and_a_colleague_books_it(desk, chromium):
    with visit(desk, chromium, "finance") as page:
        page.goto(f"/acceptors/show/{desk.other.ref}")
        page.get_by_role("button", name="Top up reserve").click()
        dialog = page.locator("#ask-top_up")
        expect(dialog).to_contain_text(desk.other.code)
        page.fill("#top-amount", "12.5")
        page.fill("#top-arrival", "0xabc")
        page.fill("#top-why", "seen on the chain")
        dialog.get_by_role("button", name="Read it back").click()
        expect(page.locator("#echo")).to_contain_text(f"12.500000 USDT to acceptor {desk.other.code}")
        page.get_by_role("button", name="Ask for approval").click()
        assert page.locator("#echo").is_visible(), "nobody is asked before the box is ticked"
        page.check("[name=sure]")
        page.get_by_role("button", name="Ask for approval").click()
        expect(page.locator(".note.ok")).to_contain_text("Nothing is booked until another person approves")
        request = page.url
    with visit(desk, chromium, "finance2") as page:
        page.goto(request)
        page.fill("#d-why", "seen in custody")
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("#confirm")).to_contain_text(f"12.500000 USDT to acceptor {desk.other.code}")
        page.locator("#confirm [data-go]").click()
        expect(page.locator(".note.ok")).to_contain_text("is booked")


def test_the_tree_of_agents_shuts_and_opens_by_keys(desk, chromium):
    with visit(desk, chromium, "admin") as page:
        page.goto("/agents/list/")
        rows = page.locator("table.tree tbody tr:visible")
        expect(rows).to_have_count(2)
        page.keyboard.press("j")
        page.keyboard.press("h")
        expect(rows).to_have_count(1)
        page.keyboard.press("l")
        expect(rows).to_have_count(2)
        page.get_by_role("button", name="Top level only").click()
        expect(rows).to_have_count(1)


def test_the_search_box_is_a_key_away_and_opens_what_it_finds(desk, chromium):
    with visit(desk, chromium, "auditor") as page:
        page.keyboard.press("/")
        page.keyboard.type(desk.order)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/orders/show/{desk.order}")
