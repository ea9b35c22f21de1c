"""`desk rules`: versions of the risk rules, drafted by one officer and put in force by another."""

from __future__ import annotations

import json
from typing import TextIO

import click

from core.actor import system
from core.risk import rulesets
from portal.commands.signing import as_user, signed
from portal.commands.versions import read_terms

_WHY = click.option("--why", required=True, help="The reason, for the audit trail.")


@click.group("rules")
def command() -> None:
    """Risk rules: every version stays, and each evaluation keeps the one it was judged by."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show(as_json: bool) -> None:
    """Show every version, which is active, who drafted it and who put it in force."""
    for each in rulesets.known(system("terminal")):
        if as_json:
            click.echo(json.dumps(each._asdict(), default=str))
        else:
            by = f"by {each.requested_by}" + (f", approved by {each.approved_by}" if each.approved_by else "")
            click.echo(f"v{each.version:<5}{each.state:<9}{each.effective_from:%Y-%m-%dT%H:%M:%SZ}  {each.ref}  {by}")


@command.command("draft")
@click.argument("file", type=click.File(encoding="utf-8"))
@_WHY
@signed
def draft(file: TextIO, why: str, name: str) -> None:
    """Draft the next version: FILE (JSON) holds what differs from the product's defaults. Prints its ref."""
    given = read_terms(file)
    click.echo(f"{rulesets.draft(as_user(name), given, why)}\n  is a draft: another officer puts it in force")


@command.command("activate")
@click.argument("ref")
@_WHY
@signed
def activate(ref: str, why: str, name: str) -> None:
    """Put another officer's draft in force now."""
    click.echo(f"version {rulesets.activate(as_user(name), ref, why)} is in force")
