"""In Chromium: what an acceptor typed outlives a refusal, which is told at its field; with a script and without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from core.db import reading
from tests.browser.chromium import NARROW, WIDE, fits, served, visit
from tests.portal import market
from tests.portal.market import claimed, held, opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    with served(made):
        yield made


def state(ref):
    with reading() as tx:
        return tx.call("select state from orders where ref = %s", (ref,))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("place", ["/desk/", "/orders/show/"])
def test_a_refused_receipt_keeps_what_was_typed_and_says_why_at_the_field(desk, chromium, place, size):
    ref = claimed(desk.trade)
    with visit(desk, chromium, "acceptor1", size) as page:
        page.goto(place if place == "/desk/" else place + ref)
        if place == "/desk/":
            page.locator(f'.live-order[data-ref="{ref}"] [data-confirm-order]').click()
        else:
            page.keyboard.press("c")
        page.fill("#c-payer", "Joao Santos")
        for typed, code in (("541.00", "amount_differs"), ("542.001", "bad_amount")):
            page.fill("#c-received", typed)
            page.keyboard.press("Enter")
            told = page.locator("#ask-confirm .field", has=page.locator("#c-received")).get_by_role("alert")
            expect(told).to_contain_text(f"[{code}]")
            expect(page.locator("#c-received")).to_have_value(typed)
            expect(page.locator("#c-received")).to_be_focused()
            expect(page.locator("#c-received")).to_have_attribute("aria-describedby", told.get_attribute("id"))
            expect(page.locator("#c-payer")).to_have_value("Joao Santos")
            assert fits(page)
        assert state(ref) == "paid_claimed"
        page.fill("#c-received", "542.00")
        expect(page.locator("#ask-confirm [role=alert]")).to_have_count(0)
        page.keyboard.press("Enter")
        expect(page.locator(".note.ok")).to_contain_text("paid out")
    assert state(ref) == "completed"


def test_an_order_that_was_settled_elsewhere_is_told_in_the_dialog(desk, chromium):
    ref = claimed(desk.trade)
    with visit(desk, chromium, "acceptor1") as page, visit(desk, chromium, "acceptor1") as other:
        for each in (page, other):
            each.goto(f"/orders/show/{ref}")
            each.keyboard.press("c")
            each.fill("#c-received", "542.00")
            each.fill("#c-payer", "Joao Santos")
        other.keyboard.press("Enter")
        expect(other.locator(".note.ok")).to_contain_text("paid out")
        page.keyboard.press("Enter")
        expect(page.locator("#ask-confirm [role=alert]")).to_contain_text("[wrong_state]")
        expect(page.locator("#ask-confirm [role=alert]")).to_be_focused()


def test_without_a_script_the_dialog_comes_back_open_with_what_was_typed(desk, chromium):
    ref = claimed(desk.trade)
    with visit(desk, chromium, "acceptor1") as page:
        token = page.request.get(f"{desk.address}/desk/").text().split('name="csrf_token" value="')[1].split('"')[0]
        form = {"csrf_token": token, "received": "541.00", "payer_name": 'Joao "J" Santos'}
        for place in (f"/desk/confirm/{ref}", f"/orders/action/confirm/{ref}"):
            answer = page.request.post(f"{desk.address}{place}", form=form)
            assert answer.status == 409
            html = answer.text()
            assert '<dialog id="ask-confirm"' in html
            dialog = html.split('<dialog id="ask-confirm"')[1].split("</dialog>")[0]
            assert " open data-refused" in dialog.split(">")[0]
            assert 'value="541.00" aria-invalid="true" aria-describedby="e-received"' in dialog
            assert 'value="Joao &#34;J&#34; Santos"' in dialog
            assert "[amount_differs]" in dialog
    assert state(ref) == "paid_claimed"


def test_an_officers_words_outlive_a_refused_decision_and_the_next_alert_is_offered_after_a_good_one(desk, chromium):
    _ref, alert = held(desk)
    with visit(desk, chromium, "compliance") as page:
        page.goto(f"/alerts/show/{alert}")
        page.check("[name=outcome][value=release]")
        page.select_option("#d-disposition", "explained")
        page.locator("#d-narrative").evaluate("each => each.removeAttribute('minlength')")
        page.fill("#d-narrative", "too short")
        page.get_by_role("button", name="Decide", exact=True).click()
        page.get_by_role("button", name="Yes, do it").click()
        told = page.locator(".field", has=page.locator("#d-narrative")).get_by_role("alert")
        expect(told).to_contain_text("[bad_input]")
        expect(page.locator("#d-narrative")).to_have_value("too short")
        expect(page.locator("#d-disposition")).to_have_value("explained")
        expect(page.locator("[name=outcome][value=release]")).to_be_checked()
        page.fill("#d-narrative", "the bank line names the customer")
        page.get_by_role("button", name="Decide", exact=True).click()
        page.get_by_role("button", name="Yes, do it").click()
        expect(page.locator(".note.warning")).to_contain_text(alert)
        expect(page.locator(".offer")).to_be_visible()


def test_an_orders_tables_are_read_without_scrolling_sideways(desk, chromium):
    ref = claimed(desk.trade)
    cut = (
        "[...document.querySelectorAll('main .scroll')].filter(each => each.scrollWidth > each.clientWidth + 1).length"
    )
    for name in ("compliance", "acceptor1", "merchant1"):
        for width in (360, 1280):
            with visit(desk, chromium, name, {"width": width, "height": 800}) as page:
                page.goto(f"/orders/show/{ref}")
                assert page.evaluate(cut) == 0, (name, width)


def test_what_is_typed_into_a_reveal_outlives_a_refusal_and_the_look_is_logged_once(desk, chromium):
    ref = claimed(desk.trade)
    with visit(desk, chromium, "compliance") as page:
        page.goto(f"/orders/show/{ref}")
        page.locator('[data-open="ask-reveal"]').click()
        page.select_option("#reveal-kind", "payer")
        page.locator("#reveal-reason").evaluate("each => each.removeAttribute('minlength')")
        page.fill("#reveal-reason", "no")
        page.keyboard.press("Enter")
        expect(page.locator("#ask-reveal [role=alert]")).to_contain_text("[bad_input]")
        expect(page.locator("#reveal-reason")).to_have_value("no")
        expect(page.locator("#reveal-kind")).to_have_value("payer")
        page.fill("#reveal-reason", "the bank asks who paid")
        page.keyboard.press("Enter")
        expect(page.locator(".note.warning")).to_contain_text("Joao Santos")
        expect(page.locator("dialog[open]")).to_have_count(0)
        assert page.url.endswith(f"/orders/show/{ref}")
        page.locator('[data-open="ask-reveal"]').click()
        expect(page.locator("#reveal-reason")).to_have_value("")
        page.reload()
        expect(page.get_by_text("Joao Santos")).to_have_count(0)
    with reading() as tx:
        assert tx.call("select count(*) from audit where action = 'reveal.payer' and subject = %s", (ref,)) == 1


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_an_officer_says_that_the_customer_has_paid_and_what_is_wrong_stands_at_its_field(desk, chromium, size):
    ref = opened(desk.trade)
    now = datetime.now(UTC)
    good = {
        "payer_name": "Joao Santos", "payer_account": "BR7712348812", "reason": "the slip of the customer's bank",
        "paid_at": f"{now - timedelta(minutes=3):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    wrong = {"payer_account": "12-", "paid_at": f"{now + timedelta(days=2):%Y-%m-%dT%H:%M}", "reason": "-----"}
    with visit(desk, chromium, "compliance", size) as page:
        page.goto(f"/orders/show/{ref}")
        page.locator('[data-open="ask-claim"]').click()
        dialog = page.locator("#ask-claim")
        for field, value in wrong.items():
            typed = good | {field: value}
            for name, each in typed.items():
                dialog.locator(f"[name={name}]").fill(each)
            dialog.locator("button:not([data-close])").click()
            told = dialog.locator(".field", has=page.locator(f"[name={field}]")).get_by_role("alert")
            expect(told).to_contain_text("[bad_input]")
            for name, each in typed.items():
                expect(dialog.locator(f"[name={name}]")).to_have_value(each)
            assert fits(page)
        dialog.locator("[name=reason]").fill(good["reason"])
        dialog.locator("button:not([data-close])").click()
        expect(page.locator(".note.ok")).to_contain_text("asked to confirm the receipt")
    assert state(ref) == "paid_claimed"


@pytest.mark.parametrize(
    ("name", "deed", "typed"),
    [("compliance", "freeze", {"why": "-----"}), ("admin", "pause", {"why": "-----"}),
     ("finance", "top_up", {"amount": "1e3", "arrival": "0xabc", "why": "seen on the chain"})],
)  # fmt: skip
def test_dialogs_of_accounts_and_acceptors_keep_what_was_typed(desk, chromium, name, deed, typed):
    page_of = {"freeze": f"/bank-accounts/show/{desk.acceptor.bank_account}"}
    with visit(desk, chromium, name) as page:
        page.goto(page_of.get(deed, f"/acceptors/show/{desk.acceptor.ref}"))
        page.locator(f'[data-open="ask-{deed}"]').click()
        dialog = page.locator(f"#ask-{deed}")
        for field, value in typed.items():
            dialog.locator(f"[name={field}]").fill(value)
        dialog.locator("button:not([data-close])").click()
        expect(dialog.get_by_role("alert")).to_be_visible()
        for field, value in typed.items():
            expect(dialog.locator(f"[name={field}]")).to_have_value(value)
        if deed == "top_up":
            dialog.locator("[name=amount]").fill("1000")
            dialog.locator("button:not([data-close])").click()
            expect(page.locator("#echo")).to_contain_text("1,000.000000 USDT to acceptor")
            page.check("[name=sure]")
            page.get_by_role("button", name="Ask for approval").click()
            expect(page.get_by_text("Waits for another person")).to_be_visible()
