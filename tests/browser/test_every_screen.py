"""In Chromium: every page a role may open, light and wide, dark and narrow: no fault axe knows, nothing cut off.

With SHOTS=folder (`make shots`) a picture of each is kept there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from core.analytics import rollup
from core.db import reading
from core.money import Money, fiat
from core.orders import release
from core.settings import settings
from tests.browser.chromium import NARROW, WIDE, fits, served, visit
from tests.portal import market
from tests.portal.routes import ROWS
from wsgi import compose

pytestmark = pytest.mark.browser

WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "resultTypes": ["violations"],  # to tell of each part that is well, too, takes three times as long
}
NO_PAGE = (
    "/login/", "/logout/", "/static/", "/healthz", "/readyz", "/metrics", "/api/", ".csv", ".json", ".ico", "/file/",
    "/_",
)  # fmt: skip
BOARDS = "/dashboards/"
"""Leads to a reader's first board, which is looked at by its own name."""
USERS = {
    "acceptor": "acceptor1", "merchant": "merchant1", "agent": "agent1", "compliance": "compliance",
    "finance": "finance", "admin": "admin", "auditor": "auditor",
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(module_database, one_key):
    """A market with something of everything: paid out, held for two officers, waiting for its payer or acceptor."""
    made = market.built()
    paid = market.claimed(made.trade)
    received = Money.parse("542.00", fiat("BRL"))
    release.confirm(made.acceptor.actor, paid, received=received, payer_name="Joao Santos")
    made.open, (made.stopped, made.alert) = market.opened(made.trade), market.held(made)
    market.claimed(made.trade)
    rollup.advance()
    made.rows = rows_of(made)
    made.app = compose(settings())
    with served(made):
        yield made


def rows_of(made):
    """Return the addresses of single rows that each role may open, and of lists as a link narrows them."""
    with reading() as tx:
        line = tx.call(
            "select c.ref from commission_line c join party p on p.id = c.agent_id where p.ref = %s",
            (made.trade.agents[0],),
        )
        deed = tx.call("select max(id) from audit")
    orders = ["/orders/list/?stage=open", f"/orders/show/{made.open}", f"/orders/show/{made.stopped}"]
    alert, earned, trail = f"/alerts/show/{made.alert}", f"/commissions/show/{line}", f"/audit/show/{deed}"
    merchant, acceptor = f"/merchants/show/{made.trade.merchant_ref}", f"/acceptors/show/{made.acceptor.ref}"
    agent, account = f"/agents/show/{made.trade.agents[0]}", f"/bank-accounts/show/{made.acceptor.bank_account}"
    return {
        "acceptor": [*orders, acceptor, account],
        "merchant": [*orders, merchant, "/search/?q=nobody"],
        "agent": [*orders, merchant, agent, earned],
        "compliance": [*orders, alert, account, trail],
        "finance": [*orders, acceptor, earned],
        "admin": [*orders, alert, merchant, acceptor, agent, account, earned, trail, f"/desk/of/{made.acceptor.ref}"],
        "auditor": [],
    }


def pages(role):
    """Return the addresses that role may open by its place in the table of routes."""
    return [
        path
        for row in ROWS
        for path in [row.path or row.rule]
        if row.method == "GET" and role in row.who and "<" not in path and not any(part in path for part in NO_PAGE)
    ]


def own_pages(role):
    """Return home and what no role before it has: the same page is looked at with axe once, not once a role."""
    before = {path for earlier in list(USERS)[: list(USERS).index(role)] for path in pages(earlier)}
    return ["/", *(path for path in pages(role) if path != "/" and path not in before)]


@pytest.mark.parametrize("role", USERS)
def test_every_page_of_a_role_is_sound_in_light_and_dark_wide_and_narrow(desk, chromium, role):
    found = []
    with visit(desk, chromium, USERS[role]) as page:
        closely = own_pages(role)
        closely += [first for path in closely if "/list/" in path for first in first_of(page, path)]
        for size, scheme in ((WIDE, "light"), (NARROW, "dark")):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            for path in dict.fromkeys([*closely, *pages(role), *desk.rows[role]]):
                if path == BOARDS:
                    led = page.request.get(path)
                    assert (led.status, urlsplit(led.url).path in pages(role)) == (200, True), led.url
                    continue
                assert page.goto(path).status == 200, path
                drawn(page)
                keep(page, f"{role}{re.sub(r'[/?=]', '-', path).rstrip('-')}-{scheme}")
                told = faults(page) if path in closely else []
                found += [f"{path} {scheme}: {fault}" for fault in told]
                if not fits(page):
                    found.append(f"{path} {scheme}: stands out to the right")
    assert found == []


def first_of(page, path):
    """Return the page behind the first row of that list, if there is one."""
    page.goto(path)
    links = page.locator(f'main a[href^="{path.replace("list/", "show/")}"]')
    return [links.first.get_attribute("href")] if links.count() else []


def drawn(page):
    """Wait until the charts of a dashboard stand, if it has any."""
    if BOARDS in page.url:
        page.locator("main h1").first.wait_for()
        # Until the layout has come there is nothing that loads; then bones stand where charts will.
        page.locator(".boards").first.wait_for()
        page.locator(".bone").first.wait_for(state="detached")
        page.locator("[data-dash-is-loading=true]").first.wait_for(state="detached")


def faults(page):
    """Return what is wrong with the page, a line each."""
    told = Axe().run(page, options=WCAG).response["violations"]
    return [f"{fault['id']} {fault['nodes'][0]['html'][:120]}" for fault in told]


def keep(page, name):
    """Keep a picture of the page when SHOTS names a folder."""
    if folder := os.environ.get("SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
