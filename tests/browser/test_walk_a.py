"""In Chromium: an acceptor sees a payment arrive and confirms it, two officers release what is held."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core.db import reading
from tests.browser.chromium import NARROW, WIDE, fits, served, visit
from tests.portal import market
from tests.portal.market import claimed, held

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(database):
    made = market.built()
    with served(made):
        yield made


def state(ref):
    with reading() as tx:
        return tx.call("select state from orders where ref = %s", (ref,))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_payment_arrives_on_the_desk_and_is_confirmed_by_keys(desk, chromium, size):
    with visit(desk, chromium, "acceptor1", size) as page:
        page.goto("/desk/")
        expect(page.locator(".live-order")).to_have_count(0)
        assert float(page.locator("#live").get_attribute("data-every")) <= 5, "the page asks for news that often"
        ref = claimed(desk.trade)
        order = page.locator(f'.live-order.claimed[data-ref="{ref}"]')
        expect(order).to_be_visible()
        assert page.title().startswith("(1)")
        assert fits(page)
        page.keyboard.press("j")
        page.keyboard.press("c")
        dialog = page.locator("#ask-confirm")
        expect(dialog).to_contain_text("cannot be undone")
        expect(dialog).to_contain_text("542.00")
        page.fill("#c-received", "541.00")
        expect(page.locator("#c-received")).to_have_attribute("aria-invalid", "true")
        page.fill("#c-received", "542.00")
        page.fill("#c-payer", "Joao Santos")
        page.keyboard.press("Enter")
        expect(page.locator(".note.ok")).to_contain_text("paid out")
        assert state(ref) == "completed"


def test_two_officers_release_what_is_held(desk, chromium):
    ref, alert = held(desk)
    with visit(desk, chromium, "compliance") as page:
        page.get_by_role("link", name="Review queue").first.click()
        page.get_by_role("button", name="Next alert").click()
        page.wait_for_url(f"**/alerts/show/{alert}")
        page.keyboard.press("a")
        page.select_option("#d-disposition", "explained")
        page.fill("#d-narrative", "the bank line names the customer")
        page.get_by_role("button", name="Decide").click()
        expect(page.locator("#confirm")).to_contain_text(f"to merchant {desk.trade.merchant_code} for 542.00 BRL")
        page.locator("#confirm [data-go]").click()
        expect(page.locator(".note.warning").first).to_contain_text("Nothing moves until another officer agrees")
    assert state(ref) == "paid_claimed"
    with visit(desk, chromium, "compliance2", NARROW) as page:
        page.goto(f"/alerts/show/{alert}")
        assert fits(page)
        page.fill("#s-why", "the statement shows it")
        page.get_by_role("button", name="Agree and carry out").click()
        page.locator("#confirm [data-go]").click()
        expect(page.locator(".note.ok").first).to_contain_text("Release 99.")
    assert state(ref) == "completed"


def test_what_is_most_wanted_is_whole_at_every_width(desk, chromium):
    held(desk)
    cut = "[...document.querySelectorAll('.card .scroll')].some(each => each.scrollWidth > each.clientWidth)"
    with visit(desk, chromium, "compliance") as page:
        for width in (1440, 1280, 1200, 1100, 360):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto("/")
            expect(page.get_by_role("heading", name="Most wanted")).to_be_visible()
            assert not page.evaluate(cut), width
            assert fits(page)
