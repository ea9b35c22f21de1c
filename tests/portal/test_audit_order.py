"""The trail is read in the order of time, whatever numbers its rows drew, on every page and in the file."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from core.db import reading, transaction
from core.orders import disputing, queries
from tests import make
from tests.portal import market
from tests.portal.market import claimed, signed_in

ROW = re.compile(r'<tr data-href="/audit/show/(\d+)"')
NEXT = re.compile(r'href="(\?[^"]*)" rel="next"')
WRITE = (
    "insert into audit (at, actor, role, action, subject, reason) values (%s, 'clerk', 'admin', 'note.write', %s, '')"
    " returning id"
)


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


@pytest.fixture(scope="module")
def notes(desk):
    """Rows of three months, each minute's number drawn by one of two connections: numbers go back and forth."""
    now = datetime.now(UTC)
    moments = [now - timedelta(minutes=each**2) for each in range(1, 340)]
    told = {}
    with transaction() as tx:
        for moment in sorted(moments, key=lambda each: (int(each.timestamp()) % 7, each)):
            told[tx.call(WRITE, (moment, f"note {moment}"))] = moment
        same = moments[5]
        for number in range(3):  # of one moment, as one transaction writes them
            told[tx.call(WRITE, (same, f"same {number}"))] = same
    return [number for number, _ in sorted(told.items(), key=lambda each: (each[1], each[0]), reverse=True)]


def pages(browser, href):
    found = []
    while href:
        answer = browser.get(f"/audit/list/{href}")
        assert answer.status_code == 200, href
        found += [int(number) for number in ROW.findall(answer.text)]
        more = NEXT.search(answer.text)
        href = html.unescape(more[1]) if more else ""
    return found


def test_every_row_stands_once_and_in_the_order_of_time(desk, notes):
    browser = signed_in(desk, "auditor")
    assert pages(browser, "?action=note&from=2000-01-01&size=17") == notes
    assert pages(browser, "?action=note&size=40&from=2000-01-01&to=2999-01-01") == notes
    assert sorted(notes, reverse=True) != notes, "the numbers of this test follow time, so it shows nothing"


def test_a_time_that_ended_long_ago_is_read_from_its_end(desk, notes):
    with reading() as tx:
        where = "action = 'note.write' and at < '2999-01-01' and at >= now() - interval '60 days'"
        rows = tx.rows(
            f"select id from audit where {where} and at < now() - interval '9 days' order by at desc, id desc"
        )
    first, last = (datetime.now(UTC) - timedelta(days=days) for days in (60, 9))
    told = pages(
        signed_in(desk, "auditor"), f"?action=note&size=11&from={first:%Y-%m-%dT%H:%M:%SZ}&to={last:%Y-%m-%dT%H:%M:%SZ}"
    )
    assert set(told) <= set(notes)
    assert told == [number for (number,) in rows if number in set(told)]
    assert abs(len(told) - len(rows)) <= 1


def test_the_file_is_in_the_order_of_the_list(desk, notes):
    text = signed_in(desk, "auditor").get("/audit/export.csv?action=note&from=2000-01-01").text
    moments = [row[0] for row in csv.reader(io.StringIO(text)) if len(row) > 5][1:]
    assert len(moments) == len(notes)
    assert moments == sorted(moments, reverse=True)


def test_of_two_amounts_that_were_said_the_later_counts_whatever_its_number(desk):
    ref = claimed(desk.trade)
    said = "insert into audit (at, actor, role, action, subject, order_id, reason, from_state, to_state)"
    with transaction() as tx:
        number, at = tx.rows("select id, claimed_at from orders where ref = %s", (ref,))[0]
        for minutes, reason in ((2, "400.00 BRL: later"), (1, "300.00 BRL: earlier")):
            tx.run(
                f"{said} values (%s, 'x', 'acceptor', 'order.dispute', %s, %s, %s, 'paid_claimed', 'paid_claimed')",
                (at + timedelta(minutes=minutes), ref, number, reason),
            )
        tx.run("update orders set amount_state = 'under' where ref = %s", (ref,))
    assert disputing.came(queries.order(make.system(), ref)).units == 40_000
