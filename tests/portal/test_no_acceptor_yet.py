"""A deposit that no acceptor can take yet tells its merchant what it waits for, until when, and what happens then."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from core import clock
from core.actor import system
from core.orders import deadlines
from core.parties import keys, standing
from core.settings import settings
from tests.portal import market
from tests.portal.api_client import Program
from tests.portal.market import opened, signed_in


@pytest.fixture(scope="module")
def desk(module_database, tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DESK_HOME", str(tmp_path_factory.mktemp("home")))
        settings.cache_clear()
        made = market.built()
        made.home = str(settings().home)
    made.shop = Program(made.app, keys.create(system(), made.trade.merchant_ref, "test")[1])
    standing.suspend(system(), made.acceptor.ref, "nobody is left")
    return made


@pytest.fixture(autouse=True)
def same_home(own_home, desk, monkeypatch):
    """Every test of this module opens what the first one sealed."""
    monkeypatch.setenv("DESK_HOME", desk.home)
    settings.cache_clear()


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_the_merchant_reads_it_in_the_answer_and_on_the_page(desk):
    ref = opened(desk.trade)
    told = desk.shop.get(f"/deposits/{ref}").json
    assert (told["state"], told["code"], told["risk_state"]) == ("matching", "matching", "clear")
    assert f"we are looking for one until {told['deadline_at']}" in told["message"]
    assert "ends as no_liquidity and no money moves" in told["message"]
    merchant = signed_in(desk, "merchant1")
    page = text(merchant.get(f"/orders/show/{ref}"))
    until = f"{datetime.fromisoformat(told['deadline_at']):%Y-%m-%d %H:%M:%S}"
    assert f"We are looking for an acceptor until {until}" in page
    merchant.post("/account/taste", {"language": "es", "zone": "UTC"})
    assert "Buscamos un aceptador hasta" in text(merchant.get(f"/orders/show/{ref}"))
    merchant.post("/account/taste", {"language": "en", "zone": "UTC"})

    with clock.at(datetime.fromisoformat(told["deadline_at"]) + timedelta(seconds=1)):
        assert deadlines.expire(ref) == "no_liquidity"
    ended = desk.shop.get(f"/deposits/{ref}").json
    assert (ended["code"], ended["risk_state"]) == ("no_liquidity", "clear")
    assert ended["message"].startswith("no acceptor was found in time; no money has moved")
    assert "No acceptor was found in time: no money has moved" in text(merchant.get(f"/orders/show/{ref}"))


def test_an_order_that_goes_on_has_nothing_to_say(desk):
    standing.reinstate(system(), desk.acceptor.ref, "back again")
    ref = opened(desk.trade)
    told = desk.shop.get(f"/deposits/{ref}").json
    assert (told["state"], told["code"], told["message"]) == ("awaiting_payment", None, None)
    assert "looking for an acceptor" not in text(signed_in(desk, "merchant1").get(f"/orders/show/{ref}"))
