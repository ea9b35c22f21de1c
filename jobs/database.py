"""How the jobs' processes hold the database: few connections, statements that may take their time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa

from core import db
from core.errors import Refusal
from jobs.logs import log

if TYPE_CHECKING:
    from collections.abc import Iterator

STATEMENT = "15min"


def bind(url: str) -> None:
    """Bind core.db to the database for this process's jobs."""
    engine = db.connect(url, pool_size=3)

    @sa.event.listens_for(engine, "connect")
    def longer(raw: psycopg.Connection[Any], _record: object) -> None:
        raw.autocommit = True
        raw.execute(f"set statement_timeout = '{STATEMENT}'")
        raw.autocommit = False


def lasting(url: str, name: str) -> psycopg.Connection[Any]:
    """Return a connection of its own, for what lasts: a session's lock. Raises psycopg.OperationalError."""
    plain = db.driver_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(
        plain,
        autocommit=True,
        connect_timeout=5,
        application_name=name,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        options="-c statement_timeout=5s -c timezone=UTC",
    )


@contextmanager
def quietly() -> Iterator[None]:
    """Run the block; a database that is away is logged and no more."""
    try:
        yield
    except (Refusal, psycopg.Error) as error:
        log.warning("database is away", why=str(error)[:200])
