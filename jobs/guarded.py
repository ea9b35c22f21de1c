"""RQ's job and worker with all shut that Redis could misuse: only the catalogue runs, only JSON is read."""

from __future__ import annotations

import contextlib
import json
import zlib
from typing import TYPE_CHECKING, Any

from rq import SimpleWorker
from rq.job import Job
from rq.worker import WorkerStatus
from rq.worker.base import StopRequested

from jobs import catalog, queues

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

PARTS = 4
LARGEST = 4096


def call_of(data: bytes) -> tuple[str, list[str]]:
    """Return the name and refs of a queued job. Raises UnknownJob for anything but a job of the catalogue."""
    try:
        found = json.loads(data.decode("utf-8")) if len(data) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != PARTS:
        raise catalog.UnknownJob("the job is not JSON of the form the schedule writes")
    name, instance, refs, named = found
    if instance is not None or named or not isinstance(refs, list):
        raise catalog.UnknownJob("the job brings more than refs")
    catalog.entry(name, refs)
    return name, refs


class GuardedJob(Job):
    """A job that is its name and its refs alone: no callbacks, hooks, retries or timeouts from Redis."""

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Keep what names the job; whatever else stands in Redis is not read."""
        data = raw_data.get(b"data", b"")
        with contextlib.suppress(zlib.error):
            data = zlib.decompressobj().decompress(data, LARGEST + 1)
        origin = raw_data.get(b"origin", b"").decode("ascii", "replace")
        super().restore({b"data": data or b"-", b"origin": origin.encode(), b"status": b"queued"})
        self.description = None
        self.result_ttl, self.failure_ttl = 0, 3600
        try:
            self.timeout = catalog.entry(*call_of(self.data)).timeout
        except catalog.UnknownJob:
            self.timeout = 10

    def perform(self) -> None:
        """Run the function the catalogue has for the name; nothing is ever imported by a name from Redis."""
        name, refs = call_of(self.data)
        with contextlib.suppress(*queues.AWAY):
            queues.taken(self.connection, name, refs)
        catalog.run(name, refs)


class GuardedWorker(SimpleWorker):
    """A worker that runs jobs one by one in its own process, each under its own alarm clock.

    In process, because a job is a few milliseconds of SQL and a fork would cost more than most of them. A
    job that takes the process down takes no work with it: the supervisor starts another, and the schedule
    runs what is urgent meanwhile.
    """

    job_class = GuardedJob
    max_connection_wait_time = 2.0

    def __init__(self, *args: Any, stopping: threading.Event, **named: Any) -> None:
        """Make a worker; `stopping` is set when the process was asked to end."""
        self.stopping = stopping
        self.doing: tuple[str, float] | None = None
        super().__init__(*args, **named)

    def request_stop(self, signum: Any, frame: Any) -> None:
        """Finish the running job, then end."""
        self.stopping.set()
        super().request_stop(signum, frame)

    def _shutdown(self) -> None:
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested
        self._stop_requested = True

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001 - RQ's signature
        """Never: a key in Redis shall not put the jobs to sleep."""

    def subscribe(self) -> None:
        """Never: nobody commands a worker through Redis."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""
