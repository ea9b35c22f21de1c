"""In Chromium, without a mouse: each role does its main work by keys alone, and sees all the time where it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core import clock
from core.db import reading
from portal.security.setup import ensure_user
from tests.browser.chromium import served, tab_to, visit
from tests.portal import market
from tests.portal.conftest import PASSWORD
from tests.portal.market import claimed, held, opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    with reading() as tx:
        above = tx.call("select id from party where ref = %s", (made.trade.agents[-1],))
    ensure_user("agent2", "agent", PASSWORD, last_name="Demo", party_id=above)
    with served(made):
        yield made


def state(ref):
    with reading() as tx:
        return tx.call("select state from orders where ref = %s", (ref,))


def test_the_first_stop_leads_past_the_menu_to_the_content(desk, chromium):
    with visit(desk, chromium, "finance") as page:
        page.goto("/orders/list/")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_an_officer_takes_the_next_alert_and_decides_it(desk, chromium):
    _ref, alert = held(desk)
    with visit(desk, chromium, "compliance") as page:
        tab_to(page, page.get_by_role("link", name="Review queue").first)
        page.keyboard.press("Enter")
        page.wait_for_url("**/alerts/list/**")
        tab_to(page, page.get_by_role("button", name="Next alert"))
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/alerts/show/{alert}")
        page.keyboard.press("a")
        expect(page.locator("[name=outcome][value=release]")).to_be_checked()
        tab_to(page, page.locator("#d-disposition"))
        page.keyboard.type("Explained")
        tab_to(page, page.locator("#d-narrative"))
        page.keyboard.type("the bank line names the customer")
        tab_to(page, page.get_by_role("button", name="Decide"))
        page.keyboard.press("Enter")
        expect(page.locator("#confirm")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Decide")).to_be_focused()
        page.keyboard.press("Enter")
        tab_to(page, page.locator("#confirm [data-go]"))
        page.keyboard.press("Enter")
        expect(page.locator(".note.warning").first).to_contain_text("Nothing moves until another officer agrees")


def test_an_acceptor_confirms_and_hears_what_comes(desk, chromium):
    with visit(desk, chromium, "acceptor1") as page:
        page.goto("/desk/")
        heard = page.locator("#heard")
        expect(heard).to_have_attribute("aria-live", "polite")
        opened(desk.trade, amount="333.00")
        expect(heard).to_contain_text("333.00 BRL")
        ref = claimed(desk.trade, amount="444.00")
        expect(heard).to_contain_text("An order was paid: 444.00 BRL")
        received = page.locator(f'.live-order[data-ref="{ref}"] [data-confirm-order]')
        tab_to(page, received)
        page.keyboard.press("Enter")
        expect(page.locator("#c-received")).to_be_focused()
        page.keyboard.press("Escape")
        expect(received).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.type("444.00")
        page.keyboard.press("Tab")
        page.keyboard.type("Joao Santos")
        page.keyboard.press("Enter")
        expect(page.locator(".note.ok")).to_contain_text("paid out")
    assert state(ref) == "completed"


def test_the_focus_stays_on_its_link_while_orders_come_and_clocks_run(desk, chromium):
    ref = claimed(desk.trade, amount="445.00")
    with visit(desk, chromium, "acceptor1") as page:
        page.goto("/desk/")
        link = page.locator(f'.live-order[data-ref="{ref}"] a[href]').first
        link.focus()
        came = opened(desk.trade, amount="446.00")
        expect(page.locator(f'.live-order[data-ref="{came}"]')).to_be_visible()
        expect(link).to_be_focused()


def test_finance_fetches_the_commission_report(desk, chromium):
    with visit(desk, chromium, "finance") as page:
        tab_to(page, page.get_by_role("link", name="Commissions").first)
        page.keyboard.press("Enter")
        page.wait_for_url("**/commissions/list/**")
        tab_to(page, page.get_by_role("link", name="Report"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/commissions/report**")
        tab_to(page, page.get_by_role("link", name="XLSX"))
        with page.expect_download() as fetched:
            page.keyboard.press("Enter")
        assert fetched.value.suggested_filename == f"commission-{clock.now():%Y-%m}.xlsx"


def test_an_agent_opens_and_shuts_its_tree(desk, chromium):
    with visit(desk, chromium, "agent2") as page:
        tab_to(page, page.get_by_role("link", name="Agents").first)
        page.keyboard.press("Enter")
        page.wait_for_url("**/agents/list/**")
        rows = page.locator("table.tree tbody tr:visible")
        before = rows.count()
        tab_to(page, page.locator("button.twist").first)
        page.keyboard.press("Enter")
        expect(rows).to_have_count(1)
        page.keyboard.press("Enter")
        expect(rows).to_have_count(before)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/agents/show/**")
