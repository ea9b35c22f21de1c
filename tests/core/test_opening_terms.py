"""What an opening remembers of merchant, pool, rules and path is what a process that remembers nothing would read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core import clock, db
from core.actor import system
from core.errors import Changed, Conflict, Frozen, QuoteExpired
from core.money import Money, fiat
from core.orders import deposit, opening, terms
from core.orders.deposit import DepositRequest
from core.parties import pool_changes, pools, standing
from core.pricing import quotes
from tests import beside, make
from tests.core import lives

WHY = "decided by an officer"
NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)


@pytest.fixture
def market(database):
    return make.market(2, levels=2)


def merchant(market):
    return market.merchant.party_id


def quoted(market):
    make.rate(market.currency)
    return quotes.quote(market.merchant, "deposit", market.currency, Money.parse("250.00", fiat(market.currency))).ref


def facts(market, quote):
    moment = clock.now() if clock.controlled() else None
    return {
        "merchant": merchant(market), "quote": quote, "customer": "c-1", "blind": b"", "at": moment, "draw": 0,
    }  # fmt: skip


def read(row):
    return {name: row[name] for name in terms._COLUMNS}


def looked(market, quote):
    """What is known of the terms after one more look, and whether they had to be told."""
    known = terms.of(merchant(market))
    told = opening._looked(facts(market, quote), known)["told"]
    return read(opening.look(merchant(market), quote, "c-1", b"")), told


def afresh(market, quote):
    return read(opening._looked(facts(market, quote), terms.NOTHING))


def test_terms_are_told_once_and_remembered(market):
    quote = quoted(market)
    first, told = looked(market, quote)
    assert told
    assert first["merchant_state"] == "active"
    assert len(first["path"]) == 2
    for _ in range(3):
        assert looked(market, quote) == (first, False)
    lives.completed(market)
    lives.opened(market)
    assert looked(market, quote) == (first, False)


TERMS = json.dumps({"rates": {"deposit": 3}})
CHANGES = {
    "a merchant's state": "update party set state = 'suspended' where ref = '{merchant}'",
    "a merchant's code": "update party set code = 'renamed' where ref = '{merchant}'",
    "a merchant's country": "update party set country = 'UY' where ref = '{merchant}'",
    "an agent's bar": "update party set state = 'barred' where ref = '{agent}'",
    "an agent's code": "update party set code = 'other' where ref = '{agent}'",
    "a merchant's agent": "update merchant set agent_id = null",
    "an agent's plan": "with p as (insert into plan (code) values ('x') returning id), v as (insert into plan_version"
    " (plan_id, version, terms, effective_from, created_at) select id, 1, '{terms}', '2026-01-01', now() from p)"
    " update agent set plan_id = p.id from p",
    "an agent's volume": "update agent set deposit_volume_units = 7",
    "when a volume was reckoned": "update agent set volume_at = '2026-10-01'",
    "a volume's window": "update agent set deposit_volume_units = 9, volume_until = '2999-01-01'",
    "the tree": "delete from agent_closure where distance = 1",
    "a new version of a plan": "insert into plan_version (plan_id, version, terms, effective_from, created_at)"
    " select plan_id, max(version) + 1, '{terms}', '2026-01-01', '2025-12-31' from plan_version group by plan_id",
    "a pool's state": "update pool set state = 'paused'",
    "a pool's policy": "update pool set policy = 'least_loaded'",
    "a policy's version": "update pool set policy_version = 9",
    "a pool's time to pay": "update pool set pay_seconds = 77",
    "no rules": "update ruleset set state = 'retired'",
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_them_is_seen_by_the_next_opening(market, change):
    quote = quoted(market)
    before, _ = looked(market, quote)
    sql = CHANGES[change].format(merchant=market.merchant_ref, agent=market.agents[0], terms=TERMS)
    with beside.other() as other:
        other.execute(sql)
        assert looked_raw(market, quote) == before, "what is not committed is not seen"
        other.commit()
    after = looked_raw(market, quote)
    assert after == afresh(market, quote)
    assert after != before


def looked_raw(market, quote):
    """The terms by way of the memory, without asking whether the order may be opened."""
    known = terms.of(merchant(market))
    row = opening._looked(facts(market, quote), known)
    if row["told"]:
        terms.keep(merchant(market), row)
        return read(row)
    return read(known.with_(row))


def test_what_is_not_read_of_a_party_makes_nobody_read_again(market):
    quote = quoted(market)
    looked(market, quote)
    with db.transaction() as tx:
        tx.run("update merchant set volume_30d_units = 5")
        tx.run("update party set name = 'Another Name'")
        tx.run("update pool set min_fiat_units = min_fiat_units + 1, silent_seconds = 99")
        tx.run("update agent set held = true")
    assert looked(market, quote)[1] is False


def test_the_commands_themselves_are_obeyed_by_the_next_opening(market):
    officer, quote = system("officer"), quoted(market)
    lives.opened(market)
    pools.pause(officer, market.pool_ref, "maintenance of the pool")
    with pytest.raises(Conflict, match="paused"):
        looked(market, quote)
    pools.reopen(officer, market.pool_ref, "maintenance is over")
    lives.opened(market)
    standing.suspend(officer, market.merchant_ref, "papers are out of date")
    with pytest.raises(Frozen):
        looked(market, quote)


def test_two_pools_of_one_merchant_are_told_apart(market):
    other = make.pool("EUR")
    pools.admit(system(), other, market.merchant_ref)
    make.rate("EUR")
    with db.transaction() as tx:
        tx.run("update pool set pay_seconds = 1234 where ref = %s", (other,))
    first = quoted(market)
    second = quotes.quote(market.merchant, "deposit", "EUR", Money.parse("250.00", fiat("EUR"))).ref
    for _ in range(2):
        assert looked(market, first)[0]["pay_seconds"] == 900
        assert looked(market, second)[0]["pay_seconds"] == 1234


def test_terms_end_with_the_window_of_a_volume_and_with_a_version_that_begins(market):
    with clock.at(NOON):
        quote = quoted(market)
    with db.transaction() as tx:
        tx.run("update agent set deposit_volume_units = 5, volume_until = %s", (NOON + timedelta(minutes=2),))
        tx.run(
            "insert into plan_version (plan_id, version, terms, effective_from, created_at)"
            " select distinct g.plan_id, 99, %s::jsonb, %s::timestamptz, '2026-10-01'::timestamptz from agent g",
            (TERMS, NOON + timedelta(minutes=4)),
        )
    seen = []
    for minute in (0, 1, 2, 3, 4, 5, 1):
        with clock.at(NOON + timedelta(minutes=minute)):
            there, told = looked(market, quote)
            assert there == afresh(market, quote)
            seen.append((told, [row[3] for row in there["path"]], [row[4] for row in there["path"]]))
    told, versions, volumes = zip(*seen, strict=True)
    assert told == (True, False, True, False, True, False, True)
    assert [row[0] for row in volumes] == [5, 5, 0, 0, 0, 0, 5]
    assert [row[0] == 99 for row in versions] == [False, False, False, False, True, True, False]


def test_a_process_forgets_before_it_remembers_too_much(market, monkeypatch):
    monkeypatch.setattr(terms, "_kept", db.Memory(3))
    quote = quoted(market)
    row = opening._looked(facts(market, quote), terms.NOTHING)
    for number in range(10):
        terms.keep(number, row)
    kept = [number for number in range(10) if terms.of(number) is not terms.NOTHING]
    assert kept == [7, 8, 9], "the eldest leave, and no others"
    assert looked(market, quote)[0] == afresh(market, quote)


def test_terms_are_remembered_however_much_else_a_process_remembers(market):
    db.remembered().update((("plan_version", -n), None) for n in range(terms.MOST))
    quote = quoted(market)
    row = opening._looked(facts(market, quote), terms.NOTHING)
    for merchant_id in (-1, -2, merchant(market)):
        terms.keep(merchant_id, row)
    assert all(terms.of(number) is not terms.NOTHING for number in (-1, -2))
    assert looked(market, quote)[1] is False


def test_a_transaction_that_changes_much_counts_once(market):
    with db.transaction() as tx:
        (before,) = tx.rows("select number from configuration")[0]
        tx.run("update agent set deposit_volume_units = deposit_volume_units + 1")
        tx.run("update party set country = 'UY'")
        tx.run("set constraints all immediate")
        (at_once,) = tx.rows("select number from configuration")[0]
        tx.run("update pool set pay_seconds = 5")
        tx.run("set constraints all immediate")
        assert tx.rows("select number from configuration") == [(at_once,)]
        assert at_once > before
    with db.transaction() as tx:
        tx.run("update pool set pay_seconds = 6")
    with db.reading() as tx:
        assert tx.rows("select number from configuration")[0][0] > at_once


@pytest.mark.parametrize(
    "change",
    [
        "fiat_units = 0",
        "usdt_units = 0",
        "fee_units = -1",
        "fee_units = usdt_units",
        "acceptor_id = null",
        "matched_at = null",
        "deadline_at = null",
        "ended_at = now()",
    ],
)
def test_the_database_refuses_an_order_that_makes_no_sense(market, change):
    lives.opened(market)
    with pytest.raises(psycopg.errors.CheckViolation) as refused, db.transaction() as tx:
        tx.run(f"update orders set {change}")
    assert refused.value.diag.constraint_name == "order_sound"


@pytest.mark.parametrize("change", ["open_orders = -1", "day_units = -1"])
def test_the_database_refuses_a_load_below_nothing(market, change):
    with pytest.raises(psycopg.errors.CheckViolation) as refused, db.transaction() as tx:
        tx.run(f"update pool_account_load set {change}")
    assert refused.value.diag.constraint_name == "load_not_negative"


WHILE_IT_WAITED = {
    "a merchant suspended": (lambda market: standing.suspend(system("officer"), market.merchant_ref, WHY), Frozen),
    "a merchant barred": (lambda market: standing.bar(system("officer"), market.merchant_ref, WHY), Frozen),
    "a merchant's admission ended": (
        lambda market: pool_changes.withdraw_admission(system("officer"), market.pool_ref, market.merchant_ref, WHY),
        QuoteExpired,
    ),
}


@pytest.mark.parametrize("change", WHILE_IT_WAITED)
def test_an_opening_that_waits_for_a_lock_obeys_what_was_decided_meanwhile(market, change):
    decide, refusal = WHILE_IT_WAITED[change]
    lives.opened(market)
    quote = quoted(market)
    request = DepositRequest(quote, "A-waits", "c-9", "Joao Silva", "BR5599", "Joao Silva", "BR")
    with beside.other() as other:
        other.execute("select 1 from pool_account_load for update")
        opener = beside.Deed(lambda: deposit.open_order(market.merchant, request))
        beside.waits_for_a_lock(other, opener)
        decide(market)
        other.rollback()
        assert isinstance(opener.answer(), refusal)
    with db.reading() as tx:
        assert tx.rows("select count(*) from orders where external_ref = 'A-waits'") == [(0,)]


def test_terms_that_change_at_each_look_are_told_as_a_change(market, monkeypatch):
    quote = quoted(market)
    request = DepositRequest(quote, "A-late", "c-9", "Joao Silva", "BR5599", "Joao Silva", "BR")
    seen = opening.course

    def changed_again(row, *, refused):
        with db.transaction() as tx:
            tx.run("update pool set pay_seconds = pay_seconds + 1")
        return seen(row, refused=refused)

    monkeypatch.setattr(opening, "course", changed_again)
    with pytest.raises(Changed):
        deposit.open_order(market.merchant, request)
    monkeypatch.setattr(opening, "course", seen)
    assert deposit.open_order(market.merchant, request).state == "awaiting_payment"
