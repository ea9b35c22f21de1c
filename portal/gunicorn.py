"""Gunicorn's settings: the product is read once, then forked, so that a start costs one reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import db
from core.memory import rest_of_memory
from core.settings import ROOT, settings
from portal.pulse import Pulse

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

known = settings()
bind = f"[{known.host}]:{known.port}" if ":" in known.host else f"{known.host}:{known.port}"
chdir = str(ROOT)
worker_class = "portal.wire.Worker"
workers = known.workers
threads = known.threads
preload_app = True
timeout = 60
# Kept-alive connections linger 2 s at a stop; whoever asks for longer than this has lost its answer, not its work.
graceful_timeout = 3
keepalive = 5
loglevel = known.log_level.lower()
control_socket_disable = True


def when_ready(server: Arbiter) -> None:  # noqa: ARG001 - gunicorn's signature
    """Let what is loaded rest before the first fork, so that its pages stay shared."""
    rest_of_memory()


def post_fork(server: Arbiter, worker: Worker) -> None:  # noqa: ARG001 - gunicorn's signature
    """Forget connections opened before the fork: two processes must not speak over one."""
    db.engine().dispose(close=False)


def post_worker_init(worker: Worker) -> None:
    """Begin to show that this process is alive."""
    worker.pulse = Pulse()
    worker.pulse.start()


def worker_exit(server: Arbiter, worker: Worker) -> None:  # noqa: ARG001 - gunicorn's signature
    """Take the sign of life back."""
    pulse = getattr(worker, "pulse", None)
    if pulse is not None:
        pulse.stop()
