"""Exports asked for by people and written by a job: resumed after a crash, open to their owner for days."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import audit, clock, ids, outbox, words
from core.actor import Actor, Right, Scope
from core.db import reading, transaction
from core.errors import BadInput, NotFound, TooMany, WrongState, sentence
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT: Final = timedelta(days=7)
"""How long a file can be fetched."""

LEASE_SECONDS: Final = 40
"""A writer that is not heard for so long is taken for dead, and another one begins; `leases` keeps it heard."""

MOST_ATTEMPTS: Final = 3
MOST_WAITING: Final = 5
"""Exports of one person that may be under way at once."""

LONGEST_FILTER: Final = 200

RIGHTS: Final[dict[str, Right]] = {"commission": Right.SEE_COMMISSIONS, "orders": Right.SEE_ORDERS}
"""What can be exported, and the right each kind asks for besides `export`."""


class Work(NamedTuple):
    """An export that the caller holds the lease of: what to write, and as whom."""

    ref: str
    kind: str
    filters: dict[str, Any]
    actor: Actor
    attempt: int


class Export(NamedTuple):
    """An export as its owner sees it."""

    ref: str
    kind: str
    filters: dict[str, Any]
    state: str
    rows_done: int
    rows_total: int | None
    sha256: str | None
    created_at: datetime
    done_at: datetime | None
    expires_at: datetime
    error: str


_COLUMNS = "ref, kind, filters, state, rows_done, rows_total, sha256, created_at, done_at, expires_at, error"


def folder() -> Path:
    """Return the folder of finished files, made when missing, for this user's eyes only."""
    path: Path = settings().home / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def request(actor: Actor, kind: str, filters: Mapping[str, str]) -> str:
    """Ask for an export; return its ref. A job writes it soon.

    Raises Forbidden without the rights, BadInput for an unknown kind or filters that are not plain, TooMany
    while five of the person's are under way.
    """
    actor.must(Right.EXPORT)
    if kind not in RIGHTS:
        raise BadInput(
            sentence("there is no export '%(kind)s'; there are: %(rights)s", kind=kind[:40], rights=list(RIGHTS)),
            field="kind",
        )
    actor.must(RIGHTS[kind])
    if actor.user_id is None:
        raise BadInput(sentence("exports belong to a person who is signed in"))
    if not all(isinstance(value, str) and len(value) <= LONGEST_FILTER for value in filters.values()):
        raise BadInput(sentence("a filter is a short text"), field="filters")
    for value in filter(None, filters.values()):
        words.exact(value, "filters", longest=LONGEST_FILTER)
    plain = json.dumps(dict(filters), ensure_ascii=False)
    ref, at = ids.new("exp"), clock.now()
    with transaction() as tx:
        tx.call("select pg_advisory_xact_lock(hashtextextended('export', %s))", (actor.user_id,))
        under_way = tx.call(
            "select count(*) from export_file where user_id = %s and state in ('waiting', 'running')",
            (actor.user_id,),
        )
        if under_way >= MOST_WAITING:
            raise TooMany(
                sentence("%(under_way)s of your exports are still being written; wait for one", under_way=under_way),
                most=MOST_WAITING,
            )
        tx.run(
            "insert into export_file (ref, kind, filters, requested_by, user_id, role, scope, party_id,"
            " created_at, expires_at) values (%s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s, %s)",
            (
                ref,
                kind,
                plain,
                actor.name,
                actor.user_id,
                actor.role,
                actor.scope,
                actor.party_id,
                at,
                at + KEPT,
            ),
        )
        audit.write(tx, actor, "export.request", ref, details={"kind": kind, "filters": dict(filters)})
        outbox.tell(tx, "export.requested", ref, payload={"kind": kind})
    return ref


def claim(ref: str) -> Work | None:
    """Take the lease of an export that waits or whose writer died; None when there is nothing to do.

    After three tries it ends as failed.
    """
    with transaction() as tx:
        rows = tx.rows(
            "select kind, filters, requested_by, user_id, role, scope, party_id, attempts from export_file"
            " where ref = %s and (state = 'waiting'"
            " or (state = 'running' and leased_until < clock_timestamp()))"
            " for update skip locked",
            (ref,),
        )
        if not rows:
            return None
        kind, filters, name, user_id, role, scope, party_id, attempts = rows[0]
        if attempts >= MOST_ATTEMPTS:
            _failed(tx, ref, attempts, f"given up after {attempts} tries")
            return None
        tx.run(
            "update export_file set state = 'running', attempts = attempts + 1, rows_done = 0,"
            " leased_until = clock_timestamp() + make_interval(secs => %s) where ref = %s",
            (LEASE_SECONDS, ref),
        )
    rights = frozenset({Right.EXPORT, RIGHTS[kind]})
    actor = Actor(name, role, Scope(scope), party_id, user_id, rights)
    return Work(ref, kind, filters, actor, attempts + 1)


def progress(work: Work, rows_done: int, rows_total: int | None = None) -> None:
    """Say how far the writing is, and keep the lease. Raises WrongState when it was lost or cancelled."""
    with transaction() as tx:
        held = tx.run(
            "update export_file set rows_done = %s, rows_total = coalesce(%s, rows_total),"
            " leased_until = clock_timestamp() + make_interval(secs => %s)"
            " where ref = %s and state = 'running' and attempts = %s",
            (rows_done, rows_total, LEASE_SECONDS, work.ref, work.attempt),
        )
    if not held:
        raise WrongState(sentence("this export was cancelled, or somebody else writes it"), ref=work.ref)


