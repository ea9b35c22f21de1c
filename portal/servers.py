"""The servers a command works on: those of the settings, else the embedded ones while the command runs."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import click

from core import db, embedded
from core.migrations import standing
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def addressed() -> Iterator[None]:
    """Both URLs stand in the environment and the settings; missing ones are served by embedded servers.

    Children started inside the block find the same servers. Raises Unavailable when they cannot start.
    """
    known = settings()
    missing = {"database": not known.database_url, "redis": not known.redis_url}
    if not any(missing.values()):
        yield
        return
    if known.production:
        click.echo("desk: DATABASE_URL or REDIS_URL is unset: running on the embedded servers", err=True)
    with embedded.serving(known.home, **missing) as urls:
        given = {
            "DATABASE_URL": known.database_url or urls.database,
            "REDIS_URL": known.redis_url or urls.redis,
        }
        before = {name: os.environ.get(name) for name in given}
        os.environ.update(given)
        settings.cache_clear()
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            settings.cache_clear()


@contextlib.contextmanager
def bound(*, fit: bool = False) -> Iterator[None]:
    """As `addressed`, with core.db bound to a database that answers, and with `fit` one that can be worked on.

    Raises Unavailable or Conflict that say why not and what to do.
    """
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
