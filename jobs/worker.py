"""The worker: runs the catalogue's jobs one by one, and lives through a Redis that comes and goes."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from core import health
from core.errors import Refusal
from core.settings import settings
from jobs import database, logs, queues
from jobs.guarded import GuardedWorker
from jobs.logs import log

if TYPE_CHECKING:
    from rq.job import Job
    from rq.queue import Queue

BEAT_SECONDS = 10
LINGER_SECONDS = 60
"""A job that outlives its alarm by so long is stuck where no alarm reaches: the process ends itself."""
HUNG = 70
PAUSE_SECONDS = 1.0


class Pulse(threading.Thread):
    """Writes every ten seconds that this worker is alive and what it does; ends a worker that hangs."""

    def __init__(self, process: str) -> None:
        """Begin with nothing to do."""
        super().__init__(name="pulse", daemon=True)
        self.process = process
        self.ending = threading.Event()
        self.doing: tuple[str, float, float] | None = None
        self.done = 0

    def run(self) -> None:
        """Beat until told to end."""
        while True:
            doing = self.doing
            if doing is not None and time.monotonic() - doing[1] > doing[2] + LINGER_SECONDS:
                log.error("job hangs, worker ends itself", job=doing[0])
                os._exit(HUNG)
            try:
                health.beat(
                    self.process,
                    {
                        "pid": os.getpid(),
                        "host": socket.gethostname(),
                        "job": doing and doing[0],
                        "done": self.done,
                    },
                )
            except Refusal as refusal:
                log.warning("no heartbeat", why=refusal.detail)
            except Exception:  # noqa: BLE001 - the work goes on without it
                log.exception("no heartbeat")
            if self.ending.wait(BEAT_SECONDS):
                return


class DeskWorker(GuardedWorker):
    """The guarded worker that tells its pulse what it is doing."""

    pulse: Pulse

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Run one job, its name and time limit known to the pulse."""
        self.pulse.doing = (job.id, time.monotonic(), job.timeout or 0)
        try:
            return super().perform_job(job, queue)
        finally:
            self.pulse.doing = None
            self.pulse.done += 1


def serve(url: str, stopping: threading.Event, pulse: Pulse, *, burst: bool = False) -> None:
    """Work until `stopping` is set, connecting again when Redis fails; with `burst` until nothing waits."""
    while not stopping.is_set():
        try:
            worker = DeskWorker(
                queues.QUEUES,
                name=f"desk-{os.getpid()}-{secrets.token_hex(4)}",
                connection=queues.connect(url),
                serializer=JSONSerializer,
                worker_ttl=20,
                maintenance_interval=60,
                log_job_description=False,
                stopping=stopping,
            )
            worker.pulse = pulse
            worker.log_result_lifespan = False
            worker.work(burst=burst, logging_level="WARNING")
            if burst:
                return
        except StopRequested:
            return
        except queues.AWAY as error:
            log.warning("redis is away", why=str(error)[:200])
        try:
            stopping.wait(PAUSE_SECONDS)
        except StopRequested:
            return


def main() -> None:
    """Run the worker of this process until SIGTERM; the running job is finished first."""
    known = settings()
    process = f"worker:{socket.gethostname()}:{os.getpid()}"
    logs.configure(known.log_level, process)
    database.bind(known.database_url)
    stopping = threading.Event()

    def stop(_signal: int, _frame: Any) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    pulse = Pulse(process)
    pulse.start()
    log.info("worker started")
    try:
        serve(known.redis_url, stopping, pulse)
    finally:
        pulse.ending.set()
        pulse.join(timeout=2)
        with database.quietly():
            health.gone(process)
    log.info("worker ended", done=pulse.done)


if __name__ == "__main__":
    main()
