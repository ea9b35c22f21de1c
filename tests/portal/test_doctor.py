"""`desk doctor` says what is wrong and what to do."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from core import db, health
from core.risk import rulesets
from core.settings import settings
from portal.commands.doctor import command


def told(monkeypatch, **urls):
    for name, url in urls.items():
        monkeypatch.setenv(name, url)
    settings.cache_clear()
    answer = CliRunner().invoke(command, catch_exceptions=False)
    return answer.exit_code, answer.output


def test_all_is_well(database, redis_url, monkeypatch):
    with db.transaction() as tx:
        rulesets.ensure_default(tx)
    for process in ("worker:here:1", "cron:here:1"):
        health.beat(process)

    code, words = told(monkeypatch, REDIS_URL=redis_url)

    assert code == 0, words
    assert "BAD" not in words


def test_what_is_wrong_is_named_with_what_to_do(database, monkeypatch):
    with pytest.raises(ZeroDivisionError), health.recorded("ledger.verify"):
        raise ZeroDivisionError

    code, words = told(monkeypatch, REDIS_URL="unix:///nonexistent/redis.sock")

    assert code == 1
    for bad in (
        "BAD  worker: never heard: start",
        "BAD  redis",
        "BAD  job ledger.verify: ZeroDivisionError",
        "BAD  rules: none in force",
    ):
        assert bad in words


def test_without_a_database_the_rest_is_told_too(own_home, monkeypatch):
    code, words = told(
        monkeypatch,
        DATABASE_URL="postgresql://nobody@/none?host=/nonexistent",
        REDIS_URL="unix:///nonexistent/redis.sock",
    )
    db.disconnect()
    assert code == 1
    assert "BAD  database" in words
    assert "ok   disk" in words
