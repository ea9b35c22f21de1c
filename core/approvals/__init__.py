"""Four eyes: one person requests, somebody else approves or refuses, and it is decided once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from core import audit, clock, ids, outbox, words
from core.errors import AlreadyDone, Forbidden, NotFound, WrongState, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction

_LONGEST_WHY = 2000
_COLUMNS = "ref, kind, subject, payload, state, requested_by, requested_at, reason, decided_by, decided_at, decided_why"


class Approval(NamedTuple):
    """A request and what became of it; `state` is waiting, approved, refused or withdrawn."""

    ref: str
    kind: str
    subject: str
    payload: dict[str, Any]
    state: str
    requested_by: str
    requested_at: datetime
    reason: str
    decided_by: str | None
    decided_at: datetime | None
    decided_why: str


def request(
    tx: Transaction,
    actor: Actor,
    kind: str,
    subject: str,
    payload: Mapping[str, object],
    reason: str,
) -> str:
    """Ask for a second pair of eyes; return the request's ref.

    The caller has checked the right to ask. Raises BadInput without a reason, AlreadyDone while a request
    of this kind for this subject waits (fact `request` = its ref).
    """
    why = _said(reason)
    ref = ids.new("apr")
    added = tx.run(
        "insert into approval (ref, kind, subject, payload, requested_by, requested_at, reason)"
        " values (%s, %s, %s, %s::jsonb, %s, %s, %s)"
        " on conflict (kind, subject) where state = 'waiting' do nothing",
        (ref, kind, subject, json.dumps(payload, ensure_ascii=False), actor.name, clock.now(), why),
    )
    if not added:
        first = waiting(tx, kind, subject)
        raise AlreadyDone(
            sentence("a request for this is waiting for a decision already"),
            kind=kind, subject=subject, **({"request": first.ref} if first else {}),
        )  # fmt: skip
    details = {"kind": kind, "subject": subject, "digest": audit.digest(tx, payload)}
    audit.write(tx, actor, "approval.request", ref, reason=why, details=details)
    outbox.tell(tx, "approval.requested", ref, payload={"kind": kind, "subject": subject})
    return ref


def decide(tx: Transaction, actor: Actor, ref: str, approve: bool, why: str) -> Approval:  # noqa: FBT001 - yes or no
    """Approve or refuse a waiting request, once; the caller then carries out what was approved.

    The caller has checked the right to decide. Raises NotFound, WrongState when it was decided before,
    Forbidden (fact `rule` = `four_eyes`) for whoever requested it, BadInput without a reason.
    """
    said = _said(why)
    found = find(tx, ref, lock=True)
    if found.state != "waiting":
        raise WrongState(
            sentence("%(ref)s was %(state)s already", ref=ref, state=found.state), ref=ref, state=found.state
        )
    if found.requested_by == actor.name:
        raise Forbidden(
            sentence("you requested this; somebody else must decide it"),
            rule="four_eyes",
            ref=ref,
            requested_by=found.requested_by,
        )
    return _settle(tx, actor, found, "approved" if approve else "refused", said)


def withdraw(tx: Transaction, actor: Actor, ref: str, why: str) -> Approval:
    """Take back a waiting request of one's own, once: a wrong amount is asked for anew and not approved.

    Raises NotFound, WrongState when it was decided before, Forbidden for another's request, BadInput without a reason.
    """
    said = _said(why)
    found = find(tx, ref, lock=True)
    if found.state != "waiting":
        raise WrongState(
            sentence("%(ref)s was %(state)s already", ref=ref, state=found.state), ref=ref, state=found.state
        )
    if found.requested_by != actor.name:
        raise Forbidden(sentence("only who asked may withdraw a request"), ref=ref, requested_by=found.requested_by)
    return _settle(tx, actor, found, "withdrawn", said)


def find(tx: Transaction, ref: str, *, lock: bool = False) -> Approval:
    """Return the request with that ref, locked if asked. Raises NotFound."""
    rows = tx.rows(f"select {_COLUMNS} from approval where ref = %s{' for update' if lock else ''}", (ref,))  # noqa: S608
    if not rows:
        raise NotFound(sentence("there is no request %(ref)s", ref=ref[:40]), ref=ref[:40])
    return Approval(*rows[0])


def waiting(tx: Transaction, kind: str, subject: str) -> Approval | None:
    """Return the waiting request of that kind for that subject, if any."""
    sql = f"select {_COLUMNS} from approval where kind = %s and subject = %s and state = 'waiting'"  # noqa: S608
    rows = tx.rows(sql, (kind, subject))
    return Approval(*rows[0]) if rows else None


def _said(why: str) -> str:
    return words.reason(why, longest=_LONGEST_WHY, lines=True)


def _settle(tx: Transaction, actor: Actor, found: Approval, state: str, why: str) -> Approval:
    at = clock.now()
    tx.run(
        "update approval set state = %s, decided_by = %s, decided_at = %s, decided_why = %s where ref = %s",
        (state, actor.name, at, why, found.ref),
    )
    details = {"kind": found.kind, "subject": found.subject, "requested_by": found.requested_by}
    verb = {"approved": "approve", "refused": "refuse", "withdrawn": "withdraw"}[state]
    audit.write(tx, actor, f"approval.{verb}", found.ref, reason=why, details=details)
    outbox.tell(tx, f"approval.{state}", found.ref, payload={"kind": found.kind, "subject": found.subject})
    return found._replace(state=state, decided_by=actor.name, decided_at=at, decided_why=why)
