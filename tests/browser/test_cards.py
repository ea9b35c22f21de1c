"""In Chromium: in the cards that narrow screens make of rows, long words and long sums do not stand on each other."""

from __future__ import annotations

import pytest

from core.db import reading
from core.money import Money, fiat
from core.orders import release
from tests.browser.chromium import NARROW, fits, served, visit
from tests.portal import market
from tests.portal.market import account_of, claimed

pytestmark = pytest.mark.browser
MEETING = """() => [...document.querySelectorAll('.narrow tbody tr')].filter(row => {
  const [state, sum] = ['n-state', 'n-amount'].map(name => {
    const words = document.createRange(), cell = row.querySelector('td.' + name);
    if (cell) words.selectNodeContents(cell);
    return words.getBoundingClientRect();
  });
  return state.right > sum.left + 1 && sum.right > state.left + 1
      && state.bottom > sum.top + 3 && sum.bottom > state.top + 3;
}).map(row => row.innerText)"""
"""The rows in which a badge and a sum cover the same place."""
TALLEST = "() => Math.max(...[...document.querySelectorAll('td.n-amount')].map(each => each.offsetHeight))"
TWO_LINES = 48
BROKEN = """() => [...document.querySelectorAll('.narrow td .nums')].filter(each => each.getClientRects().length > 1)
  .map(each => each.innerText)"""
"""The figures that are broken in the middle."""


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    for amount in ("542.00", "9300.00", "1084.00"):
        ref = claimed(made.trade, payer="Maria Lucia Rojas", amount=amount, account=account_of(4711))
        received = Money.parse(amount, fiat(made.trade.currency))
        release.confirm(made.acceptor.actor, ref, received=received, payer_name="Maria Lucia Rojas")
    with reading() as tx:
        made.alert = tx.call("select ref from alert where gate = 'G3' order by id limit 1")
    with served(made):
        yield made


@pytest.mark.parametrize(("language", "scheme"), [("es", "light"), ("zh", "dark")])
def test_badges_and_sums_keep_apart_however_long_their_words_are(desk, chromium, language, scheme):
    with visit(desk, chromium, "compliance", NARROW, color_scheme=scheme) as page:
        page.goto("/account/")
        page.locator("select[name=language]").select_option(language)
        page.locator("form:has(select[name=language]) button.pri").first.click()
        page.wait_for_load_state()
        for path in (
            f"/alerts/show/{desk.alert}",
            "/orders/list/",
            "/alerts/list/?stage=waiting",
            "/acceptors/list/",
            "/",
        ):
            page.goto(path)
            assert page.locator("td.n-amount").count(), path
            assert page.evaluate(MEETING) == [], path
            assert page.evaluate(TALLEST) <= TWO_LINES, path
            assert page.evaluate(BROKEN) == [], path
            assert fits(page), path
