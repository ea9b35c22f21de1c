"""Accounts: check a password in constant time, change it, switch on or off; changes end sessions."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from flask_babel import gettext as _
from werkzeug.security import check_password_hash, generate_password_hash

from core import audit, clock
from core.actor import Right, Scope
from core.db import reading, transaction
from core.errors import BadInput, Barred, Conflict, Forbidden, NotFound
from core.parties import keys
from portal.roles import ROLES
from portal.security.lockout import DAY, admit, admit_own, forgotten, lift, succeeded
from portal.security.sessions import end_all
from portal.standing_words import told

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction

SHORTEST = 12
LONGEST = 256
# A hash nobody's password fits: unknown names cost as much time as known ones.
_NOBODY = generate_password_hash(secrets.token_urlsafe(32))


class Account(NamedTuple):
    """One user as the users screen shows it."""

    id: int
    username: str
    name: str
    email: str
    active: bool
    role: str
    party: str
    last_sign_in: datetime | None
    open_sessions: int
    failed_tries: int
    """Failed tries of the last day that still slow down who tries next."""


class SignedIn(NamedTuple):
    """A user whose password was right."""

    id: int
    password_hash: str
    role: str


_ACCOUNTS = """
select u.id, u.username, u.first_name || ' ' || u.last_name, u.email, coalesce(u.active, false),
       coalesce((select string_agg(r.name, ', ') from ab_user_role ur join ab_role r on r.id = ur.role_id
                 where ur.user_id = u.id), ''),
       coalesce(p.code, ''),
       (select max(at) from login_attempt a where a.user_id = u.id and a.succeeded),
       (select count(*) from portal_session s where s.user_id = u.id and s.ended_at is null
        and s.ends_at > now()),
       (select count(*) from login_attempt a where a.account = lower(u.username) and not a.succeeded
        and not a.lifted and a.at > %(since)s)
from ab_user u left join user_party up on up.user_id = u.id left join party p on p.id = up.party_id
"""


def accounts() -> list[Account]:
    """Return every account, by name."""
    with reading() as tx:
        rows = tx.raw.execute(_ACCOUNTS + " order by u.username", {"since": clock.now() - DAY}).fetchall()
    return [Account(*row) for row in rows]


def account(user_id: int) -> Account:
    """Return one account; refuse with `not_found`."""
    with reading() as tx:
        facts = {"since": clock.now() - DAY, "id": user_id}
        rows = tx.raw.execute(_ACCOUNTS + " where u.id = %(id)s", facts).fetchall()
    if not rows:
        raise NotFound(_("There is no such user."), user_id=user_id)
    return Account(*rows[0])


def sign_in(username: str, password: str, *, ip: str, agent: str, device: str = "") -> SignedIn | None:
    """Return the user if the password is right, None otherwise, in the same time for unknown names.

    `device` is the number of a device known for the account. Refuses with `too_many` who has to wait, and with
    `barred` whoever has the right password and acts for a party that is barred: as its API keys are refused. An
    account must be active and have exactly one role of `portal.roles`.
    """
    attempt = admit(username, ip, agent, device)
    with reading() as tx:
        found = tx.rows(
            "select u.id, u.password, u.active, (select array_agg(r.name) from ab_user_role ur "
            "join ab_role r on r.id = ur.role_id where ur.user_id = u.id), (select b.kind from user_party p "
            "join party b on b.id = p.party_id where p.user_id = u.id and b.state = 'barred') "
            "from ab_user u where lower(u.username) = %s",
            (attempt.account,),
        )
    user_id, kept, active, roles, barred = found[0] if len(found) == 1 else (0, "", False, [], None)
    fits = check_password_hash(kept or _NOBODY, password[:LONGEST])
    if not (fits and kept and active and len(roles or ()) == 1 and roles[0] in ROLES):
        return None
    if barred is not None:
        raise Barred(" ".join(told(Scope(barred), "barred")))
    succeeded(attempt, user_id)
    return SignedIn(user_id, kept, roles[0])


def check_new_password(username: str, password: str) -> None:
    """Refuse a password that is short, very long, or holds the user's name, with `bad_input`."""
    if len(password) < SHORTEST:
        raise BadInput(_("A password needs at least %(n)s characters.", n=SHORTEST))
    if len(password) > LONGEST:
        raise BadInput(_("A password has at most %(n)s characters.", n=LONGEST))
    if username.lower() in password.lower() or len(set(password)) < SHORTEST // 3:
        raise BadInput(_("That password is too easy to guess: it holds the user name or few different characters."))


