"""A pool's admissions, accounts and limits taken back or changed: on its page and at the terminal, with a reason."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from core.db import reading
from core.errors import Refusal
from portal.commands.pool import command
from tests.portal import market
from tests.portal.market import signed_in


@pytest.fixture
def desk(database):
    made = market.built()
    made.pool = made.trade.pool_ref
    with reading() as tx:
        made.code = tx.call("select code from pool where ref = %s", (made.pool,))
    return made


def rows(sql, *args):
    with reading() as tx:
        return tx.rows(sql, args)


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def stand():
    return rows(
        "select (select count(*) from pool_merchant),"
        " (select array_agg(left_at is null order by id) from pool_account),"
        " (select array_agg(open_limit order by id) from pool_account), (select min(min_reserve_units) from pool)"
    )[0]


def test_an_administrator_takes_back_and_changes_on_the_pools_page(desk):
    admin, page, act = signed_in(desk, "admin"), f"/pools/show/{desk.pool}", f"/pools/action/{{}}/{desk.pool}"
    told = text(admin.get(page))
    for words in ("Withdraw an admission", "Take an account out", "Change an account's limits", "Change limits"):
        assert words in told.replace("&#39;", "'")
    before, account = stand(), desk.acceptor.bank_account
    forms = {
        "expel": {"merchant": desk.trade.merchant_code},
        "leave": {"bank_account": account},
        "limit_account": {"bank_account": account, "open_limit": "7"},
        "limit": {"min_reserve": "25.5"},
    }
    for name, form in forms.items():
        assert admin.post(act.format(name), form).status_code == 422, "a reason is asked for"
    for name, form in (("limit_account", {"open_limit": "x"}), ("limit", {"max_fiat": "1e9"}), ("leave", {}),
                       ("expel", {"merchant": "nobody"})):  # fmt: skip
        assert admin.post(act.format(name), form | {"reason": "as agreed"}).status_code in {404, 409, 422}, name
    for name in ("finance", "compliance", "auditor"):
        browser = signed_in(desk, name)
        assert "Withdraw an admission" not in text(browser.get(page))
        for deed, form in forms.items():
            assert browser.post(act.format(deed), form | {"reason": "as agreed"}).status_code == 403
    assert stand() == before
    for name in ("limit", "limit_account", "leave", "expel"):
        assert admin.post(act.format(name), forms[name] | {"reason": "as agreed"}).status_code == 302, name
    assert stand() == (before[0] - 1, [False, True], [7, 20], 25_500_000)
    assert desk.trade.merchant_code not in re.findall(
        r'class="strong" href="/merchants/[^"]+">([^<]+)', admin.get(page).text
    )
    assert desk.acceptor.code not in re.findall(r'class="strong" href="/acceptors/[^"]+">([^<]+)', admin.get(page).text)
    again = {"bank_account": account, "day_limit": "1000", "open_limit": "5"}
    assert admin.post(act.format("join"), again).status_code == 302
    assert stand()[1] == [True, True]
    done = rows("select count(*) from audit where subject = %s and reason = 'as agreed'", desk.pool)
    assert done == [(4,)]


def test_how_long_an_acceptor_may_be_silent_is_changed_among_the_limits(desk):
    admin, page, act = signed_in(desk, "admin"), f"/pools/show/{desk.pool}", f"/pools/action/limit/{desk.pool}"
    dialog = admin.get(page).text.split('id="ask-limit"')[1].split("</dialog>")[0]
    assert 'placeholder="600"' in dialog
    assert "From 60 to 86,400." in dialog
    for wrong in ("59", "86401", "1.5", "-5", "x"):
        answer = admin.post(act, {"silent_seconds": wrong, "reason": "agreed"}, headers={"Accept": "application/json"})
        assert answer.json["field"] == "silent_seconds", wrong
    assert "the seconds of silence" in answer.json["detail"]
    same = admin.post(act, {"silent_seconds": "600", "reason": "as agreed"})
    assert same.status_code == 409
    assert admin.post(act, {"silent_seconds": "120", "reason": "slow banks"}).status_code == 302
    assert rows("select silent_seconds from pool where ref = %s", desk.pool) == [(120,)]
    told = rows("select details -> 'silent_seconds' from audit where action = 'pool.limit'")
    assert told == [({"from": 600, "to": 120},)]
    assert "2 m" in text(admin.get(page))


def test_the_same_from_the_terminal(desk):
    def run(*arguments):
        done = CliRunner().invoke(command, list(arguments))
        if isinstance(done.exception, Refusal):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    account = desk.acceptor.bank_account
    run(
        "limits",
        desk.code,
        "--least",
        "5",
        "--most",
        "900",
        "--reserve",
        "12",
        "--silence",
        "90",
        "--why",
        "smaller orders",
    )
    assert rows("select silent_seconds from pool where ref = %s", desk.pool) == [(90,)]
    run(
        "account",
        desk.code,
        account,
        "--day-limit",
        "4000",
        "--open-limit",
        "2",
        "--why",
        "a new account",
    )
    assert rows("select a.open_limit, a.day_limit_units, l.min_reserve_units from pool_account a"
                " join pool l on l.id = a.pool_id where a.open_limit = 2") == [(2, 400_000, 12_000_000)]  # fmt: skip
    assert "0 open orders go on" in run("leave", desk.code, account, "--why", "the bank asks")
    assert "may not use" in run("expel", desk.code, desk.trade.merchant_code, "--why", "contract ended")
    with pytest.raises(Refusal):
        run("expel", desk.code, desk.trade.merchant_code, "--why", "twice")
