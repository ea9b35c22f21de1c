"""Alerts in the rollups: for the acceptor their order has, and each order's USDT once, in whatever steps they came."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from core import clock, outbox
from core.actor import system
from core.analytics import rollup
from core.analytics.boards import risk
from core.analytics.boards.asking import Days, Filters
from core.db import reading, transaction
from core.orders import dispatch
from core.verify.rollups import rollups
from tests import make
from tests.core import lives

MIGRATION = Path(rollup.__file__).parents[1] / "migrations/versions/0034_alerted_orders.sql"
SPAN = Days((lives.DAYS - timedelta(days=1)).date(), (lives.DAYS + timedelta(days=200)).date())
RULES = ("GEO", "M_CONFIRM", "NAME_MISMATCH")


def kept() -> dict[str, list]:
    with reading() as tx:
        return {
            table: tx.rows(f"select * from {table} order by {table}")
            for table in ("rollup_alert_day", "rollup_alert_order")
        }


def alert(order: str, rule: str = "GEO", *, gate: str = "G1", days: int = 0) -> str:
    """An alert as a gate raises it, without a desk's evaluation; returns its ref."""
    ref = f"alr_{next(make.numbers)}"
    at = lives.DAYS + timedelta(days=days)
    with transaction() as tx:
        tx.run(
            "insert into alert (ref, order_id, gate, rule, ruleset_id, verdict, score, reason, raised_at, due_at)"
            " select %s, o.id, %s, %s, (select max(id) from ruleset), 'review', 900, '{}', %s, %s from orders o"
            " where o.ref = %s on conflict on constraint alert_rule_once do nothing",
            (ref, gate, rule, at, at, order),
        )
    return ref


def close(ref: str, disposition: str = "false_positive") -> None:
    """An alert decided, as the desk does it: the alert and its notice in one transaction."""
    with transaction() as tx:
        closed = tx.rows(
            "update alert set state = 'closed', disposition = %s, closed_at = raised_at + interval '1 hour'"
            " where ref = %s and state <> 'closed' returning ref",
            (disposition, ref),
        )
        for each in closed:
            outbox.tell(tx, "alert.closed", *each, happened_at=clock.now())


def unserved():
    """A market whose one acceptor has too little for the order that waits in it; and that order."""
    market = make.market(1, reserve="10")
    return market, lives.opened(market, "500.00")


def serve(market) -> None:
    make.top_up(market.acceptors[0].ref, make.Money.parse("1000", make.USDT), f"more {next(make.numbers)}")
    dispatch.match_due(10)


def parties(what: str = "acceptor", **filters):
    return {row.code: row for row in risk.by_party(system(), SPAN, Filters(**filters), what)}


def counted_again_is_the_same() -> None:
    before = kept()
    rollup.rebuild()
    lives.rolled_up()
    assert kept() == before
    with reading() as tx:
        assert rollups(tx).breaks == []


@pytest.mark.parametrize("decided", [False, True], ids=["open", "decided"])
def test_an_alert_follows_its_order_to_the_acceptor_who_takes_it_later(database, decided):
    market, ref = unserved()
    number = alert(ref)
    lives.rolled_up()
    if decided:
        close(number)
        lives.rolled_up()
    assert {row[5] for row in kept()["rollup_alert_day"]} == {0}
    assert parties() == {}
    serve(market)
    lives.rolled_up()
    [row] = kept()["rollup_alert_day"]
    assert row[5:] == (market.acceptors[0].id, 1, int(decided), 0, int(decided), 3600 * decided)
    [party] = parties().values()
    assert party.counts.raised == 1
    with reading() as tx:
        assert party.usdt_units == tx.call("select usdt_units from orders where ref = %s", (ref,))
    counted_again_is_the_same()


def test_a_decision_and_an_acceptor_that_come_between_two_steps_are_counted_once_each(database):
    market, ref = unserved()
    number = alert(ref)
    lives.rolled_up()
    close(number, "confirmed_no_report")
    serve(market)
    lives.rolled_up()
    [row] = kept()["rollup_alert_day"]
    assert row[5:] == (market.acceptors[0].id, 1, 0, 1, 1, 3600)
    counted_again_is_the_same()


