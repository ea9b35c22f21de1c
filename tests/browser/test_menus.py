"""In Chromium: the menu's number and a desk's heading go with the news, a filter's fields open within the page."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from core.actor import system
from core.db import transaction
from core.money import Money, fiat
from core.orders import live as orders_live
from core.orders import release
from core.parties import standing
from tests.browser.chromium import served, visit
from tests.portal import market
from tests.portal.market import claimed

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SECONDS = 60
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(module_database):
    with served(market.built()) as made:
        yield made


def test_the_menus_number_goes_with_the_news_of_the_page(desk, chromium):
    with visit(desk, chromium, "acceptor1") as page:
        page.goto("/desk/")
        line = page.locator("a.nav[data-item=desk]")
        expect(line.locator(".count")).to_have_count(0)
        refs = [claimed(desk.trade), claimed(desk.trade)]
        expect(line.locator(".count.hot")).to_have_text("2")
        received = Money.parse("542.00", fiat(desk.trade.currency))
        for left, ref in zip(("1", None), refs, strict=True):
            release.confirm(desk.acceptor.actor, ref, received=received, payer_name="Joao Santos")
            if left:
                expect(line.locator(".count.hot")).to_have_text(left)
        expect(line.locator(".count")).to_have_count(0)


def test_the_heading_of_an_open_desk_follows_its_acceptor_s_standing(desk, chromium):
    with visit(desk, chromium, "acceptor1") as page:
        page.goto("/desk/")
        badge = page.locator("#state")
        expect(badge).not_to_have_text("Suspended")
        standing.suspend(system(), desk.acceptor.ref, "a look into it")
        expect(badge).to_have_text("Suspended")
        expect(page.locator("#standing")).to_contain_text("You are suspended")
        standing.reinstate(system(), desk.acceptor.ref, "all is well")
        expect(badge).not_to_have_text("Suspended")


def test_an_order_that_moves_up_into_a_full_list_is_no_news_and_one_that_has_just_come_is(desk, chromium, monkeypatch):
    monkeypatch.setattr(orders_live, "MOST", 1)
    amounts = ("701.00", "702.00", "703.00")
    first, second = (claimed(desk.trade, amount=amount) for amount in amounts[:2])
    with transaction() as tx:
        earlier = "claimed_at = claimed_at - interval '10 minutes', matched_at = matched_at - interval '10 minutes'"
        tx.run(f"update orders set {earlier} where ref = any(%s)", ([first, second],))
    with visit(desk, chromium, "acceptor1") as page:
        page.goto("/desk/")
        heard, listed = page.locator("#heard"), page.locator(".live-order")
        expect(page.locator("#more")).to_contain_text("1 of 2 live orders")
        for ref, amount, after in zip((first, second), amounts, amounts[1:], strict=False):
            received = Money.parse(amount, fiat(desk.trade.currency))
            if after == amounts[2]:
                claimed(desk.trade, amount=after)
            release.confirm(desk.acceptor.actor, ref, received=received, payer_name="Joao Santos")
            expect(listed).to_contain_text(after)
            said = f"An order was paid: {after} BRL" if after == amounts[2] else ""
            expect(heard).to_have_text(said)


def fits_soon(page):
    """Ask from outside again and again: the page's own policy lets no string be run in it."""
    ends = time.monotonic() + SECONDS
    while not page.evaluate(FITS):
        assert time.monotonic() < ends, "the page is wider than its window"
        page.wait_for_timeout(50)


@pytest.mark.parametrize("width", [1440, 1366, 1280])
def test_a_filters_fields_open_within_the_page(desk, chromium, width):
    with visit(desk, chromium, "compliance", {"width": width, "height": 800}) as page:
        page.goto("/orders/list/")
        for menu in page.locator(".bar details.menu").all():
            menu.locator("summary").click()
            expect(menu.locator(".sheet")).to_be_visible()
            fits_soon(page)  # it is turned when the browser says that it has opened
            menu.locator("summary").click()
