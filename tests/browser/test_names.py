"""In Chromium: a list's file with names in full comes for a reason, and the page stays; a merchant's list has room."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.db import reading
from tests.browser.chromium import NARROW, WIDE, fits, served, visit
from tests.portal import market
from tests.portal.market import opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    opened(made.trade, number="SHOP-7", name="Joao Santos")
    with served(made):
        yield made


def reveals():
    with reading() as tx:
        return tx.call("select count(*) from audit where action = 'reveal.list'")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_an_officer_says_why_and_gets_the_file(desk, chromium, size):
    with visit(desk, chromium, "compliance", size) as page:
        page.goto("/orders/list/?kind=deposit")
        before = reveals()
        page.locator('[data-open="ask-names"]').click()
        expect(page.locator("#names-reason")).to_be_focused()
        page.fill("#names-reason", "-----")
        page.keyboard.press("Enter")
        expect(page.locator("#ask-names .field [role=alert]")).to_contain_text("[bad_input]")
        assert fits(page)
        assert reveals() == before
        page.fill("#names-reason", "police request 12")
        with page.expect_download() as coming:
            page.keyboard.press("Enter")
        text = Path(coming.value.path()).read_text(encoding="utf-8")
        assert "Joao Santos" in text
        assert "police request 12" in text
        expect(page.locator("#ask-names")).not_to_be_visible()
        assert page.url.endswith("/orders/list/?kind=deposit")
        assert reveals() == before + 1
        # The same again: nothing of the first time stands in its way.
        page.locator('[data-open="ask-names"]').click()
        with page.expect_download():
            page.keyboard.press("Enter")
        assert reveals() == before + 2


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_merchants_list_has_room_for_its_fees(desk, chromium, size):
    with visit(desk, chromium, "merchant1", size) as page:
        page.goto("/orders/list/")
        expect(page.locator("td", has_text="Joao").first).to_be_visible()
        assert fits(page)
        wrap = page.locator(".table-wrap")
        assert wrap.evaluate("each => each.scrollWidth <= each.clientWidth")
