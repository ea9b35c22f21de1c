"""A version begins when everybody can see it: who orders while it is approved has the one before, and rightly so."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core import clock, db, outbox, timeshift
from core.actor import Right, system
from core.commissions import versions
from core.errors import Changed
from core.pricing import schedules
from core.verify import run as verify
from tests import make
from tests.core import lives

RIGHTS = (Right.MANAGE_PRICING, Right.APPROVE_PRICING, Right.SEE_LEDGER)
ONE, TWO = (replace(make.person(role, *RIGHTS), user_id=n) for n, role in enumerate(("admin", "finance"), 1))
NEXT = {
    versions.FEES: ("standard", {"platform_bps": 90}),
    versions.PLAN: ("direct", {"rates": {"deposit": 7}}),
}


@pytest.fixture
def market(database):
    return make.market(2, levels=1)


def proposed(kind):
    code, terms = NEXT[kind]
    return versions.propose(ONE, kind, code, terms, "the board's decision")


def approved(ref):
    return versions.decide(TWO, ref, approve=True, why="as decided")


def took(market):
    """Open an order; return the versions of the schedule and of the plan that it took."""
    ref = lives.opened(market)
    with db.reading() as tx:
        return tx.rows(
            "select s.version, (o.split -> 0 ->> 'plan_version')::int from orders o"
            " join fee_schedule s on s.id = o.fee_schedule_id where o.ref = %s",
            (ref,),
        )[0]


def broken():
    return [line for each in verify() for line in each.breaks]


@contextmanager
def other():
    """A connection of somebody else's."""
    with psycopg.connect(db.engine().url.set(drivername="postgresql").render_as_string(hide_password=False)) as held:
        yield held


def in_the_background(doing):
    """Start it in a thread of its own; the list it returns will have its answer, or what it raised."""
    answers = []

    def run():
        try:
            answers.append(doing())
        except Exception as error:  # noqa: BLE001 - it is looked at
            answers.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answers


def waits_for_a_lock(connection, *, of_age=timedelta()):
    """Wait until somebody waits for a lock, in a transaction that began so long ago."""
    sql = (
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and clock_timestamp() - xact_start > %s"
        " and datname = current_database()"
    )
    while not connection.execute(sql, (of_age,)).fetchone()[0]:
        connection.execute("select pg_stat_clear_snapshot()")
        time.sleep(0.01)


@contextmanager
def stalled_at(monkeypatch, deed, seconds):
    """Two events: a version's deed is written, and it may go on to its end; it does by itself after so many seconds."""
    written, go_on = threading.Event(), threading.Event()
    tell = outbox.tell

    def slowly(tx, topic, subject, **more):
        tell(tx, topic, subject, **more)
        if topic in {f"{kind}.{deed}" for kind in versions.KINDS}:
            written.set()
            go_on.wait(seconds)

    monkeypatch.setattr(outbox, "tell", slowly)
    yield written, go_on
    go_on.set()


@pytest.fixture
def stalled(monkeypatch):
    """An approval has written its version, and may go on to its end."""
    with stalled_at(monkeypatch, "approved", 60) as events:
        yield events


@pytest.mark.parametrize("kind", versions.KINDS)
def test_orders_opened_while_a_version_is_approved_have_the_one_in_force(market, kind, stalled):
    written, go_on = stalled
    assert took(market) == (1, 1)
    ref = proposed(kind)
    approver, answers = in_the_background(lambda: approved(ref))
    written.wait(60)
    early = took(market)
    go_on.set()
    approver.join()
    (done,) = answers
    assert broken() == []
    assert [early, took(market)] == [(1, 1)] * 2, "it has not begun"
    with clock.at(done.effective_from - timedelta(microseconds=1)):
        assert took(market) == (1, 1)
    with clock.at(done.effective_from):
        assert took(market) == ((2, 1) if kind == versions.FEES else (1, 2))
    assert broken() == []


def test_what_was_stored_too_late_is_not_stored(market, monkeypatch):
    ref = proposed(versions.PLAN)
    # A second is left for all of it.
    monkeypatch.setattr(versions, "LEAD", timedelta(seconds=6))
    with other() as holder:
        holder.execute("select 1 from configuration for update")
        approver, answers = in_the_background(lambda: approved(ref))
        waits_for_a_lock(holder, of_age=timedelta(seconds=1))
        holder.rollback()
        approver.join()
    assert [type(each) for each in answers] == [Changed]
    assert answers[0].facts == {"constraint": "version_begins_later"}
    assert [each.version for each in versions.known(ONE, versions.PLAN) if each.code == "direct"] == [1]
    assert [each.ref for each in versions.waiting(ONE, versions.PLAN)] == [ref]
    monkeypatch.undo()
    assert approved(ref).version == 2


@pytest.mark.parametrize("lead", ["0", "4.9"])
@pytest.mark.parametrize("table", ["fee_schedule", "plan_version"])
def test_the_database_refuses_a_version_that_begins_before_everybody_sees_it(database, table, lead):
    named = {"fee_schedule": "code", "plan_version": "plan_id"}[table]
    with pytest.raises(Changed) as refused, db.transaction() as tx:
        tx.run(
            f"insert into {table} ({named}, version, terms, effective_from, created_at)"
            f" select {named}, 2, terms, clock_timestamp() + interval '{lead} seconds', clock_timestamp() from {table}"
        )
    assert refused.value.facts == {"constraint": "version_begins_later"}


def test_an_approval_counts_from_when_it_is_stored_also_in_a_sandbox_whose_clock_is_moved_on(market):
    timeshift.advance(system(), timedelta(hours=2))
    ref = proposed(versions.FEES)
    with timeshift.followed():
        timeshift.advance(system(), timedelta(days=1))  # somebody else, while the approver reads
        before = datetime.now(UTC) + timedelta(days=1, hours=2)
        begins = approved(ref).effective_from
    assert begins > before + versions.LEAD - timedelta(seconds=1)


def test_the_sandbox_s_clock_is_not_moved_on_while_a_version_is_approved(market, stalled):
    written, go_on = stalled
    ref = proposed(versions.FEES)
    approver, approvals = in_the_background(lambda: approved(ref))
    written.wait(60)
    mover, moved = in_the_background(lambda: timeshift.advance(system(), timedelta(days=1)))
    with other() as looker:
        waits_for_a_lock(looker)
    assert moved == []
    go_on.set()
    approver.join()
    mover.join()
    assert approvals[0].effective_from < moved[0]


def test_a_quote_is_stored_with_the_moment_its_schedule_was_chosen_for(market, monkeypatch):
    chosen = []
    in_force = schedules.in_force
    monkeypatch.setattr(schedules, "in_force", lambda tx, code, at: chosen.append(at) or in_force(tx, code, at))
    lives.opened(market)
    with db.reading() as tx:
        assert tx.rows("select created_at from quote") == [(at,) for at in chosen]
