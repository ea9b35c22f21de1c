"""Flask-AppBuilder's own tables are those of its version: another that changes them fails here, before an upgrade."""

from __future__ import annotations

import os
from pathlib import Path

from core.db import reading
from portal.security.setup import set_up

GOLDEN = Path(__file__).parents[1] / "golden" / "accounts_schema.txt"
_COLUMNS = """
select table_name || '.' || column_name || ' ' || data_type || coalesce('(' || character_maximum_length || ')', '')
       || case is_nullable when 'NO' then ' not null' else '' end
  from information_schema.columns where table_schema = 'public' and table_name ^@ 'ab_' order by 1
"""
_INDEXES = "select indexdef from pg_indexes where schemaname = 'public' and tablename ^@ 'ab_' order by 1"
_KEYS = """
select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
 where conrelid::regclass::text ^@ 'ab_' and contype in ('f', 'c') order by 1
"""


def test_golden_schema_of_accounts(database):
    set_up()
    with reading() as tx:
        lines = [str(row[0]) for sql in (_COLUMNS, _INDEXES, _KEYS) for row in tx.connection.exec_driver_sql(sql)]
    made = "\n".join(lines) + "\n"
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(made, encoding="utf-8")
    assert made == GOLDEN.read_text(encoding="utf-8"), "Flask-AppBuilder changed its tables: see decision 0003"


def test_setting_up_again_changes_none_of_them(database):
    set_up()
    with reading() as tx:
        before = [list(tx.connection.exec_driver_sql(sql)) for sql in (_COLUMNS, _INDEXES, _KEYS)]
    set_up()
    with reading() as tx:
        assert [list(tx.connection.exec_driver_sql(sql)) for sql in (_COLUMNS, _INDEXES, _KEYS)] == before


def test_an_account_knows_its_party_and_core_knows_accounts_by_number_only(database):
    """Core has no key into the tables of another's schema (decision 0003): it keeps plain numbers."""
    set_up()
    with reading() as tx:
        keys = tx.rows(
            "select conrelid::regclass::text from pg_constraint where contype = 'f'"
            " and confrelid::regclass::text ^@ 'ab_' and not conrelid::regclass::text ^@ 'ab_'"
        )
    assert keys == []
