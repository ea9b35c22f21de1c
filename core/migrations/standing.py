"""Whether a database can be worked on: it answers, has our schema, and counts its transactions onwards."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy.exc import ArgumentError, DBAPIError

from core.db import CONNECT, connect, disconnect, driver_url, reading
from core.errors import BadInput, Conflict, Unavailable
from core.migrations import runner
from core.settings import MASK, masked_url

if TYPE_CHECKING:
    from core.db import Transaction

LEAST_VERSION: Final = 180000
"""PostgreSQL 18, as the server counts."""

_MARKS: Final = "select max(done_to)::text::numeric from watermark"
_REACHED: Final = """
select greatest(
    (select max(done_to)::text::numeric from watermark),
    (select max(pg_snapshot_xmax(folded))::text::numeric from ledger_account),
    (select max(xid)::text::numeric from journal_entry), (select max(xid)::text::numeric from notice),
    (select max(xid)::text::numeric from audit), (select max(xid)::text::numeric from commission_line),
    (select max(to_xid)::text::numeric from outbox_batch))
"""
_NEXT: Final = "select pg_snapshot_xmax(pg_current_snapshot())::text::numeric"
NEWER: Final = "the database is at {found}, which this version does not know: install the version that made it"
BEHIND: Final = (
    "this database was restored from a dump: the server's transaction numbers lie {behind:,} behind those in the data,"
    " and new orders would be taken for done. Run `desk renumber` once, before anything else"
)
_SPEND: Final = "do $$ begin for i in 1 .. {part} loop perform pg_current_xact_id(); commit; end loop; end $$"
MOST_SPENT: Final = 500_000_000
SPENT_AT_ONCE: Final = 1_000_000
_PASSWORD: Final = re.compile(r"(password=)\S+", re.IGNORECASE)


def must_answer(url: str) -> None:
    """Connect once. Raises Unavailable with the server's own reason, or Conflict for a server too old."""
    try:
        plain = driver_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, **CONNECT) as connection:
            version = connection.info.server_version
    except ArgumentError as error:
        raise BadInput(f"DATABASE_URL cannot be read: {masked_url(url)}", setting="DATABASE_URL") from error
    except psycopg.Error as error:
        raise Unavailable(
            f"the database at {masked_url(url)} does not answer: {reason(error)}. "
            "Start it, or set DATABASE_URL to one that answers.",
        ) from error
    if version < LEAST_VERSION:
        raise Conflict(
            f"the database at {masked_url(url)} is PostgreSQL {version // 10000}; the desk needs 18 or newer",
            version=version,
        )


def reason(error: psycopg.Error) -> str:
    """Return the last line of what the driver says, without the place it has named already and any password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Multiple connection", "- host:"))] or lines or ["no reason"]
    words = re.sub(r"^.*?(failed|FATAL): +", "", told[0])
    words = _PASSWORD.sub(rf"\1{MASK}", re.sub(r"^FATAL: +", "", words))
    return re.sub(r"'[^']*@", f"'{MASK}@", words).rstrip(".")  # a host may begin with the end of a password


def must_fit() -> None:
    """Refuse a bound database that has not our schema or does not count onwards. Raises Conflict, Unavailable."""
    must_have_schema()
    must_count_onwards()


def must_have_schema() -> None:
    """Raises Conflict that says what to run when the schema is missing, older or newer than the code."""
    words = schema_fault()
    if words:
        raise Conflict(words)


def schema_fault() -> str:
    """Return what is wrong with the bound database's schema and what to do; empty when it is ours."""
    with reading() as tx:
        if tx.call("select to_regclass('alembic_version')") is None:
            return "the database is not set up: run `desk init`"
        found = tx.call("select max(version_num) from alembic_version")
        functions = tx.call("select to_regclass('schema_functions')")
    wanted = runner.head()
    if found in {"", None} or (found == wanted and functions is None):
        return "the set-up of the database did not end: run `desk init`"
    if found != wanted and not runner.knows(found):
        return NEWER.format(found=found)
    if found != wanted:
        return f"the database is at {found}, this version needs {wanted}: run `desk init`"
    return ""


def must_be_ours_or_empty() -> None:
    """Refuse to set up over the tables of another program or of a newer version. Raises Conflict."""
    with reading() as tx:
        marked = tx.call("select to_regclass('alembic_version')") is not None
        found = tx.call("select max(version_num) from alembic_version") if marked else None
        stranger = tx.call(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')"
            " and relname <> all (array['alembic_version', 'spatial_ref_sys']) order by relname limit 1"
        )
    if found is not None and not runner.knows(found):
        raise Conflict(
            f"the database is at {found}, which this version does not know: install the version that made it"
        )
    if found is None and stranger:
        raise Conflict(
            f"the database holds tables of another program ({stranger}): give the desk a database of its own",
            table=stranger,
        )


def lag(tx: Transaction, *, thorough: bool = False) -> int:
    """Return by how much the server's transaction numbers lie behind those in the data; 0 when they go on.

    They lie behind after a logical restore: the new server counts from the beginning. `thorough` looks at the
    rows too, else only at the watermarks.
    """
    reached = tx.call(_REACHED if thorough else _MARKS) or 0
    following = tx.call(_NEXT)
    return max(0, int(reached) - int(following))


def must_count_onwards() -> None:
    """Raises Conflict when new rows would be numbered below old ones: they would never be folded, sealed or counted."""
    with reading() as tx:
        behind = lag(tx, thorough=True)
    if behind:
        raise Conflict(BEHIND.format(behind=behind), behind=behind)


def count_onwards(url: str) -> int:
    """Move a restored server's transaction numbers beyond those in the data; return by how many.

    It spends empty transactions, some hundred thousand a second; no row is changed, and it may be cut off and run
    again. Raises Conflict when there are too many to spend.
    """
    with reading() as tx:
        behind = lag(tx, thorough=True)
    if behind > MOST_SPENT:
        raise Conflict(
            f"{behind:,} transaction numbers are too many to spend one by one: restore a physical copy, or follow "
            "'Logical backups' in docs/operations.md",
            behind=behind,
        )
    plain = driver_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    spent = 0
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        connection.execute("set statement_timeout = 0")
        while spent < behind:
            part = min(SPENT_AT_ONCE, behind - spent)
            connection.execute(_SPEND.format(part=part))
            spent += part
    return spent


def guarded(url: str) -> None:
    """For a process that starts: refuse a restored database; one that is away or not set up is waited for elsewhere.

    Raises Conflict.
    """
    with suppress(Unavailable, psycopg.Error, DBAPIError):
        must_answer(url)
        connect(url, pool_size=1)
        try:
            must_count_onwards()
        finally:
            disconnect()
