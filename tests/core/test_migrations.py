"""The migrations make the schema of the golden file, twice is once, and the mapped tables agree with it."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command

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


def test_versions_of_before_stay_as_they_were_and_can_be_withdrawn(database):
    name = f"older_{os.getpid()}"
    url = sa.make_url(database).set(database=name).render_as_string(hide_password=False)
    told = "select id, code, version, terms, effective_from, created_at, requested_by, approved_by from fee_schedule"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    try:
        engine = sa.create_engine(db.driver_url(url), poolclass=sa.NullPool)
        with engine.connect() as older:
            config = runner._config()
            config.attributes["connection"] = older
            command.upgrade(config, "0034")
            older.exec_driver_sql(
                "insert into fee_schedule (code, version, terms, effective_from, created_at, requested_by, approved_by)"
                " select code, 2, terms, now() + interval '1 day', now(), 1, 2 from fee_schedule where code = 'lean'"
            )
            older.commit()
            before = sorted(older.exec_driver_sql(told).all(), key=lambda row: row[0])
        runner.upgrade(url)
        with engine.connect() as newer:
            assert sorted(newer.exec_driver_sql(told).all(), key=lambda row: row[0]) == before
            assert newer.exec_driver_sql("select count(withdrawn_at) from fee_schedule").scalar() == 0
            newer.exec_driver_sql(
                "update fee_schedule set withdrawn_at = now(), withdrawn_by = 2, withdrawn_why = 'x' where version = 2"
            )
            newer.commit()
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


@pytest.mark.parametrize("table", sorted(db.Base.metadata.tables))
def test_a_mapped_table_has_the_columns_of_the_schema(module_database, table):
    mapped = {column.name for column in db.Base.metadata.tables[table].columns}
    there = {column["name"] for column in sa.inspect(db.engine()).get_columns(table)}
    assert mapped <= there
