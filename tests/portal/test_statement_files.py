"""A party's statement as a file: its own alone, from balance to balance, with every line between."""

from __future__ import annotations

import csv
import re

import pytest

from core import clock
from core.db import reading
from core.money import Money, fiat
from core.orders import release
from tests.portal import market
from tests.portal.market import claimed, signed_in, unchanged


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    received = Money.parse("542.00", fiat("BRL"))
    for number in range(3):
        ref = claimed(made.trade, number=f"ST-{number}", customer=f"c-{number}")
        release.confirm(made.acceptor.actor, ref, received=received, payer_name="Joao Santos")
    return made


def address(ref, first="", last=""):
    today = f"{clock.now():%Y-%m-%d}"
    return f"/statements/{ref}.csv?from={first or today}&to={last or today}"


def rows(answer):
    assert answer.status_code == 200, answer.text
    lines = list(csv.reader(answer.text.lstrip("\ufeff").splitlines()))
    return [line for line in lines[1:] if not line[0].startswith("#")], {
        line[0]: line[1] for line in lines if line[0].startswith("#")
    }


@pytest.mark.parametrize("name", ["merchant1", "finance"])
def test_the_lines_of_today_lead_from_nothing_to_the_balance(desk, name):
    lines, foot = rows(signed_in(desk, name).get(address(desk.trade.merchant_ref)))
    with reading() as tx:
        fees, usdt = tx.rows(
            "select sum(fee_units)::bigint, sum(usdt_units)::bigint from orders where state = 'completed'"
        )[0]
    assert len(lines) == 3
    assert {line[4] for line in lines} == {"balance"}
    assert sum(round(float(line[5]) * 1_000_000) for line in lines) == usdt - fees
    assert foot["# sum: opening balance, balance"] == "0.000000"
    assert foot["# sum: closing balance, balance"] == lines[-1][7]
    assert foot["# rows"] == "3"
    assert [each for each in foot if "balance, " in each] == [
        "# sum: opening balance, balance",
        "# sum: closing balance, balance",
    ]


def test_an_acceptor_reads_each_pocket_and_an_empty_day_has_its_balances_alone(desk):
    browser = signed_in(desk, "acceptor1")
    lines, foot = rows(browser.get(address(desk.acceptor.ref)))
    assert {"reserve", "escrow"} <= {line[4] for line in lines}
    assert sum(round(float(line[5]) * 1_000_000) for line in lines if line[4] == "escrow") == 0, (
        "a sheet can add them up"
    )
    assert foot["# sum: closing balance, escrow"] == "0.000000"
    assert rows(browser.get(address(desk.acceptor.ref, "2020-01-01", "2020-01-02")))[0] == []


def test_a_strangers_statement_is_not_there_and_no_days_are_refused(desk):
    with unchanged():
        for name in ("merchant2", "acceptor1"):
            assert signed_in(desk, name).get(address(desk.trade.merchant_ref)).status_code == 404
        browser = signed_in(desk, "merchant1")
        for first, last in (
            ("x", "2026-11-20"),
            ("2026-11-20", "2026-11-19"),
            ("2026-11-20", "9999-12-31"),
            ("2026-13-01", ""),
        ):
            assert browser.get(address(desk.trade.merchant_ref, first, last)).status_code == 400
        assert signed_in(desk, "acceptor1").get(f"/statements/{desk.trade.merchant_ref}.csv").status_code == 404
        assert browser.get(address("acc_none")).status_code == 404


def test_the_party_s_page_offers_it_to_who_may_export(desk):
    page = signed_in(desk, "merchant1").get(f"/merchants/show/{desk.trade.merchant_ref}").text
    assert re.search(rf'action="/statements/{desk.trade.merchant_ref}.csv"', page)