def renew(work: Work) -> bool:
    """Keep the lease for another while; return whether it was the writer's still."""
    with transaction() as tx:
        held = tx.run(
            "update export_file set leased_until = clock_timestamp() + make_interval(secs => %s)"
            " where ref = %s and state = 'running' and attempts = %s",
            (LEASE_SECONDS, work.ref, work.attempt),
        )
    return bool(held)


def done(work: Work, path: Path, *, sha256: str, rows: int) -> None:
    """Say that the file is whole. Raises WrongState when the lease was lost or the export cancelled."""
    with transaction() as tx:
        held = tx.run(
            "update export_file set state = 'done', path = %s, sha256 = %s, rows_done = %s, rows_total = %s,"
            " done_at = %s, leased_until = null, error = ''"
            " where ref = %s and state = 'running' and attempts = %s",
            (path.name, sha256, rows, rows, clock.now(), work.ref, work.attempt),
        )
        if not held:
            raise WrongState(sentence("this export was cancelled, or somebody else writes it"), ref=work.ref)
        outbox.tell(tx, "export.done", work.ref, payload={"rows": rows, "sha256": sha256})


def failed(work: Work, why: str) -> None:
    """Say that the export cannot be written. Raises WrongState when the lease was lost or the export cancelled."""
    with transaction() as tx:
        if not _failed(tx, work.ref, work.attempt, why):
            raise WrongState(sentence("this export was cancelled, or somebody else writes it"), ref=work.ref)


def _failed(tx: Any, ref: str, attempt: int, why: str) -> bool:
    """End an export that this attempt has under way; return whether it had."""
    ended = tx.run(
        "update export_file set state = 'failed', error = %s, leased_until = null"
        " where ref = %s and state = 'running' and attempts = %s",
        (why[:300], ref, attempt),
    )
    if ended:
        outbox.tell(tx, "export.failed", ref)
    return bool(ended)


def cancel(actor: Actor, ref: str) -> None:
    """Call an export off that is not done yet. Raises NotFound, WrongState."""
    with transaction() as tx:
        if not tx.rows("select 1 from export_file where ref = %s and user_id = %s", (ref, actor.user_id)):
            raise NotFound(sentence("there is no export %(ref)s of yours", ref=ref[:40]), ref=ref[:40])
        ended = tx.run(
            "update export_file set state = 'cancelled', leased_until = null"
            " where ref = %s and state in ('waiting', 'running')",
            (ref,),
        )
        if not ended:
            raise WrongState(sentence("this export has ended already"), ref=ref)
        audit.write(tx, actor, "export.cancel", ref)


def own(actor: Actor, *, limit: int = 50) -> list[Export]:
    """Return the person's exports, newest first. Raises Forbidden."""
    actor.must(Right.EXPORT)
    with reading() as tx:
        rows = tx.rows(
            f"select {_COLUMNS} from export_file where user_id = %s order by id desc limit %s",  # noqa: S608
            (actor.user_id, min(limit, 200)),
        )
    return [Export(*row) for row in rows]


def open_file(actor: Actor, ref: str) -> tuple[Path, Export]:
    """Return the finished file of the person who asked for it, with its row; each look is written down.

    Raises NotFound for anybody else's, one past its time, or when the person's role or party is no longer
    the one it was written for; Forbidden when a right was lost; WrongState while it is not done.
    """
    actor.must(Right.EXPORT)
    with transaction() as tx:
        rows = tx.rows(
            f"select {_COLUMNS}, path from export_file where ref = %s and user_id = %s and expires_at > %s"  # noqa: S608
            " and role = %s and scope = %s and party_id is not distinct from %s",
            (ref, actor.user_id, clock.now(), actor.role, actor.scope, actor.party_id),
        )
        if not rows:
            raise NotFound(
                sentence(
                    "there is no export %(ref)s of yours; files are kept %(days)s days", ref=ref[:40], days=KEPT.days
                ),
                ref=ref[:40],
            )
        found, name = Export(*rows[0][:-1]), rows[0][-1]
        actor.must(RIGHTS[found.kind])
        if found.state != "done":
            raise WrongState(sentence("this export is %(state)s", state=found.state), ref=ref, state=found.state)
        path = folder() / Path(str(name)).name
        if not path.is_file():
            raise NotFound(sentence("the file is gone; ask for it again"), ref=ref)
        audit.write(tx, actor, "export.open", ref, details={"sha256": found.sha256})
    return path, found


def due(limit: int = 100) -> list[str]:
    """Return the refs of exports that wait, or whose writer died, the oldest first."""
    with reading() as tx:
        rows = tx.rows(
            "select ref from export_file where state = 'waiting'"
            " or (state = 'running' and leased_until < clock_timestamp()) order by created_at limit %s",
            (limit,),
        )
    return [ref for (ref,) in rows]


def remove_expired(limit: int = 500) -> int:
    """Delete the files past their time; return how many. The rows stay. Safe twice and twice at once."""
    with transaction() as tx:
        rows = tx.rows(
            "update export_file set path = null"
            " where id in (select id from export_file where path is not null"
            " and expires_at <= %s order by id limit %s for update skip locked) returning ref",
            (clock.now(), limit),
        )
        for (ref,) in rows:
            for path in folder().glob(f"{ids.check(ref, 'exp')}*"):
                path.unlink(missing_ok=True)
    return len(rows)
