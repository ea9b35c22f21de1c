"""The database: one engine, `transaction()` (with core/steps.py the only place that commits) and `reading()`."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker

from core.errors import (
    AlreadyDone,
    Changed,
    Conflict,
    Refusal,
    ShortReserve,
    TooLate,
    Unavailable,
    WrongState,
    sentence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

NAMES = {
    "ix": "%(table_name)s_%(column_0_name)s",
    "uq": "%(table_name)s_%(column_0_name)s_once",
    "ck": "%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}
_OPTIONS = "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"

CONNECT: dict[str, Any] = {"options": _OPTIONS, "application_name": "escrow-desk", "connect_timeout": 5}

_CHANGING = sentence("somebody else is changing this right now; try again")
# What a named constraint means to the person who asked. The database refuses; this says it in words.
_MEANING: dict[str, tuple[type[Refusal], str]] = {
    "account_not_overdrawn": (ShortReserve, sentence("the account holds less than that")),
    "journal_key_once": (AlreadyDone, sentence("this has been booked already")),
    "order_external_once": (AlreadyDone, sentence("an order with this number exists already for the merchant")),
    "order_quote_once": (AlreadyDone, sentence("an order was already made from this quote")),
    "journal_balanced": (Conflict, sentence("the posting does not balance")),
    "period_open": (
        WrongState,
        sentence("the period of this posting is locked; post an adjustment in the open period"),
    ),
    "order_is_the_same": (Changed, _CHANGING),
    "terms_are_the_same": (Changed, _CHANGING),
    "customer_is_the_same": (Changed, _CHANGING),
    "version_begins_later": (
        Changed,
        sentence("it took too long to store this before it would have begun; nothing has changed, try again"),
    ),
    "version_withdrawn_in_time": (
        TooLate,
        sentence("it took too long to store this before the version begins; nothing has changed"),
    ),
    "hold_open_once": (AlreadyDone, sentence("the order is held already")),
    "approval_waiting_once": (AlreadyDone, sentence("a request for this is waiting for a decision already")),
    "party_code_once": (AlreadyDone, sentence("a party of this kind has that code already")),
    "withdrawal_account_is_theirs": (Conflict, sentence("the withdrawal account must be one of the party's own")),
}


class Base(DeclarativeBase):
    """The declarative base of all tables of the core."""

    metadata = sa.MetaData(naming_convention=NAMES)


class Transaction:
    """One open transaction: `call` for the money path's prepared SQL, `session` for everything else."""

    __slots__ = ("_session", "connection", "raw")

    def __init__(self, connection: sa.Connection) -> None:
        """Wrap an open SQLAlchemy connection; `raw` is psycopg's."""
        self.connection = connection
        self.raw: psycopg.Connection[tuple[Any, ...]] = connection.connection.driver_connection  # type: ignore[assignment]
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """Return an ORM session of this same transaction."""
        if self._session is None:
            self._session = Session(bind=self.connection, autoflush=True)
        return self._session

    @property
    def written(self) -> bool:
        """Return whether an ORM session was asked for."""
        return self._session is not None

    def call(self, sql: str, args: Sequence[object] = ()) -> Any:
        """Run one statement with `%s` placeholders; return its first row's first column, or None.

        psycopg prepares a statement it sees often, so that its text is parsed once.
        """
        row = self.raw.execute(sql, args).fetchone()
        return None if row is None else row[0]

    def rows(self, sql: str, args: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement with `%s` placeholders; return all its rows."""
        return self.raw.execute(sql, args).fetchall()

    def run(self, sql: str, args: Sequence[object] | Mapping[str, object] = ()) -> int:
        """Run one statement that returns no rows; return how many rows it touched."""
        return self.raw.execute(sql, args).rowcount


class _Bound:
    """The process-wide engine, and what is remembered while it is bound."""

    engine: sa.Engine | None = None
    remembered: dict[tuple[str, int], Any] = {}  # noqa: RUF012 - one per process on purpose
    memories: list[Memory[Any, Any]] = []  # noqa: RUF012 - as above


def remembered() -> dict[tuple[str, int], Any]:
    """Return this process's memory of immutable rows (versions of plans, rulesets), by kind and id."""
    return _Bound.remembered


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Memory(Generic[_Key, _Value]):
    """What a process remembers of one kind of thing that changes, while it is bound to its database.

    It holds `most` values at most: one more takes the place of the one that was kept longest ago, so that a kind
    never crowds out another, and a process that serves for months needs no more than one of a day.
    """

    def __init__(self, most: int) -> None:
        """Remember `most` values at most."""
        self._most = most
        self._kept: dict[_Key, _Value] = {}
        self._keeping = Lock()
        _Bound.memories.append(self)

    def __len__(self) -> int:
        """Return how many values are remembered."""
        return len(self._kept)

    def get(self, key: _Key) -> _Value | None:
        """Return what was kept last under the key, None when it was nothing or is forgotten."""
        return self._kept.get(key)

    def keep(self, key: _Key, value: _Value) -> None:
        """Remember a value in place of what was kept under the key."""
        with self._keeping:
            self._kept.pop(key, None)
            self._kept[key] = value
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]

    def forget(self) -> None:
        """Forget everything."""
        with self._keeping:
            self._kept.clear()


