"""`desk clock` and the portal that follows it: an order expires when the product's time says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from core import clock
from core.db import reading
from core.errors import BadInput
from core.settings import settings
from jobs import catalog
from portal import cli
from portal.commands.clock import command
from tests import make
from tests.portal import api_client


def desk(*words):
    return CliRunner().invoke(command, words, catch_exceptions=False)


def test_the_clock_is_shown_moved_and_followed_by_web_and_jobs(database):
    api = api_client.portal()
    ref = api.shop.opened()["ref"]
    assert "the real time" in desk().output

    assert "0:20:00 ahead" in desk("advance", "20m").output
    catalog.run("orders.expire")

    assert api.shop.get(f"/deposits/{ref}").json["state"] == "expired"
    later = (datetime.now(UTC) + timedelta(minutes=19)).isoformat()
    fresh = api_client.Program(api_client.create_app(settings()), api.shop.key)
    assert fresh.opened()["created_at"] > later.replace("+00:00", "Z")
    assert not clock.controlled()


def test_quotes_have_rates_at_the_new_time_at_once(database):
    api = api_client.portal()
    desk("advance", "2h")
    assert api.shop.quote().startswith("quo_")
    desk("set", (datetime.now(UTC) + timedelta(days=3)).isoformat())
    assert api.shop.quote().startswith("quo_")


def test_the_clock_is_set_to_a_moment_ahead(database):
    moment = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    shown = desk("set", moment.isoformat()).output.split()[0]
    assert moment <= datetime.fromisoformat(shown) < moment + timedelta(minutes=1)


def test_the_terminals_commands_follow_it(database):
    merchant = make.market(1).merchant_ref
    desk("advance", "40d")
    done = CliRunner().invoke(cli.desk, ["party", "suspend", merchant, "--why", "papers are out of date"])
    assert done.exit_code == 0, done.output + repr(done.exception)
    with reading() as tx:
        (at,) = tx.rows("select at from audit where action = 'party.suspended'")[0]
    assert at > datetime.now(UTC) + timedelta(days=39)
    assert not clock.controlled()


@pytest.mark.parametrize(
    "words", [("advance", "2"), ("advance", "0s"), ("set", "soon"), ("set", "2026-12-01T00:00:00")]
)
def test_what_is_no_time_is_refused(database, words):
    with pytest.raises(BadInput):
        desk(*words)


def test_the_clock_does_not_go_back(database):
    desk("advance", "3d")
    with pytest.raises(BadInput):
        desk("set", datetime.now(UTC).isoformat())
