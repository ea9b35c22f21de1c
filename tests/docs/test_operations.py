"""docs/operations.md says what the code does: settings and defaults, commands, units, invariants."""

from __future__ import annotations

import configparser
import re

import pytest
import yaml
from pydantic import SecretStr

from core import verify
from core.db import reading, transaction
from core.settings import ROOT, Settings, variable
from jobs.catalog import CATALOG
from portal import cli
from tests.docs.pages import blocks, page

TEXT = page("docs/operations.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `((?:DESK_)?[A-Z_]+)` \| (?:`([^`]*)`|(empty)) \| .+ \|$", re.MULTILINE)
SERVER_SIDE = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"}


def name_of(field: str) -> str:
    """The variable behind a field of the settings, under the name people set."""
    alias = Settings.model_fields[field].validation_alias
    return variable(alias if isinstance(alias, str) else field)


def default_of(field: str) -> str:
    """The default as the page writes it."""
    value = Settings.model_fields[field].default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if field == "home":
        return str(value.relative_to(ROOT))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def in_language(language: str) -> str:
    """The one block of that language."""
    [found] = [block.text for block in blocks(TEXT) if block.language == language]
    return found


def test_every_setting_stands_in_the_table_with_its_default():
    shown = {name: default for name, default, _ in ROW.findall(TEXT)}
    assert shown == {name_of(field): default_of(field) for field in Settings.model_fields}


def test_every_variable_named_anywhere_is_a_setting():
    known = {name_of(field) for field in Settings.model_fields}
    assert set(re.findall(r"\bDESK_[A-Z_]+", TEXT)) <= known


def test_every_command_named_is_a_command():
    listed = set(cli.Desk().list_commands(None))
    named = set(re.findall(r"`(?:\./)?desk ([a-z]+)", TEXT)) - {"install"}  # the script's own word
    assert len(named) > 5
    assert named <= listed


def test_the_systemd_unit_starts_what_exists():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(in_language("ini"))
    assert unit["Service"]["ExecStart"].endswith("/.venv/bin/desk %i")
    instances = re.findall(r"escrow-desk@(\w+)", TEXT)
    assert {"web", "worker", "cron"} <= set(instances)
    assert unit["Service"]["Environment"].partition("=")[0] == "DESK_HOME"


def test_the_containers_start_what_exists():
    services = yaml.safe_load(in_language("yaml"))["services"]
    ours = {name: each for name, each in services.items() if each["image"] == "escrow-desk"}
    assert {each["command"][1] for each in ours.values()} == {"init", "web", "worker", "cron"}
    known = {name_of(field) for field in Settings.model_fields}
    for each in services.values():
        assert set(each.get("environment", {})) <= known | SERVER_SIDE


def test_every_invariant_has_its_line(database):
    assert database
    told = set(re.findall(r"\bI\d+\b", TEXT))
    assert {finding.invariant for finding in verify.run()} <= told


@pytest.mark.parametrize("sql", [block.text for block in blocks(TEXT) if block.language == "sql"])
def test_the_queries_run(database, sql):
    assert database
    with reading() as tx:
        tx.rows(sql.replace("%", "%%"))


def test_the_counter_of_a_restored_server_goes_beyond_everything(database):
    [sql] = [block.text for block in blocks(TEXT) if "pg_resetwal" in block.text]
    with transaction() as tx:
        tx.run("update watermark set done_to = '8589934600' where name = 'relay'")
    with reading() as tx:
        command = tx.call(sql.replace("%", "%%"))
    epoch, number = map(int, re.fullmatch(r"pg_resetwal -e (\d+) -x (\d+) -D DATA", command).groups())
    assert epoch * 2**32 + number > 8589934600
    assert number > 0
    assert number % 32768 == 0


def test_jobs_named_are_in_the_catalogue():
    assert "ledger.verify" in CATALOG
    assert CATALOG["ledger.verify"].every == 15 * 60
