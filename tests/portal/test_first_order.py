"""From an empty database to the first completed deposit, by nothing but what people have: portal, terminal, API."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from core.db import reading
from core.errors import Refusal
from core.settings import settings
from portal import cli
from portal.app import create_app
from portal.commands import init
from tests.portal.api_client import Program
from tests.portal.conftest import PASSWORD, Browser

OWN = "my own long secret 7"


def desk(*arguments, typed=""):
    """Run `desk` as from the terminal, on the database of this test."""
    name, *rest = arguments
    command = cli.desk.get_command(None, name)
    done = CliRunner().invoke(command, rest, input=typed)
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.fixture
def empty(database):
    init.initialise()
    app = create_app(settings())
    app.testing = False
    return app


def come_in(app, name, password=PASSWORD):
    browser = Browser(app)
    assert browser.sign_in(name, password).status_code == 302
    return browser


def sent(browser, path, form):
    """Fill a form of the portal in and send it; return the ref of what it made."""
    assert browser.get(path).status_code == 200
    answer = browser.post(path, form)
    assert answer.status_code == 302, text(answer)
    return answer.headers["Location"].rsplit("/", 1)[-1]


def done(browser, path, form):
    answer = browser.post(path, form)
    assert answer.status_code == 302, text(answer)


def funded(empty, acceptor):
    """Give an acceptor its first reserve: one of finance asks, another approves."""
    finance = come_in(empty, "fina", OWN)
    finance.get(f"/acceptors/show/{acceptor}")
    arrived = {"amount": "5000", "arrival": "0xfirst", "why": "seen on the chain", "sure": "yes"}
    asked = finance.post(f"/acceptors/action/top_up/{acceptor}", arrived)
    request = asked.headers["Location"].rsplit("/", 1)[-1]
    controller = come_in(empty, "fina2", OWN)
    controller.get(f"/approvals/show/{request}")
    done(controller, f"/approvals/action/top_up/{request}", {"approve": "yes", "why": "seen in custody"})


def test_every_empty_list_says_what_to_do_next_and_leads_there(empty):
    admin = come_in(empty, "admin")
    for path, leads in (
        ("/pools/list/", "/pools/new"),
        ("/merchants/list/", "/merchants/new"),
        ("/acceptors/list/", "/acceptors/new"),
        ("/agents/list/", "/agents/new"),
        ("/bank-accounts/list/", "/pools/new"),
        ("/orders/list/", "/"),
        ("/commissions/list/", "/agents/list/"),
    ):
        page = admin.get(path).text
        found = re.search(r'<div class="empty">.*?</div>', page, re.DOTALL).group(0)
        assert f'href="{leads}"' in found, path
        assert admin.get(leads).status_code == 200
    assert "open a pool first" in text(admin.get("/bank-accounts/new"))
    home = text(admin.get("/"))
    assert "0 of 10" in home
    assert "Open a pool" in home


def test_from_nothing_to_a_completed_deposit(empty):
    admin = come_in(empty, "admin")
    # the administrator sets the market up
    sent(admin, "/agents/new", {"code": "atlas", "name": "Atlas", "plan": "direct", "kyc_level": "1"})
    merchant = {"code": "shop", "name": "Aurora Games", "country": "BR", "agent": "atlas", "kyc_level": "2"}
    sent(admin, "/merchants/new", merchant)
    taker = {"code": "joao", "name": "Joao Silva", "country": "BR", "agent": "", "kyc_level": "2"}
    acceptor = sent(admin, "/acceptors/new", taker)
    pool = {
        "code": "brl-pix", "currency": "BRL", "method": "pix", "fee_code": "standard", "policy": "least_loaded",
        "min_fiat": "20", "max_fiat": "50000", "min_reserve": "50", "pay_seconds": "900", "confirm_seconds": "900",
        "quote_seconds": "600",
    }  # fmt: skip
    pool_ref = sent(admin, "/pools/new", pool)
    account = {"party": "acceptor:joao", "bank": "Banco Um", "holder": "Joao Silva", "number": "998877665544"}
    account_ref = sent(admin, "/bank-accounts/new", account | {"offer": "BRL:pix"})
    limits = {"bank_account": account_ref, "day_limit": "100000", "open_limit": "20"}
    done(admin, f"/pools/action/join/{pool_ref}", limits)
    done(admin, f"/pools/action/admit/{pool_ref}", {"merchant": "shop"})
    # users, key and rate come from the terminal
    for name, role, party in (
        ("fina", "finance", ""),
        ("fina2", "finance", ""),
        ("joao", "acceptor", "joao"),
        ("shop", "merchant", "shop"),
    ):
        given = ("--party", party) if party else ()
        desk("user", "new", name, "--role", role, *given, "--password-stdin", typed=f"{OWN}\n")
    key = json.loads(desk("key", "new", "--party", "shop", "--json"))["key"]
    desk("rate", "set", "BRL", "5.42", "--why", "the first one")
    # one of finance says what arrived, another books it, and the acceptor goes online
    funded(empty, acceptor)
    joao = come_in(empty, "joao", OWN)
    joao.get("/desk/")
    done(joao, "/desk/online", {"online": "yes"})
    # the merchant's program opens a deposit, its customer pays, the acceptor confirms on its desk
    program = Program(empty, key)
    quote = program.post("/quotes", {"kind": "deposit", "currency": "BRL", "amount": "250.00"}).json["ref"]
    payer = {"name": "Ana Souza", "account": "12345678"}
    customer = {"id": "c-1", "name": "Ana Souza", "country": "BR"}
    body = {"quote": quote, "merchant_order_id": "A-1", "customer": customer, "payer": payer}
    opened = program.post("/deposits", body)
    assert opened.status_code == 201, opened.text
    ref = opened.json["ref"]
    assert opened.json["pay_to"]["account"] == "998877665544"
    assert program.post(f"/deposits/{ref}/claim", {"payer": payer}).status_code == 200
    joao.get("/desk/")
    answer = joao.post(f"/desk/confirm/{ref}", {"received": "250.00", "payer_name": "Ana Souza"})
    assert answer.status_code in {200, 302}
    assert program.get(f"/deposits/{ref}").json["state"] == "completed"
    with reading() as tx:
        books = dict(tx.rows("select account, units from v_balances where asset = 'USDT' and units <> 0"))
        order = tx.rows("select usdt_units, fee_units from v_orders where ref = %s", (ref,))[0]
    assert books["merchant:shop"] == order[0] - order[1]
    assert books["agent:atlas"] > 0
    desk("verify")  # which ends with 1 when an invariant is broken
    assert "9 of 10" not in text(admin.get("/")), "the list is gone when all is done"