def test_an_orders_usdt_counts_once_whichever_days_and_rules_are_asked_for(database):
    market = make.market(1)
    ref = lives.opened(market)
    for number, rule in enumerate(RULES):
        alert(ref, rule, days=2 * number)
        lives.rolled_up()
    with reading() as tx:
        usdt = tx.call("select usdt_units from orders where ref = %s", (ref,))
    assert [row[5:] for row in kept()["rollup_alert_order"]] == [(1, usdt)], "it moved to the set of all its alerts"
    for what in ("merchant", "acceptor"):
        [row] = parties(what).values()
        assert (row.counts.raised, row.usdt_units) == (3, usdt)
        [row] = parties(what, rule="M_CONFIRM").values()
        assert (row.counts.raised, row.usdt_units) == (1, usdt)
    first = lives.DAYS.date()
    for begins, ends, raised in ((0, 0, 1), (1, 3, 1), (2, 4, 2), (4, 9, 1)):
        days = Days(first + timedelta(days=begins), first + timedelta(days=ends))
        [found] = risk.by_party(system(), days, Filters(), "acceptor")
        assert (found.counts.raised, found.usdt_units) == (raised, usdt)
    between = Days(first + timedelta(days=1), first + timedelta(days=1))
    assert risk.by_party(system(), between, Filters(), "acceptor") == []
    wrong_day = Days(first + timedelta(days=2), first + timedelta(days=2))
    assert risk.by_party(system(), wrong_day, Filters(rule="GEO"), "acceptor") == []


def test_what_was_rolled_up_before_is_counted_anew_by_the_migration(database):
    market, waiting = unserved()
    close(alert(waiting))
    done = lives.completed(make.market(1))
    alert(done, "GEO")
    alert(done, "M_CONFIRM", gate="G3")
    serve(market)
    lives.rolled_up()
    before = kept()
    filling = MIGRATION.read_text(encoding="utf-8").partition("alter table rollup_alert_day drop column usdt_units;")[2]
    with transaction() as tx:
        tx.run("delete from rollup_alert_order")
        tx.run(filling)
    assert len(before["rollup_alert_order"]) == 2
    assert kept() == before


@pytest.fixture(scope="module")
def crowd(module_database):
    """Two markets that have all they need, and the random histories below are lived in."""
    return [make.market(2, reserve="100000"), make.market(2, currency="EUR", reserve="100000")]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=strategies.integers(0, 2**32))
def test_any_alerts_advanced_in_any_steps_are_those_of_the_tables(crowd, seed):
    chance = random.Random(seed)  # noqa: S311 - a history that can be told again
    refs, alerts, thin = [], [], []
    for _ in range(chance.randrange(6, 20)):
        step = chance.random()
        if step < 0.15:
            thin.append(unserved())
            refs.append(thin[-1][1])
        elif step < 0.3 and thin:
            serve(thin.pop(chance.randrange(len(thin)))[0])
        elif step < 0.45 or not refs:
            refs.append(lives.opened(chance.choice(crowd), f"{chance.randrange(20, 900)}.00", customer=f"c{step}"))
        elif step < 0.8 or not alerts:
            where = {"gate": chance.choice(["G1", "G3"]), "days": chance.randrange(3)}
            alerts.append(alert(chance.choice(refs), chance.choice(RULES), **where))
        else:
            close(chance.choice(alerts), chance.choice(["false_positive", "confirmed_reported", "inconclusive"]))
        if chance.random() < 0.4:
            rollup.advance()
    lives.rolled_up()
    counted_again_is_the_same()
    with reading() as tx:
        told = tx.rows(
            "select p.code, count(*), (select sum(x.usdt_units)::bigint from orders x where x.acceptor_id = p.id"
            "  and exists (select 1 from alert y where y.order_id = x.id)),"
            " count(*) filter (where a.state = 'closed') from alert a join orders o on o.id = a.order_id"
            " join party p on p.id = o.acceptor_id group by p.id, p.code"
        )
    counted = [(code, row.counts.raised, row.usdt_units, row.counts.closed) for code, row in parties().items()]
    assert sorted(counted) == sorted(told)
