"""Addresses of lists: those the screens build lead to a list, and what cannot be read is said at its field."""

from __future__ import annotations

import base64
import html
import re

import pytest

from core.actor import system
from core.parties import keys
from tests.portal import market
from tests.portal.api_client import Program
from tests.portal.market import held, signed_in

CHIP = re.compile(r'<a class="chip on" href="(\?[^"]*)" aria-label="Remove')
LISTS = ("orders", "alerts", "audit", "commissions", "bank-accounts", "acceptors", "merchants", "pools", "approvals")
PRESET = re.compile(r'<a class="chip(?: on)?" href="(\?[^"]*)">')
FORM = re.compile(r'<form class="sheet" method="get".*?</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
FIELD = re.compile(r'<input id="x-[^"]*" name="([^"]+)"[^>]*value="([^"]*)"')


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.stopped = held(made)
    return made


def chips(answer):
    return [html.unescape(href) for href in CHIP.findall(answer.text)]


@pytest.mark.parametrize("name", ["compliance", "merchant1", "agent1", "acceptor1"])
def test_taking_the_stage_off_takes_the_order_off_that_is_legal_with_it_alone(desk, name):
    browser = signed_in(desk, name)
    for sort in ("deadline_at", "-usdt_units"):
        page = browser.get(f"/orders/list/?stage=near&sort={sort}&kind=deposit")
        assert page.status_code == 200
        assert chips(page) == ["?kind=deposit", f"?stage=near&sort={sort}"]
    kept = browser.get("/orders/list/?stage=near&sort=-created_at")
    assert chips(kept) == ["?sort=-created_at"]


def test_taking_the_currency_off_takes_the_amounts_off_that_are_counted_in_it(desk):
    page = signed_in(desk, "finance").get("/orders/list/?currency=BRL&fiat_units_min=5&usdt_units_min=1")
    assert page.status_code == 200
    assert "?usdt_units_min=1" in chips(page)


@pytest.mark.parametrize("name", ["compliance", "admin", "finance", "merchant1", "acceptor1", "agent1"])
def test_no_link_or_form_of_a_list_leads_to_an_address_the_list_refuses(desk, name):
    browser = signed_in(desk, name)
    for each in LISTS:
        waits, seen = [f"/{each}/list/"], set()
        if browser.get(waits[0], follow_redirects=True).status_code in {403, 404}:
            continue
        while waits and len(seen) < 40:
            href = waits.pop()
            if href in seen:
                continue
            seen.add(href)
            page = browser.get(href, follow_redirects=True)
            assert page.status_code == 200, href
            found = chips(page) + [html.unescape(href) for href in PRESET.findall(page.text)]
            for form in FORM.findall(page.text):
                told = HIDDEN.findall(form)  # the form with its own field left empty
                found.append("?" + "&".join(f"{html.unescape(k)}={html.unescape(v)}" for k, v in told))
            waits += [f"/{each}/list/{href}" for href in found]


@pytest.mark.parametrize(
    ("query", "argument", "typed"),
    [
        ("currency=zzz&kind=deposit", "currency", "zzz"),
        ("currency=BRL&fiat_units_min=many&kind=deposit", "fiat_units_min", "many"),
        ("currency=BRL&fiat_units_max=1e3&kind=deposit", "fiat_units_max", "1e3"),
        ("from=yesterday&kind=deposit", "from", "yesterday"),
        ("fiat_units_min=5&kind=deposit", "fiat_units_min", "5"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field_and_the_other_filters_stay(desk, query, argument, typed):
    page = signed_in(desk, "finance").get(f"/orders/list/?{query}")
    assert page.status_code == 400
    form = next(each for each in FORM.findall(page.text) if f'id="x-{argument}"' in each)
    assert (argument, typed) in FIELD.findall(form)
    assert re.search(rf'id="x-{argument}"[^>]*aria-invalid="true"[^>]*aria-describedby="e-{argument}"', form)
    assert re.search(rf'id="e-{argument}">.*?bad_list', form, re.DOTALL)
    assert ("kind", "deposit") in HIDDEN.findall(form)
    assert "Kind: Deposit" in page.text
    assert "No rows are shown" in page.text
    assert not re.search(r'<tr data-href="/orders/show/', page.text)
    again = re.search(r'<a class="btn" href="(/orders/list/\?[^"]*)">Leave it away', page.text)[1]
    assert signed_in(desk, "finance").get(html.unescape(again)).status_code == 200


def test_a_wrong_currency_does_not_lose_the_amount_that_waits_for_it(desk):
    page = signed_in(desk, "finance").get("/orders/list/?currency=zzz&fiat_units_min=5.00")
    form = next(each for each in FORM.findall(page.text) if 'id="x-currency"' in each)
    assert ("fiat_units_min", "5.00") in HIDDEN.findall(form)
    assert page.text.count("bad_list") == 2  # above the list and at the field, once each


def test_a_file_of_an_address_that_cannot_be_read_is_not_made(desk):
    browser = signed_in(desk, "finance")
    assert browser.get("/orders/export.csv?currency=zzz").status_code == 400
    told = browser.get("/orders/list/?currency=zzz", headers={"Accept": "application/json"})
    assert (told.status_code, told.json["code"]) == (400, "bad_list")


def test_one_stage_at_a_time_is_chosen(desk):
    page = signed_in(desk, "compliance").get("/orders/list/?stage=near")
    form = next(each for each in FORM.findall(page.text) if 'name="stage"' in each)
    assert 'type="checkbox"' not in form
    assert re.search(r'type="radio" name="stage" value="near" checked', form)


UNSTORABLE = (
    r'["\ud800", 1]',
    r'["\udfff", "\udfff"]',
    r'["\u0000", "a"]',
    r'["a", "\ud800"]',
    r'["2026-11-20T12:00:00+00:00", "\ud800"]',
    r'[null, "\u0000"]',
)
"""Places in a list that JSON can say and no text of the database can be."""


def place(said):
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


@pytest.mark.parametrize("name", LISTS)
def test_a_place_with_letters_that_cannot_be_stored_is_told_on_every_list(desk, name):
    browser = signed_in(desk, "admin")
    for said in UNSTORABLE:
        page = browser.get(f"/{name}/list/?after={place(said)}")
        assert (page.status_code, "bad_list" in page.text) == (400, True), said


@pytest.mark.parametrize("path", ["deposits", "events"])
def test_the_api_refuses_such_a_cursor_too(desk, path):
    program = Program(desk.app, keys.create(system(), desk.trade.merchant_ref, "test")[1])
    for said in UNSTORABLE:
        answer = program.get(f"/{path}?cursor={place(said)}")
        assert (answer.status_code, answer.json["code"]) == (422, "bad_input"), said


@pytest.mark.parametrize("name", LISTS)
def test_an_address_that_asks_for_a_language_is_a_list_in_it(desk, name):
    page = signed_in(desk, "admin").get(f"/{name}/list/?lang=es")
    assert page.status_code == 200
    assert '<html lang="es"' in page.text
