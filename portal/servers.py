"""The servers a command works on: those of the settings, else the embedded ones while the command runs."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

import click
import psycopg

from core import db, embedded
from core.errors import Conflict, Refusal
from core.migrations import standing
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


LOOK_SECONDS = 0.5
NO_DATABASE = (
    "there is no database in {home}: check DESK_HOME, or make one there with `desk up` or `desk init`; "
    "for a server of your own set DATABASE_URL"
)


@contextlib.contextmanager
def kept_alive(home: Path, missing: dict[str, bool], told: Callable[[str], None]) -> Iterator[None]:
    """Embedded servers that die while the block runs are started again."""
    stopping = threading.Event()

    def look() -> None:
        starts = {"postgres": embedded.start_postgres, "redis": embedded.start_redis}
        ours = {"postgres": missing["database"], "redis": missing["redis"]}
        while not stopping.wait(LOOK_SECONDS):
            with contextlib.suppress(Refusal, OSError, psycopg.Error):  # tried again at the next look
                for name in [name for name, lives in embedded.running(home).items() if ours[name] and not lives]:
                    told(f"the embedded {name} is down; starting it again")
                    starts[name](home)

    keeper = threading.Thread(target=look, name="keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join()


def to_stderr(line: str) -> None:
    """Say something beside what the command says."""
    click.echo(f"desk: {line}", err=True)


@contextlib.contextmanager
def addressed(told: Callable[[str], None] = to_stderr) -> Iterator[None]:
    """Both URLs stand in the environment and the settings; missing ones are served by embedded servers.

    Children started inside the block find the same servers. A server that dies meanwhile is started again.
    Raises Unavailable when they cannot start.
    """
    known = settings()
    missing = {"database": not known.database_url, "redis": not known.redis_url}
    if not any(missing.values()):
        yield
        return
    if known.production:
        told("DATABASE_URL or REDIS_URL is unset: running on the embedded servers")
    with embedded.serving(known.home, **missing) as urls:
        given = {
            "DATABASE_URL": known.database_url or urls.database,
            "REDIS_URL": known.redis_url or urls.redis,
        }
        before = {name: os.environ.get(name) for name in given}
        os.environ.update(given)
        settings.cache_clear()
        try:
            with kept_alive(known.home, missing, told):
                yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            settings.cache_clear()


@contextlib.contextmanager
def bound(*, fit: bool = False, makes: bool = True) -> Iterator[None]:
    """As `addressed`, with core.db bound to a database that answers, and with `fit` one that can be worked on.

    Unless it `makes` one, a home without an embedded database stays as it is.
    Raises Unavailable or Conflict that say why not and what to do.
    """
    if not makes and not settings().database_url and not embedded.has_database(settings().home):
        raise Conflict(NO_DATABASE.format(home=settings().home), home=str(settings().home))
    with addressed():
        url = settings().database_url
        standing.must_answer(url)
        db.connect(url)
        try:
            if fit:
                standing.must_fit()
            yield
        finally:
            db.disconnect()
