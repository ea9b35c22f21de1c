"""Versions of fee schedules and commission plans: proposed by one, approved by another, in force from a moment on."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import approvals, audit, clock, outbox, timeshift
from core.actor import Right
from core.commissions.plans import PlanVersion
from core.db import reading, transaction
from core.errors import BadInput, NotFound, sentence
from core.parties import particulars
from core.pricing.fees import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.actor import Actor
    from core.db import Transaction

FEES: Final = "fee_schedule"
PLAN: Final = "commission_plan"
KINDS: Final = (FEES, PLAN)
FARTHEST: Final = timedelta(days=366)
"""How far ahead a version may begin: the one after it begins no earlier, so a slip of the year would bind its code."""
LEAD: Final = timedelta(seconds=10)
"""How long after its approval a version begins at the earliest, less the begun second: by then everybody sees it.

The database refuses an approval that is stored with less than five of these seconds left (functions/sound.sql).
"""

_ALL: Final = {
    FEES: "select code, version, terms, effective_from, withdrawn_at from fee_schedule order by code, version",
    PLAN: "select p.code, v.version, v.terms, v.effective_from, v.withdrawn_at from plan_version v"
    " join plan p on p.id = v.plan_id order by p.code, v.version",
}
# Numbers go on after a withdrawn version; the next one begins no earlier than the last of the others.
_LAST: Final = {
    FEES: "select coalesce(max(version), 0), max(effective_from) filter (where withdrawn_at is null) from fee_schedule"
    " where code = %s",
    PLAN: "select coalesce(max(v.version), 0), max(v.effective_from) filter (where v.withdrawn_at is null)"
    " from plan_version v join plan p on p.id = v.plan_id where p.code = %s",
}


class Version(NamedTuple):
    """One version as it is stored, and whether it is the one in force now."""

    code: str
    version: int
    terms: dict[str, Any]
    effective_from: datetime
    in_force: bool
    withdrawn_at: datetime | None = None


class Standing(NamedTuple):
    """Where a schedule or plan stands: the version in force, and the last one where that is still to come."""

    now: Version | None
    coming: Version | None


class Decided(NamedTuple):
    """What became of a proposal: the version it is now and from when, or none when it was turned down."""

    code: str
    version: int | None
    effective_from: datetime | None


def propose(
    actor: Actor, kind: str, code: str, terms: Mapping[str, object], why: str, *, start: datetime | None = None
) -> str:
    """Propose the next version of a schedule or plan (a new code begins one); return the request's ref.

    Nothing is priced or split by it before somebody else approves it. `start` is when it comes into force: `LEAD`
    after it is approved, unless given. Raises Forbidden, BadInput that names the field, AlreadyDone while
    another proposal for it waits.
    """
    actor.must(Right.MANAGE_PRICING)
    must_be_known(kind)
    named = particulars.read_code(code)
    if start is not None:
        _may_begin(start)
    with transaction() as tx:
        version, _ = _next(tx, kind, named, start)
        payload = {
            "terms": _read(kind, terms, version),
            "version": version,
            "effective_from": start.isoformat() if start else None,
            "user_id": actor.user_id,
        }
        ref = approvals.request(tx, actor, kind, named, payload, why)
        audit.write(tx, actor, f"{kind}.propose", named, reason=why, details={"version": version, "request": ref})
    return ref


def decide(actor: Actor, ref: str, approve: bool, why: str, *, kind: str = "") -> Decided:  # noqa: FBT001 - yes or no
    """Approve or turn down another's proposal, of that kind if one is given; approved, it is the next version.

    That moment is still to come when this is stored, so whoever asks at it or later sees the version; the first of a
    new code, which nobody can have asked for, begins at once. Old quotes and orders keep the version they were made
    with. Raises Forbidden (fact `rule` = `four_eyes` for whoever proposed it), NotFound, WrongState when it was
    decided before, BadInput without a reason, Changed when it took too long to be stored before its moment.
    """
    actor.must(Right.APPROVE_PRICING)
    with transaction() as tx:
        found = approvals.find(tx, ref)
        if found.kind not in ((kind,) if kind else KINDS):
            raise NotFound(sentence("there is no proposal %(ref)s", ref=ref[:40]), ref=ref[:40])
        # Locks in the order in which a proposal takes them, and all before the moment is taken.
        version, last = _next(tx, found.kind, found.subject, None)
        done = approvals.decide(tx, actor, ref, approve, why)
        if not approve:
            audit.write(tx, actor, f"{done.kind}.turn_down", done.subject, reason=done.decided_why)
            return Decided(done.subject, None, None)
        terms = _read(done.kind, done.payload["terms"], version)
        eyes = (done.payload.get("user_id"), actor.user_id)
        at = timeshift.moment(tx)
        # A whole second, so that what is shown of it is all of it.
        soonest = (at + LEAD).replace(microsecond=0) if version > 1 else at
        begins = max(filter(None, (_moment(done.payload["effective_from"]), last, soonest)))
        _store(tx, done.kind, done.subject, (version, json.dumps(terms), begins, at, *eyes))
        details = {
            "version": version, "from": begins.isoformat(), "proposed_by": done.requested_by, "request": ref,
            "digest": audit.digest(tx, terms),
        }  # fmt: skip
        audit.write(tx, actor, f"{done.kind}.approve", done.subject, reason=done.decided_why, details=details)
        outbox.tell(tx, f"{done.kind}.approved", done.subject, payload={"version": version, "from": begins.isoformat()})
    return Decided(done.subject, version, begins)


def withdraw(actor: Actor, ref: str, why: str) -> None:
    """Take back one's own proposal while it waits. Raises Forbidden, NotFound, WrongState, BadInput."""
    actor.must(Right.MANAGE_PRICING)
    with transaction() as tx:
        if approvals.find(tx, ref).kind not in KINDS:
            raise NotFound(sentence("there is no proposal %(ref)s", ref=ref[:40]), ref=ref[:40])
        done = approvals.withdraw(tx, actor, ref, why)
        audit.write(tx, actor, f"{done.kind}.withdraw", done.subject, reason=done.decided_why, details={"request": ref})


