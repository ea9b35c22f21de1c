"""Lockout by account and by address, over every way to sign in; a try is noted before it is checked."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from flask_babel import gettext as _

from core import clock
from core.db import transaction
from core.errors import TooMany

WINDOW = timedelta(minutes=15)
ACCOUNT_TRIES = 5
"""Failed tries for one account name, known or not, within the window since its last success."""
ADDRESS_TRIES = 40
"""Failed tries from one address within the window; an office behind one address shares it."""

_COUNT = """
select
  (select count(*) from login_attempt a where a.account = %(account)s and not a.succeeded and a.at > %(since)s
     and a.at > coalesce((select max(s.at) from login_attempt s
                          where s.account = %(account)s and s.succeeded and s.at > %(since)s), '-infinity')),
  (select count(*) from login_attempt a where a.ip = %(ip)s and not a.succeeded and a.at > %(since)s),
  (select min(a.at) from (select at from login_attempt where account = %(account)s and not succeeded
     and at > %(since)s order by at desc limit %(tries)s) a)
"""


class Try(NamedTuple):
    """A try to sign in that has been counted."""

    id: int
    account: str


def admit(account: str, ip: str, agent: str) -> Try:
    """Count a try and return it; refuse with `too_many` when account or address has used up its tries.

    The row is there before the password is looked at, and tries for one account wait for each other, so a
    hundred at once get no more guesses than five in a row.
    """
    name = account.strip().lower()[:128]
    now = clock.now()
    with transaction() as tx:
        tx.raw.execute("select pg_advisory_xact_lock(hashtextextended('login ' || %s, 0))", (name,))
        facts = {"account": name, "ip": ip, "since": now - WINDOW, "tries": ACCOUNT_TRIES}
        row = tx.raw.execute(_COUNT, facts).fetchone()
        by_account, by_ip, oldest = row or (0, 0, None)
        refused = by_account >= ACCOUNT_TRIES or by_ip >= ADDRESS_TRIES
        number = 0
        if not refused:
            number = tx.call(
                "insert into login_attempt (at, account, ip, agent, succeeded) "
                "values (%s, %s, %s, %s, false) returning id",
                (now, name, ip, agent[:200]),
            )
    if refused:
        until = (oldest or now) + WINDOW
        wait = max(1, -(-int((until - now).total_seconds()) // 60))
        raise TooMany(_("Too many tries. Wait %(minutes)s minutes, then try again.", minutes=wait), minutes=wait)
    return Try(number, name)


def succeeded(attempt: Try, user_id: int) -> None:
    """Mark the try as the one that got in; the account's count starts anew."""
    with transaction() as tx:
        tx.run("update login_attempt set succeeded = true, user_id = %s where id = %s", (user_id, attempt.id))
