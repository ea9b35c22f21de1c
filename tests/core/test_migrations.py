"""The migrations make the schema of the golden file, twice is once, and the mapped tables agree with it."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

import core.analytics.tables
import core.commissions.tables
import core.compliance.tables
import core.orders.tables
import core.parties.tables  # noqa: F401 - each adds its tables to Base
from core import db, embedded
from core.embedded import postgres
from core.migrations import runner

SCHEMA = Path(__file__).parents[2] / "core" / "migrations" / "schema.sql"


def dumped(url: str) -> str:
    """The schema of a database as pg_dump writes it, without what differs from run to run."""
    programs = postgres.binaries(embedded.place(Path(os.environ["DESK_HOME"])))
    told = subprocess.run(
        [str(programs / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", "--exclude-table=ab_*", url],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"LD_LIBRARY_PATH": str(programs.parent / "lib")},
    ).stdout
    noise = ("\\restrict", "\\unrestrict", "--", "SET ", "SELECT pg_catalog.set_config")
    lines = [line.rstrip() for line in told.splitlines() if line.strip() and not line.startswith(noise)]
    return "\n".join(lines) + "\n"


def test_golden_schema(database):
    """The file is what a reader of the schema looks at; `make golden` writes it anew."""
    made = dumped(database)
    if os.environ.get("GOLDEN") == "write":
        SCHEMA.write_text(made, encoding="utf-8")
    assert made == SCHEMA.read_text(encoding="utf-8"), "run `make golden` and read the difference"


def test_four_initialisers_at_once_make_one_schema(servers, database):
    name = f"four_{os.getpid()}"
    url = sa.make_url(database).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(runner.upgrade, [url] * 4))
        with psycopg.connect(url) as connection:
            found = connection.execute("select version_num from alembic_version").fetchall()
        assert found == [(runner.head(),)]
        assert dumped(url) == dumped(database)
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


def test_an_upgrade_of_an_upgraded_database_changes_nothing(database):
    before = dumped(database)
    runner.upgrade(database)
    assert dumped(database) == before


@pytest.mark.parametrize("table", sorted(db.Base.metadata.tables))
def test_a_mapped_table_has_the_columns_of_the_schema(module_database, table):
    mapped = {column.name for column in db.Base.metadata.tables[table].columns}
    there = {column["name"] for column in sa.inspect(db.engine()).get_columns(table)}
    assert mapped <= there
