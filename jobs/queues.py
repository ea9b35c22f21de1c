"""The queues in Redis: names and refs as JSON, each waiting job once; what is lost is found in the tables."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from jobs import catalog

if TYPE_CHECKING:
    from collections.abc import Sequence

QUICK: Final = "desk"
SLOW: Final = "desk-slow"
QUEUES: Final = (QUICK, SLOW)
WAITS_SECONDS: Final = 30
"""After so long a job that waits may be queued once more: its mark may be all that is left of it."""
LIVES_SECONDS: Final = 120
"""A job that nobody took for so long is dropped; the schedule has queued newer ones since."""

AWAY = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError, OSError)
"""What a Redis that is down, restarting, full or read-only raises."""


def connect(url: str, *, patience_seconds: int = 5) -> redis.Redis:
    """Return a client that gives up quickly: nobody waits for Redis."""
    return redis.from_url(
        url,
        socket_connect_timeout=2,
        socket_timeout=patience_seconds,
        retry=Retry(NoBackoff(), 0),
    )


def mark(name: str, refs: Sequence[str] = ()) -> str:
    """Return the key that says that a job waits already."""
    return ":".join(("desk:waiting", name, *refs))


def enqueue(client: redis.Redis, name: str, *refs: str) -> bool:
    """Queue a job unless the same one waits already; return whether it was queued.

    Raises UnknownJob for what no worker would run, and one of `AWAY` when Redis does not take it.
    """
    found = catalog.entry(name, refs)
    if not client.set(mark(name, refs), "1", nx=True, ex=WAITS_SECONDS):
        return False
    queue = Queue(SLOW if found.slow else QUICK, connection=client, serializer=JSONSerializer)
    queue.enqueue_call(
        name,
        args=refs,
        job_id=f"{name.replace('.', '-')}-{secrets.token_hex(8)}",
        timeout=found.timeout,
        ttl=LIVES_SECONDS if found.every else None,
        result_ttl=0,
        failure_ttl=3600,
    )
    return True


def taken(client: redis.Redis, name: str, refs: Sequence[str]) -> None:
    """Say that a job no longer waits: from now on a new one may be queued beside the running one."""
    client.delete(mark(name, refs))