def forget() -> None:
    """Forget all that this process remembers of its database, as one that has just begun."""
    _Bound.remembered.clear()
    for memory in _Bound.memories:
        memory.forget()


_on_disconnect: list[Callable[[], None]] = []


def on_disconnect(let_go: Callable[[], None]) -> None:
    """Have `let_go` called when this process lets go of its database."""
    _on_disconnect.append(let_go)


portal_session: scoped_session[Session] = scoped_session(sessionmaker())


def driver_url(url: str) -> sa.URL:
    """Return the URL with our driver; `postgres://` and `postgresql://` are both read."""
    parsed = sa.make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg")


def connect(url: str, *, pool_size: int = 10) -> sa.Engine:
    """Bind this process to a database; return its engine. A second call rebinds."""
    disconnect()
    engine = sa.create_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=5,
        # A connection that died with a restarted server is found here, not by the first who asks.
        pool_pre_ping=True,
        connect_args=CONNECT,
    )
    _Bound.engine = engine
    portal_session.remove()
    portal_session.configure(bind=engine)
    return engine


def disconnect() -> None:
    """Close all connections of this process (before a fork, at the end of a test)."""
    if _Bound.engine is not None:
        portal_session.remove()
        _Bound.engine.dispose()
        _Bound.engine = None
    for let_go in _on_disconnect:
        let_go()
    forget()


def engine() -> sa.Engine:
    """Return the bound engine, binding it from the settings at first use."""
    if _Bound.engine is None:
        from core.settings import settings  # read late: tests bind their own database

        return connect(settings().database_url)
    return _Bound.engine


def in_words(error: psycopg.Error) -> Refusal | None:
    """Return the refusal a database error means, or None if it is a fault of ours."""
    name = getattr(error.diag, "constraint_name", None) or ""
    if name in _MEANING:
        kind, words = _MEANING[name]
        return kind(words, constraint=name)
    if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        return Changed(_CHANGING)
    if isinstance(error, psycopg.errors.QueryCanceled):
        return Unavailable(sentence("the database took too long; try again"))
    if isinstance(error, psycopg.OperationalError):
        return Unavailable(sentence("the database does not answer; try again"))
    return None


@contextmanager
def _open(*, read_only: bool) -> Iterator[Transaction]:
    try:
        connection = engine().connect()
    except (exc.TimeoutError, exc.OperationalError) as error:
        message = sentence("the database does not answer; try again")
        raise Unavailable(message) from error
    tx = Transaction(connection)
    try:
        if read_only:
            tx.raw.execute("set transaction isolation level repeatable read, read only")
        yield tx
        if tx.written:
            tx.session.flush()
        if read_only:
            tx.raw.rollback()
        else:
            tx.raw.commit()
    except psycopg.Error as error:
        _undo(tx)
        refusal = in_words(error)
        if refusal is None:
            raise
        raise refusal from error
    except exc.DBAPIError as error:
        _undo(tx)
        refusal = in_words(error.orig) if isinstance(error.orig, psycopg.Error) else None
        if refusal is None:
            raise
        raise refusal from error
    except BaseException:
        _undo(tx)
        raise
    finally:
        if tx.written:
            tx.session.close()
        connection.close()


def _undo(tx: Transaction) -> None:
    """Roll back; a connection that is already gone is thrown away by the pool."""
    try:
        tx.raw.rollback()
    except psycopg.Error:
        tx.connection.invalidate()


@contextmanager
def transaction() -> Iterator[Transaction]:
    """Open a transaction, commit it at the end of the block, undo all of it on any exception.

    Raises the `Refusal` that a named constraint stands for, and `unavailable` when the database
    cannot be reached.
    """
    with _open(read_only=False) as tx:
        yield tx


@contextmanager
def reading() -> Iterator[Transaction]:
    """Open a read-only transaction that sees one state of all tables."""
    with _open(read_only=True) as tx:
        yield tx
