"""One demo at a time: a lock of the database's, held by a session of its own, so that it goes with the process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg

from core.db import CONNECT, engine, in_words
from core.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK: Final = 0xDE30
"""The advisory lock's number."""


@contextmanager
def alone() -> Iterator[None]:
    """Run the block as the only demo in this database.

    Refuses at once with `conflict` while another plays: two would open the same orders. Refuses with `unavailable`
    where the database is away. A process that dies gives the lock up with its session.
    """
    bound = engine()
    arguments = bound.dialect.create_connect_args(bound.url)[1]
    try:
        session = psycopg.connect(**{**arguments, **CONNECT}, autocommit=True)
    except psycopg.Error as error:
        raise in_words(error) or Unavailable("the database does not answer; try again") from error
    try:
        row = session.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if not (row and row[0]):
            raise Conflict("another `desk demo` plays into this database now; nothing has changed, wait for its end")
        yield
    finally:
        session.close()
