"""In Chromium: countdowns run by the server's time, times are told in the user's own zone, the exact one on hover."""

from __future__ import annotations

import time
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from core.db import reading
from tests.browser.chromium import PATIENCE_MS, served, visit
from tests.portal import market
from tests.portal.market import claimed

pytestmark = pytest.mark.browser
ONE_HOUR_FAST = "const right = Date.now.bind(Date); Date.now = () => right() + 3_600_000;"
ASLEEP = "const before = Date.now.bind(Date); Date.now = () => before() + 600_000;"


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    with served(made):
        yield made


def seconds(text):
    """Return what a countdown shows, in seconds."""
    minus, plain = text.startswith("−"), text.lstrip("−")
    total = sum(int(part) * 60**place for place, part in enumerate(reversed(plain.split(":"))))
    return -total if minus else total


def runs_on(clock, by=2):
    """Wait until a countdown has run on by some seconds."""
    before = seconds(clock.text_content())
    ends = time.monotonic() + PATIENCE_MS / 1000
    while before - seconds(clock.text_content()) < by:
        assert time.monotonic() < ends, "it stands still"
        clock.page.wait_for_timeout(100)


def left(ref):
    with reading() as tx:
        return int(tx.call("select extract(epoch from deadline_at - now()) from orders where ref = %s", (ref,)))


@pytest.mark.parametrize("place", ["/orders/show/", "/desk/"])
def test_a_machine_whose_clock_is_wrong_counts_down_right(desk, chromium, place):
    ref = claimed(desk.trade)
    with visit(desk, chromium, "acceptor1") as page:
        page.add_init_script(ONE_HOUR_FAST)
        page.goto(place if place == "/desk/" else place + ref)
        own = f'.live-order[data-ref="{ref}"]' if place == "/desk/" else "main .head"
        clock = page.locator(f"{own} [data-until]")
        runs_on(clock)
        assert abs(seconds(clock.text_content()) - left(ref)) < 10
        page.evaluate(ASLEEP)
        if place == "/orders/show/":  # ten minutes passed here while the machine slept
            runs_on(clock, by=300)
            assert abs(seconds(clock.text_content()) - (left(ref) - 600)) < 10


def test_times_are_told_in_the_users_zone_and_in_utc_on_hover(desk, chromium):
    ref = claimed(desk.trade)
    with reading() as tx:
        opened = tx.call("select created_at from orders where ref = %s", (ref,))
    with visit(desk, chromium, "merchant1") as page:
        page.goto("/account/")
        page.select_option("[name=zone]", "Asia/Shanghai")
        page.get_by_role("button", name="Save").click()
        page.goto(f"/orders/show/{ref}")
        told = page.locator(f'.tl time[datetime="{opened.astimezone(UTC).isoformat()}"]').first
        expect(told).to_have_text(f"{opened.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M:%S}")
        expect(told).to_have_attribute("title", f"{opened:%Y-%m-%d %H:%M:%S} UTC · {told.text_content()} Asia/Shanghai")
        page.goto("/account/")
        page.select_option("[name=zone]", "UTC")
        page.get_by_role("button", name="Save").click()
