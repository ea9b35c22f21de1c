"""One statement as one transaction: the money path's way to the database, one round trip a step.

A step is one SQL function, whole or not at all, so BEGIN and COMMIT would only be two more round trips. What
Python decided from an earlier look is guarded in the statement itself (by a state, a version, a unique key).
Facts travel as text and statements are prepared once a connection: the driver's adapters cost more here than
the work they save (the figures are in docs/decisions/0004). Answers travel in binary, each value read by the driver's
own loader: a number read from its digits costs ten times as much, a list of them more.
"""

from __future__ import annotations

import select
import struct
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import abc, pq
from psycopg.adapt import Transformer
from psycopg.types.composite import CompositeInfo
from pydantic_core import to_json

from core.db import CONNECT, engine, in_words, on_disconnect, remembered
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


# A row type in binary is the count of its fields, then each one's type, length (-1: null) and bytes.
_LENGTH = struct.Struct("!i").unpack_from
_WORD = 4


class _Prepared(NamedTuple):
    """A statement as a connection knows it: its name there, the fields of its answer and what reads them."""

    name: bytes
    fields: tuple[str, ...]
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

    The function returns a row type, or nothing. Returns its fields by name, or None for null. Raises as `once` does.
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
    told = result.get_value(0, 0)
    if not told:
        return None
    values: list[bytes | None] = []
    end = _WORD
    for _ in found.fields:
        begin = end + 2 * _WORD
        (length,) = _LENGTH(told, begin - _WORD)
        end = begin + length if length > 0 else begin
        values.append(told[begin:end] if length >= 0 else None)
    return dict(zip(found.fields, found.reader.load_sequence(values), strict=True))


def as_json(value: object) -> str:
    """Return a value as JSON without blanks, as a fact; pydantic's writer needs a quarter of what Python's own does."""
    return to_json(value).decode()


def _prepare(connection: psycopg.Connection[tuple[Any, ...]], key: tuple[str, ...]) -> _Prepared:
    link = connection.pgconn
    name = f"step{len(_own.prepared)}".encode()
    arguments = ", ".join(f"p_{fact} => ${place}" for place, fact in enumerate(key[1:], start=1))
    sql = f"select {key[0]}({arguments})"
    for result in (link.prepare(name, sql.encode()), described := link.describe_prepared(name)):
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)
    # Called as a value and not as a table, which would cost some 5 % of a whole deposit: the row comes as one field.
    fields, types = _row_type(connection, described.ftype(0))
    reader = Transformer(connection)
    reader.set_loader_types(types, pq.Format.BINARY)
    return _Prepared(name, fields, reader)


def _row_type(connection: psycopg.Connection[tuple[Any, ...]], oid: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names and types of a row type's fields, read once a process; none of what is no row type (`void`)."""
    memory = remembered()
    found: tuple[tuple[str, ...], tuple[int, ...]] | None = memory.get(("row_type", oid))
    if found is None:
        named = connection.execute("select %s::regtype::text", (oid,)).fetchone()
        row = CompositeInfo.fetch(connection, str(named and named[0]))
        found = memory["row_type", oid] = (tuple(row.field_names), tuple(row.field_types)) if row else ((), ())
    return found


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
