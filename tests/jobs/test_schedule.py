"""One schedule leads; what is due is queued; what is urgent is done even without Redis and without a worker."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from core import health
from core.actor import system
from core.db import transaction
from jobs import catalog, queues, schedule
from jobs.leader import SILENT_SECONDS, Leader
from jobs.schedule import Plan, Schedule

pytestmark = pytest.mark.usefixtures("database")
NOWHERE = "unix:///nonexistent/redis.sock"
URGENT = {name for name, entry in catalog.CATALOG.items() if entry.urgent}
REGULAR = {name for name, entry in catalog.CATALOG.items() if entry.every}


class Time:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Time()


@pytest.fixture
def crons(database):
    made = []

    def make(redis_url, time_of):
        made.append(Schedule(redis_url, Leader(database), time_of=time_of))
        return made[-1]

    yield make
    for each in made:
        each.leader.leave()


def ended() -> list[str]:
    return [run.name for run in health.runs(system(), limit=200) if run.outcome == "done"]


def comes_to_lead(cron) -> bool:
    """Let it try until the server has seen that the session before it is gone."""
    return any(cron.leader.leads() or time.sleep(0.02) for _ in range(2 * SILENT_SECONDS + 500))


def waiting(url: str) -> list[str]:
    with queues.connect(url) as client:
        return sorted(key.decode().removeprefix("desk:waiting:") for key in client.keys("desk:waiting:*"))


def test_a_schedule_queues_what_is_due_and_again_when_it_is_due_again(crons, seconds, redis_url):
    cron = crons(redis_url, seconds)

    cron.tick()
    assert set(waiting(redis_url)) == REGULAR  # nothing has ever run
    with queues.connect(redis_url) as client:
        client.flushdb()
    seconds.now += 5
    cron.tick()

    assert waiting(redis_url) == ["ledger.fold", "orders.expire", "orders.match"]


def test_of_two_schedules_one_leads_and_the_other_takes_over(crons, seconds, redis_url):
    first, second = crons(redis_url, seconds), crons(redis_url, seconds)
    first.tick()
    second.tick()
    assert (first.leader.holds, second.leader.holds) == (True, False)

    first.leader.leave()
    assert comes_to_lead(second)
    second.tick()

    assert (first.leader.holds, second.leader.holds) == (False, True)


def test_a_leader_whose_session_is_gone_stops_leading_and_may_lead_again(crons, seconds, redis_url, database):
    cron = crons(redis_url, seconds)
    cron.tick()
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'escrow-desk cron'"
            " and datname = current_database()"
        )

    cron.tick()
    assert not cron.leader.holds
    assert comes_to_lead(cron)


def test_a_leader_that_is_stopped_but_not_dead_is_followed(crons, seconds, redis_url):
    stopped, next_one = crons(redis_url, seconds), crons(redis_url, seconds)
    stopped.tick()
    with transaction() as tx:
        tx.run("update heartbeat set at = at - interval '5 minutes'")

    assert comes_to_lead(next_one)
    stopped.tick()
    assert not stopped.leader.holds


def test_without_redis_and_without_a_worker_all_that_is_urgent_is_done(crons, seconds):
    cron = crons(NOWHERE, seconds)
    cron.tick()
    assert ended() == []

    seconds.now += schedule.LATE_SECONDS
    cron.tick()

    assert set(ended()) == URGENT
    [beat] = health.beats(system())
    assert beat.details["leads"]


def test_nothing_urgent_is_a_minute_late_before_the_schedule_runs_it():
    looks = schedule.LOOK_SECONDS + schedule.TICK_SECONDS
    for name in URGENT:
        every = catalog.CATALOG[name].every
        assert every < schedule.patience(every), "its own time is not yet late"
        assert schedule.patience(every) - every + looks < catalog.MINUTE, name


def test_a_schedule_tells_which_urgent_jobs_nobody_has_ended_lately(crons, seconds):
    cron = crons(NOWHERE, seconds)
    cron.tick()
    for name in URGENT:
        catalog.run(name)
    with transaction() as tx:
        tx.run("update job_run set ended_at = now() - interval '1 minute' where name = 'orders.match'")
    seconds.now += schedule.LATE_SECONDS
    cron.tick()
    assert set(cron.late) == {"orders.match"}

    seconds.now += schedule.BEAT_SECONDS
    cron.tick()
    [beat] = health.beats(system())
    assert set(beat.details["late"]) == {"orders.match"}

    seconds.now += schedule.LOOK_SECONDS
    cron.tick()
    assert cron.late == {}


def test_what_a_worker_does_in_time_is_not_done_again_by_the_schedule(crons, seconds):
    cron = crons(NOWHERE, seconds)
    cron.tick()
    for name in URGENT - {"orders.expire"}:
        catalog.run(name)
    seconds.now += schedule.LATE_SECONDS
    cron.tick()

    assert sorted(ended()) == sorted(URGENT)


def test_one_job_that_breaks_does_not_keep_the_others_late(crons, seconds, monkeypatch):
    def broken():
        raise ZeroDivisionError

    monkeypatch.setattr("jobs.orders.expire", broken)
    cron = crons(NOWHERE, seconds)
    cron.tick()
    seconds.now += schedule.LATE_SECONDS
    cron.tick()

    assert set(ended()) == URGENT - {"orders.expire"}


def test_a_schedule_that_was_away_for_days_catches_up_once(seconds):
    plan = Plan({"agents.volume": 10 * 86400, "ledger.verify": 60}, seconds.now)

    due = plan.take(seconds.now)

    assert "agents.volume" in due
    assert "ledger.verify" not in due
    assert plan.take(seconds.now) == []
    seconds.now += 14 * 60
    assert "ledger.verify" in plan.take(seconds.now)
    assert plan.take(seconds.now) == []


def test_a_schedule_lives_through_whatever_a_tick_raises(crons, seconds, monkeypatch, redis_url):
    stopping, ticks = threading.Event(), []

    def tick():
        ticks.append(1)
        if len(ticks) == 3:
            stopping.set()
        raise ZeroDivisionError

    cron = crons(redis_url, seconds)
    monkeypatch.setattr(cron, "tick", tick)
    monkeypatch.setattr(schedule, "TICK_SECONDS", 0.01)
    schedule.run(cron, stopping)

    assert len(ticks) == 3
