"""Statements: what an account held at any moment, as it was known then, and what moved it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from core import clock
from core.db import reading
from core.errors import BadInput, NotFound
from core.ledger import accounts, statements
from tests import make
from tests.core import lives


@pytest.fixture(scope="module")
def lived(module_database):
    """One acceptor with a past, topped up the day before it began."""
    with clock.at(lives.DAYS - timedelta(days=1)):
        market = make.market(1)
    lives.some_days(market, rounds=2)
    return market


def account(tx, market):
    return accounts.of_party(tx, market.acceptors[0].id)


def test_the_balance_now_is_what_the_ledger_stores(lived):
    with reading() as tx:
        number = account(tx, lived)
        assert statements.balance_at(tx, number, lives.DAYS + timedelta(days=900)) == accounts.balance(tx, number)


def test_the_balance_at_a_moment_is_the_one_of_that_moment(lived):
    with reading() as tx:
        number = account(tx, lived)
        start = statements.balance_at(tx, number, lives.DAYS)
        during = statements.balance_at(tx, number, lives.DAYS + timedelta(minutes=1))
        later = statements.balance_at(tx, number, lives.DAYS + timedelta(minutes=30))
        assert statements.balance_at(tx, number, lives.DAYS - timedelta(days=2)).available == 0
        frozen = tx.call("select sum(usdt_units)::bigint from orders where created_at = %s", (lives.DAYS,))
    assert (start.available, start.escrow) == (10_000_000_000, 0)
    assert during.escrow == frozen
    assert during.available + during.escrow == start.available
    assert 0 < later.escrow < frozen
    assert later.available < start.available


def test_what_was_booked_later_was_not_known_then(lived):
    with reading() as tx:
        number = account(tx, lived)
        before = tx.call("select min(booked_at) from journal_entry")
        at = lives.DAYS + timedelta(days=1)
        assert statements.balance_at(tx, number, at, known_at=before).available == 0
        assert statements.balance_at(tx, number, at).available > 0


def test_the_lines_lead_from_one_balance_to_the_next(lived):
    with reading() as tx:
        number = account(tx, lived)
        start, end = lives.DAYS, lives.DAYS + timedelta(hours=5)
        told = statements.last_lines(tx, number, end, 1000)[::-1]
        two = statements.last_lines(tx, number, end, 2)
        closing = statements.balance_at(tx, number, end)
    assert told[0].balance == 10_000_000_000, "the reserve begins with what was topped up"
    told = [line for line in told if line.happened_at >= start]
    assert two == told[:-3:-1]
    assert {line.pocket for line in told} == {"available", "escrow"}
    for pocket in ("available", "escrow"):
        assert [line.balance for line in told if line.pocket == pocket][-1] == getattr(closing, pocket)
    assert all(after.balance - after.units == before.balance for pocket in ("available", "escrow")
               for before, after in pairwise([line for line in told if line.pocket == pocket]))  # fmt: skip
    assert [line.happened_at for line in told] == sorted(line.happened_at for line in told)
    assert {line.reason for line in told} == {"escrow_freeze", "escrow_release", "escrow_return"}


def test_an_unknown_account_and_a_moment_without_zone_are_refused(lived):
    with reading() as tx:
        with pytest.raises(NotFound):
            statements.balance_at(tx, 7, lives.DAYS)
        with pytest.raises(BadInput, match="time zone"):
            statements.balance_at(tx, account(tx, lived), datetime(2026, 10, 5))  # noqa: DTZ001 - that is the point