def change_password(actor: Actor, current: str, fresh: str, *, session_id: int, ip: str, agent: str) -> SignedIn:
    """Set the actor's own password, given the present one; every session of the account ends.

    Refuses a weak new password, and a wrong present one with `forbidden`; only that counts as a failed try,
    and only in this session.
    """
    check_new_password(actor.name, fresh)
    attempt = admit_own(actor.name, session_id, ip, agent)
    with reading() as tx:
        kept = tx.call("select password from ab_user where id = %s", (actor.user_id,))
    if not check_password_hash(kept or _NOBODY, current[:LONGEST]):
        raise Forbidden(_("The present password is not right."))
    forgotten(attempt)
    if check_password_hash(kept, fresh):
        raise BadInput(_("The new password is the old one."))
    with transaction() as tx:
        hashed = _store(tx, actor.user_id or 0, fresh, must_change=False)
        audit.write(tx, actor, "user.password_changed", actor.name)
    return SignedIn(actor.user_id or 0, hashed, actor.role)


def reset_password(actor: Actor, user_id: int) -> str:
    """Give a user a random password to be changed at the next sign-in; return it, to be shown once."""
    actor.must(Right.MANAGE_USERS)
    target = _other(actor, user_id)
    fresh = secrets.token_urlsafe(15)
    with transaction() as tx:
        _store(tx, user_id, fresh, must_change=True)
        tries = lift(tx, target.username)
        audit.write(tx, actor, "user.password_reset", target.username, details={"failed_tries_lifted": tries})
    return fresh


def unlock(actor: Actor, user_id: int) -> int:
    """Let a user's tries to sign in start anew, from every address; return how many had failed within a day."""
    actor.must(Right.MANAGE_USERS)
    target = _other(actor, user_id)
    with transaction() as tx:
        tries = lift(tx, target.username)
        audit.write(tx, actor, "user.unlocked", target.username, details={"failed_tries_lifted": tries})
    return tries


def _store(tx: Transaction, user_id: int, password: str, *, must_change: bool) -> str:
    hashed = generate_password_hash(password)
    tx.run("update ab_user set password = %s where id = %s", (hashed, user_id))
    tx.run(
        "insert into portal_user (user_id, language, theme, density, zone, must_change_password) "
        "values (%s, '', 'system', 'comfortable', 'UTC', %s) "
        "on conflict (user_id) do update set must_change_password = excluded.must_change_password",
        (user_id, must_change),
    )
    end_all(tx, user_id, "password changed")
    return hashed


def set_active(actor: Actor, user_id: int, *, active: bool) -> int:
    """Switch an account on or off (its sessions end). One's own and the last administrator stay on.

    Returns how many API keys go on working for the party of an account switched off: they are not the person's.
    """
    actor.must(Right.MANAGE_USERS)
    target = _other(actor, user_id)
    with transaction() as tx:
        admins = tx.rows(
            "select u.id from ab_user u join ab_user_role ur on ur.user_id = u.id "
            "join ab_role r on r.id = ur.role_id where r.name = 'admin' and u.active "
            "order by u.id for update of u",
        )
        if not active and [row[0] for row in admins] == [user_id]:
            raise Conflict(_("The last active administrator cannot be switched off."))
        tx.run("update ab_user set active = %s where id = %s", (active, user_id))
        if not active:
            end_all(tx, user_id, "account switched off")
        audit.write(tx, actor, "user.activated" if active else "user.deactivated", target.username)
        return 0 if active else keys.alive(tx, user_id)


def _other(actor: Actor, user_id: int) -> Account:
    if actor.user_id == user_id:
        raise Conflict(_("Somebody else must do this for your account."))
    return account(user_id)


def save_taste(user_id: int, **changes: str) -> None:
    """Keep language, theme, density or time zone of a user; the caller has checked the values."""
    with transaction() as tx:
        tx.run(
            "insert into portal_user (user_id, language, theme, density, zone, must_change_password) "
            "values (%(id)s, coalesce(%(language)s, ''), coalesce(%(theme)s, 'system'), "
            "coalesce(%(density)s, 'comfortable'), coalesce(%(zone)s, 'UTC'), false) "
            "on conflict (user_id) do update set language = coalesce(%(language)s, portal_user.language), "
            "theme = coalesce(%(theme)s, portal_user.theme), "
            "density = coalesce(%(density)s, portal_user.density), "
            "zone = coalesce(%(zone)s, portal_user.zone)",
            {"id": user_id, "language": None, "theme": None, "density": None, "zone": None} | changes,
        )


def latest_tries(actor: Actor, limit: int = 8) -> list[tuple[datetime, str, bool]]:
    """Return the latest tries to sign in to the actor's account: when, from where, whether it worked."""
    with reading() as tx:
        return tx.rows(
            "select at, ip, succeeded from login_attempt where account = %s order by at desc limit %s",
            (actor.name.lower(), limit),
        )


def since_last_time(actor: Actor) -> tuple[datetime | None, int]:
    """Return when the account was signed in to before this session, and how many tries failed since then."""
    with reading() as tx:
        earlier = tx.rows(
            "select at from login_attempt where account = %s and succeeded order by at desc limit 2",
            (actor.name.lower(),),
        )
        last = earlier[1][0] if len(earlier) > 1 else None
        failed = tx.call(
            "select count(*) from login_attempt where account = %s and not succeeded "
            "and at > coalesce(%s::timestamptz, '-infinity')",
            (actor.name.lower(), last),
        )
    return last, int(failed)
