"""`desk up` itself: a portal out of nothing, back after every process was killed, all of it gone when it is stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from core import embedded
from core.embedded import postgres, processes, valkey
from core.settings import ROOT
from tests.ports import unclaimed

PATIENCE_SECONDS = 240
"""How long a step may take on a busy machine; none is timed. The longest makes a database and boots all processes."""


class Desk:
    """One `desk up` over a home of its own, with no settings from outside."""

    def __init__(self, home):
        self.home = home
        self.port = unclaimed()
        self.log = home / "up.log"
        self.process = None

    def start(self):
        given = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        command = [sys.executable, "-m", "portal.cli", "up", "--no-demo", "--port", str(self.port)]
        with self.log.open("a") as log:
            self.process = psutil.Popen(
                command,
                cwd=ROOT,
                env=given | {"DESK_WORKERS": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ready(self):
        """Whether web, worker and cron all say that they are well."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return json.load(answer)["status"] == "ready"
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def servers(self):
        where = embedded.place(self.home)
        return [
            *processes.standing_in(postgres.data_folder(where), postgres.NAMES),
            *processes.standing_in(where.root / "redis", valkey.NAMES),
        ]

    def children(self):
        return self.process.children(recursive=True)

    def until(self, true):
        ends = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < ends, self.log.read_text()[-3000:]
            time.sleep(0.2)


def kill(found):
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.fixture
def desk(own_home):
    made = Desk(own_home)
    yield made
    if made.process is not None:
        kill([*made.children(), made.process] if made.process.is_running() else [])
    embedded.stop(own_home)


def test_one_command_brings_a_portal_that_comes_back_from_every_death_and_ends_clean(desk):
    desk.start()
    desk.until(desk.ready)
    with urllib.request.urlopen(f"http://127.0.0.1:{desk.port}/login/") as page:
        assert page.status == 200
    first = {process.pid for process in (*desk.children(), *desk.servers())}
    assert len(first) >= 6, "web with its process, worker, cron, PostgreSQL, Redis"

    kill([*desk.children(), *desk.servers()])
    desk.until(lambda: desk.ready() and not first & {each.pid for each in (*desk.children(), *desk.servers())})

    family = [*desk.children(), *desk.servers()]
    kill([desk.process, *family])
    desk.process.wait()
    desk.start()
    desk.until(desk.ready)

    family = [*desk.children(), *desk.servers()]
    desk.process.send_signal(signal.SIGTERM)
    assert desk.process.wait(PATIENCE_SECONDS) == 0
    assert "desk   | stopped" in desk.log.read_text().splitlines()
    assert [process for process in family if processes.lives(process)] == []
    assert not any(embedded.running(desk.home).values())
