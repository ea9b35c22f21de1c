"""Every job may run twice, and twice at once: the second finds nothing left to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock, health, timeshift, verify
from core.actor import system
from core.db import reading, transaction
from core.parties import acceptors
from jobs import catalog
from tests import beside, make
from tests.core import lives

REGULAR = [name for name, entry in catalog.CATALOG.items() if entry.every]


@pytest.fixture
def market(database):
    return make.market(2, levels=2)


def pass_deadlines() -> None:
    """Let so much of the product's time pass that every deadline lies behind us."""
    timeshift.advance(system(), timedelta(minutes=20))


def states(refs: list[str]) -> list[str]:
    with reading() as tx:
        return [state for (state,) in tx.rows("select state from orders where ref = any(%s) order by id", (refs,))]


def test_every_regular_job_twice_and_twice_at_once(market):
    lives.completed(market)
    refs = [lives.opened(market) for _ in range(3)]
    pass_deadlines()
    with timeshift.followed():
        refs.append(lives.opened(market))

    for name in REGULAR:
        answers = beside.together(2, lambda name=name: catalog.run(name))
        assert [each for each in answers if isinstance(each, Exception)] == []
        catalog.run(name)

    assert states(refs) == ["expired", "expired", "expired", "awaiting_payment"]
    assert {run.outcome for run in health.runs(system())} == {"done"}
    assert [found.breaks for found in verify.run() if not found.holds] == []


def test_one_order_that_breaks_does_not_stop_the_others(market, monkeypatch):
    from core.orders import deadlines

    refs = [lives.opened(market) for _ in range(3)]
    pass_deadlines()
    as_always = deadlines.expire

    def expire(ref):
        if ref == refs[0]:
            raise ZeroDivisionError
        return as_always(ref)

    monkeypatch.setattr(deadlines, "expire", expire)
    with pytest.raises(RuntimeError, match="1 orders could not be expired, 2 were"):
        catalog.run("orders.expire")

    assert states(refs) == ["awaiting_payment", "expired", "expired"]
    [run] = health.runs(system())
    assert run.outcome == "failed"
    assert refs[0] in run.details["error"]


def test_one_order_that_cannot_be_matched_does_not_stop_the_others(market, monkeypatch):
    from core.orders import dispatch

    for acceptor in market.acceptors:
        acceptors.set_online(acceptor.actor, acceptor.ref, online=False)
    refs = [lives.opened(market) for _ in range(3)]
    acceptors.set_online(acceptor.actor, acceptor.ref, online=True)
    as_always = dispatch.match_waiting

    def match_waiting(actor, ref):
        if ref == refs[0]:
            raise ZeroDivisionError
        return as_always(actor, ref)

    monkeypatch.setattr(dispatch, "match_waiting", match_waiting)
    with pytest.raises(RuntimeError, match="1 orders could not be matched, 2 were"):
        catalog.run("orders.match")

    assert states(refs) == ["matching", "awaiting_payment", "awaiting_payment"]
    [run] = health.runs(system())
    assert run.outcome == "failed"
    assert refs[0] in run.details["error"]


def test_a_broken_invariant_fails_the_check_and_names_the_row(market, monkeypatch):
    lives.completed(market)
    with transaction() as tx:
        tx.run("update ledger_account set available = available + 1 where name = 'acceptor:' || %s",
               (market.acceptors[0].code,))  # fmt: skip

    with pytest.raises(Exception, match="I2"):
        catalog.run("ledger.verify")

    [run] = health.runs(system())
    assert run.outcome == "failed"
    assert market.acceptors[0].code in run.details["error"]


def test_old_runs_and_silent_processes_are_forgotten(database):
    with transaction() as tx:
        tx.run(
            "insert into job_run (name, started_at, ended_at, outcome)"
            " select 'orders.expire', now(), now(), 'done' from generate_series(1, 300)"
        )
        tx.run("insert into job_run (name, started_at) values ('ledger.seal', now() - interval '2 hours')")
        tx.run("insert into heartbeat (process, at) values ('worker:gone:1', now() - interval '2 hours')")
    health.beat("worker:here:1")

    catalog.run("health.clean")

    kept = health.runs(system(), name="orders.expire", limit=200)
    assert len(kept) == health.KEPT_RUNS
    assert health.runs(system(), name="orders.expire", before=kept[-1].id) == []
    assert health.runs(system(), name="ledger.seal")[0].outcome == "failed"
    assert [beat.process for beat in health.beats(system())] == ["worker:here:1"]


def test_old_tries_to_sign_in_are_forgotten_but_not_each_users_last_two(database):
    with transaction() as tx:
        tx.run(
            "insert into login_attempt (at, account, ip, network, agent, device, succeeded, user_id)"
            " select now() - make_interval(days => d), 'finance', '10.0.0.1', '10.0.0.1', '', '', got_in,"
            "   case when got_in then 7 end"
            " from unnest(array[1, 89, 91, 200, 95, 300, 400], array[false, false, false, false, true, true, true])"
            " as t (d, got_in)"
        )

    catalog.run("health.clean")
    catalog.run("health.clean")

    with reading() as tx:
        left = tx.rows("select extract(day from now() - at)::int, succeeded from login_attempt order by at desc")
    assert left == [(1, False), (89, False), (95, True), (300, True)]


def test_merchants_volume_is_what_was_completed_in_thirty_days(market):
    for days, amount in ((40, "54.20"), (31, "54.20"), (29, "108.40"), (0, "542.00")):
        with clock.at(clock.now() - timedelta(days=days)):
            lives.completed(market, amount)
    catalog.run("analytics.rollup")
    catalog.run("merchants.volume")

    with reading() as tx:
        assert tx.call("select volume_30d_units from merchant") == 120_000_000
