"""Rollups: kept up to date by small steps they equal counting everything again, and they equal the ledger."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies

from core import clock, db
from core.analytics import rollup
from core.analytics.boards import commissions
from core.analytics.boards.asking import Days, Filters
from core.db import reading, transaction
from core.orders import deposit, dispatch
from core.parties import listing
from core.verify.rollups import rollups
from tests import make
from tests.core import lives

MIGRATION = Path(rollup.__file__).parents[1] / "migrations/versions/0009_commission_base.sql"
TABLES = (
    "rollup_hour",
    "rollup_commission_day",
    "rollup_commission_path_day",
    "rollup_alert_day",
    "rollup_alert_order",
)


def everything() -> dict[str, list]:
    with reading() as tx:
        return {table: tx.rows(f"select * from {table} order by {table}") for table in TABLES}


def total(column: str, where: str = "true") -> int:
    with reading() as tx:
        return tx.call(f"select coalesce(sum({column}), 0)::bigint from rollup_hour where {where}")


def test_each_event_counts_in_its_own_hour(database):
    market = make.market(1, levels=2)
    with clock.at(lives.DAYS + timedelta(minutes=58)):
        ref = lives.claimed(market, "100.00")
    with clock.at(lives.DAYS + timedelta(minutes=61, seconds=30)):
        lives.confirm(market, ref, "100.00")
    lives.rolled_up()
    with reading() as tx:
        rows = tx.rows(
            "select hour, created, matched, claimed, completed, settle_seconds, fiat_units"
            " from rollup_hour order by hour",
        )
        usdt = tx.call("select usdt_units from orders")
        lines = tx.rows("select count(*), sum(units) from commission_line")
        days = tx.rows("select sum(lines), sum(units) from rollup_commission_day")
    first = datetime(2026, 10, 5, 8, tzinfo=UTC)
    assert rows == [(first, 1, 1, 1, 0, 0, 0), (first + timedelta(hours=1), 0, 0, 0, 1, 210, 10000)]
    assert total("usdt_units") == total("created_usdt_units") == usdt
    assert lines == days
    assert lines[0][0] == 2


def test_an_order_that_waits_counts_for_the_acceptor_who_takes_it_later(database):
    market = make.market(1, reserve="10")
    ref = lives.opened(market, "500.00")
    lives.rolled_up()
    assert total("created", "acceptor_id = 0") == 1
    make.top_up(market.acceptors[0].ref, make.Money.parse("1000", make.USDT), "more")
    assert dispatch.match_due(10) == 1
    lives.rolled_up()
    assert [row for row in everything()["rollup_hour"] if row[5] == 0] == []
    assert total("created", f"acceptor_id = {market.acceptors[0].id}") == 1
    assert total("matched", f"acceptor_id = {market.acceptors[0].id}") == 1
    deposit.cancel(market.merchant, ref, reason="too late")
    before = everything()
    rollup.rebuild()
    lives.rolled_up()
    assert total("cancelled") == 1
    assert total("created") == 1
    assert before["rollup_hour"] != everything()["rollup_hour"]


def test_nothing_new_costs_nothing_and_changes_nothing(database):
    lives.completed(make.market(1))
    lives.rolled_up()
    before = everything()
    assert rollup.advance() == 0
    assert everything() == before


def test_an_open_transaction_is_waited_for_and_then_counted(database):
    market = make.market(2)
    with transaction() as tx:
        tx.call("select pg_current_xact_id()")
        lives.completed(market)
        rollup.advance()
        assert total("completed") == 0
    lives.rolled_up()
    assert total("completed") == 1


def test_an_imported_order_counts_in_the_hours_of_its_own_times(database):
    market = make.market(1)
    ref = lives.completed(market)
    moments = [datetime(2026, 3, 1, hour, 30, tzinfo=UTC) for hour in (9, 10, 11)]
    with transaction() as tx:
        tx.run("set local session_replication_role = replica")
        tx.run(
            "update orders set source = 'import', created_at = %s, matched_at = %s, claimed_at = %s, completed_at = %s",
            [moments[0], *moments],
        )
        tx.run("update audit set event = null where order_id is not null")
        tx.run(
            "insert into notice (topic, subject, order_id, event, to_state, acceptor_id, happened_at)"
            " select 'order.import', ref, id, 'import', state, acceptor_id, created_at from orders where ref = %s",
            (ref,),
        )
    lives.rolled_up()
    with reading() as tx:
        rows = tx.rows(
            "select hour, created, matched, claimed, completed, settle_seconds from rollup_hour order by hour"
        )
    counted = [(row[0].hour, *row[1:]) for row in rows]
    assert counted == [(9, 1, 1, 0, 0, 0), (10, 0, 0, 1, 0, 0), (11, 0, 0, 0, 1, 3600)]


def test_an_order_counts_once_in_the_base_however_many_levels_it_pays(database):
    market = make.market(1, levels=3)
    for amount in ("100.00", "250.00"):
        lives.completed(market, amount)
    lives.rolled_up()
    days = Days(clock.now().date() - timedelta(days=1), clock.now().date())
    with reading() as tx:
        gross = tx.call("select sum(usdt_units)::bigint from orders")
        lines = tx.call("select count(*) from commission_line")
        number = tx.call("select id from party where ref = %s", (market.agents[-1],))
        codes = dict(tx.rows("select ref, code from party where kind = 'agent'"))
    assert lines == 6
    root = replace(make.system(), scope=make.Scope.AGENT, party_id=number)
    for actor in (make.system(), root):
        assert commissions.totals(actor, days, Filters()).base_units == gross
        for ref in market.agents:
            assert commissions.totals(actor, days, Filters(agent=codes[ref])).base_units == gross
        for what in ("agent", "level", "plan"):
            assert {row.counts.base_units for row in commissions.by_key(actor, days, Filters(), what)} == {gross}
    assert commissions.totals(root, days, Filters(agent="nobody")).base_units == 0


def test_the_base_of_what_was_rolled_up_before_is_filled_in_by_the_migration(database):
    lives.completed(make.market(1, levels=2))
    lives.rolled_up()
    kept = everything()
    filling = MIGRATION.read_text(encoding="utf-8").partition("for update;")[2]
    with transaction() as tx:
        tx.run("delete from rollup_commission_path_day")
        tx.run(filling)
    assert kept["rollup_commission_path_day"]
    assert everything() == kept


def test_an_alert_counts_on_the_day_it_was_raised_and_its_closing_too(database):
    market = make.market(1)
    lives.completed(market)
    with transaction() as tx:
        tx.run(
            "insert into alert (ref, order_id, gate, rule, ruleset_id, verdict, score, reason, raised_at, due_at)"
            " select 'alr_T', o.id, 'G3', 'NAME_MISMATCH', r.id, 'hold', 900, '{}', '2026-10-05T10:00Z',"
            " '2026-10-06T10:00Z'"
            " from orders o, ruleset r limit 1",
        )
    lives.rolled_up()
    with transaction() as tx:
        tx.run(
            "update alert set state = 'closed', disposition = 'false_positive', closed_at = '2026-10-07T10:00Z'",
        )
        tx.run(
            "insert into notice (topic, subject, event, happened_at) values ('alert.closed', 'alr_T', 'closed', now())",
        )
    lives.rolled_up()
    with reading() as tx:
        rows = tx.rows(
            "select day::text, rule, raised, closed, false_positive, confirmed, decide_seconds from rollup_alert_day"
            " where rule = 'NAME_MISMATCH'",
        )
    assert rows == [("2026-10-05", "NAME_MISMATCH", 1, 1, 1, 0, 48 * 3600)]


LATE = {
    "event": """
