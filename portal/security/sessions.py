"""Server-side sessions: a random token in the cookie, a row in the database asked at every request."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import current_app, g, request, session

from core import clock
from core.db import reading, transaction
from portal.security.people import Person, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction

TOKEN = "sid"  # noqa: S105 - the name of the cookie's field
LANGUAGE = "lang"
"""The cookie's field with the language that an address asked for."""
API = "/api/"
SEEN_EVERY = timedelta(seconds=60)

# One query a request: the session, the account, its roles (there must be exactly one), its party, its taste.
_WHO = """
select s.id, s.stamp, s.seen_at, s.ends_at, u.id, u.username, u.first_name, u.last_name, u.password,
       (select array_agg(r.name) from ab_user_role ur join ab_role r on r.id = ur.role_id
        where ur.user_id = u.id),
       p.party_id, coalesce(t.language, ''), coalesce(t.theme, 'system'), coalesce(t.density, 'comfortable'),
       coalesce(t.zone, 'UTC'), coalesce(t.must_change_password, false)
from portal_session s
join ab_user u on u.id = s.user_id and u.active
left join user_party p on p.user_id = u.id
left join portal_user t on t.user_id = u.id
where s.token_hash = %s and s.ended_at is null
  and not exists (select 1 from party b where b.id = p.party_id and b.state = 'barred')
"""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def open_session(user_id: int, password_hash: str, role: str, *, ip: str, agent: str) -> None:
    """Begin a session for a user whose password was right; all the cookie held before but the language is dropped."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    ends = now + timedelta(hours=current_app.config["SESSION_HOURS"])
    with transaction() as tx:
        tx.run(
            "insert into portal_session "
            "(user_id, token_hash, stamp, created_at, seen_at, ends_at, ip, agent) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (user_id, _hash(token), stamp(password_hash, role), now, now, ends, ip, agent[:200]),
        )
    language = session.get(LANGUAGE)
    session.clear()
    session[TOKEN] = token
    if language is not None:
        session[LANGUAGE] = language
    forget()


def close_session(why: str = "signed out") -> None:
    """End the session of this request; a copy of its cookie is worth nothing from now on."""
    token = session.get(TOKEN)
    if isinstance(token, str):
        with transaction() as tx:
            tx.run(
                "update portal_session set ended_at = %s, ended_why = %s where token_hash = %s and ended_at is null",
                (clock.now(), why, _hash(token)),
            )
    session.clear()
    forget()


def end_all(tx: Transaction, user_id: int, why: str) -> int:
    """End every open session of a user within the change that causes it; return how many there were."""
    return tx.run(
        "update portal_session set ended_at = %s, ended_why = %s where user_id = %s and ended_at is null",
        (clock.now(), why, user_id),
    )


def forget() -> None:
    """Drop what this request knew about who asks."""
    for name in ("person", "actor", "_login_user"):
        g.pop(name, None)


def current_person() -> Person | None:
    """Return who is signed in, or None. The API's paths never look at the cookie."""
    if "person" not in g:
        g.person = None  # so that a page that says "the database is down" does not ask it again
        if not request.path.startswith(API):
            g.person = _person()
    person: Person | None = g.person
    return person


def _person() -> Person | None:
    token = session.get(TOKEN)
    if not isinstance(token, str) or not token:
        return None
    now = clock.now()
    with reading() as tx:
        found = tx.rows(_WHO, (_hash(token),))
    if not found:
        return None
    number, bound, seen, ends, user_id, username, first, last, password, roles, *rest = found[0]
    idle = timedelta(minutes=current_app.config["SESSION_IDLE_MINUTES"])
    if len(roles or ()) != 1 or not secrets.compare_digest(bytes(bound), stamp(password or "", roles[0])):
        return _over(number, "account changed", now)
    if now >= ends:
        return _over(number, "too old", now)
    if now - seen > idle:
        return _over(number, "idle", now)
    if now - seen > SEEN_EVERY:
        with transaction() as tx:
            tx.run("update portal_session set seen_at = %s where id = %s and seen_at < %s", (now, number, now))
    party, language, theme, density, zone, must_change = rest
    return Person(user_id, username, first, last, roles[0], party, number, language, theme, density, zone, must_change)


def _over(number: int, why: str, now: datetime) -> None:
    with transaction() as tx:
        tx.run(
            "update portal_session set ended_at = %s, ended_why = %s where id = %s and ended_at is null",
            (now, why, number),
        )
