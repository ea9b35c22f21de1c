"""Idempotency keys: the first answer to a request is stored and given again, whatever happens in between."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from core import vault
from core.db import transaction
from core.errors import KeyReused, StillRunning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

KEPT_HOURS = 48
"""How long an answer is given again; promised are 24 hours."""

DEAD_SECONDS = 60
"""After so long without an end a request is taken for dead, and the next one with its key takes its turn."""

_BEGIN = """
insert into idempotency_key (party_id, key, request, state) values (%s, %s, %s, 'running')
on conflict do nothing returning turn, created_at
"""
_TAKE = """
update idempotency_key set turn = turn + 1, created_at = clock_timestamp()
 where party_id = %s and key = %s returning turn, created_at
"""
_KNOWN = """
select request, state, status, answer, clock_timestamp() - created_at > make_interval(secs => %s)
  from idempotency_key where party_id = %s and key = %s for update
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to answer a key. `again`: the same request died before, maybe after its change was stored."""

    party_id: int
    key: str
    number: int = 1
    again: bool = False
    began: datetime | None = field(default=None, compare=False)
    """When the database says it began: no other turn of the key has this moment, also after the key was removed."""


class Answer(NamedTuple):
    """An answer as it was first given, byte by byte."""

    status: int
    body: bytes


def fingerprint(operation: str, body: Mapping[str, object]) -> bytes:
    """Return what makes two requests the same: the operation and the body, whatever its spaces and order."""
    plain = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(f"{operation}\n{plain}".encode()).digest()


def begin(party_id: int, key: str, request: bytes) -> Turn | Answer:
    """Take the turn of a key, or return the answer that was given to it.

    Raises KeyReused when the key came with another request, also where that one died: its change may have been
    stored, and only the same request finds it again. Raises StillRunning while the first one runs.
    """
    with transaction() as tx:
        begun = tx.rows(_BEGIN, (party_id, key, request))
        if begun:
            [(number, began)] = begun
            return Turn(party_id, key, number, began=began)
        rows = tx.rows(_KNOWN, (DEAD_SECONDS, party_id, key))
        if not rows:  # the first request was undone between the two looks
            raise StillRunning("a request with this Idempotency-Key has just ended; send it again", key=key)
        known, state, status, answer, dead = rows[0]
        if bytes(known) != request:
            raise KeyReused("this Idempotency-Key came with another request; use a new key", key=key)
        if state == "done":
            return Answer(status, vault.open_(bytes(answer)).encode())
        if not dead:
            raise StillRunning("the first request with this Idempotency-Key is still running", key=key)
        [(number, began)] = tx.rows(_TAKE, (party_id, key))
    return Turn(party_id, key, number, again=True, began=began)


def finish(turn: Turn, answer: Answer, *, ref: str = "") -> None:
    """Store the answer; a turn that was taken over meanwhile stores nothing."""
    with transaction() as tx:
        tx.run(
            "update idempotency_key set state = 'done', status = %s, answer = %s, body = %s::jsonb"
            " where party_id = %s and key = %s and turn = %s and state = 'running'",
            (
                answer.status,
                vault.seal(answer.body.decode()),
                json.dumps({"ref": ref} if ref else {}),
                turn.party_id,
                turn.key,
                turn.number,
            ),
        )


def forget(turn: Turn) -> None:
    """Remove the key, as if it had not been used: only where it is certain that nothing has changed by it.

    That is: the request was refused, and no other turn of its key came before it.
    """
    with transaction() as tx:
        tx.run(
            "delete from idempotency_key where party_id = %s and key = %s and turn = %s and state = 'running'",
            (turn.party_id, turn.key, turn.number),
        )


def give_back(turn: Turn) -> None:
    """Let the same request run at once when it comes again: this one broke, and its change may have been stored.

    It may be said again, and late: it is about this one turn and no later one.
    """
    with transaction() as tx:
        tx.run(
            # Dead from now on, and no older than that: `clean` must not take away what the next request has to know.
            "update idempotency_key set created_at = least(created_at, clock_timestamp() - make_interval(secs => %s))"
            " where party_id = %s and key = %s and turn = %s and created_at = %s and state = 'running'",
            (DEAD_SECONDS + 1, turn.party_id, turn.key, turn.number, turn.began),
        )


def clean(limit: int = 10_000) -> int:
    """Remove keys past their time, the oldest first; return how many. Safe twice and twice at once."""
    with transaction() as tx:
        return tx.run(
            "delete from idempotency_key where (party_id, key) in (select party_id, key from idempotency_key"
            " where created_at < clock_timestamp() - make_interval(hours => %s) order by created_at limit %s"
            " for update skip locked)",
            (KEPT_HOURS, limit),
        )