insert into audit (at, actor, role, action, subject, order_id, reason, from_state, to_state, event, acceptor_id,
       trace_id)
select at, actor, role, 'order.cancel', subject, order_id, '', 'awaiting_payment', 'cancelled', 'cancel', acceptor_id,
       '' from audit where event = 'claim_paid'""",
    "line": """
insert into commission_line (ref, order_id, agent_id, level, plan_version_id, own_bps, below_bps, rate_bps, base_units,
       units, period, accrued_at)
select 'com_late', (select max(id) from orders), agent_id, level, plan_version_id, own_bps, below_bps, rate_bps,
       base_units, units, period, accrued_at from commission_line""",
    "alert": """
insert into alert (ref, order_id, gate, rule, ruleset_id, verdict, score, reason, raised_at, due_at)
select 'alr_late', max(o.id), 'G3', 'LATE', max(r.id), 'hold', 900, '{}', now(), now() from orders o, ruleset r""",
}
"""One row of each feed: an order's event, a commission line, an alert."""


@pytest.mark.parametrize("row", LATE.values(), ids=LATE)
def test_what_ends_late_is_counted_once_it_has_ended(database, row):
    market = make.market(1, levels=1)
    lives.completed(market)
    lives.opened(market, customer="c-2")
    lives.rolled_up()
    with psycopg.connect(database) as slow:
        slow.execute(row)  # begun, not yet ended: the rollups are brought up to this very transaction
        lives.opened(market, customer="c-3")
        rollup.advance()
        before = everything()
        slow.commit()
    lives.rolled_up()
    kept = everything()
    assert kept != before
    rollup.rebuild()
    lives.rolled_up()
    assert everything() == kept


