"""The ledger keeps its promises: balanced, never below zero, append-only, stored = sum of legs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock, db, ids
from core.errors import AlreadyDone, BadInput, Conflict, NotFound, ShortReserve
from core.ledger import accounts
from core.ledger.post import Leg, fold_all, post

PREFIXES = {"acceptor": "acc", "merchant": "mer", "agent": "agt"}


def party(tx, kind, code):
    """A bare party with an account; returns the account's number."""
    number = tx.call(
        "insert into party (ref, kind, code, name, created_at) values (%s, %s, %s, %s, %s) returning id",
        (ids.new(PREFIXES[kind]), kind, code, code.title(), clock.now()),
    )
    return accounts.open_account(tx, kind, number, code)


@pytest.fixture(scope="module")
def books(module_database):
    """Two acceptors, a merchant and an agent, all empty, and the house."""
    with db.transaction() as tx:
        return {
            "joao": party(tx, "acceptor", "joao"),
            "wei": party(tx, "acceptor", "wei"),
            "shop": party(tx, "merchant", "shop"),
            "ana": party(tx, "agent", "ana"),
            "custody": accounts.house(tx, "custody"),
            "fees": accounts.house(tx, "fees"),
        }


def book(*legs, key=None):
    """Post legs (account, pocket, units) in a transaction of their own."""
    with db.transaction() as tx:
        return post(tx, key=key or ids.new("tst"), reason="test", legs=[Leg(*leg) for leg in legs], actor="test")


def available(account):
    with db.reading() as tx:
        return accounts.balance(tx, account).available


def breaks(tx):
    """Everything that would be wrong with the books: a list that must be empty."""
    return [
        *tx.rows("select 'unbalanced', entry_id from journal_leg group by entry_id, asset having sum(units) <> 0"),
        *tx.rows(
            "select 'negative', name from ledger_account where kind <> 'house' and least(available, escrow, held) < 0",
        ),
        *tx.rows(
            "select 'stored', a.name, a.available, l.pocket from ledger_account a"
            " cross join lateral (values ('available', a.available), ('escrow', a.escrow), ('held', a.held))"
            " as l (pocket, units)"
            " where l.units <> coalesce((select sum(j.units) from journal_leg j where j.account_id = a.id"
            " and j.pocket = l.pocket), 0)",
        ),
    ]


def test_accounts_are_numbered_so_that_locking_by_number_goes_acceptor_merchant_agent_house(books):
    assert books["joao"] < books["shop"] < books["ana"] < books["custody"]


def test_a_topped_up_reserve_shows_in_the_acceptors_account_and_in_the_public_view(books):
    before = available(books["joao"])
    ref = book((books["joao"], "available", 5_000_000), (books["custody"], "available", -5_000_000))
    assert ref.startswith("jrn_")
    assert available(books["joao"]) == before + 5_000_000
    with db.reading() as tx:
        assert tx.call("select units from v_balances where account = 'acceptor:joao:reserve'") == before + 5_000_000
        accounts_of = tx.rows("select account, units from v_journal where entry_ref = %s order by units", (ref,))
        assert accounts_of == [("house:custody", -5_000_000), ("acceptor:joao:reserve", 5_000_000)]


def test_an_appended_credit_counts_before_and_after_it_is_folded(books):
    before = available(books["shop"])
    book((books["joao"], "available", 300), (books["custody"], "available", -300))
    book(
        (books["joao"], "available", -300),
        (books["shop"], "available", 290),
        (books["fees"], "available", 10),
    )
    assert available(books["shop"]) == before + 290
    with db.transaction() as tx:
        assert fold_all(tx) > 0
    assert available(books["shop"]) == before + 290
    with db.transaction() as tx:
        assert fold_all(tx) == 0
        stored = "select available from ledger_account where id = %s"
        assert tx.call(stored, (books["shop"],)) == before + 290


def test_the_same_key_books_once(books):
    legs = ((books["joao"], "available", 7), (books["custody"], "available", -7))
    book(*legs, key="once")
    before = available(books["joao"])
    with pytest.raises(AlreadyDone):
        book(*legs, key="once")
    assert available(books["joao"]) == before


def test_nobody_spends_more_than_it_holds(books):
    held = available(books["ana"])
    with pytest.raises(ShortReserve):
        book((books["ana"], "available", -(held + 1)), (books["custody"], "available", held + 1))
    assert available(books["ana"]) == held