def standing(actor: Actor, kind: str, code: str) -> Standing:
    """Return what is in force of a schedule or plan and what is the last to come. Raises Forbidden."""
    of_it = [each for each in known(actor, kind) if each.code == code and not each.withdrawn_at]
    now = next((each for each in of_it if each.in_force), None)
    return Standing(now, of_it[-1] if of_it and of_it[-1] != now else None)


def following(actor: Actor, kind: str, code: str) -> int:
    """Return the number that the next version of a schedule or plan gets: 1 for a new code. Raises Forbidden."""
    actor.must(Right.SEE_LEDGER)
    must_be_known(kind)
    with reading() as tx:
        return int(tx.call(_LAST[kind], (code,))) + 1


def known(actor: Actor, kind: str) -> list[Version]:
    """Return every version of every schedule or plan, by code, withdrawn ones too. Raises Forbidden."""
    actor.must(Right.SEE_LEDGER)
    must_be_known(kind)
    now = clock.now()
    with reading() as tx:
        rows = tx.rows(_ALL[kind])
    newest: dict[str, int] = {row[0]: row[1] for row in rows if row[3] <= now and row[4] is None}
    return [Version(row[0], row[1], row[2], row[3], newest.get(row[0]) == row[1], row[4]) for row in rows]


def waiting(actor: Actor, kind: str) -> list[approvals.Approval]:
    """Return the proposals that wait for a decision. Raises Forbidden."""
    actor.must(Right.SEE_LEDGER)
    with reading() as tx:
        refs = tx.rows("select ref from approval where kind = %s and state = 'waiting' order by requested_at", (kind,))
        return [approvals.find(tx, ref) for (ref,) in refs]


def alone(tx: Transaction, kind: str, code: str) -> None:
    """Let nobody else approve or withdraw a version of that schedule or plan until the transaction ends."""
    tx.call("select pg_advisory_xact_lock(hashtextextended(%s, 0))::text", (f"{kind} {code}",))


def _may_begin(start: datetime) -> None:
    now = clock.now()
    if start.tzinfo is None or start < now:
        raise BadInput(
            sentence("a version comes into force in the future, and not in the past"), field="effective_from"
        )
    if start > now + FARTHEST:
        raise BadInput(
            sentence("a version comes into force within %(days)s days", days=FARTHEST.days), field="effective_from"
        )


def must_be_known(kind: str) -> None:
    """Refuse with `bad_input` what is neither a fee schedule nor a commission plan."""
    if kind not in KINDS:
        raise BadInput(sentence("a version is of one of %(kinds)s", kinds=list(KINDS)), field="kind")


def _read(kind: str, terms: Mapping[str, object], version: int) -> dict[str, object]:
    """Return the terms in full, checked, as they are stored. Raises BadInput that names the field."""
    given = {name: value for name, value in terms.items() if name not in {"id", "version"}}
    read = Schedule.read if kind == FEES else PlanVersion.read
    full = read({**given, "version": version}).to_json()
    return {name: value for name, value in full.items() if name not in {"id", "version"}}


def _next(tx: Transaction, kind: str, code: str, start: datetime | None) -> tuple[int, datetime | None]:
    """Return the number of the next version and from when the last one is in force; versions follow in time."""
    alone(tx, kind, code)
    version, last = tx.rows(_LAST[kind], (code,))[0]
    if start is not None and last is not None and start <= last:
        said = sentence(
            "version %(version)s comes into force at %(last)s; the next one later", version=version, last=last
        )
        raise BadInput(said, field="effective_from")
    return int(version) + 1, last


def _store(tx: Transaction, kind: str, code: str, row: tuple[object, ...]) -> None:
    if kind == FEES:
        tx.run(
            "insert into fee_schedule (version, terms, effective_from, created_at, requested_by, approved_by, code)"
            " values (%s, %s::jsonb, %s, %s, %s, %s, %s)",
            (*row, code),
        )
        return
    tx.run("insert into plan (code) values (%s) on conflict do nothing", (code,))
    tx.run(
        "insert into plan_version (version, terms, effective_from, created_at, requested_by, approved_by, plan_id)"
        " select %s, %s::jsonb, %s, %s, %s, %s, id from plan where code = %s",
        (*row, code),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
