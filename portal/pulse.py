"""The sign of life of a web process, written as workers and the schedule write theirs."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import Final

import psycopg

from core import health
from core.errors import Refusal
from portal.logs import log

BEAT_SECONDS: Final = 10


class Pulse:
    """Beats in a thread of its own until it is told to stop; a database that is away only makes it silent."""

    def __init__(self) -> None:
        """Take the name of this process; nothing beats yet."""
        self.process = f"web:{socket.gethostname()}:{os.getpid()}"
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Beat now and every ten seconds."""
        self.thread.start()

    def stop(self) -> None:
        """Take the sign of life back: this process ends in order."""
        self.ended.set()
        self.thread.join(timeout=BEAT_SECONDS / 2)
        with suppress(Refusal, psycopg.Error):
            health.gone(self.process)

    def _run(self) -> None:
        while True:
            try:
                health.beat(self.process, {"pid": os.getpid(), "host": socket.gethostname()})
            except (Refusal, psycopg.Error) as error:
                log.warning("no heartbeat", why=str(error)[:200])
            if self.ended.wait(BEAT_SECONDS):
                return
