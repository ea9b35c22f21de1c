"""An alert that waits for its second officer, and what its order's pages say of the steps about it."""

from __future__ import annotations

import html
import re

import pytest

from core.db import transaction
from portal.views import alerts
from tests.portal import market
from tests.portal.market import held, signed_in

ROW = re.compile(r'<tr data-href="/alerts/show/([^"]+)"')
TAKE = re.compile(r'action="/alerts/action/take/[^>]+>.{0,200}?<button class="btn *" data-key="t">', re.DOTALL)
GOOD = {"outcome": "release", "disposition": "explained", "narrative": "the bank line names the customer"}


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


@pytest.fixture
def stopped(desk):
    """An order held by gate G3, with its alert."""
    return held(desk)


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_what_one_has_proposed_is_not_offered_to_be_taken_nor_wanted_on_ones_home(desk, stopped, monkeypatch):
    monkeypatch.setattr(alerts, "HOME_ROWS", 500)
    first, second = signed_in(desk, "compliance"), signed_in(desk, "compliance2")
    page, home = f"/alerts/show/{stopped[1]}", ROW.findall(first.get("/").text)
    assert stopped[1] in home
    assert TAKE.search(first.get(page).text)
    first.post(f"/alerts/action/decide/{stopped[1]}", GOOD)
    assert TAKE.search(first.get(page).text) is None
    assert 'disabled title="You decided first: somebody else must agree."' in first.get(page).text
    assert stopped[1] not in ROW.findall(first.get("/").text)
    assert TAKE.search(second.get(page).text)
    assert stopped[1] in ROW.findall(second.get("/").text)


def test_steps_about_alerts_name_the_alert_and_a_state_stands_once(desk, stopped):
    ref, name = stopped
    first, second = signed_in(desk, "compliance"), signed_in(desk, "compliance2")
    first.post(f"/alerts/action/decide/{name}", GOOD | {"outcome": "refuse"})
    for path in (f"/orders/show/{ref}", f"/alerts/show/{name}"):
        assert "Alert decided, waits for a second officer: Payer name differs by compliance" in words(first.get(path))
    second.post(f"/alerts/action/second/{name}", {"approve": "yes", "why": "agreed"})
    with transaction() as tx:  # an order that the gate refused says so by its state and by its risk
        tx.run("update orders set state = 'refused', apart = 'refused' where ref = %s", (ref,))
    heading = re.search(
        r"<h1 class=\"mono\">.*?</header>|<h1 class=\"mono\">.{0,900}", first.get(f"/orders/show/{ref}").text, re.DOTALL
    )
    assert heading[0].count(">Refused<") == 1
    row = re.search(rf'<tr data-href="/orders/show/{ref}".*?</tr>', first.get("/orders/list/").text, re.DOTALL)
    assert row[0].count(">Refused<") == 1


def test_no_two_columns_of_the_file_have_one_name(desk):
    heads = signed_in(desk, "compliance").get("/alerts/export.csv").data.decode("utf-8-sig").splitlines()[0].split(",")
    assert sorted(heads) == sorted(set(heads))
