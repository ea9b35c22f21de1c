"""`desk renumber`: after a logical restore, the server's transaction numbers are moved beyond those in the data."""

from __future__ import annotations

import click

from core.migrations import standing
from core.settings import settings
from portal.counted import counted


@click.command("renumber")
def command() -> None:
    """Make a database restored from a dump fit to work on; of any other database nothing is changed."""
    standing.must_have_schema()
    spent = standing.count_onwards(settings().database_url)
    standing.must_count_onwards()
    click.echo(
        f"{counted(spent, 'transaction number')} spent: the server counts onwards from the data. Run `desk verify` now"
        if spent
        else "nothing to do: the server counts onwards from the data"
    )
