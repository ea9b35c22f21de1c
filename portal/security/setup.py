"""Set up Flask-AppBuilder's tables, the seven roles and accounts; run by `desk init`, safe to run twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_appbuilder import Model
from flask_appbuilder.security.sqla import models as _fab_models  # noqa: F401 - registers the ab_* tables
from werkzeug.security import check_password_hash, generate_password_hash

from core import db
from core.errors import BadInput
from portal.roles import PARTY_SCOPES, ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.db import Transaction

LOCK = "desk init: accounts"


def set_up() -> None:
    """Create what is missing of the ab_* tables and the roles; a user has at most one role from now on.

    Several processes may do this at once: an advisory lock lets one through at a time.
    """
    with db.transaction() as tx:
        tx.call("select pg_advisory_xact_lock(hashtextextended(%s, 0))::text", (LOCK,))
        Model.metadata.create_all(tx.connection)
        tx.run("create unique index if not exists ab_user_one_role on ab_user_role (user_id)")
        tx.run("create unique index if not exists ab_user_username_lower on ab_user (lower(username))")
        for name in ROLES:
            tx.run(
                "insert into ab_role (id, name) values (nextval('ab_role_id_seq'), %s) on conflict (name) do nothing",
                (name,),
            )


def ensure_user(
    username: str,
    role: str,
    password: str,
    *,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    party_id: int | None = None,
) -> int:
    """Create the user if the name is new, else leave its password alone; return its number.

    A role of a party needs `party_id`. Refuses unknown roles and missing parties with `bad_input`.
    """
    if role not in ROLES:
        raise BadInput(f"'{role}' is not a role; roles are {', '.join(ROLES)}", role=role)
    if (ROLES[role].scope in PARTY_SCOPES) != (party_id is not None):
        raise BadInput(f"a user with role {role} and party {party_id} does not fit", role=role)
    with db.transaction() as tx:
        known = tx.call("select id from ab_user where lower(username) = lower(%s)", (username,))
        if known is not None:
            return int(known)
        return insert_user(
            tx, username, role, password, first_name=first_name, last_name=last_name, email=email, party_id=party_id
        )


def insert_user(
    tx: Transaction,
    username: str,
    role: str,
    password: str,
    *,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    party_id: int | None = None,
) -> int:
    """Store a new user within the caller's transaction; return its number."""
    number = tx.call(
        "insert into ab_user (id, username, first_name, last_name, email, active, password, created_on) "
        "values (nextval('ab_user_id_seq'), %s, %s, %s, %s, true, %s, now()) returning id",
        (
            username,
            first_name or username.capitalize(),
            last_name,
            email or f"{username}@desk.invalid",
            generate_password_hash(password),
        ),
    )
    give(tx, number, role, party_id)
    return int(number)


def give(tx: Transaction, number: int, role: str, party_id: int | None) -> None:
    """Give a user who has none a role, and the party it acts for."""
    tx.run(
        "insert into ab_user_role (id, user_id, role_id) "
        "select nextval('ab_user_role_id_seq'), %s, id from ab_role where name = %s",
        (number, role),
    )
    if party_id is not None:
        tx.run("insert into user_party (user_id, party_id) values (%s, %s)", (number, party_id))


def with_password(password: str, names: Iterable[str]) -> list[str]:
    """Return who of these users is active and has that password."""
    with db.reading() as tx:
        rows = tx.rows(
            "select username, password from ab_user where active and lower(username) = any(%s) order by username",
            (list(names),),
        )
    return [name for name, kept in rows if kept and check_password_hash(kept, password)]
