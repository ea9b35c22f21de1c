"""`desk import`: past orders from a file into the database."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import BadInput
from core.simulator.history import Counts, import_history
from core.simulator.settling import settle
from portal.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.group("import")
def command() -> None:
    """Read files into the database; running the same file again changes nothing."""


@command.command("history")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--rejects", type=click.Path(path_type=Path), help="Where bad rows go instead of FILE.rejects.csv.")
def history(file: Path, rejects: Path | None) -> None:
    """Bring past orders in from a CSV file, gzip or not (- is stdin); good rows go in, bad ones are written aside.

    Exit status 1: the file broke off or nothing in it could be read.
    """
    piped = str(file) == "-"
    bad = rejects or (Path("stdin.rejects.csv") if piped else file.parent / f"{file.name}.rejects.csv")
    with _standard_input() if piped else contextlib.nullcontext(file) as path:
        counts = import_history(path, rejects=bad, told=_progress)
    if counts.added:
        settle()
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(
        f"read {counts.read:,}: added {counts.added:,}, known already {counts.known:,}, rejected {counts.rejected:,}"
    )
    if counts.rejected:
        why = ", ".join(f"{code} {n:,}" for code, n in sorted(counts.reasons.items()))
        click.echo(f"rejected rows, with line numbers and reasons, are in {bad} ({why})", err=True)
    if "truncated" in counts.reasons:
        raise BadInput("the file breaks off: the good rows before are in. Get the whole file and run this again")
    if counts.read and not counts.added + counts.known:
        raise BadInput("no row of this file could be read")


@contextlib.contextmanager
def _standard_input() -> Iterator[Path]:
    """Keep what comes on stdin in a file while the block runs: it is read twice."""
    with tempfile.NamedTemporaryFile(prefix="desk-import-") as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        yield Path(kept.name)


def _progress(counts: Counts) -> None:
    """Show how far it is, to people only."""
    if sys.stderr.isatty():
        click.echo(f"\r{counted(counts.read, 'row')} read, {counts.added:,} added ", nl=False, err=True)
