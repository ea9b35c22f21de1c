"""Statements: what an account held at any moment, and what moved it."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from core import clock
from core.actor import system
from core.db import reading, transaction
from core.errors import BadInput, NotFound
from core.ledger import accounts, statements
from core.parties import queries
from tests import make
from tests.core import lives


@pytest.fixture(scope="module")
def lived(module_database):
    """One acceptor with a past, topped up the day before it began."""
    with clock.at(lives.DAYS - timedelta(days=1)):
        market = make.market(1)
    lives.some_days(market, rounds=2)
    return market


def held_at(tx, number, at):
    return statements.closing(tx, number, 0, at).balance


def account(tx, market):
    return accounts.of_party(tx, market.acceptors[0].id)


def test_the_balance_now_is_what_the_ledger_stores(lived):
    with reading() as tx:
        number = account(tx, lived)
        assert held_at(tx, number, lives.DAYS + timedelta(days=900)) == accounts.balance(tx, number)


def test_the_balance_at_a_moment_is_the_one_of_that_moment(lived):
    with reading() as tx:
        number = account(tx, lived)
        start = held_at(tx, number, lives.DAYS)
        during = held_at(tx, number, lives.DAYS + timedelta(minutes=1))
        later = held_at(tx, number, lives.DAYS + timedelta(minutes=30))
        assert held_at(tx, number, lives.DAYS - timedelta(days=2)).available == 0
        frozen = tx.call("select sum(usdt_units)::bigint from orders where created_at = %s", (lives.DAYS,))
    assert (start.available, start.escrow) == (10_000_000_000, 0)
    assert during.escrow == frozen
    assert during.available + during.escrow == start.available
    assert 0 < later.escrow < frozen
    assert later.available < start.available


def test_the_lines_lead_from_one_balance_to_the_next(lived):
    with reading() as tx:
        number = account(tx, lived)
        start, end = lives.DAYS, lives.DAYS + timedelta(hours=5)
        closing, _summed, lines = statements.closing(tx, number, 1000, end)
        told, two = lines[::-1], statements.closing(tx, number, 2, end).lines
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


def test_the_lines_of_a_span_lead_from_its_beginning_to_its_end(lived):
    with reading() as tx:
        number = account(tx, lived)
        days = [lives.DAYS + timedelta(hours=hours) for hours in (-48, 1, 8, 48)]
        spans = [statements.period(tx, number, *span, most=1000) for span in pairwise(days)]
        for since, span in zip(days, spans, strict=False):
            assert span.opening == held_at(tx, number, since)
            after = {pocket: getattr(span.opening, pocket) for pocket in ("available", "escrow", "held")}
            for line in span.lines:
                after[line.pocket] += line.units
                assert line.balance == after[line.pocket]
            assert after == {pocket: getattr(span.closing, pocket) for pocket in after}
        assert [before.closing for before in spans[:-1]] == [then.opening for then in spans[1:]]
        assert sum(len(span.lines) for span in spans) == tx.call(
            "select count(*) from journal_leg where account_id = %s", (number,)
        )
        with pytest.raises(BadInput, match="ask for fewer days"):
            statements.period(tx, number, days[0], days[-1], most=3)


def test_an_unknown_account_and_a_moment_without_zone_are_refused(lived):
    with reading() as tx:
        with pytest.raises(NotFound):
            held_at(tx, 7, lives.DAYS)
        with pytest.raises(NotFound):
            statements.closing(tx, 7, 15)
        with pytest.raises(BadInput, match="time zone"):
            held_at(tx, account(tx, lived), datetime(2026, 10, 5))  # noqa: DTZ001 - that is the point


BOOK = """
with e as (insert into posting_entry (no, ref, key, reason, order_id, happened_at)
           select n, %(name)s || n, %(name)s || n, 'reserve_topup', null,
                  %(from)s::timestamptz + (%(minutes)s::int[])[n] * interval '1 minute'
             from generate_series(1, cardinality(%(minutes)s::int[])) n returning no)
