"""PostgreSQL and Redis in a box, for when no URL is set: started on use, stopped with their last user."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.embedded import postgres, valkey
from core.embedded.places import Place, alone, made, opened, place, read_record, seen, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Place",
    "Urls",
    "has_database",
    "place",
    "running",
    "serving",
    "start",
    "start_postgres",
    "start_redis",
    "stop",
    "urls",
]


class Urls(NamedTuple):
    """Where the two servers answer."""

    database: str
    redis: str


def urls(home: Path) -> Urls:
    """Where the servers of this home answer, or will once started. Looks only."""
    where = seen(home)
    return Urls(postgres.url(where), valkey.url(where))


def has_database(home: Path) -> bool:
    """Whether a database was ever made for this home. Looks only: it makes no folder."""
    home = home.expanduser().absolute()
    record = read_record(home)
    return postgres.stands(Path(record["root"]) if record else home)


def start_postgres(home: Path) -> str:
    """Start the home's PostgreSQL when it is down; its URL. Raises Unavailable with the reason."""
    with alone(home):
        return postgres.start(place(home))


def start_redis(home: Path) -> str:
    """Start the home's Redis when it is down; its URL. Raises Unavailable with the reason."""
    with alone(home):
        return valkey.start(place(home))


def start(home: Path) -> Urls:
    """Start both servers when they are down. Raises Unavailable with the reason."""
    return Urls(start_postgres(home), start_redis(home))


def stop(home: Path) -> None:
    """Stop both servers of this home, whoever started them."""
    with alone(home):
        where = place(home)
        valkey.stop(where)
        postgres.stop(where)


def running(home: Path) -> dict[str, bool]:
    """Whether PostgreSQL and Redis of this home answer, by name. Looks only."""
    where = seen(home)
    return {"postgres": postgres.running(where), "redis": valkey.running(where)}


@contextlib.contextmanager
def serving(
    home: Path,
    *,
    database: bool = True,
    redis: bool = True,
    settings: dict[str, str] | None = None,
) -> Iterator[Urls]:
    """Both servers while the block runs; the last block of any process to end stops them.

    `settings` go to PostgreSQL on top of ours. Users are counted by a
    shared lock, which goes with its process: a killed user is no user.
    """
    made(home)
    with opened(home / "servers.users") as users:
        with alone(home):
            fcntl.flock(users, fcntl.LOCK_SH)
            where = place(home)
            if database:
                postgres.start(where, settings)
            if redis:
                valkey.start(where)
        try:
            yield Urls(postgres.url(where), valkey.url(where))
        finally:
            with alone(home):
                if try_lock(users, fcntl.LOCK_EX):
                    valkey.stop(where)
                    postgres.stop(where)
