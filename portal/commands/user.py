"""`desk user`: who may sign in and as what, from the machine's own terminal; every change is in the audit trail."""

from __future__ import annotations

import json
import sys

import click

from core.actor import system
from core.errors import BadInput
from portal.roles import ROLES
from portal.security import accounts, enrolling

_ROLE = click.Choice(list(ROLES))
_PARTY = click.option("--party", default="", metavar="REF", help="Whom the user acts for: ref or code.")
_TYPED = click.option("--password-stdin", "typed", is_flag=True, help="Read the password from stdin, or ask for it.")


@click.group("user")
def command() -> None:
    """Make users, give roles, reset passwords; the user's sessions end with each change."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show(as_json: bool) -> None:
    """Show every user: role, party, whether it may sign in, when it last did."""
    for each in accounts.accounts():
        last = f"{each.last_sign_in:%Y-%m-%dT%H:%M:%SZ}" if each.last_sign_in else ""
        if as_json:
            facts = {"user": each.username, "role": each.role, "party": each.party, "active": each.active}
            click.echo(json.dumps(facts | {"last_sign_in": last, "open_sessions": each.open_sessions}))
        else:
            state = "" if each.active else "  off"
            click.echo(f"{each.username:<24}{each.role or '-':<12}{each.party or '-':<16}{last or 'never'}{state}")


@command.command("new")
@click.argument("name")
@click.option("--role", required=True, type=_ROLE)
@_PARTY
@click.option("--first-name", default="")
@click.option("--last-name", default="")
@click.option("--email", default="")
@_TYPED
def new(name: str, role: str, party: str, typed: bool, **words: str) -> None:
    """Make the user NAME; without --password-stdin a one-time password is made and shown."""
    password = _read() if typed else ""
    _tell(name, enrolling.enrol(system("terminal"), name, role, party=party, password=password, **words), typed)


@command.command("role")
@click.argument("name")
@click.argument("role", type=_ROLE)
@_PARTY
def role(name: str, role: str, party: str) -> None:
    """Give the user NAME the one role ROLE."""
    enrolling.give_role(system("terminal"), name, role, party=party)
    click.echo(f"{name} is {role} now; its sessions have ended")


@command.command("password")
@click.argument("name")
@_TYPED
def password(name: str, typed: bool) -> None:
    """Give the user NAME another password; without --password-stdin a one-time one is made and shown."""
    _tell(name, enrolling.renew_password(system("terminal"), name, _read() if typed else ""), typed)


@command.command("deactivate")
@click.argument("name")
def deactivate(name: str) -> None:
    """Let the user NAME sign in no more; its sessions end."""
    left = accounts.set_active(system("terminal"), enrolling.named(name).id, active=False)
    click.echo(f"{name} is switched off; its sessions have ended")
    if left:
        click.echo(
            f"API keys of its party that go on working: {left}; `desk key list` names them, `desk key end` ends one"
        )


@command.command("activate")
@click.argument("name")
def activate(name: str) -> None:
    """Let the user NAME sign in again."""
    accounts.set_active(system("terminal"), enrolling.named(name).id, active=True)
    click.echo(f"{name} is switched on")


@command.command("unlock")
@click.argument("name")
def unlock(name: str) -> None:
    """Let the failed tries to sign in as NAME start anew."""
    tries = accounts.unlock(system("terminal"), enrolling.named(name).id)
    click.echo(f"{name}: {tries} failed tries are forgotten")


def _read() -> str:
    """Return the password a person types twice, or the first line of what is piped in. Raises BadInput for none."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise BadInput("there is no password on stdin")
    return line


def _tell(name: str, password: str, typed: bool) -> None:
    if typed:
        click.echo(f"{name} may sign in with that password")
    else:
        click.echo(f"{password}\n  one-time password of {name}: to be changed at sign-in. It is not shown again.")
