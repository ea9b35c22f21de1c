"""Whatever is wrong with settings, arguments, files or the database: one line, a code, a status, nothing changed."""

from __future__ import annotations

import os

import psycopg
import pytest

from core import db
from core.db import transaction
from core.migrations import standing
from core.settings import settings
from portal import cli
from tests.core.past_orders import order, write

AWAY = "unix:///nonexistent/redis.sock"


@pytest.fixture
def desk(monkeypatch, capsys):
    """Run a command in this process; return its status and what it said on stderr."""

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        with monkeypatch.context() as patch:
            patch.setenv("REDIS_URL", AWAY)
            for name, value in environment.items():
                patch.setenv(name, value)
            settings.cache_clear()
            capsys.readouterr()
            try:
                with pytest.raises(SystemExit) as ended:
                    cli.main(list(arguments))
            finally:
                settings.cache_clear()
        return int(ended.value.code or 0), capsys.readouterr().err

    return run


def refused(answer: tuple[int, str], code: str, *words: str) -> None:
    """It was one line on stderr that ends with the code, and status 1."""
    status, said = answer
    assert status == 1, said
    assert said.startswith("desk: "), said
    assert said.rstrip().endswith(f"[{code}]"), said
    assert said.count("\n") == 1, said
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("mysql://a:b@h/d", "postgresql://user@host"),
        ("garbage", "postgresql://user@host"),
        ("postgresql://", "names no server"),
        ("postgresql://[::1", "cannot be read"),
        ("postgresql://h:99999/d", "cannot be read"),
        ("postgresql://u:hunter2/x@h/d", "cannot be read"),
        ("sqlite:///desk.db", "postgresql://user@host"),
    ],
)
@pytest.mark.parametrize("command", ["env", "verify", "worker", "up"])
def test_a_url_that_is_none_is_refused_by_every_command(desk, url, word, command):
    answer = desk(command, DATABASE_URL=url)
    refused(answer, "bad_input", "DATABASE_URL", word)
    assert "hunter2" not in answer[1]


@pytest.mark.parametrize("url", ["http://localhost", "garbage", "redis://h:99999/0", "redis://h/cache", "unix://"])
def test_a_redis_url_that_is_none_is_refused(desk, url):
    refused(desk("env", REDIS_URL=url), "bad_input", "REDIS_URL", "redis://host:6379/0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DESK_PORT", "0"),
        ("DESK_FIELD_KEY", "zz"),
        ("DESK_LOG_LEVEL", "LOUD"),
        ("DESK_ENV", "prod"),
        ("DESK_DEBUG", "?"),
        ("DESK_PROXY_ADDRESSES", "the proxy"),
        ("DESK_TRUSTED_HOSTS", "https://desk.example.com/"),
        ("DESK_TRUSTED_HOSTS", "desk.example.com, my desk"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(desk, name, value):
    refused(desk("env", **{name: value}), "bad_input", name)


@pytest.mark.parametrize("host", ["999.1.1.1", "nohost.invalid", "203.0.113.7"])
def test_an_address_that_is_not_this_machines_is_told_before_anything_serves(desk, host):
    refused(desk("web", DESK_HOST=host, DESK_PORT="8199"), "unavailable", host, "cannot be used")


@pytest.mark.parametrize("home", ["/dev/null", "/etc/passwd/x", "/proc/x"])
def test_a_home_that_can_be_no_folder_is_named(desk, home):
    refused(desk("env", DESK_HOME=home, DATABASE_URL=""), "unavailable", home, "DESK_HOME")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://desk:hunter2@127.0.0.1:1/desk", "onnection"),
        ("postgresql://desk@/desk?host=/nonexistent", "No such file"),
        ("postgresql://desk@127.0.0.1/desk?colour=red", "colour"),
        ("postgresql://u:hunter2@rest@127.0.0.1:1/d", "does not answer"),
    ],
)
@pytest.mark.parametrize(
    "arguments",
    [["verify"], ["init"], ["demo"], ["export", "commission", "--period", "2026-10"], ["import", "history", "x.csv"]],
)
def test_a_database_that_is_away_is_named_with_its_own_reason_and_no_password(desk, url, word, arguments):
    answer = desk(*arguments, DATABASE_URL=url)
    refused(answer, "unavailable", word, "DATABASE_URL")
    assert "hunter2" not in answer[1]
    assert "rest@" not in answer[1]


def test_a_refused_password_is_told(desk, database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create role nobody_enters nologin")
    try:
        refused(desk("verify", DATABASE_URL=database.replace("desk@", "nobody_enters@")), "unavailable", "log in")
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("drop role nobody_enters")


@pytest.mark.parametrize(
    "arguments",
    [["verify"], ["export", "commission", "--period", "2026-10"], ["seal", "advance"], ["key", "new", "--party", "x"],
     ["import", "history", "x.csv"], ["clock"], ["renumber"]],
)  # fmt: skip
def test_a_database_nobody_has_set_up_is_told_with_what_to_run(desk, database, arguments):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
    refused(desk(*arguments, DATABASE_URL=database), "conflict", "desk init")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("update alembic_version set version_num = '0001'", "this version needs"),
        ("update alembic_version set version_num = '9999'", "does not know"),
        ("delete from alembic_version", "did not end"),
        ("drop table schema_functions", "did not end"),
    ],
)
def test_a_schema_of_another_version_is_told(desk, database, change, word):
    with transaction() as tx:
        tx.run(change)
    refused(desk("verify", DATABASE_URL=database), "conflict", word)


