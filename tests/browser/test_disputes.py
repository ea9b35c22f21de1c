"""In Chromium: two officers end a dispute, each way there is, and what the gate stops goes on as an alert."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from core import clock
from core.db import reading
from core.orders import deadlines
from tests.browser.chromium import NARROW, fits, served, visit
from tests.portal import market
from tests.portal.market import claimed

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    with served(made):
        yield made


@pytest.fixture
def disputed(desk):
    """An order that its customer has paid and its acceptor never confirmed."""
    ref = claimed(desk.trade)
    with clock.at(clock.now() + timedelta(hours=1)):
        deadlines.expire(ref)
    return ref


def order(ref):
    with reading() as tx:
        return tx.rows("select state, dispute_state, risk_state from orders where ref = %s", (ref,))[0]


def propose(page, ref, outcome, *, payer="Joao Santos"):
    page.goto(f"/orders/show/{ref}")
    page.keyboard.press("a" if outcome == "release" else "r")
    if outcome == "release":
        page.fill("#d-received", "542.00")
        page.fill("#d-payer", payer)
    page.fill("#d-narrative", "by both parties' receipts and the bank's statement")
    page.get_by_role("button", name="Decide").click()


def sure(page, *words):
    for each in words:
        expect(page.locator("#confirm")).to_contain_text(each)
    page.locator("#confirm [data-go]").click()


@pytest.mark.parametrize(
    ("outcome", "words", "end"),
    [
        ("release", ("Release 99.", "to merchant shop", "for 542.00 BRL"), ("completed", "decided", "clear")),
        ("refuse", ("return 100.000000 USDT to the reserve of", "542.00 BRL back"), ("refunded", "decided", "refused")),
    ],
)
def test_two_officers_end_a_dispute(desk, chromium, disputed, outcome, words, end):
    with visit(desk, chromium, "compliance") as page:
        propose(page, disputed, outcome)
        sure(page, *words, "Nothing moves until another officer agrees.")
        expect(page.locator(".note.ok")).to_contain_text(words[0])
        expect(page.get_by_text("You decided first: somebody else must agree.")).to_be_visible()
    assert order(disputed) == ("paid_claimed", "open", "clear")
    with visit(desk, chromium, "compliance2", NARROW, color_scheme="dark") as page:
        page.goto(f"/orders/show/{disputed}")
        assert fits(page)
        expect(page.locator("p.said").first).to_have_text("by both parties' receipts and the bank's statement")
        page.fill("#ds-why", "seen the same")
        page.get_by_role("button", name="Agree and carry out").click()
        sure(page, *words)
        expect(page.locator(".note.ok")).to_contain_text("The dispute is decided")
    assert order(disputed) == end


def test_a_second_officer_turns_a_ruling_down(desk, chromium, disputed):
    with visit(desk, chromium, "compliance") as page:
        propose(page, disputed, "refuse")
        sure(page, "Refuse the order")
        expect(page.locator(".note.ok")).to_be_visible()
    with visit(desk, chromium, "compliance2") as page:
        page.goto(f"/orders/show/{disputed}")
        page.fill("#ds-why", "the statement is of another month")
        page.get_by_role("button", name="Turn down").click()
        sure(page, "Turn the decision down?")
        expect(page.locator("#d-narrative")).to_be_visible()
    assert order(disputed) == ("paid_claimed", "open", "clear")


def test_a_release_under_another_name_goes_on_as_an_alert(desk, chromium, disputed):
    with visit(desk, chromium, "compliance") as page:
        propose(page, disputed, "release", payer="Maria Lucia Rojas")
        sure(page, "Release 99.")
        page.wait_for_url("**/alerts/show/alr_*")
        expect(page.locator(".note.warning")).to_contain_text("An alert keeps the release back")
        expect(page.locator("h1")).to_have_text("Payer name differs")
        page.goto(f"/orders/show/{disputed}")
        expect(page.get_by_text("two officers decide it")).to_be_visible()
    assert order(disputed) == ("paid_claimed", "open", "held")


def test_an_acceptor_says_that_less_has_come_and_the_dispute_desk_reads_it(desk, chromium):
    ref = claimed(desk.trade)
    with visit(desk, chromium, "acceptor1", NARROW) as page:
        page.goto(f"/orders/show/{ref}")
        page.get_by_role("button", name="Something else came").click()
        dialog = page.locator("#ask-contest")
        expect(dialog).to_contain_text("542.00 BRL is due")
        page.fill("#contest-received", "500.00")
        page.fill("#contest-why", "one line of 500 under this reference")
        dialog.get_by_role("button", name="Hand it to the dispute desk").click()
        expect(page.locator(".note.warning").first).to_contain_text("The dispute desk has it")
        assert fits(page)
    assert order(ref) == ("paid_claimed", "open", "clear")
    with visit(desk, chromium, "compliance") as page:
        page.goto(f"/orders/show/{ref}")
        expect(page.get_by_text("It says that only a part has come, 500.00 BRL")).to_be_visible()
        expect(page.get_by_text("500.00 BRL: one line of 500 under this reference")).to_be_visible()
