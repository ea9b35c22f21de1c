"""Acting at the terminal as a user of one's own: for what two people must agree on, each signs with the password."""

from __future__ import annotations

import sys

import click

from core.actor import Actor
from core.db import reading
from core.errors import Forbidden, NotSignedIn
from portal.roles import ROLES
from portal.security import accounts, enrolling

signed = click.option(
    "--as", "name", required=True, metavar="NAME", help="The user who says so; the password is asked for, or stdin's."
)


def as_user(name: str) -> Actor:
    """Return the actor of a user who gives the password; a one-time password is none to sign with.

    Raises NotSignedIn, TooMany when too many were wrong, Barred or Forbidden for who acts for a party.
    """
    password = click.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    found = accounts.sign_in(name, password, ip="terminal", agent="desk")
    if found is None:
        raise NotSignedIn("user name or password is not right, or the account is switched off")
    with reading() as tx:
        once = tx.call("select must_change_password from portal_user where user_id = %s", (found.id,))
    if once:
        raise Forbidden("this is a one-time password: sign in to the portal and choose your own first")
    role = ROLES[found.role]
    return Actor(
        name=enrolling.named(name).username, role=found.role, scope=role.scope, user_id=found.id, rights=role.rights
    )
