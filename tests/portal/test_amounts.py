"""Amounts that are none, at every door that takes one: each refused with its code, and nothing has changed."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from core import clock
from core.actor import system
from core.orders import deadlines
from core.parties import keys
from core.settings import settings
from tests.core import review
from tests.portal import api_client, market
from tests.portal.market import claimed, signed_in

STRANGE = (
    "NaN", "nan", "sNaN", "Infinity", "-Infinity", "Inf", "1e400", "1E2", "5.42e2", "-0", "-0.00", "\u22120",
    "\u2212542.00", "-542.00", "+542.00", "0", "0.00", "5_42", "542_00.00", "542,00", "1,5", "5 42", "542.00 BRL",
    "R$542",
    "\uff15\uff14\uff12.00", "\u0665\u0664\u0662", "\u0be7", "\u2460", "\u00bd", "542.001", "542.0000000", "0.0000001",
    "9223372036854775808", "9223372036854775807", "18446744073709551616", "9" * 19, "9" * 41, "1" * 100_000,
    ".5", "542.", "0542.00", "0x21e", "5\x004", "\u202e542", "\u200b542", "542\u200b", "=1+1", "'542", "five", "[]", "",
    " ",
)  # fmt: skip
"""What faults.md lists, and its neighbours; each for an order of 542.00."""


@pytest.fixture(scope="module")
def desk(module_database, tmp_path_factory):
    """A market with an order that is claimed, and one whose acceptor was silent and that is in dispute."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DESK_HOME", str(tmp_path_factory.mktemp("home")))
        settings.cache_clear()
        made = market.built()
        disputed = claimed(made.trade)
        with clock.at(clock.now() + timedelta(hours=1)):
            deadlines.expire(disputed)
        program = {
            name: api_client.Program(made.app, keys.create(system(), ref, "test")[1])
            for name, ref in (("shop", made.trade.merchant_ref), ("acceptor", made.acceptor.ref))
        }
        home = str(settings().home)
    return SimpleNamespace(made=made, claimed=claimed(made.trade), disputed=disputed, home=home, **program)


@pytest.fixture(autouse=True)
def same_home(own_home, desk, monkeypatch):
    """Every test of this module opens what the first one sealed."""
    monkeypatch.setenv("DESK_HOME", desk.home)
    settings.cache_clear()


def _problem(answer):
    assert answer.content_type == "application/problem+json", answer.text[:300]
    return answer.json["code"], answer.status_code


def _flash(answer):
    found = next(
        (code for code in ("bad_amount", "amount_differs", "bad_input", "too_long") if f"[{code}]" in answer.text), ""
    )
    return found, answer.status_code


def _quote(desk):
    body = {"kind": "deposit", "currency": "BRL"}
    return lambda text: _problem(desk.shop.post("/quotes", body | {"amount": text}))


def _confirm_by_api(desk):
    body = {"currency": "BRL", "payer_name": "Joao Santos"}
    path = f"/orders/{desk.claimed}/confirm"
    return lambda text: _problem(desk.acceptor.post(path, body | {"received": text}))


def _form(who, page, path, field, **more):
    def door(desk):
        browser = signed_in(desk.made, who)
        names = {"claimed": desk.claimed, "disputed": desk.disputed, "acceptor": desk.made.acceptor.ref}
        assert browser.get(page.format(**names)).status_code == 200
        return lambda text: _flash(browser.post(path.format(**names), more | {field: text}))

    return door


DOORS = {
    "a quote": _quote,
    "a confirmation by the API": _confirm_by_api,
    "a confirmation on the live desk": _form(
        "acceptor1", "/desk/", "/desk/confirm/{claimed}", "received", payer_name="Joao Santos"
    ),
    "a confirmation on the order's page": _form(
        "acceptor1", "/orders/show/{claimed}", "/orders/action/confirm/{claimed}", "received", payer_name="Joao Santos"
    ),
    "a dispute's payment": _form(
        "compliance", "/orders/show/{disputed}", "/orders/action/dispute/{disputed}", "received",
        outcome="release", payer_name="Joao Santos", narrative="the bank line names the customer",
    ),
    "a top-up": _form(
        "finance", "/acceptors/show/{acceptor}", "/acceptors/action/top_up/{acceptor}", "amount",
        arrival="T-1", why="seen there", sure="yes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_a_strange_amount_is_refused_at_every_door_and_changes_nothing(desk, door):
    send = DOORS[door](desk)
    before = review.everything()
    # USDT has six decimals, so three are none too many for a top-up.
    answers = {text[:30]: send(text) for text in STRANGE if text != "542.001" or door != "a top-up"}
    off = {
        text: answer
        for text, answer in answers.items()
        if answer[0] not in {"bad_amount", "bad_input", "amount_differs", "too_large"}
        or answer[1] not in {409, 413, 422}
    }
    assert off == {}
    assert review.everything() == before