@pytest.fixture(scope="module")
def crowd(module_database):
    """Two markets in two currencies that the random histories below are lived in."""
    return [
        make.market(2, levels=2, reserve="100000"),
        make.market(2, currency="EUR", levels=1, reserve="100000"),
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=strategies.integers(0, 2**32))
def test_any_history_advanced_in_any_steps_equals_the_rebuild_and_the_ledger(crowd, seed):
    chance = random.Random(seed)  # noqa: S311 - a history that can be told again
    at = lives.DAYS + timedelta(hours=chance.randrange(2000))
    waiting: list = []
    for _ in range(chance.randrange(4, 12)):
        at += timedelta(minutes=chance.randrange(1, 7))
        with clock.at(at):
            _one_step(chance, crowd, waiting)
        if chance.random() < 0.3:
            rollup.advance()
    lives.rolled_up()
    kept = everything()
    rollup.rebuild()
    lives.rolled_up()
    assert everything() == kept
    with reading() as tx:
        finding = rollups(tx)
    assert finding.breaks == []


def _one_step(chance: random.Random, crowd: list, waiting: list) -> None:
    """Open an order, or bring one that waits to some end."""
    if not waiting or chance.random() < 0.5:
        market = chance.choice(crowd)
        amount = f"{chance.randrange(20, 900)}.{chance.randrange(100):02d}"
        ref = (lives.claimed if chance.random() < 0.6 else lives.opened)(market, amount, customer=f"c{chance.random()}")
        waiting.append((market, ref, amount))
        return
    market, ref, amount = waiting.pop(chance.randrange(len(waiting)))
    with reading() as tx:
        state = tx.call("select state from orders where ref = %s", (ref,))
    if state == "paid_claimed":
        lives.confirm(market, ref, amount)
    elif state == "awaiting_payment":
        deposit.cancel(market.merchant, ref, reason="no longer wanted")


def test_a_paid_order_that_still_waits_is_no_failure_of_its_acceptor(database):
    market = make.market(1)
    lives.completed(market)
    lives.claimed(market, "100.00", customer="c-2")
    lives.rolled_up()
    with db.engine().connect() as connection:
        [row] = connection.execute(sa.select(listing.AcceptorRow.__table__)).all()
        [shop] = connection.execute(sa.select(listing.MerchantRow.__table__)).all()
    assert (row.completed_30d, row.refunded_30d, row.success_bps) == (1, 0, 10_000)
    assert (shop.created_30d, shop.ended_30d, shop.conversion_bps) == (2, 1, 10_000)


def test_who_has_done_nothing_has_no_share_of_success(database):
    make.market(1)
    with db.engine().connect() as connection:
        [row] = connection.execute(sa.select(listing.AcceptorRow.__table__)).all()
        [shop] = connection.execute(sa.select(listing.MerchantRow.__table__)).all()
    assert (row.success_bps, row.share_bps, shop.conversion_bps) == (None, None, None)
