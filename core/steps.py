"""One statement as one transaction: the money path's way to the database, one round trip a step.

A step is one SQL function, whole or not at all, so BEGIN and COMMIT would only be two more round trips. What
Python decided from an earlier look is guarded in the statement itself (by a state, a version, a unique key).
Values travel as text and statements are prepared once a connection: the driver's adapters cost more here than
the work they save (the figures are in docs/decisions/0004).
"""

from __future__ import annotations

import select
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq

from core.db import CONNECT, engine, in_words, on_disconnect
from core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa

Row = dict[str, str | None]

# A plan made while a table is nearly empty is kept for the session. The money path only ever looks a few rows up by
# an index, so it may not learn from a quiet first minute to read a whole table, or to sort and hash for a join.
# Nor may it plan again for each call, which costs more than any of these statements.
_PLANS = " ".join(f"-c enable_{way}=off" for way in ("seqscan", "mergejoin", "hashjoin"))
_PLANS += " -c plan_cache_mode=force_generic_plan"
_OPTIONS = CONNECT | {"options": f"{CONNECT['options']} {_PLANS}"}


class _Own(threading.local):
    """Each thread's own connection, the engine it was made for, and what is prepared on it."""

    connection: psycopg.Connection[tuple[Any, ...]] | None = None
    engine: sa.Engine | None = None
    prepared: dict[tuple[str, ...], tuple[bytes, list[str]]]


_own = _Own()


def _connection() -> psycopg.Connection[tuple[Any, ...]]:
    bound = engine()
    connection = _own.connection
    if connection is None or connection.closed or _own.engine is not bound or _gone(connection):
        let_go()
        arguments = bound.dialect.create_connect_args(bound.url)[1]
        connection = psycopg.connect(**{**arguments, **_OPTIONS}, autocommit=True)
        _own.connection, _own.engine, _own.prepared = connection, bound, {}
    return connection


def _gone(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Return whether the server has hung up while the connection was idle: then there is something to read."""
    return bool(select.select([connection.fileno()], [], [], 0)[0])


def let_go() -> None:
    """Close this thread's own connection."""
    if _own.connection is not None:
        _own.connection.close()
        _own.connection = None


on_disconnect(let_go)


def once(sql: str, args: Sequence[object] = ()) -> Any:
    """Run one statement with `%s` placeholders as a transaction of its own; return its first value, or None.

    Raises the refusal that a named constraint stands for, and `unavailable` when the database is away.
    """
    try:
        row = _connection().execute(sql, args).fetchone()
    except psycopg.Error as error:
        raise _refusal(error) from error
    return None if row is None else row[0]


def step(function: str, facts: Mapping[str, object]) -> Row | None:
    """Call a SQL function with named arguments (`p_` and the fact's name) as a transaction of its own.

    Returns the first row by column name, values as PostgreSQL writes them, or None. Raises as `once` does.
    """
    try:
        connection = _connection()
        link = connection.pgconn
        key = (function, *facts)
        found = _own.prepared.get(key)
        if found is None:
            found = _prepare(link, key)
        name, columns = found
        # Words are most of what travels: they are written here, for a call costs as much as the writing.
        written = [value.encode() if type(value) is str else _written(value) for value in facts.values()]
        result = link.exec_prepared(name, written)  # type: ignore[arg-type]
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.errors.error_from_result(result)
    except psycopg.Error as error:
        raise _refusal(error) from error
    if not result.ntuples:
        return None
    row: Row = {}
    for place, column in enumerate(columns):
        value = result.get_value(0, place)
        row[column] = value if value is None else value.decode()
    return row


def _prepare(link: pq.abc.PGconn, key: tuple[str, ...]) -> tuple[bytes, list[str]]:
    name = f"step{len(_own.prepared)}".encode()
    arguments = ", ".join(f"p_{fact} => ${place}" for place, fact in enumerate(key[1:], start=1))
    sql = f"select * from {key[0]}({arguments})"  # noqa: S608 - names of our own functions and facts
    for result in (link.prepare(name, sql.encode()), described := link.describe_prepared(name)):
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)
    columns = [(described.fname(place) or b"").decode() for place in range(described.nfields)]
    _own.prepared[key] = (name, columns)
    return _own.prepared[key]


def _refusal(error: psycopg.Error) -> Exception:
    """Return what to raise for a database error; a connection that is gone is dropped."""
    connection = _own.connection
    if connection is not None and connection.pgconn.status != pq.ConnStatus.OK:
        let_go()
        # What libpq says of a server that went away in the middle of a statement bears no SQLSTATE.
        return in_words(error) or Unavailable("the database does not answer; try again")
    return in_words(error) or error


def _written(value: object) -> bytes | None:
    """Return a value as PostgreSQL reads it from text; lists are of whole numbers or of plain words."""
    if value is None:
        return None
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, list):
        return ("{" + ",".join(map(str, value)) + "}").encode()
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()