insert into posting_leg (entry_no, account_id, units)
select e.no, x.account, x.units
  from e cross join lateral (values (%(account)s::bigint, 10 + e.no), (%(other)s, -10 - e.no)) x (account, units)
"""


def booked(market, name, minutes):
    """Book one credit of the merchant at each of these minutes, all in one transaction; its account is returned."""
    with transaction() as tx:
        account, other = accounts.of_party(tx, market.merchant.party_id), accounts.house(tx, "custody")
        tx.run("select ledger_batch()")
        facts = {"name": name, "from": lives.DAYS, "minutes": minutes, "account": account, "other": other}
        tx.run(BOOK, facts)
        tx.run("select ledger_post_batch('test')")
    return account


def naive(tx, account, at):
    """All legs of an account before a moment as one would first read them: every one, sorted by time."""
    running = dict.fromkeys(("available", "escrow", "held"), 0)
    lines = []
    for happened_at, ref, pocket, units in tx.rows(
        "select e.happened_at, e.ref, l.pocket, l.units from journal_leg l join journal_entry e on e.id = l.entry_id"
        " where l.account_id = %s and e.happened_at < %s order by e.happened_at, e.booked_at, l.id",
        (account, at),
    ):
        running[pocket] += units
        lines.append((happened_at, ref, pocket, units, running[pocket]))
    return running, lines[::-1]


def test_any_statement_is_what_summing_and_sorting_every_leg_would_give(database):
    market, chance = make.market(1), random.Random(7)  # noqa: S311 - the same history in each run
    # A platform that was live before its past came from files: what was booked last did not happen last.
    spans = ((0, 400), (300, 700), (0, 1000), (900, 1400))
    for number, (start, end) in enumerate(spans):
        account = booked(market, f"b{number}-", [chance.randrange(start, end) for _ in range(chance.randrange(5, 60))])
    moments = [lives.DAYS + timedelta(minutes=minute) for minute in (*range(0, 1500, 50), 10**6)]
    with reading() as tx:
        assert tx.call("select count(*) from journal_leg where account_id = %s", (account,)) > 40
        for number in (account, accounts.of_party(tx, market.acceptors[0].id)):
            for at in moments:
                running, lines = naive(tx, number, at)
                for limit in (1, 4, 15, 1000):
                    told = statements.closing(tx, number, limit, at)
                    assert [told.balance.available, told.balance.escrow, told.balance.held] == list(running.values())
                    assert [
                        (line.happened_at, line.entry_ref, line.pocket, line.units, line.balance) for line in told.lines
                    ] == lines[:limit]
            assert statements.closing(tx, number, 15) == statements.closing(tx, number, 15, moments[-1])
            assert statements.closing(tx, number, 1, moments[0]).summed == sum(running.values())


def test_a_page_reads_a_long_past_once_and_sorts_none_of_it(database, monkeypatch):
    market, many = make.market(1), 3000
    account = booked(market, "b-", list(range(many)))
    read = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'journal_leg'"
    counts = []

    @contextmanager
    def counted():
        with reading() as tx:
            before = tx.call(read)
            yield tx
            counts.append(tx.call(read) - before)

    with transaction() as tx:
        tx.run("select ledger_fold(%s)", (account,))
        tx.run("analyze journal_entry, journal_leg")
    monkeypatch.setattr(queries, "reading", counted)
    told = queries.statement(system(), market.merchant_ref)
    assert (len(told.lines), told.difference.units) == (queries.LINES, 0)
    assert told.available == told.summed
    assert counts[0] < many + 10 * queries.LINES, "once, for the sum that must be what the account stores"
    queries.statement(system(), market.merchant_ref, lives.DAYS + timedelta(minutes=many // 2))
    assert counts[1] < 2 * many + 10 * queries.LINES
