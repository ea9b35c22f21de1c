"""The servers in a box: they come back from every kind of death, and belong to one user."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from core import embedded
from core.embedded import places, postgres, processes, valkey
from core.errors import Unavailable
from tests import beside

FAST = {"fsync": "off", "shared_buffers": "'16MB'"}


@pytest.fixture(scope="module")
def home():
    """A home with both servers, stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="desk-drill-"))
    folder.chmod(0o755)
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder)


def rows(home: Path) -> int:
    with psycopg.connect(postgres.url(embedded.place(home))) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS drill (at timestamptz DEFAULT now())")
        connection.execute("INSERT INTO drill DEFAULT VALUES")
        return connection.execute("SELECT count(*) FROM drill").fetchone()[0]


def left(home: Path) -> list[psutil.Process]:
    where = embedded.place(home)
    return [
        *processes.standing_in(postgres.data_folder(where), postgres.NAMES),
        *processes.standing_in(where.root / "redis", valkey.NAMES),
    ]


def named(process: psutil.Process) -> str:
    """The process's name, or nothing when it has ended meanwhile."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def kill(found: list[psutil.Process]) -> None:
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    processes.wait_until(lambda: not any(map(processes.lives, found)), seconds=5)


def test_a_start_makes_both_servers_and_a_second_start_changes_nothing(home):
    first = embedded.start(home)
    before = {process.pid for process in left(home)}
    assert embedded.start(home) == first == embedded.urls(home)
    assert before <= {process.pid for process in left(home)}
    assert rows(home) == 1


def test_sockets_and_data_are_closed_to_others(home):
    where = embedded.place(home)
    for folder in (where.run, where.root / "pg", where.root / "redis", postgres.data_folder(where)):
        assert folder.stat().st_mode & 0o077 == 0, folder
    assert os.geteuid() != 0 or where.uid != 0


@pytest.mark.parametrize("who", ["postmaster", "postgres", "redis", "everything"])
def test_nothing_booked_is_lost_when_servers_are_killed(home, who):
    embedded.start(home)
    count = rows(home)
    found = left(home)
    # A backend that has just served may end while it is looked at.
    server = [process for process in found if named(process) == "postgres"]
    chosen = {
        "postmaster": [min(server, key=lambda process: process.create_time())],
        "postgres": server,
        "redis": [process for process in found if named(process) not in ("postgres", "")],
        "everything": found,
    }[who]
    kill(chosen)
    embedded.start(home)
    assert embedded.running(home) == {"postgres": True, "redis": True}
    assert rows(home) == count + 1


def test_a_stale_pid_file_that_names_a_stranger_harms_neither(home):
    embedded.start(home)
    count = rows(home)
    embedded.stop(home)
    where = embedded.place(home)
    data = postgres.data_folder(where)
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n5432\n{where.run}\n\n1 1\nready\n")
    assert not embedded.running(home)["postgres"]
    embedded.start(home)
    assert rows(home) == count + 1


def test_two_starters_at_once_start_one_server(home):
    embedded.stop(home)
    said = beside.together(4, lambda: embedded.start(home))
    assert len(said) == 4
    assert len(set(said)) == 1


def test_stopping_leaves_no_process(home):
    embedded.start(home)
    embedded.stop(home)
    embedded.stop(home)
    assert left(home) == []


def test_the_last_user_stops_the_servers(home):
    with embedded.serving(home, settings=FAST):
        with embedded.serving(home):
            pass
        assert embedded.running(home) == {"postgres": True, "redis": True}
    assert embedded.running(home) == {"postgres": False, "redis": False}


def test_a_deep_home_gets_short_sockets(home):
    deep = home / ("d" * 60) / ("e" * 60)
    with embedded.serving(deep, settings=FAST) as urls:
        assert len(urls.redis) < 120
        assert rows(deep) == 1
    shutil.rmtree(embedded.place(deep).run)


def test_a_home_of_another_user_is_refused_with_words(home, monkeypatch):
    embedded.start(home)
    stranger = embedded.place(home).uid + 12345
    monkeypatch.setattr(places.os, "geteuid", lambda: stranger)
    with pytest.raises(Unavailable, match="DESK_HOME"):
        places.place(home)


def test_a_lock_held_too_long_is_said(home):
    second = places.alone(home, seconds=0.1)
    with places.alone(home), pytest.raises(Unavailable, match="starting or stopping"):
        second.__enter__()
