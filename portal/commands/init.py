"""`desk init`: the present schema, the roles, the first administrator and the first rules."""

from __future__ import annotations

import click

from core.db import engine, transaction
from core.migrations import runner, standing
from core.risk import rulesets
from core.settings import settings
from portal.security import setup

FIRST_USER = "admin"


def initialise() -> None:
    """Do what is missing of the set-up; running it again, or twice at once, changes nothing more."""
    known = settings()
    standing.must_be_ours_or_empty()
    runner.upgrade(engine().url.render_as_string(hide_password=False))
    standing.must_count_onwards()
    setup.set_up()
    setup.ensure_user(FIRST_USER, "admin", known.admin_password.get_secret_value())
    with transaction() as tx:
        rulesets.ensure_default(tx)


@click.command("init")
def command() -> None:
    """Bring the database to the present schema; safe to run at any time."""
    initialise()
    click.echo(f"the database is at {runner.head()}")
