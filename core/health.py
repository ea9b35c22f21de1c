"""Signs of life: heartbeats of processes, runs of jobs, and what is late."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from core import clock
from core.actor import Right
from core.db import reading, transaction
from core.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from core.actor import Actor

KEPT_RUNS = 200
"""Runs kept of each job."""

KEPT_TRIES = timedelta(days=90)
"""Tries to sign in are kept so long; lockout looks a day back, an inquiry some weeks."""

LOST_SECONDS = 3600
"""A process silent for so long is forgotten; a run without an end for so long is taken for dead."""

_BEAT = """
insert into heartbeat (process, at, details) values (%s, clock_timestamp(), %s::jsonb)
on conflict (process) do update set at = excluded.at, details = excluded.details
"""


class Beat(NamedTuple):
    """A process and how long ago it was last heard."""

    process: str
    at: datetime
    age_seconds: int
    details: dict[str, Any]


class Run(NamedTuple):
    """One run of a job; `details` says what it did or why it failed."""

    id: int
    name: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    details: dict[str, Any]

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


def beat(process: str, details: Mapping[str, object] | None = None) -> None:
    """Write that a process (`worker:…`, `cron:…`, `web:…`) is alive, by the database's clock."""
    with transaction() as tx:
        tx.run(_BEAT, (process, json.dumps(dict(details or {}), default=str)))


def gone(process: str) -> None:
    """Take back the sign of life of a process that ends in order."""
    with transaction() as tx:
        tx.run("delete from heartbeat where process = %s", (process,))


def age_of(kind: str) -> int | None:
    """Return how many seconds ago any process of a kind (`worker`) was last heard, None if never."""
    with reading() as tx:
        found: int | None = tx.call(
            "select extract(epoch from clock_timestamp() - max(at))::bigint from heartbeat where process like %s",
            (f"{kind}:%",),
        )
    return found


@contextmanager
def recorded(name: str) -> Iterator[dict[str, object]]:
    """Write down one run of a job: what the block says in the dict, or why it broke."""
    with transaction() as tx:
        number = tx.call("insert into job_run (name, started_at) values (%s, clock_timestamp()) returning id", (name,))
    said: dict[str, object] = {}
    try:
        yield said
    except BaseException as error:
        with suppress(Refusal):  # the database is away: what broke is told by the exception itself
            _end(number, "failed", said | {"error": f"{type(error).__name__}: {error}"[:500]})
        raise
    _end(number, "done", said)


def _end(number: int, outcome: str, details: Mapping[str, object]) -> None:
    with transaction() as tx:
        tx.run(
            "update job_run set ended_at = clock_timestamp(), outcome = %s, details = %s::jsonb where id = %s",
            (outcome, json.dumps(details, default=str), number),
        )


def quiet_for(names: list[str]) -> dict[str, int]:
    """Return for each job how many seconds ago a run of it last ended well; others are left out."""
    with reading() as tx:
        rows = tx.rows(
            "select n.name, extract(epoch from clock_timestamp() - r.ended_at)::bigint"
            "  from unnest(%s::text[]) as n (name) cross join lateral (select ended_at from job_run"
            " where name = n.name and outcome = 'done' order by id desc limit 1) r",
            (names,),
        )
    return dict(rows)


def beats(actor: Actor) -> list[Beat]:
    """Return every process heard of, by name. Raises Forbidden."""
    actor.must(Right.SEE_JOBS)
    with reading() as tx:
        rows = tx.rows(
            "select process, at, extract(epoch from clock_timestamp() - at)::bigint, coalesce(details, '{}')"
            "  from heartbeat order by process"
        )
    return [Beat(*row) for row in rows]


def runs(actor: Actor, *, name: str = "", outcome: str = "", before: int | None = None, limit: int = 50) -> list[Run]:
    """Return runs of jobs, newest first; `before` is the id the last page ended with. Raises Forbidden."""
    actor.must(Right.SEE_JOBS)
    with reading() as tx:
        rows = tx.rows(
            "select id, name, started_at, ended_at, outcome, coalesce(details, '{}') from job_run"
            " where (%s = '' or name = %s) and (%s = '' or outcome = %s) and (%s::bigint is null or id < %s)"
            " order by id desc limit %s",
            (name, name, outcome, outcome, before, before, min(limit, 200)),
        )
    return [Run(*row) for row in rows]


def latest(actor: Actor) -> list[Run]:
    """Return the last run of each job, by name. Raises Forbidden."""
    actor.must(Right.SEE_JOBS)
    with reading() as tx:
        rows = tx.rows(
            "select distinct on (name) id, name, started_at, ended_at, outcome, coalesce(details, '{}')"
            "  from job_run order by name, id desc"
        )
    return [Run(*row) for row in rows]


def clean() -> int:
    """Keep the last runs of each job and the processes still heard of; return how many rows went."""
    with transaction() as tx:
        lost = tx.run(
            "update job_run set outcome = 'failed', ended_at = clock_timestamp(),"
            " details = coalesce(details, '{}') || '{\"error\": \"ended without a word\"}' where outcome = 'running'"
            " and started_at < clock_timestamp() - make_interval(secs => %s)",
            (LOST_SECONDS,),
        )
        old = tx.run(
            "delete from job_run r using"
            " (select name, (array_agg(id order by id desc))[%s] as last from job_run"
            " group by name) k where r.name = k.name and r.id < k.last",
            (KEPT_RUNS,),
        )
        silent = tx.run(
            "delete from heartbeat where at < clock_timestamp() - make_interval(secs => %s)", (LOST_SECONDS,)
        )
    return lost + old + silent


def forget_tries(limit: int = 10_000) -> int:
    """Remove tries to sign in past their time; return how many. Safe twice and twice at once.

    Each user's last two that got in stay, however old: the home page tells when one was here before.
    """
    with transaction() as tx:
        return tx.run(
            "delete from login_attempt where id in (select a.id from login_attempt a where a.at < %s"
            "   and (not a.succeeded or a.id not in (select b.id from login_attempt b"
            "        where b.succeeded and b.user_id = a.user_id order by b.at desc limit 2))"
            " order by a.id limit %s for update skip locked)",
            (clock.now() - KEPT_TRIES, limit),
        )
