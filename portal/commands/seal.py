"""`desk seal`: seal what is new in journal and audit now, or write the heads of the chains out."""

from __future__ import annotations

import json
from pathlib import Path

import click

from core.db import reading
from core.ledger import seal
from portal.counted import counted


@click.group("seal")
def command() -> None:
    """Seal the journal and the audit trail, or export the heads of their chains."""


@command.command("advance")
def advance() -> None:
    """Seal every row whose transaction has ended and anchor the heads (the schedule does this by itself)."""
    click.echo(f"{counted(seal.advance(), 'row')} sealed")


@command.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Append to this file.")
def export(out: Path | None) -> None:
    """Write the heads as JSON lines, to keep where the database's keepers cannot write."""
    with reading() as tx:
        lines = "".join(json.dumps({"ledger": seal.ledger_name(), **head._asdict()}) + "\n" for head in seal.heads(tx))
    if out is None:
        click.echo(lines, nl=False)
        return
    with out.open("a", encoding="utf-8") as file:
        file.write(lines)
