"""A refusal is told in the reader's language on screen; programs get its English, and both its code."""

from __future__ import annotations

import html
from types import SimpleNamespace

import pytest
from flask_babel import force_locale

from core.actor import Actor, Right, Scope
from core.errors import BadAmount, Forbidden, WrongState, sentence
from core.ledger.seal import Head
from core.money import USDT, Money, fiat
from core.orders.states import Event, State, step
from portal import columns, refusals
from portal.columns import Column
from portal.states import BADGES
from tests.portal import market
from tests.portal.market import claimed, signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.order = claimed(made.trade)
    return made


@pytest.fixture
def spanish(desk):
    browser = signed_in(desk, "acceptor1")
    browser.post("/account/taste", {"language": "es", "zone": "UTC"})
    yield browser
    browser.post("/account/taste", {"language": "en", "zone": "UTC"})


def test_a_form_is_refused_in_the_language_of_its_reader_with_the_amounts_as_they_write_them(desk, spanish):
    typed = {"received": "541,00", "payer_name": "Joao Santos", "seen": "yes"}
    told = spanish.post(f"/desk/confirm/{desk.order}", typed, headers={"Accept": "application/json"}).json
    assert told["code"] == "amount_differs"
    assert told["detail"].startswith("Se deben 542,00 BRL y no 541,00 BRL; confirme solo el importe entero")
    typed["received"] = "5x"
    told = spanish.post(f"/desk/confirm/{desk.order}", typed, headers={"Accept": "application/json"}).json
    assert told["detail"] == "'5x' no es un importe: solo se leen las cifras 0-9 y un punto"


def test_a_page_is_refused_in_the_language_of_its_reader_and_a_program_in_english(desk):
    asked = "/agents/show/agt_0000000000000000"
    browser = signed_in(desk, "agent1")
    browser.post("/account/taste", {"language": "es", "zone": "UTC"})
    english = browser.get(asked, headers={"Accept": "application/json"}).json["detail"]
    assert english == "there is no agent agt_0000000000000000 among yours"
    assert "entre los suyos" in html.unescape(browser.get(asked).text)


@pytest.mark.parametrize("state", State)
def test_a_state_is_called_alike_in_a_programs_english_and_on_a_badge(desk, state):
    said = sentence("the order is %(state)s", state=str(state))
    with desk.app.test_request_context("/"):
        assert said == refusals.words(said) == f"the order is {str(BADGES[state].text).lower()}"


def test_states_deeds_and_amounts_are_put_in_words_and_what_people_typed_is_left_alone(desk):
    with desk.app.test_request_context("/"):
        with pytest.raises(WrongState) as wrong:
            step(State.COMPLETED, Event.CONFIRM)
        assert str(wrong.value).startswith("the order is completed: confirming is not possible now; possible:")
        assert refusals.words(wrong.value).startswith("the order is completed: confirming is not possible now")
        with pytest.raises(BadAmount) as small:
            Money.parse("0.001", fiat("BRL"))
        assert refusals.told(small.value) == "0.001 has more than 2 decimals for BRL [bad_amount]"
        due = sentence("%(due)s is due, not %(received)s", due=Money(1_234_567_890, USDT), received=Money(0, USDT))
        assert due == "1,234.567890 USDT is due, not 0.000000 USDT"
        assert refusals.words(due) == due
    assert refusals.words("a plain sentence with 5 % of something") == "a plain sentence with 5 % of something"


@pytest.mark.parametrize("right", Right)
def test_a_right_that_one_lacks_is_named_in_the_readers_language(desk, right):
    with pytest.raises(Forbidden) as caught:
        Actor("ana", "compliance", Scope.ALL, frozenset()).must(right)
    said = caught.value
    with desk.app.test_request_context("/"), force_locale("es"):
        told = refusals.words(said)
        assert told.startswith("ana (Oficial de cumplimiento) no puede ")
        assert right.value.replace("_", " ") not in told or right is Right.EXPORT
    with desk.app.test_request_context("/"), force_locale("zh"):
        assert right.value.replace("_", " ") not in refusals.words(said)


def test_a_seal_is_told_in_the_readers_language_and_is_one_english_line_in_a_file(desk):
    head = Head("journal", 5, 8205, "1e4d", "2026-10-05T00:00:00Z", "jrn_1")
    assert head.words() == "journal block 5, position 8205, sha256 1e4d"
    with desk.app.test_request_context("/"), force_locale("es"):
        assert refusals.words(head.words()) == "bloque 5 del diario, posición 8205, sha256 1e4d"


def test_the_trail_says_the_desks_own_role_and_reasons_in_the_readers_language(desk):
    with desk.app.test_request_context("/"), force_locale("zh"):
        drawn = [
            columns.draw(
                SimpleNamespace(role="system", reason="deadline passed", action="order.expire", details={}), each
            )
            for each in (Column("role", "", "role"), Column("reason", "", "audit_why"))
        ]
    assert drawn == ["系统", "期限已过"]
