"""`desk export`: reports as files, each row tied to the ledger."""

from __future__ import annotations

from pathlib import Path

import click

from core import audit
from core.actor import system
from core.commissions import periods
from core.db import reading, transaction
from core.errors import Conflict
from core.money import USDT, Money
from core.reports import commission, files
from portal.counted import counted


@click.group("export")
def command() -> None:
    """Write a report to files."""


@command.command("commission")
@click.option("--period", "period_name", required=True, help="Year and month (UTC), such as 2026-10.")
@click.option("--agent", default="", help="Only this agent's lines and statement: its ref or code.")
@click.option("--format", "form", type=click.Choice(files.FORMATS), default="csv", show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The folder.")
def commissions(period_name: str, agent: str, form: str, out: Path) -> None:
    """Write the commission lines of a period, with each agent's statement, and say how they tie to the ledger.

    One file, commission-PERIOD[-AGENT].FORMAT, replaced if it is there. Statements are its second sheet (xlsx), stand
    before the lines (pdf), at the foot (csv of one agent) or in a second file ...-statements.csv (csv of all).
    A report that does not tie is written with its differences, and the command fails.
    """
    actor = system("desk export")
    period = periods.read(period_name)
    with reading() as tx:
        tx.run("set local statement_timeout = '15min'")
        told = commission.statements(tx, actor, period, agent)
        name = f"commission-{period.name}" + (f"-{told[0].agent}" if agent else "")
        report = commission.report(tx, actor, period, agent)
        written = files.write(report, out / f"{name}.{form}", form)
        beside = None
        if form == "csv" and not agent:
            # CSV has no second sheet: the statements stand in a file of their own; one agent's is the foot.
            statements = files.Report(
                f"{report.title}: statements", report.summary_columns, report.summary, facts=report.facts
            )
            beside = files.write(statements, out / f"{name}-statements.csv", form)
    facts = dict(report.facts)
    with transaction() as tx:
        details = {"rows": written.rows, "sha256": written.sha256, "format": form, "agent": agent}
        audit.write(tx, actor, "report.export", f"commission {period.name}", details=details)
    click.echo(f"{written.path}: {counted(written.rows, 'line')}, sha256 {written.sha256}")
    if beside is not None:
        click.echo(f"{beside.path}: {counted(beside.rows, 'statement')}, sha256 {beside.sha256}")
    for column, amount in written.sums.items():
        click.echo(f"  {column}: {amount.show()}")
    for fact in ("held", *commission.TIES, "seal"):
        click.echo(f"  {fact}: {files.plain(facts[fact])}")
    astray = [fact for fact in commission.TIES if facts[fact] != Money(0, USDT)]
    if astray:
        raise Conflict(f"the report of {period.name} does not tie to the ledger ({', '.join(astray)}); see desk verify")