def test_a_debit_sees_the_credits_that_were_only_appended(books):
    before = available(books["ana"])
    book((books["ana"], "available", 40), (books["custody"], "available", -40))
    book((books["ana"], "available", -40), (books["custody"], "available", 40))
    assert available(books["ana"]) == before


def test_a_transaction_that_earns_and_spends_counts_its_credit_once(books):
    book((books["shop"], "available", 50), (books["custody"], "available", -50))
    before = available(books["shop"])
    with db.transaction() as tx:
        for units in (100, -30):
            legs = [Leg(books["shop"], "available", units), Leg(books["custody"], "available", -units)]
            post(tx, key=ids.new("tst"), reason="test", legs=legs, actor="test")
    assert available(books["shop"]) == before + 70
    with db.transaction() as tx:
        fold_all(tx)
        assert breaks(tx) == []
    assert available(books["shop"]) == before + 70


def test_what_goes_into_another_pocket_than_the_available_is_booked_at_once(books):
    before = available(books["ana"])
    stored = "select available, held from ledger_account where id = %s"
    with db.transaction() as tx:
        fold_all(tx)
        held = tx.rows(stored, (books["ana"],))[0][1]
    book((books["ana"], "held", 5), (books["custody"], "available", -5))
    with db.reading() as tx:
        assert tx.rows(stored, (books["ana"],)) == [(before, held + 5)]
    assert available(books["ana"]) == before
    book((books["ana"], "held", -5), (books["ana"], "available", 5))
    assert available(books["ana"]) == before + 5


def test_an_entry_that_does_not_balance_is_refused_by_the_database(books):
    with pytest.raises(Conflict, match="balance"):
        book((books["joao"], "available", 10), (books["custody"], "available", -9))


def test_an_entry_of_nothing_or_of_unknown_accounts_is_refused(books):
    with pytest.raises(BadInput):
        book()
    with pytest.raises(BadInput):
        book((books["joao"], "available", 0), (books["custody"], "available", 0))
    with pytest.raises(NotFound):
        book((1, "available", 10), (2, "available", -10))
    with db.reading() as tx, pytest.raises(NotFound):
        accounts.house(tx, "savings")


@pytest.mark.parametrize("table", ["journal_entry", "journal_leg", "audit"])
@pytest.mark.parametrize("change", ["update {} set xid = xid", "delete from {}", "truncate {}"])
def test_history_is_append_only(books, table, change):
    with pytest.raises(psycopg.errors.RestrictViolation), db.transaction() as tx:
        tx.run(change.format(table))


@pytest.mark.parametrize(
    "table", ["orders", "quote", "fee_schedule", "plan_version", "party", "approval", "seal_block"]
)
def test_nothing_that_money_is_told_by_is_emptied(books, table):
    with pytest.raises(psycopg.errors.RestrictViolation), db.transaction() as tx:
        tx.run(f"truncate {table} cascade")


def test_many_at_once_never_overdraw_one_account(books):
    book((books["wei"], "available", 1_000), (books["custody"], "available", -1_000))

    def freeze(_):
        try:
            book((books["wei"], "available", -90), (books["wei"], "escrow", 90))
        except ShortReserve:
            return 0
        return 1

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(freeze, range(24))) == 1_000 // 90
    with db.reading() as tx:
        left = accounts.balance(tx, books["wei"])
    assert (left.available, left.escrow) == (1_000 - 11 * 90, 11 * 90)


def test_a_fold_beside_spenders_and_earners_loses_nothing(books):
    book((books["shop"], "available", 5_000), (books["custody"], "available", -5_000))
    start = available(books["shop"])

    def step(number):
        if number % 3 == 2:
            with db.transaction() as tx:
                fold_all(tx)
            return
        units = 10 if number % 3 else -10
        book((books["shop"], "available", units), (books["custody"], "available", -units))

    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(step, range(36)))
    assert available(books["shop"]) == start


moves = st.lists(
    st.tuples(
        st.sampled_from(["joao", "wei", "shop", "ana", "custody", "fees"]),
        st.sampled_from(["joao", "wei", "shop", "ana", "custody", "fees"]),
        st.sampled_from(["available", "escrow", "held"]),
        st.integers(min_value=1, max_value=2_000),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves)
def test_random_postings_keep_every_book_true(books, moves):
    for giver, taker, pocket, units in moves:
        into = pocket if taker in {"joao", "wei"} else "available"
        try:
            book((books[giver], "available", -units), (books[taker], into, units))
        except ShortReserve:
            continue
    with db.transaction() as tx:
        fold_all(tx)
    with db.reading() as tx:
        assert breaks(tx) == []
