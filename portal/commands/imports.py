"""`desk import`: past orders from a file into the database."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from core.simulator.history import Counts, import_history
from core.simulator.settling import settle


@click.group("import")
def command() -> None:
    """Read files into the database; running the same file again changes nothing."""


@command.command("history")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rejects", type=click.Path(path_type=Path), help="Where bad rows go instead of FILE.rejects.csv.")
def history(file: Path, rejects: Path | None) -> None:
    """Bring past orders in from a CSV file, gzip or not; good rows go in, bad ones are written aside."""
    bad = rejects or file.with_name(f"{file.name}.rejects.csv")
    counts = import_history(file, rejects=bad, told=_progress)
    if counts.added:
        settle()
    click.echo(
        f"read {counts.read:,}: added {counts.added:,}, known already {counts.known:,}, rejected {counts.rejected:,}"
    )
    if counts.rejected:
        why = ", ".join(f"{code} {n:,}" for code, n in sorted(counts.reasons.items()))
        click.echo(f"rejected rows, with line numbers and reasons, are in {bad} ({why})", err=True)
    if counts.read and not counts.added + counts.known:
        click.echo("desk: no row of this file could be read [bad_input]", err=True)
        sys.exit(1)


def _progress(counts: Counts) -> None:
    """Show how far it is, to people only."""
    if sys.stderr.isatty():
        click.echo(f"\r{counts.read:,} rows read, {counts.added:,} added ", nl=False, err=True)
