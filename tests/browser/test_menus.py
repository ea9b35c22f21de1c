"""In Chromium: the menu's number and a desk's heading go with the news, a filter's fields open within the page."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from core.actor import system
from core.money import Money, fiat
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
