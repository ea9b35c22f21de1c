"""Whether an acceptor is there: signs of life of its live page and its API, and what becomes of one that is silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from core import audit, clock, outbox
from core.actor import Right, Scope, system
from core.db import Memory, transaction
from core.parties import acceptors

if TYPE_CHECKING:
    from core.actor import Actor

BEAT_SECONDS: Final = 15
"""So often at most a process writes a sign of life down."""
MOST: Final = 10_000
"""Of how many acceptors a process knows when it wrote theirs down last; whom it has forgotten it writes down again."""

# The strictest of the pools that an acceptor serves says how long it may be silent.
PATIENCE: Final = """
(select min(pool.silent_seconds) from pool_account x join pool on pool.id = x.pool_id
  where x.acceptor_id = a.party_id and x.left_at is null)
"""
_BEAT: Final = """
update acceptor a set beat_at = %(at)s, seen_at = %(at)s, silent = false
  from (select party_id, silent, beat_at from acceptor where party_id = %(id)s for no key update) was
 where a.party_id = was.party_id and (was.beat_at is not null or %(watch)s)
returning was.silent, was.beat_at, (select p.ref from party p where p.id = a.party_id)
"""
_SILENT: Final = f"""
select a.party_id from acceptor a
 where a.online and not a.silent and a.beat_at < %(at)s - make_interval(secs => {PATIENCE}) order by a.party_id
"""  # noqa: S608 - our own words
_HUSH: Final = f"""
update acceptor a set silent = true
 where a.party_id = %(id)s and a.online and not a.silent and a.beat_at < %(at)s - make_interval(secs => {PATIENCE})
returning (select p.ref from party p where p.id = a.party_id)
"""  # noqa: S608 - our own words

_written: Final[Memory[int, datetime]] = Memory(MOST)


def heard(actor: Actor, *, watch: bool) -> datetime | None:
    """The actor's acceptor gives a sign of life; return since when it was silent, where that had taken it out.

    With `watch` it asks for news, as its live page and a program that reads the events do: from then on it is
    expected to ask again. Other calls only keep a watch alive, so that a program which calls nothing but confirmations
    is never taken for silent between two orders. Raises Forbidden.
    """
    actor.must(Right.CONFIRM_RECEIPT)
    if actor.scope is not Scope.ACCEPTOR or actor.party_id is None:
        return None
    now, last = clock.now(), _written.get(actor.party_id)
    if last is not None and timedelta(0) <= now - last < timedelta(seconds=BEAT_SECONDS):
        return None
    with transaction() as tx:
        rows = tx.raw.execute(_BEAT, {"at": now, "id": actor.party_id, "watch": watch}).fetchall()
        since: datetime | None = None
        if rows and rows[0][0]:
            since, ref = rows[0][1], rows[0][2]
            acceptors.sync(tx, actor.party_id)
            audit.write(tx, actor, "acceptor.heard", ref)
            outbox.tell(tx, "acceptor.heard", ref)
    if rows:
        _written.keep(actor.party_id, now)
    return since


def hush() -> int:
    """Take every acceptor out of matching that has been silent for its pools' time; return how many.

    Only who was heard since it went online can be silent: whom nobody has ever heard stays as it said. Open orders go
    on. Safe twice and twice at once.
    """
    now, gone = clock.now(), 0
    with transaction() as tx:
        numbers = [number for (number,) in tx.raw.execute(_SILENT, {"at": now}).fetchall()]
    for number in numbers:
        with transaction() as tx:
            rows = tx.raw.execute(_HUSH, {"at": now, "id": number}).fetchall()
            if not rows:
                continue  # heard, or gone offline, meanwhile
            acceptors.sync(tx, number)
            audit.write(tx, system("presence"), "acceptor.silent", rows[0][0])
            outbox.tell(tx, "acceptor.silent", rows[0][0])
            gone += 1
    return gone
