"""The schedule: queues what is due, carries the outbox, and runs what is urgent itself when nobody does."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg

from core import health
from core.errors import Refusal
from core.settings import settings
from jobs import catalog, database, logs, queues, relay
from jobs.leader import Leader
from jobs.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import redis

TICK_SECONDS = 1.0
BEAT_SECONDS = 10
LATE_SECONDS = 20
"""An urgent job that nobody has ended for so long is run by the schedule itself."""
MOST_LATE_SECONDS = 40
"""So far beyond its time an urgent job may be before the schedule runs it, however rare it is."""
LOOK_SECONDS = 5
AWAY_SECONDS = 5
"""How long a Redis that failed is left alone."""
OFTEN_SECONDS = 60
"""Jobs due at least so often are due at once when a schedule begins to lead, rarer ones in their time."""


def patience(every: int) -> int:
    """Return after how many seconds without an end an urgent job due each `every` seconds is late."""
    return max(LATE_SECONDS, min(2 * every, every + MOST_LATE_SECONDS))


class Plan:
    """When each job is due next, by a clock that never jumps."""

    def __init__(self, quiet_for: dict[str, int], now: float) -> None:
        """Begin from how long ago each job last ran: a schedule that was away for days catches up once."""
        self.due_at: dict[str, float] = {}
        for name, entry in catalog.CATALOG.items():
            if entry.every:
                ago = quiet_for.get(name, entry.every)
                wait = 0 if entry.every <= OFTEN_SECONDS else max(0, entry.every - ago)
                self.due_at[name] = now + wait

    def take(self, now: float) -> list[str]:
        """Return the jobs that are due, each due again one interval from now."""
        due = [name for name, at in self.due_at.items() if at <= now]
        for name in due:
            self.due_at[name] = now + catalog.CATALOG[name].every
        return due


class Schedule:
    """One schedule process: waits to lead; leads until its lock is lost."""

    def __init__(self, redis_url: str, leader: Leader, *, time_of: Callable[[], float] = time.monotonic) -> None:
        """Begin; `time_of` tells seconds that never go back."""
        self.redis_url = redis_url
        self.leader = leader
        self.time_of = time_of
        self.process = f"cron:{socket.gethostname()}:{os.getpid()}"
        self.client: redis.Redis | None = None
        self.plan: Plan | None = None
        self.away_until = self.beat_at = self.look_at = float("-inf")
        self.ran_at: dict[str, float] = {}
        self.late: dict[str, int] = {}

    def tick(self) -> None:
        """Do what this second asks for. Raises Refusal or psycopg.Error when the database is away."""
        now = self.time_of()
        leads = self.leader.leads()
        if now >= self.beat_at:
            self.beat_at = now + BEAT_SECONDS
            away = now < self.away_until
            redis = "away" if away else "ok"
            health.beat(self.process, {"pid": os.getpid(), "leads": leads, "redis": redis, "late": self.late})
        if not leads:
            self.plan, self.late = None, {}
            return
        names = [name for name, entry in catalog.CATALOG.items() if entry.every]
        if self.plan is None:
            self.plan = Plan(health.quiet_for(names), now)
            self.look_at = now + LATE_SECONDS
        due = self.plan.take(now)
        if now >= self.away_until and not self._queue(due):
            self.away_until = now + AWAY_SECONDS
        if now >= self.look_at:
            self.look_at = now + LOOK_SECONDS
            self._run_late(now)

    def _queue(self, due: Iterable[str]) -> bool:
        """Queue what is due and what the outbox asks for; return whether Redis took it."""
        try:
            client = self.client = self.client or queues.connect(self.redis_url)
            for name in due:
                queues.enqueue(client, name)
            relay.carry(lambda name, *refs: queues.enqueue(client, name, *refs))
        except queues.AWAY as error:
            log.warning("redis is away", why=str(error)[:200])
            self.client = None
            return False
        return True

    def _run_late(self, now: float) -> None:
        """Run each urgent job that no worker has ended lately: nothing waits for Redis or a worker."""
        urgent = {name: entry for name, entry in catalog.CATALOG.items() if entry.urgent and entry.every}
        quiet = health.quiet_for(list(urgent))
        # For who asks whether we are ready: no worker has ended these lately.
        self.late = {name: seconds for name, seconds in quiet.items() if seconds >= patience(urgent[name].every)}
        for name, entry in urgent.items():
            most = patience(entry.every)
            if quiet.get(name, most) < most or now - self.ran_at.get(name, float("-inf")) < LATE_SECONDS:
                continue
            self.ran_at[name] = now
            log.warning("late, run by the schedule", job=name, seconds=quiet.get(name))
            try:
                catalog.run(name)
            except Exception:  # noqa: BLE001 - the other jobs are late too
                log.exception("job failed", job=name)


def main() -> None:
    """Run the schedule of this process until SIGTERM."""
    known = settings()
    stopping = threading.Event()

    def stop(_signal: int, _frame: Any) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    schedule = Schedule(known.redis_url, Leader(known.database_url))
    logs.configure(known.log_level, schedule.process)
    database.bind(known.database_url)
    log.info("schedule started")
    try:
        run(schedule, stopping)
    finally:
        schedule.leader.leave()
        with database.quietly():
            health.gone(schedule.process)
    log.info("schedule ended")


def run(schedule: Schedule, stopping: threading.Event) -> None:
    """Tick once a second until `stopping` is set; a tick that fails is logged, the next one tries again."""
    while not stopping.wait(TICK_SECONDS):
        try:
            schedule.tick()
        except (Refusal, psycopg.Error) as error:
            log.warning("tick failed", why=str(error)[:200])
        except Exception:  # noqa: BLE001 - a schedule that ends helps nobody
            log.exception("tick failed")


if __name__ == "__main__":
    main()
