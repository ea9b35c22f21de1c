"""Users made and given their role from the machine's own terminal: no page and no API does any of this."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, NamedTuple

from core import audit, words
from core.actor import Right
from core.db import reading, transaction
from core.errors import AlreadyDone, BadInput, Conflict, NotFound
from core.settings import DEMO_PASSWORD, settings
from portal.roles import PARTY_SCOPES, ROLES
from portal.security import setup
from portal.security.accounts import check_new_password
from portal.security.lockout import lift
from portal.security.sessions import end_all

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,62}[A-Za-z0-9])?")
_MAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_LONGEST_WORDS = 64
_RANDOM_BYTES = 15
_NAMED = """
select u.id, u.username, coalesce(r.name, '') from ab_user u left join ab_user_role ur on ur.user_id = u.id
  left join ab_role r on r.id = ur.role_id where lower(u.username) = lower(%s)
"""
_ONLY_ADMIN = """
select count(*) from ab_user u join ab_user_role ur on ur.user_id = u.id join ab_role r on r.id = ur.role_id
 where r.name = 'admin' and u.active and u.id <> %s
"""


class Target(NamedTuple):
    """A user as it stands."""

    id: int
    username: str
    role: str


def named(username: str) -> Target:
    """Return the user of that name, in any case. Raises NotFound."""
    with reading() as tx:
        rows = tx.rows(_NAMED, (username,))
    if not rows:
        raise NotFound(f"there is no user {username[:64]}", user=username[:64])
    return Target(*rows[0])


def enrol(
    actor: Actor,
    username: str,
    role: str,
    *,
    party: str = "",
    password: str = "",
    first_name: str = "",
    last_name: str = "",
    email: str = "",
) -> str:
    """Make a user and return the password, to be told once; one that was not chosen must be changed at sign-in.

    Raises BadInput for a bad name, role, address or password, NotFound for the party, AlreadyDone for a name in use.
    """
    actor.must(Right.MANAGE_USERS)
    if not _NAME.fullmatch(username):
        raise BadInput("a user name is 1 to 64 letters, digits, dots, dashes, underscores and @", user=username[:64])
    said = {"first_name": first_name, "last_name": last_name}
    said = {field: words.name(text, field, longest=_LONGEST_WORDS) if text else "" for field, text in said.items()}
    email = said["email"] = read_email(email) if email else ""
    fresh = _fitting(username, password)
    with transaction() as tx:
        tx.call("select pg_advisory_xact_lock(hashtextextended(%s, 0))::text", (setup.LOCK,))
        party_id = _party(tx, role, party)
        if tx.call("select 1 from ab_user where lower(username) = lower(%s)", (username,)):
            raise AlreadyDone(f"there is a user {username} already", user=username)
        if email and tx.call("select 1 from ab_user where lower(email) = lower(%s)", (email,)):
            raise AlreadyDone(f"another user has the address {email} already", email=email)
        number = setup.insert_user(tx, username, role, fresh, party_id=party_id, **said)
        _keep(tx, number, must_change=not password)
        audit.write(tx, actor, "user.created", username, details={"role": role, "party": party})
    return fresh


def read_email(text: str) -> str:
    """Return a mail address: one @, a dot in what follows it, nothing blank or hidden. Raises BadInput."""
    address = words.exact(text, "email", longest=_LONGEST_WORDS)
    if not _MAIL.fullmatch(address):
        raise BadInput("email is no mail address such as ana@example.com", field="email")
    return address


def give_role(actor: Actor, username: str, role: str, *, party: str = "") -> None:
    """Give a user its one role, with the party it acts for; its sessions end.

    Raises NotFound, BadInput when role and party do not fit, Conflict for the last administrator.
    """
    actor.must(Right.MANAGE_USERS)
    target = named(username)
    with transaction() as tx:
        tx.call("select pg_advisory_xact_lock(hashtextextended(%s, 0))::text", (setup.LOCK,))
        party_id = _party(tx, role, party)
        if target.role == "admin" and role != "admin" and not tx.call(_ONLY_ADMIN, (target.id,)):
            raise Conflict("the last active administrator keeps that role: make another one first")
        tx.run("delete from ab_user_role where user_id = %s", (target.id,))
        tx.run("delete from user_party where user_id = %s", (target.id,))
        setup.give(tx, target.id, role, party_id)
        end_all(tx, target.id, "role changed")
        details = {"from": target.role, "to": role, "party": party}
        audit.write(tx, actor, "user.role_changed", target.username, details=details)


def renew_password(actor: Actor, username: str, password: str = "") -> str:  # nosec B107 - "" means: make one
    """Give a user another password, return it; the user's sessions and failed tries are over.

    One that was not chosen must be changed at the next sign-in. Raises NotFound, BadInput.
    """
    actor.must(Right.MANAGE_USERS)
    target = named(username)
    fresh = _fitting(target.username, password)
    with transaction() as tx:
        tx.run("update ab_user set password = %s where id = %s", (setup.generate_password_hash(fresh), target.id))
        _keep(tx, target.id, must_change=not password)
        end_all(tx, target.id, "password changed")
        tries = lift(tx, target.username)
        audit.write(tx, actor, "user.password_reset", target.username, details={"failed_tries_lifted": tries})
    return fresh


def _fitting(username: str, password: str) -> str:
    """Return the password, or a random one when none was chosen. Raises BadInput for one that is easy to guess."""
    if not password:
        return secrets.token_urlsafe(_RANDOM_BYTES)
    check_new_password(username, password)
    if settings().production and password == DEMO_PASSWORD:
        raise BadInput("that password is published with the sandbox")
    return password


def _party(tx: Transaction, role: str, party: str) -> int | None:
    """Return the number of the party (ref or code) a user of the role acts for. Raises BadInput, NotFound."""
    if role not in ROLES:
        raise BadInput(f"'{role[:40]}' is not a role; roles are {', '.join(ROLES)}", role=role[:40])
    kind = ROLES[role].scope
    if kind not in PARTY_SCOPES:
        if party:
            raise BadInput(f"a user with role {role} acts for no party", role=role)
        return None
    if not party:
        raise BadInput(f"a user with role {role} acts for a party: name it by --party", role=role)
    found = tx.rows("select id from party where kind = %s and (ref = %s or code = %s)", (kind.value, party, party))
    if not found:
        raise NotFound(f"there is no {kind.value} {party[:40]}", party=party[:40])
    return int(found[0][0])


def _keep(tx: Transaction, user_id: int, *, must_change: bool) -> None:
    tx.run(
        "insert into portal_user (user_id, must_change_password) values (%s, %s)"
        " on conflict (user_id) do update set must_change_password = excluded.must_change_password",
        (user_id, must_change),
    )
