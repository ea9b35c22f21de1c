"""`desk fees` and `desk plans`: versions proposed by one user, approved by another, withdrawn before they begin."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TextIO

import click

from core.actor import system
from core.commissions import versions, withdrawing
from core.errors import BadInput
from portal.commands.signing import as_user, signed

_START = (
    f"When it comes into force; within {versions.LEAD.seconds} seconds of its approval unless given, and not before"
    " the version before it."
)
_WHY = click.option("--why", required=True, help="The reason, for the audit trail.")


@click.group("fees")
def fees() -> None:
    """Fee schedules: every version stays, and quotes keep the one they were made with."""


@click.group("plans")
def plans() -> None:
    """Commission plans: every version stays, and orders keep the one they were opened with."""


def show(kind: str, as_json: bool) -> None:
    """Show every version, which is in force, and what waits for approval."""
    actor = system("terminal")
    for each in versions.known(actor, kind):
        if as_json:
            click.echo(json.dumps(each._asdict(), default=str))
        else:
            mark = "in force" if each.in_force else "withdrawn" if each.withdrawn_at else ""
            click.echo(f"{each.code:<16}v{each.version:<4}{each.effective_from:%Y-%m-%dT%H:%M:%SZ}  {mark}")
            click.echo(f"    {json.dumps(each.terms)}")
    for asked in versions.waiting(actor, kind):
        said = {"code": asked.subject, "waits": asked.ref, "by": asked.requested_by, **asked.payload}
        told = f"{asked.subject:<16}v{asked.payload['version']:<4}waits for approval: {asked.ref}"
        click.echo(json.dumps(said) if as_json else f"{told}, by {asked.requested_by}: {asked.reason}")


def propose(kind: str, code: str, file: TextIO, start: str, why: str, name: str) -> None:
    """Propose the terms in FILE (JSON) as the next version of CODE; another user approves it."""
    ref = versions.propose(as_user(name), kind, code, read_terms(file), why, start=_moment(start))
    click.echo(f"{ref}\n  waits for another user: approve it with this reference")


def approve(kind: str, ref: str, refuse: bool, why: str, name: str) -> None:
    """Approve another user's proposal REF, or turn it down."""
    done = versions.decide(as_user(name), ref, not refuse, why, kind=kind)
    if done.version is None:
        click.echo(f"{ref} is turned down; nothing has changed")
    else:
        click.echo(f"{done.code} v{done.version} is in force from {done.effective_from:%Y-%m-%dT%H:%M:%SZ} on")


def withdraw(kind: str, code: str, version: int, why: str, name: str) -> None:
    """Withdraw VERSION (a number) of CODE before it begins: by who proposed it or who approved it."""
    withdrawing.withdraw(as_user(name), kind, code, version, why)
    click.echo(f"{code} v{version} is withdrawn: it never comes into force")


def read_terms(file: TextIO) -> dict[str, Any]:
    """Return the terms a file holds as JSON. Raises BadInput."""
    try:
        terms = json.loads(file.read())
    except ValueError as error:
        raise BadInput(f"the file is no JSON: {error}", field="terms") from error
    if not isinstance(terms, dict):
        raise BadInput("terms are one JSON object", field="terms")
    return terms


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput("say the moment such as 2026-12-01T00:00:00Z", field="effective_from") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _fill(group: click.Group, kind: str) -> None:
    """Give a group its four commands."""

    @group.command("list", help=show.__doc__)
    @click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    def _show(as_json: bool) -> None:
        show(kind, as_json)

    @group.command("propose", help=propose.__doc__)
    @click.argument("code")
    @click.argument("file", type=click.File(encoding="utf-8"))
    @click.option("--from", "start", default="", help=_START)
    @_WHY
    @signed
    def _propose(code: str, file: TextIO, start: str, why: str, name: str) -> None:
        propose(kind, code, file, start, why, name)

    @group.command("approve", help=approve.__doc__)
    @click.argument("ref")
    @click.option("--refuse", is_flag=True, help="Turn it down instead.")
    @_WHY
    @signed
    def _approve(ref: str, refuse: bool, why: str, name: str) -> None:
        approve(kind, ref, refuse, why, name)

    @group.command("withdraw", help=withdraw.__doc__)
    @click.argument("code")
    @click.argument("version", type=int)
    @_WHY
    @signed
    def _withdraw(code: str, version: int, why: str, name: str) -> None:
        withdraw(kind, code, version, why, name)


_fill(fees, versions.FEES)
_fill(plans, versions.PLAN)
