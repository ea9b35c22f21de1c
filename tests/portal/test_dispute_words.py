"""What officers are told of a dispute: what the acceptor says has come is what a refusal pays back, and no more."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from core import clock
from core.money import Money, fiat
from core.orders import deadlines, disputing
from tests.portal import market
from tests.portal.market import claimed, signed_in

NOTHING = "by its word nothing has come, so nothing is paid back"
WHOLE = "who pays 542.00 BRL back to the payer"
NARRATIVE = {"outcome": "refuse", "narrative": "by the bank's statement of that day"}


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def contested(desk, came):
    ref = claimed(desk.trade)
    disputing.contest(
        desk.acceptor.actor, ref, received=Money.parse(came, fiat("BRL"), allow_zero=True), why="9.00 BRL: seen"
    )
    return ref


@pytest.mark.parametrize(
    ("came", "told", "pays"),
    [
        ("0", "It says that nothing has come", NOTHING),
        ("500", "It says that only a part has come, 500.00 BRL", "by its word, 500.00 BRL of 542.00 BRL"),
        ("1542", "It says that more has come, 1,542.00 BRL", "by its word, 1,542.00 BRL of 542.00 BRL"),
    ],
)
def test_a_refusal_pays_back_what_the_acceptor_says_has_come(desk, came, told, pays):
    ref = contested(desk, came)
    first, second = signed_in(desk, "compliance"), signed_in(desk, "compliance2")
    asked = first.get(f"/orders/show/{ref}")
    assert told in words(asked)
    dialog = html.unescape(re.search(r'value="refuse"[^>]*data-confirm="([^"]*)"', asked.text)[1])
    assert pays in dialog
    assert first.post(f"/orders/action/dispute/{ref}", NARRATIVE).status_code == 302
    proposed = words(first.get(f"/orders/show/{ref}"))
    assert proposed.count(pays) == 2, "in the flash, and in what waits"
    agree = second.get(f"/orders/show/{ref}").text
    dialog = html.unescape(re.search(r'value="yes"[^>]*data-confirm="([^"]*)"', agree)[1])
    assert pays in dialog
    done = {"approve": "yes", "why": "the statement says so"}
    assert second.post(f"/orders/action/dispute_second/{ref}", done).status_code == 302
    ended = words(second.get(f"/orders/show/{ref}"))
    assert pays in ended
    for page in (dialog, proposed, ended):
        assert WHOLE not in page


def test_of_a_silent_acceptor_the_whole_amount_is_asked_back(desk):
    ref = claimed(desk.trade)
    with clock.at(clock.now() + timedelta(hours=1)):
        deadlines.expire(ref)
    page = signed_in(desk, "compliance").get(f"/orders/show/{ref}")
    assert "It says that" not in words(page)
    assert WHOLE in html.unescape(page.text)
