"""Pools on screen and at the terminal: opened, filled, paused and steered by an administrator, seen by the desk."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from core.db import reading
from core.errors import Refusal
from core.parties import bank_accounts
from portal.commands.pool import command
from tests import make
from tests.portal import market
from tests.portal.market import opened, signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


FORM = {
    "code": "eur-sepa", "currency": "EUR", "method": "sepa", "fee_code": "lean", "policy": "least_loaded",
    "min_fiat": "5", "max_fiat": "20000", "min_reserve": "50", "pay_seconds": "900", "confirm_seconds": "3600",
    "quote_seconds": "600",
}  # fmt: skip


def pool(code):
    with reading() as tx:
        return tx.rows(
            "select ref, state, policy, policy_version, (select count(*) from pool_merchant m where m.pool_id = p.id),"
            " (select count(*) from pool_account a where a.pool_id = p.id) from pool p where code = %s",
            (code,),
        )[0]


def trace():
    with reading() as tx:
        return tx.rows(
            "select (select count(*) from pool), (select count(*) from pool_merchant), (select count(*) from"
            " pool_account), (select count(*) from audit where action like 'pool.%%'), (select count(*) from outbox)"
        )


def test_an_administrator_opens_a_pool_and_fills_it(desk):
    browser = signed_in(desk, "admin")
    assert "/pools/new" in browser.get("/pools/list/").text
    assert browser.get("/pools/new").status_code == 200
    answer = browser.post("/pools/new", FORM)
    assert answer.status_code == 302
    ref = pool("eur-sepa")[0]
    assert answer.headers["Location"].endswith(f"/pools/show/{ref}")
    page = browser.get(f"/pools/show/{ref}").text
    assert "/bank-accounts/new?offer=EUR:sepa" in page
    with reading() as tx:
        name = tx.call("select name from party where ref = %s", (desk.acceptor.ref,))
    account = bank_accounts.add(make.system(), desk.acceptor.ref, "Bank", name, "DE89370400440532013000", "EUR", "sepa")
    assert account in browser.get(f"/pools/show/{ref}").text
    joined = {"bank_account": account, "day_limit": "1000.50", "open_limit": "7"}
    assert browser.post(f"/pools/action/join/{ref}", joined).status_code == 302
    assert browser.post(f"/pools/action/join/{ref}", joined).status_code == 409
    admitted = {"merchant": desk.trade.merchant_code}
    assert browser.post(f"/pools/action/admit/{ref}", admitted).status_code == 302
    assert browser.post(f"/pools/action/admit/{ref}", admitted).status_code == 409
    assert pool("eur-sepa")[4:] == (1, 1)
    page = re.sub(r"<[^>]+>", "", browser.get(f"/pools/show/{ref}").text)
    assert "1,000.50" in page
    assert desk.trade.merchant_code in page
    with reading() as tx:
        done = [row[0] for row in tx.rows("select action from audit where subject = %s order by at", (ref,))]
    assert done == ["pool.create", "pool.join", "pool.admit"]


@pytest.mark.parametrize(
    ("wrong", "at", "code"),
    [
        ({"code": "no code"}, "code", "bad_input"),
        ({"currency": "XXX"}, "currency", "bad_input"),
        ({"currency": ""}, "currency", "bad_input"),
        ({"method": "Pix!"}, "method", "bad_input"),
        ({"fee_code": "free"}, "fee_code", "bad_input"),
        ({"policy": "dice"}, "policy", "bad_input"),
        ({"min_fiat": "0"}, "min_fiat", "bad_amount"),
        ({"min_fiat": "1.001"}, "min_fiat", "bad_amount"),
        ({"max_fiat": "4"}, "max_fiat", "bad_amount"),
        ({"min_reserve": "-1"}, "min_reserve", "bad_amount"),
        ({"pay_seconds": "5"}, "pay_seconds", "bad_input"),
        ({"quote_seconds": "soon"}, "quote_seconds", "bad_input"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_no_pool_is_opened(desk, wrong, at, code):
    browser = signed_in(desk, "admin")
    browser.get("/pools/new")
    before = trace()
    answer = browser.post("/pools/new", FORM | {"code": "never"} | wrong)
    assert 400 <= answer.status_code < 500
    assert f'id="e-{at}"' in answer.text
    assert f"[{code}]" in answer.text
    assert trace() == before


@pytest.mark.parametrize(
    ("deed", "form", "code"),
    [
        ("admit", {"merchant": "nobody"}, "not_found"),
        ("join", {"bank_account": "bnk_none", "day_limit": "5", "open_limit": "1"}, "not_found"),
        ("join", {"bank_account": "bnk_none", "day_limit": "x", "open_limit": "1"}, "bad_amount"),
        ("join", {"bank_account": "bnk_none", "day_limit": "5", "open_limit": "0"}, "bad_input"),
        ("policy", {"policy": "dice", "reason": "good luck"}, "bad_input"),
        ("policy", {"policy": "least_loaded", "reason": ""}, "bad_input"),
        ("pause", {"reason": ""}, "bad_input"),
        ("reopen", {"reason": "not paused"}, "wrong_state"),
    ],
)
def test_a_refused_deed_changes_nothing(desk, deed, form, code):
    browser = signed_in(desk, "admin")
    browser.get("/pools/list/")
    before = trace()
    answer = browser.post(f"/pools/action/{deed}/{desk.trade.pool_ref}", form)
    assert 400 <= answer.status_code < 500
    assert f"[{code}]" in answer.text
    assert trace() == before


def test_a_paused_pool_takes_no_order_until_it_is_reopened(desk):
    browser, ref = signed_in(desk, "admin"), desk.trade.pool_ref
    browser.get(f"/pools/show/{ref}")
    assert browser.post(f"/pools/action/pause/{ref}", {"reason": "the bank is down"}).status_code == 302
    with pytest.raises(Refusal):
        opened(desk.trade)
    assert browser.post(f"/pools/action/reopen/{ref}", {"reason": "it is back"}).status_code == 302
    assert opened(desk.trade)


def test_another_policy_is_another_version_and_each_dispatch_says_which(desk):
    browser, ref = signed_in(desk, "admin"), desk.trade.pool_ref
    before = opened(desk.trade)
    browser.get(f"/pools/show/{ref}")
    form = {"policy": "least_loaded", "reason": "fairer"}
    assert browser.post(f"/pools/action/policy/{ref}", form).status_code == 302
    assert browser.post(f"/pools/action/policy/{ref}", form).status_code == 409
    after = opened(desk.trade)
    with reading() as tx:
        went_by = {
            ref: (policy, version)
            for ref, policy, version in tx.rows(
                "select o.ref, d.policy, d.policy_version from dispatch d join orders o on o.id = d.order_id"
                " where o.ref = any (%s)",
                ([before, after],),
            )
        }
    assert went_by == {before: ("uniform_random", 1), after: ("least_loaded", 2)}


@pytest.mark.parametrize("name", ["compliance", "finance", "auditor"])
def test_the_desk_sees_pools_and_changes_none(desk, name):
    browser = signed_in(desk, name)
    assert "/pools/new" not in browser.get("/pools/list/").text
    assert browser.get(f"/pools/show/{desk.trade.pool_ref}").status_code == 200
    before = trace()
    assert browser.post(f"/pools/action/pause/{desk.trade.pool_ref}", {"reason": "because"}).status_code == 403
    assert browser.post("/pools/new", FORM | {"code": "mine"}).status_code == 403
    assert trace() == before


@pytest.mark.parametrize("name", ["agent1", "acceptor1", "merchant1"])
def test_parties_do_not_see_the_pools_of_others(desk, name):
    browser = signed_in(desk, name)
    assert browser.get("/pools/list/").status_code == 403
    assert browser.get(f"/pools/show/{desk.trade.pool_ref}").status_code == 403


def run(*arguments):
    done = CliRunner().invoke(command, list(arguments))
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_the_same_from_the_terminal(database):
    desk = make.market(1)
    with reading() as tx:
        acceptor, name = tx.rows("select code, name from party where ref = %s", (desk.acceptors[0].ref,))[0]
    new = ("new", "usd-bank", "--currency", "USD", "--method", "bank", "--fees", "standard", "--least", "5")
    assert json.loads(run(*new, "--most", "900", "--json"))["ref"].startswith("pol_")
    account = bank_accounts.add(make.system(), desk.acceptors[0].ref, "Bank", name, "99887766", "USD", "bank")
    run("admit", "usd-bank", desk.merchant_code)
    run("join", "usd-bank", account, "--day-limit", "5000")
    run("policy", "usd-bank", "least_loaded", "--why", "fairer")
    run("pause", "usd-bank", "--why", "a holiday")
    row = next(each for line in run("list", "--json").splitlines() if (each := json.loads(line))["code"] == "usd-bank")
    assert (row["state"], row["policy_version"], row["merchants"], row["accounts"]) == ("paused", 2, 1, 1)
    run("reopen", "usd-bank", "--why", "it is over")
    for wrong in (
        ("admit", "usd-bank", acceptor),
        ("join", "usd-bank", account, "--day-limit", "5"),
        ("pause", "none", "--why", "as agreed"),
        (*new, "--most", "1"),
    ):
        with pytest.raises(Refusal):
            run(*wrong)