def test_set_up_keeps_off_another_programs_tables_and_off_a_newer_version(desk, database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
        refused(desk("init", DATABASE_URL=database), "conflict", "9999")
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
        connection.execute("create table shop_basket (id int)")
        refused(desk("init", DATABASE_URL=database), "conflict", "shop_basket")
        assert connection.execute("select count(*) from pg_class where relname = 'orders'").fetchone() == (0,)


def test_a_role_that_may_not_write_is_told(desk, database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create role only_looks login")
        connection.execute("grant select on all tables in schema public to only_looks")
    try:
        answer = desk("seal", "advance", DATABASE_URL=database.replace("desk@", "only_looks@"))
        refused(answer, "forbidden", "permission denied")
    finally:
        db.disconnect()
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("drop owned by only_looks")
            connection.execute("drop role only_looks")


@pytest.mark.parametrize("out", ["/dev/null", "/proc/nowhere", "/etc/passwd/x"])
def test_a_folder_that_cannot_be_written_is_named(desk, database, out):
    refused(desk("export", "commission", "--period", "2026-10", "--out", out, DATABASE_URL=database), "bad_input", out)


def test_a_head_is_written_to_no_folder_that_is_not_there(desk, database):
    refused(desk("seal", "export", "--out", "/nowhere/heads", DATABASE_URL=database), "bad_input", "/nowhere/heads")


@pytest.mark.parametrize("content", [None, b"", os.urandom(4000), b"\x1f\x8b" + bytes(2000), b"\0" * 500])
def test_a_file_that_is_no_history_is_refused_and_leaves_no_reject_file(desk, database, tmp_path, content):
    path = tmp_path / "past.csv"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    refused(desk("import", "history", str(path), DATABASE_URL=database), "bad_input")
    assert [each.name for each in tmp_path.iterdir()] == ["past.csv"]


def test_a_reject_file_is_never_written_over_a_file_of_somebody_else(desk, database, tmp_path):
    path = write(tmp_path / "past.csv", [order(1)])
    other = tmp_path / "letter.txt"
    other.write_text("dear all")
    before = path.read_bytes()
    for rejects in (path, other, tmp_path, "/proc/nowhere"):
        refused(desk("import", "history", str(path), "--rejects", str(rejects), DATABASE_URL=database), "bad_input")
    assert path.read_bytes() == before
    assert other.read_text() == "dear all"
    with db.reading() as tx:
        assert tx.call("select count(*) from orders") == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import history", "missing argument 'FILE'; see `desk import history --help`"),
        ("export commission --period 2026-10 --format doc", "'doc' is not one of 'csv', 'xlsx', 'pdf'"),
        ("verify --xml", "no such option '--xml'"),
        ("up --port 0", "'--port': 0 is not in the range"),
        ("seal x", "no such command 'x'; see `desk seal --help`"),
        ("demo --orders x", "'x' is not a valid integer"),
        ("key", "name what `desk key` shall do: end, list, new"),
        ("key end key_x", "missing option '--why'; see `desk key end --help`"),
        ("pool policy brl-pix nope", "'uniform_random', 'least_loaded'; see `desk pool policy --help`"),
        ("pool policy brl-pix", "missing argument"),
        ("verify a\udcffb\x1b[31m\nc", "got unexpected extra argument"),
    ],
)
def test_arguments_that_are_none_are_refused_in_one_line_that_leads_to_the_help(desk, database, line, words):
    refused(desk(*line.split(" "), DATABASE_URL=database), "bad_input", words)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["export", "commission", "--period", "2026-13"], "bad_input"),
        (["export", "commission", "--period", "2026-10", "--agent", "nobody"], "not_found"),
        (["key", "new"], "bad_input"),
        (["key", "new", "--party", "a\udcffb"], "bad_input"),
        (["key", "end", "key_x", "--why", "no such key"], "not_found"),
        (["clock", "advance", "soon"], "bad_input"),
        (["clock", "advance", "-5m"], "bad_input"),
        (["clock", "advance", "-2h"], "bad_input"),
        (["clock", "set", "2020-01-01T00:00:00Z"], "bad_input"),
        (["import", "history", ""], "bad_input"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(desk, database, arguments, code):
    refused(desk(*arguments, DATABASE_URL=database), code)


def test_a_database_whose_numbers_lie_behind_its_data_is_refused_until_renumbered(desk, database):
    with transaction() as tx:
        ahead = tx.call("select pg_current_xact_id()::text::bigint") + 300_000
        tx.run("update watermark set done_to = %s::text::xid8 where name = 'relay'", (ahead,))
    for command in ("verify", "init", "web", "worker", "cron"):
        refused(desk(command, DATABASE_URL=database), "conflict", "restored from a dump", "desk renumber")
    assert desk("renumber", DATABASE_URL=database)[0] == 0
    assert desk("verify", DATABASE_URL=database)[0] == 0
    db.connect(database)
    with db.reading() as tx:
        assert tx.call("select pg_current_snapshot()::text::pg_snapshot is not null")
        assert standing.lag(tx, thorough=True) == 0


def test_numbers_too_far_behind_are_not_spent_one_by_one(desk, database):
    with transaction() as tx:
        tx.run("update watermark set done_to = '9999999999' where name = 'relay'")
    refused(desk("renumber", DATABASE_URL=database), "conflict", "physical copy")


def test_the_drivers_reason_is_one_line_without_a_password():
    error = psycopg.OperationalError(
        'connection to server at "db", port 5432 failed: FATAL:  password authentication failed\nmore'
    )
    assert standing.reason(error) == "password authentication failed"
