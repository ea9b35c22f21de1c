"""The real processes: a worker killed, stopped in order, and left without its Redis."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from core import health
from core.actor import system
from core.settings import ROOT
from jobs import queues

pytestmark = pytest.mark.usefixtures("database")
PATIENCE_SECONDS = 60


@contextlib.contextmanager
def process(module: str, redis_url: str):
    """A process of ours; ended at the end, however."""
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=os.environ | {"REDIS_URL": redis_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def until(true) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < ends, "it never came true"
        time.sleep(0.05)


def ended() -> list[str]:
    return [run.name for run in health.runs(system(), limit=200) if run.outcome == "done"]


def beating(kind: str) -> list[str]:
    return [beat.process for beat in health.beats(system()) if beat.process.startswith(f"{kind}:")]


def test_a_worker_that_was_killed_is_followed_by_another_that_does_the_work(redis_url):
    with queues.connect(redis_url) as client:
        with process("jobs.worker", redis_url) as first:
            queues.enqueue(client, "health.clean")
            until(lambda: "health.clean" in ended() and len(beating("worker")) == 1)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        queues.enqueue(client, "agents.volume")
        client.flushdb()
        queues.enqueue(client, "merchants.volume")
        with process("jobs.worker", redis_url) as second:
            until(lambda: "merchants.volume" in ended())
            client.flushdb()
            queues.enqueue(client, "agents.volume")
            until(lambda: "agents.volume" in ended())
            until(lambda: len(beating("worker")) == 2)  # the killed one could not say goodbye
            second.terminate()
            assert second.wait(timeout=PATIENCE_SECONDS) == 0
    assert len(beating("worker")) == 1


def test_a_schedule_and_a_worker_keep_the_product_going(redis_url):
    with process("jobs.worker", redis_url), process("jobs.schedule", redis_url) as cron:
        until(lambda: {"orders.expire", "orders.match", "ledger.fold", "ledger.seal"} <= set(ended()))
        assert len(beating("cron")) == 1
        cron.terminate()
        assert cron.wait(timeout=PATIENCE_SECONDS) == 0
        until(lambda: beating("cron") == [])
