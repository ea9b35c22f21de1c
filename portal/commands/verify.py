"""`desk verify`: every invariant, checked on the whole database; the first bad row of each is named."""

from __future__ import annotations

import json
import sys

import click

from core import verify
from portal.counted import counted


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def command(as_json: bool) -> None:
    """Check every invariant. Exit status 0: all hold; 1: at least one is broken, its rows are named."""
    findings = verify.run()
    whole = all(finding.holds for finding in findings)
    if as_json:
        rows = [
            {
                "invariant": finding.invariant,
                "title": finding.title,
                "holds": finding.holds,
                "checked": finding.checked,
                "count": finding.total,
                "breaks": finding.breaks,
            }
            for finding in findings
        ]
        click.echo(json.dumps({"holds": whole, "findings": rows}, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            _show(finding)
        for invariant, why in verify.ELSEWHERE.items():
            click.echo(f"{invariant:>4} -      {why}")
        click.echo("all invariants hold" if whole else "BROKEN: the rows above need a person")
    sys.exit(0 if whole else 1)


def _show(finding: verify.Finding) -> None:
    state = "ok    " if finding.holds else "BROKEN"
    looked = f"{counted(finding.checked, 'row')} looked at" if finding.checked else "nothing of the kind is there yet"
    click.echo(f"{finding.invariant:>4} {state} {finding.title} ({looked})")
    for words in finding.breaks:
        click.echo(f"            {words}")
    if finding.total > len(finding.breaks):
        click.echo(f"            … and {finding.total - len(finding.breaks):,} more")
