"""`desk rollup`: bring the dashboards' figures up to the present, or count them all again from the feed."""

from __future__ import annotations

import click

from core.analytics import agent_volume, rollup
from core.db import reading
from core.verify.rollups import rollups
from portal.counted import counted


@click.command("rollup")
@click.option("--rebuild", is_flag=True, help="Throw the rollups away and count the whole feed again.")
def command(rebuild: bool) -> None:
    """Add what is new to the rollups (the schedule does this by itself), or count everything again with --rebuild.

    A rebuild says first which rows were not what the feed adds up to; afterwards none is.
    """
    if not rebuild:
        click.echo(f"{counted(rollup.advance(), 'fact')} added")
        return
    with reading() as tx:
        tx.run("set local statement_timeout = '15min'")
        found = rollups(tx)
    for words in found.breaks:
        click.echo(words, err=True)
    facts = rollup.rebuild()
    agent_volume.refresh()
    click.echo(f"{counted(facts, 'fact')} counted again; {counted(found.total, 'row was', 'rows were')} wrong")
