"""The `desk` command: answers at once, refuses in one line, keeps servers only while it works."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec

import pytest

from core import embedded
from core.errors import Refusal, Unavailable
from core.settings import ROOT, settings
from portal import cli
from portal.commands.test import need_browser
from portal.commands.up import demo_due, only_one
from portal.servers import bound
from portal.supervise import must_be_free, port_in_use


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
    )


def test_help_lists_commands_without_importing_them():
    shown = run("--help")
    assert shown.returncode == 0
    for name in ("up", "web", "worker", "cron", "env", "test"):
        assert f"  {name} " in shown.stdout
    heavy = ("flask", "sqlalchemy", "pandas", "dash")
    probe = f"import sys, portal.cli; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", probe], cwd=ROOT, text=True).strip() == "[]"


def test_env_shows_the_urls_in_use_and_no_secret():
    shown = run(
        "env",
        "--json",
        DATABASE_URL="postgresql://desk:hunter2@db.example.com/desk",
        DESK_SECRET_KEY="s" * 40,
    )
    values = json.loads(shown.stdout)
    assert values["database_url"] == "postgresql://desk:********@db.example.com/desk"
    assert values["redis_url"].startswith("unix://")
    assert values["redis"] == "embedded, stopped"
    assert "ssss" not in shown.stdout


def test_env_as_lines_can_be_read_by_people():
    shown = run("env").stdout
    assert "DESK_PORT=8080\n" in shown
    assert "(embedded, stopped)" in shown


def test_a_refusal_is_one_line_with_its_code_and_exit_1():
    refused = run("env", DESK_PORT="eighty")
    assert refused.returncode == 1
    assert "DESK_PORT" in refused.stderr
    assert refused.stderr.rstrip().endswith("[bad_input]")
    assert refused.stdout == ""


def test_production_with_defaults_is_refused_by_every_command_that_reads_settings():
    for name in ("env", "web", "worker", "cron", "up"):
        refused = run(name, DESK_ENV="production")
        assert refused.returncode == 1, name
        assert "DESK_SECRET_KEY" in refused.stderr, name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("nonsense", "no such command 'nonsense'; see `desk --help`"),
        ("env --xml", "no such option '--xml'; see `desk env --help`"),
        ("up --port 0", "invalid value for '--port': 0 is not in the range 1<=x<=65535; see `desk up --help`"),
        ("key end key_x", "missing option '--why'; see `desk key end --help`"),
        ("key", "name what `desk key` shall do: end, list, new; see `desk key --help`"),
        ("verify --xml", "no such option '--xml'; see `desk verify --help`"),
        ("web here", "got unexpected extra argument (here); see `desk web --help`"),
    ],
)
def test_a_usage_error_is_one_line_with_a_code_and_needs_no_database_to_be_told(arguments, said, tmp_path):
    refused = run(*arguments.split(), DESK_HOME=str(tmp_path / "nowhere"), DATABASE_URL="")
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", f"desk: {said} [bad_input]\n")


@pytest.mark.parametrize("asked", [["--help"], ["-h"], ["key", "--help"], ["key", "end", "-h"], ["--version"]])
def test_help_is_no_refusal_and_asks_for_no_database(asked, tmp_path):
    shown = run(*asked, DESK_HOME=str(tmp_path / "nowhere"), DATABASE_URL="")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert not (tmp_path / "nowhere").exists()


def test_the_command_alone_shows_what_there_is():
    shown = run()
    assert shown.returncode == 1
    assert "Commands:" in shown.stderr


@pytest.mark.parametrize(
    "arguments",
    ["verify", "party list", "key new --party x", "clock", "renumber", "seal advance", "import history x.csv"],
)
def test_a_mistyped_home_is_told_and_nothing_is_made_there(arguments, tmp_path):
    home = tmp_path / "mistyped"
    refused = run(*arguments.split(), DESK_HOME=str(home), DATABASE_URL="", REDIS_URL="")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"desk: there is no database in {home}: check DESK_HOME")
    assert refused.stderr.endswith("[conflict]\n")
    assert not home.exists()


@pytest.mark.parametrize("command", ["env", "doctor"])
def test_looking_at_a_mistyped_home_leaves_nothing_there(command, tmp_path):
    home = tmp_path / "mis" / "typed"
    shown = run(command, DESK_HOME=str(home), DATABASE_URL="", REDIS_URL="")
    assert f"{home}/run" in shown.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_command_finds_servers_and_leaves_none_behind(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    home = settings().home
    with bound(makes=True):
        assert embedded.running(home) == {"postgres": True, "redis": True}
        assert settings().database_url.startswith("postgresql://")
    assert embedded.running(home) == {"postgres": False, "redis": False}
    assert settings().database_url == ""


def test_a_taken_port_is_said_before_anything_starts():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="--port"):
            must_be_free("127.0.0.1", taken.getsockname()[1])


def test_one_home_has_one_supervisor():
    with only_one(settings()), pytest.raises(Unavailable, match="already runs"), only_one(settings()):
        pytest.fail("two supervisors over one home")


def test_env_tells_the_port_that_up_was_given_while_it_runs():
    def told():
        return json.loads(run("env", "--json", DESK_PORT="8555").stdout)["port"]

    assert told() == 8555
    with only_one(settings(), 8777):
        assert told() == 8777
        (settings().home / "up.port").write_text("nonsense")
        assert told() == 8555
    with only_one(settings()):
        assert told() == settings().port
    assert told() == 8555


def test_a_port_left_by_an_up_that_was_killed_counts_no_more():
    with only_one(settings()):
        pass
    (settings().home / "up.port").write_text("8777")
    assert port_in_use(settings().home) is None


def test_an_empty_market_is_seen_as_empty(database):
    assert "empty market" in demo_due(database)


def test_a_missing_browser_is_said_loudly(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    monkeypatch.setattr("portal.commands.test.os.geteuid", lambda: 1000)
    with pytest.raises(Unavailable, match="Chromium"):
        need_browser()


def test_main_turns_a_refusal_into_exit_1(monkeypatch, capsys):
    def refuse(*_, **__):
        raise Refusal("not like this")

    monkeypatch.setattr(cli.desk, "main", refuse)
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "desk: not like this [refused]\n"


def test_every_command_of_the_table_is_there():
    for name, entry in cli.COMMANDS.items():
        assert find_spec(entry.target.partition(":")[0]), name
    shown = run("--help").stdout
    assert [line.split()[0] for line in shown.partition("Commands:\n")[2].splitlines()] == list(cli.COMMANDS)
