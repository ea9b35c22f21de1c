"""`desk init`: the present schema, the roles, the first administrator and the first rules."""

from __future__ import annotations

import click

from core.db import engine, transaction
from core.errors import Conflict
from core.migrations import runner, standing
from core.risk import rulesets
from core.settings import DEMO_PASSWORD, settings
from portal.security import setup

FIRST_USER = "admin"
DEMO_USERS = (
    "admin", "compliance", "compliance2", "finance", "finance2", "agent1", "agent2",
    "acceptor1", "acceptor2", "merchant1", "merchant2", "auditor",
)  # fmt: skip


def initialise() -> None:
    """Do what is missing of the set-up; running it again, or twice at once, changes nothing more."""
    known = settings()
    standing.must_be_ours_or_empty()
    runner.upgrade(engine().url.render_as_string(hide_password=False))
    standing.must_count_onwards()
    setup.set_up()
    setup.ensure_user(FIRST_USER, "admin", known.admin_password.get_secret_value())
    if known.production:
        _no_published_password()
    with transaction() as tx:
        rulesets.ensure_default(tx)


def _no_published_password() -> None:
    """Refuse production while a user may sign in with the sandbox's password. Raises Conflict that names them."""
    found = setup.with_password(DEMO_PASSWORD, DEMO_USERS)
    if found:
        raise Conflict(
            f"these users have the published password: {', '.join(found)}. Give each another one: `desk user password "
            "NAME`, or switch it off: `desk user deactivate NAME`",
            users=found,
        )


@click.command("init")
def command() -> None:
    """Bring the database to the present schema; safe to run at any time."""
    initialise()
    click.echo(f"the database is at {runner.head()}")
