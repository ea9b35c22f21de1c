"""The worker runs the catalogue and nothing else, whatever somebody writes into Redis."""

from __future__ import annotations

import json
import os
import pickle
import threading
import zlib

import pytest
import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from core import health
from core.actor import system
from jobs import catalog, queues
from jobs.guarded import GuardedJob, call_of
from jobs.worker import DeskWorker, Pulse

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def client(redis_url):
    with queues.connect(redis_url) as found:
        yield found


def work(client) -> None:
    """Run everything that waits, in this process."""
    worker = DeskWorker(
        queues.QUEUES, connection=client, serializer=JSONSerializer, stopping=threading.Event(), worker_ttl=20
    )
    worker.pulse = Pulse("worker:test")
    worker.work(burst=True, logging_level="ERROR")


def forge(client, data: bytes, **fields: bytes) -> str:
    """Write a job into Redis as somebody who has its password would."""
    number = f"forged-{os.urandom(4).hex()}"
    row = {"data": data, "origin": queues.QUICK, "status": "queued", "created_at": "2026-11-20T10:00:00.000000Z"}
    client.hset(f"rq:job:{number}", mapping=row | fields)
    client.rpush(f"rq:queue:{queues.QUICK}", number)
    return number


def names() -> list[str]:
    return [run.name for run in health.runs(system(), limit=200)]


def test_a_queued_job_runs_and_is_written_down(client):
    assert queues.enqueue(client, "health.clean")

    work(client)

    [run] = health.runs(system())
    assert (run.name, run.outcome) == ("health.clean", "done")
    assert client.llen(f"rq:queue:{queues.QUICK}") == 0


def test_the_same_job_waits_only_once(client):
    assert queues.enqueue(client, "health.clean")
    assert not queues.enqueue(client, "health.clean")

    work(client)

    assert names() == ["health.clean"]
    assert queues.enqueue(client, "health.clean")


@pytest.mark.parametrize("function", ["os.system", "jobs.orders.expire", "core.db.disconnect", "builtins.eval"])
def test_a_forged_job_that_names_a_function_is_refused(client, tmp_path, function):
    trace = tmp_path / "trace"
    forge(client, json.dumps([function, None, [f"touch {trace}"], {}]).encode())
    queues.enqueue(client, "health.clean")

    work(client)

    assert not trace.exists()
    assert names() == ["health.clean"]


class Bomb:
    """What a pickle would run when it is opened."""

    def __reduce__(self):
        return (os.system, (f"touch {os.environ['DESK_TEST_TRACE']}",))


@pytest.mark.parametrize("packed", [False, True])
def test_a_pickle_is_never_opened(client, tmp_path, monkeypatch, packed):
    monkeypatch.setenv("DESK_TEST_TRACE", str(tmp_path / "trace"))
    data = pickle.dumps((Bomb(), None, (), {}))
    forge(client, zlib.compress(data) if packed else data, result=data, meta=data)
    queues.enqueue(client, "health.clean")

    work(client)

    assert not (tmp_path / "trace").exists()
    assert names() == ["health.clean"]


def test_callbacks_hooks_retries_and_limits_from_redis_are_not_read(client):
    data = json.dumps(["health.clean", None, [], {}]).encode()
    number = forge(
        client,
        data,
        success_callback_name=b"os.abort",
        failure_callback_name=b"os.abort",
        stopped_callback_name=b"os.abort",
        webhooks=b'[{"url": "http://127.0.0.1:9/"}]',
        timeout=b"999999",
        retries_left=b"5",
        repeats_left=b"5",
        repeat_intervals=b"[0]",
        dependency_ids=b'["x"]',
        created_at=b"not a time",
        ended_at=b"\xff",
    )

    job = GuardedJob.fetch(number, connection=client, serializer=JSONSerializer)

    assert job.timeout == catalog.CATALOG["health.clean"].timeout
    assert job.success_callback is job.failure_callback is job.stopped_callback is None
    assert not job.webhooks
    assert not job.retries_left
    assert not job.repeats_left
    work(client)
    assert names() == ["health.clean"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 4000,
        b'["exports.run", null, [], {}]',
        b'["exports.run", null, ["exp_../../etc/passwd"], {}]',
        b'["exports.run", null, ["exp_01JD3Q8Z7K4M2N5P"], {"x": 1}]',
        b'["health.clean", null, ["exp_01JD3Q8Z7K4M2N5P"], {}]',
        b'["health.clean", "os", [], {}]',
        b'[["health.clean"], null, [], {}]',
        zlib.compress(b'["health.clean", null, [], {}]' + b" " * 10_000_000),
    ],
)
def test_what_is_not_a_job_of_ours_is_refused_and_the_next_one_runs(client, data):
    forge(client, data)
    queues.enqueue(client, "health.clean")

    work(client)

    assert names() == ["health.clean"]


def test_a_suspended_queue_and_a_flush_do_not_stop_the_worker(client):
    client.set("rq:suspended", 1)
    queues.enqueue(client, "health.clean")
    work(client)
    client.flushdb()
    queues.enqueue(client, "agents.volume")
    work(client)

    assert names() == ["agents.volume", "health.clean"]


def test_redis_flushed_while_a_job_runs_loses_nothing(client, monkeypatch):
    def flush() -> dict[str, object]:
        client.flushdb()
        return {"flushed": True}

    monkeypatch.setattr("jobs.health.clean", flush)
    queues.enqueue(client, "health.clean")
    work(client)
    queues.enqueue(client, "agents.volume")
    work(client)

    assert names() == ["agents.volume", "health.clean"]


@pytest.mark.parametrize("way", [SystemExit, KeyboardInterrupt, MemoryError, RecursionError, ZeroDivisionError])
def test_a_job_that_breaks_in_any_way_is_written_down_and_the_next_one_runs(client, monkeypatch, way):
    def broken() -> dict[str, object]:
        raise way

    monkeypatch.setattr("jobs.health.clean", broken)
    queues.enqueue(client, "health.clean")
    queues.enqueue(client, "agents.volume")

    work(client)

    assert {run.name: run.outcome for run in health.runs(system())} == {
        "health.clean": "failed",
        "agents.volume": "done",
    }


def test_a_job_of_another_serializer_is_refused_not_read(client):
    queue = Queue(queues.QUICK, connection=client)  # RQ's own default: pickle
    queue.enqueue_call("os.getpid")
    queues.enqueue(client, "health.clean")

    work(client)

    assert names() == ["health.clean"]


def test_every_entry_of_the_catalogue_names_a_function_that_is_there():
    for name, entry in catalog.CATALOG.items():
        module, _, function = entry.target.partition(":")
        assert callable(getattr(__import__(module, fromlist=[function]), function)), name


def test_a_call_is_read_only_in_the_form_we_write(client):
    job = Job.create("health.clean", connection=client, serializer=JSONSerializer)
    assert call_of(job.data) == ("health.clean", [])
    assert isinstance(client, redis.Redis)
