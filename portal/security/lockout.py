"""How often a password may be tried: lanes that keep guessing slow and never shut the owner out.

A try from a device the account has used before runs in that device's own lane. All other tries share three
limits: those of account and address together, those of the address, and a wait that doubles with each failure
of the account. A try is noted before it is checked. Why so: docs/decisions/0010.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from flask_babel import ngettext

from core import clock
from core.db import transaction
from core.errors import TooMany

if TYPE_CHECKING:
    from core.db import Transaction

WINDOW = timedelta(minutes=15)
PAIR_TRIES = 5
"""Failed tries for one account name, known or not, from one address within the window."""
ADDRESS_TRIES = 40
"""Failed tries from one address within the window, whatever the names; an office behind one address shares it."""

DAY = timedelta(days=1)
DEVICE_TRIES = 5
"""Failed tries of a known device within a day; then it is treated as a stranger's."""
FREE_TRIES = 10
"""Failed tries of strangers for one account within a day before each further one has to wait."""
LONGEST_WAIT = timedelta(minutes=15)
"""The wait doubles from one second up to this: about a hundred guesses a day, from however many addresses."""

_STRANGERS = """
select
  (select count(*) from login_attempt where account = %(account)s and network = %(network)s and device = ''
     and not succeeded and not lifted and at > %(window)s),
  (select min(at) from (select at from login_attempt where account = %(account)s and network = %(network)s
     and device = '' and not succeeded and not lifted and at > %(window)s order by at desc limit %(pair)s) a),
  (select count(*) from login_attempt where network = %(network)s and device = '' and not succeeded
     and at > %(window)s),
  (select min(at) from (select at from login_attempt where network = %(network)s and device = ''
     and not succeeded and at > %(window)s order by at desc limit %(address)s) a),
  (select count(*) from login_attempt where account = %(account)s and device = '' and not succeeded
     and not lifted and at > %(day)s),
  (select max(at) from login_attempt where account = %(account)s and device = '' and not succeeded
     and not lifted and at > %(day)s)
"""
_OF_LANE = """
select count(*), min(at) from (select at from login_attempt where account = %s and device = %s
  and not succeeded and not lifted and at > %s order by at desc limit %s) a
"""


class Try(NamedTuple):
    """A try to sign in that has been counted."""

    id: int
    account: str
    device: str


def network(ip: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that one subscriber of IPv6 has."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ip[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


def wait_after(failures: int) -> timedelta:
    """Return how long strangers wait for an account after so many failures within a day."""
    if failures < FREE_TRIES:
        return timedelta()
    return min(timedelta(seconds=2 ** min(failures - FREE_TRIES, 20)), LONGEST_WAIT)


def admit(account: str, ip: str, agent: str, device: str = "") -> Try:
    """Count a try to sign in and return it; refuse with `too_many`, which says until when.

    `device` is the number of a device known for this account, else nothing. The row is there before the
    password is looked at, and tries that share a limit wait for each other, so a hundred at once get no more
    guesses than as many in a row.
    """
    name = account.strip().lower()[:128]
    with transaction() as tx:
        if device:
            _turn(tx, f"{name} {device}")
            failures, _oldest = _lane(tx, name, device, clock.now() - DAY, DEVICE_TRIES)
            if failures < DEVICE_TRIES:
                return Try(_note(tx, name, ip, agent, device), name, device)
        _turn(tx, name)
        _turn(tx, network(ip))  # always after the account's: two tries never wait for each other crosswise
        now = clock.now()  # once it is this try's turn
        until = _strangers_wait(tx, name, network(ip), now)
        if until <= now:
            return Try(_note(tx, name, ip, agent, ""), name, "")
    raise _too_many(until, now)


def admit_own(account: str, session_id: int, ip: str, agent: str) -> Try:
    """Count a try of somebody signed in to give the present password; refuse with `too_many`.

    Each session has its own lane: wrong words here never keep anybody from signing in.
    """
    name, lane = account.strip().lower()[:128], f"session {session_id}"
    with transaction() as tx:
        _turn(tx, f"{name} {lane}")
        now = clock.now()
        failures, oldest = _lane(tx, name, lane, now - WINDOW, PAIR_TRIES)
        if failures < PAIR_TRIES or oldest is None:
            return Try(_note(tx, name, ip, agent, lane), name, lane)
    raise _too_many(oldest + WINDOW, now)


def _turn(tx: Transaction, word: str) -> None:
    tx.raw.execute("select pg_advisory_xact_lock(hashtextextended('login ' || %s, 0))", (word,))


def _lane(tx: Transaction, account: str, device: str, since: datetime, most: int) -> tuple[int, datetime | None]:
    rows = tx.rows(_OF_LANE, (account, device, since, most))
    return int(rows[0][0]), rows[0][1]


def _strangers_wait(tx: Transaction, account: str, net: str, now: datetime) -> datetime:
    """Return until when nobody unknown may try this account from there; `now` when the way is free."""
    facts = {"account": account, "network": net, "window": now - WINDOW, "day": now - DAY}
    row = tx.raw.execute(_STRANGERS, facts | {"pair": PAIR_TRIES, "address": ADDRESS_TRIES}).fetchone()
    pair, pair_oldest, address, address_oldest, failures, latest = row or (0, None, 0, None, 0, None)
    waits = [now]
    if pair >= PAIR_TRIES:
        waits.append(pair_oldest + WINDOW)
    if address >= ADDRESS_TRIES:
        waits.append(address_oldest + WINDOW)
    if failures >= FREE_TRIES:
        waits.append(latest + wait_after(failures))
    return max(waits)


def _note(tx: Transaction, account: str, ip: str, agent: str, device: str) -> int:
    return int(
        tx.call(
            "insert into login_attempt (at, account, ip, network, agent, device, succeeded) "
            "values (%s, %s, %s, %s, %s, %s, false) returning id",
            (clock.now(), account, ip[:64], network(ip), agent[:200], device),
        )
    )


def _too_many(until: datetime, now: datetime) -> TooMany:
    seconds = max(1, -int((now - until).total_seconds() // 1))
    if seconds < 60:  # noqa: PLR2004 - a minute
        said = ngettext(
            "Too many tries. Wait %(num)s second, then try again.",
            "Too many tries. Wait %(num)s seconds, then try again.",
            seconds,
        )
    else:
        said = ngettext(
            "Too many tries. Wait %(num)s minute, then try again.",
            "Too many tries. Wait %(num)s minutes, then try again.",
            -(-seconds // 60),
        )
    return TooMany(said, retry_after=seconds, until=until)


def succeeded(attempt: Try, user_id: int) -> None:
    """Mark the try as the one that got in; its own lane starts anew, the strangers' only if it was one of them."""
    with transaction() as tx:
        tx.run("update login_attempt set succeeded = true, user_id = %s where id = %s", (user_id, attempt.id))
        tx.run(
            "update login_attempt set lifted = true where account = %s and device = %s and not succeeded"
            " and not lifted and at > %s",
            (attempt.account, attempt.device, clock.now() - DAY),
        )


def forgotten(attempt: Try) -> None:
    """Take back a try that gave the right present password: it is no sign-in, and no failure."""
    with transaction() as tx:
        tx.run("delete from login_attempt where id = %s", (attempt.id,))


def lift(tx: Transaction, account: str) -> int:
    """Let an account's tries start anew, within the change of who lifts them; return how many had failed."""
    return tx.run(
        "update login_attempt set lifted = true where account = %s and not succeeded and not lifted and at > %s",
        (account.strip().lower(), clock.now() - DAY),
    )
