"""What tests of races share: deeds in threads of their own, somebody else's connection, waiting that has an end.

A race that did not come about (on a machine that stood still for seconds) fails and says so: it never waits for ever.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import psycopg

from core import db, outbox

PATIENCE_SECONDS = 120


class Deed(threading.Thread):
    """Something done in the background from now on; `answer()` is what it returned, or the error that it raised."""

    def __init__(self, doing):
        super().__init__(daemon=True)
        self._doing, self._answers = doing, []
        self.start()

    def run(self):
        try:
            self._answers.append(self._doing())
        except Exception as error:  # noqa: BLE001 - it is looked at
            self._answers.append(error)

    def answer(self):
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive(), "it never ended"
        return self._answers[0]


def together(times, doing):
    """Do it in so many threads that begin at once; return the answers and the errors, whose came first coming first."""
    barrier, answers = threading.Barrier(times), []

    def one():
        barrier.wait(PATIENCE_SECONDS)
        try:
            answers.append(doing())
        except Exception as error:  # noqa: BLE001 - it is looked at
            answers.append(error)

    for deed in [Deed(one) for _ in range(times)]:
        assert deed.answer() is None
    return answers


def until(true, told):
    """Wait until something is true; fail with what is told when it never comes to be."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < ends, told
        time.sleep(0.01)


@contextmanager
def other():
    """A connection of somebody else's."""
    with psycopg.connect(db.engine().url.set(drivername="postgresql").render_as_string(hide_password=False)) as held:
        yield held


def in_vain(answer):
    """Whether it waited for a lock as long as the product waits for one, and was refused."""
    cause = getattr(answer, "__cause__", None)
    return isinstance(cause, psycopg.errors.LockNotAvailable) and not cause.diag.constraint_name


def raced(race):
    """What the race's deed answers; run again when it waited for a lock in vain, as on a machine that stood still."""
    for _ in range(10):
        answer = race()
        if not in_vain(answer):
            return answer
    raise AssertionError("it waited for a lock in vain each time")


def waits_for_a_lock(connection, deed, *, of_age=timedelta()):
    """Wait until that deed waits for a lock, in a transaction that began so long ago."""
    sql = (
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and clock_timestamp() - xact_start > %s"
        " and datname = current_database()"
    )

    def waits():
        if not deed.is_alive():
            assert in_vain(deed.answer()), f"it waited for no lock: {deed.answer()!r}"
            return True
        connection.execute("select pg_stat_clear_snapshot()")
        return connection.execute(sql, (of_age,)).fetchone()[0]

    until(waits, "it never waited for a lock")


@contextmanager
def stalled_at(monkeypatch, topics):
    """Two events: a deed that tells one of these topics has done so, and it may go on to its end."""
    written, go_on = threading.Event(), threading.Event()
    tell = outbox.tell

    def slowly(tx, topic, subject, **more):
        tell(tx, topic, subject, **more)
        if topic in topics:
            written.set()
            go_on.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(outbox, "tell", slowly)
    yield written, go_on
    go_on.set()
