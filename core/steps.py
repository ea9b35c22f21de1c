"""One statement as one transaction: the money path's way to the database, one round trip a step.

A step is one SQL function, whole or not at all, so BEGIN and COMMIT would only be two more round trips. What
Python decided from an earlier look is guarded in the statement itself (by a state, a version, a unique key).
Facts travel as text and statements are prepared once a connection: the driver's adapters cost more here than
the work they save (the figures are in docs/decisions/0004). Answers travel in binary, each value read by the driver's
own loader: a number read from its digits costs ten times as much, a list of them more.
"""

from __future__ import annotations

import select
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import abc, pq
from psycopg.adapt import Transformer
from pydantic_core import to_json

from core.db import CONNECT, engine, in_words, on_disconnect
from core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa

Row = dict[str, Any]

# A plan made while a table is nearly empty is kept for the session. The money path only ever looks a few rows up by
# an index, so it may not learn from a quiet first minute to read a whole table, or to sort and hash for a join.
# Nor may it plan again for each call, which costs more than any of these statements.
_PLANS = " ".join(f"-c enable_{way}=off" for way in ("seqscan", "mergejoin", "hashjoin"))
_PLANS += " -c plan_cache_mode=force_generic_plan"
_OPTIONS = CONNECT | {"options": f"{CONNECT['options']} {_PLANS}"}


class _Prepared(NamedTuple):
    """A statement as a connection knows it: its name there, the columns of its answer and what reads them."""

    name: bytes
    columns: tuple[str, ...]
    reader: abc.Transformer


class _Own(threading.local):
    """Each thread's own connection, the engine it was made for, and what is prepared on it."""

    connection: psycopg.Connection[tuple[Any, ...]] | None = None
    engine: sa.Engine | None = None
    ear: select.poll
    prepared: dict[tuple[str, ...], _Prepared]


_own = _Own()


def _connection() -> psycopg.Connection[tuple[Any, ...]]:
    bound = engine()
    connection = _own.connection
    # Something to read on an idle connection means that the server has hung up.
    if connection is None or connection.closed or _own.engine is not bound or _own.ear.poll(0):
        let_go()
        arguments = bound.dialect.create_connect_args(bound.url)[1]
        connection = psycopg.connect(**{**arguments, **_OPTIONS}, autocommit=True)
        _own.connection, _own.engine, _own.prepared = connection, bound, {}
        _own.ear = select.poll()
        _own.ear.register(connection.fileno(), select.POLLIN)
    return connection


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

    Returns the first row by column name, or None. Raises as `once` does.
    """
    try:
        connection = _connection()
        link = connection.pgconn
        key = (function, *facts)
        found = _own.prepared.get(key)
        if found is None:
            found = _own.prepared[key] = _prepare(connection, key)
        written: list[bytes | None] = []
        for value in facts.values():
            # Words and numbers are most of what travels: written here, for a call costs as much as the writing.
            if type(value) is str:
                written.append(value.encode())
            elif type(value) is int:
                written.append(b"%d" % value)
            else:
                written.append(None if value is None else _written(value))
        result = link.exec_prepared(found.name, written, result_format=pq.Format.BINARY)  # type: ignore[arg-type]
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.errors.error_from_result(result)
    except psycopg.Error as error:
        raise _refusal(error) from error
    if not result.ntuples:
        return None
    found.reader.set_pgresult(result, set_loaders=False)
    return dict(zip(found.columns, found.reader.load_row(0, tuple) or (), strict=True))


def as_json(value: object) -> str:
    """Return a value as JSON without blanks, as a fact; pydantic's writer needs a quarter of what Python's own does."""
    return to_json(value).decode()


def _prepare(connection: psycopg.Connection[tuple[Any, ...]], key: tuple[str, ...]) -> _Prepared:
    link = connection.pgconn
    name = f"step{len(_own.prepared)}".encode()
    arguments = ", ".join(f"p_{fact} => ${place}" for place, fact in enumerate(key[1:], start=1))
    sql = f"select * from {key[0]}({arguments})"  # noqa: S608 - names of our own functions and facts
    for result in (link.prepare(name, sql.encode()), described := link.describe_prepared(name)):
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)
    places = range(described.nfields)
    reader = Transformer(connection)
    reader.set_loader_types([described.ftype(place) for place in places], pq.Format.BINARY)
    return _Prepared(name, tuple((described.fname(place) or b"").decode() for place in places), reader)


def _refusal(error: psycopg.Error) -> Exception:
    """Return what to raise for a database error; a connection that is gone is dropped."""
    connection = _own.connection
    if connection is not None and connection.pgconn.status != pq.ConnStatus.OK:
        let_go()
        # What libpq says of a server that went away in the middle of a statement bears no SQLSTATE.
        return in_words(error) or Unavailable("the database does not answer; try again")
    return in_words(error) or error


def _written(value: object) -> bytes:
    """Return a value as PostgreSQL reads it from text; lists are of whole numbers or of plain words."""
    if isinstance(value, str):  # a word of an enumeration
        return value.encode()
    if isinstance(value, list):
        return ("{" + ",".join(map(str, value)) + "}").encode()
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()
