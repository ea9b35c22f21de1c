"""The seals for people: how far each chain goes, what waits to be sealed, and what the last verification said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from core.actor import Right
from core.db import reading
from core.ledger import seal

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

_COUNTED = 10_001


class Chain(NamedTuple):
    """One chain: its last block, and how many rows came after it (counted up to 10,001). No block: `no` is 0."""

    name: str
    no: int
    position: int
    hash: str
    sealed_at: datetime | None
    waiting: int


class Verified(NamedTuple):
    """The last time that every invariant was checked by the job: when, how it ended, what it said."""

    at: datetime
    outcome: str
    seconds: int
    details: dict[str, Any]


_WAITING = {
    "journal": "select count(*) from (select 1 from journal_entry e where e.xid >= %s limit %s) n",
    "audit": "select count(*) from (select 1 from audit e where e.xid >= %s limit %s) n",
}


def chains(actor: Actor) -> list[Chain]:
    """Return both chains. Raises Forbidden."""
    actor.must(Right.SEE_AUDIT)
    found = []
    with reading() as tx:
        for name in seal.CHAINS:
            done_to = tx.call("select done_to::text from watermark where name = %s", (f"seal_{name}",))
            waiting = tx.call(_WAITING[name], (done_to, _COUNTED))
            rows = tx.rows(
                "select no, last_pos, encode(hash, 'hex'), sealed_at from seal_block where chain = %s"
                " order by no desc limit 1",
                (name,),
            )
            found.append(Chain._make((name, *(rows[0] if rows else (0, 0, "", None)), waiting)))
    return found


def verified(actor: Actor) -> Verified | None:
    """Return the last verification that has ended, None before the first. Raises Forbidden."""
    actor.must(Right.SEE_AUDIT)
    with reading() as tx:
        rows = tx.rows(
            "select ended_at, outcome, extract(epoch from ended_at - started_at)::bigint, coalesce(details, '{}')"
            " from job_run where name = 'ledger.verify' and ended_at is not null order by id desc limit 1"
        )
    return Verified(*rows[0]) if rows else None
