"""What a market was begun with and whether it was played to its end, kept among the runs of jobs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from core.db import reading, transaction
from core.orders.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "demo"


class Begun(NamedTuple):
    """A market that was begun: its number among the runs, its sizes and first day, how its orders' numbers start."""

    id: int
    seed: int
    orders: int
    days: int
    start: datetime
    prefix: str


class Stopped(NamedTuple):
    """An order that was under way when its market was cut off."""

    number: str
    ref: str
    state: str
    acceptor_ref: str
    since: datetime
    deadline_at: datetime | None


def begin(seed: int, orders: int, days: int, start: datetime, prefix: str) -> Begun:
    """Write down that a market begins."""
    facts = {"seed": seed, "orders": orders, "days": days, "start": start.isoformat(), "prefix": prefix}
    with transaction() as tx:
        number = tx.call(
            "insert into job_run (name, started_at, details) values (%s, clock_timestamp(), %s::jsonb) returning id",
            (NAME, json.dumps(facts)),
        )
    return Begun(number, seed, orders, days, start, prefix)


def unfinished() -> Begun | None:
    """Return the market that was begun last if it did not come to its end."""
    with reading() as tx:
        if tx.call("select to_regclass('job_run') is null"):
            return None
        rows = tx.rows(
            "select id, outcome, details from job_run where name = %s and details ? 'start' order by id desc limit 1",
            (NAME,),
        )
    if not rows or rows[0][1] == "done":
        return None
    number, _, facts = rows[0]
    start = datetime.fromisoformat(facts["start"])
    return Begun(number, facts["seed"], facts["orders"], facts["days"], start, facts["prefix"])


def finish(begun: Begun, states: Mapping[str, int]) -> None:
    """Write down that a market came to its end."""
    with transaction() as tx:
        tx.run(
            "update job_run set outcome = 'done', ended_at = clock_timestamp(),"
            " details = details || jsonb_build_object('states', %s::jsonb) where id = %s",
            (json.dumps(dict(states)), begun.id),
        )


def give_up(begun: Begun) -> None:
    """Write down that a market of which nothing was played will not be gone on with."""
    with transaction() as tx:
        tx.run(
            "update job_run set outcome = 'done', ended_at = clock_timestamp(),"
            " details = details || '{\"given_up\": true}' where id = %s",
            (begun.id,),
        )


def opened(prefix: str) -> int:
    """Return the highest number that an order of that prefix bears; 0 before the first."""
    with reading() as tx:
        found: int | None = tx.call(
            "select max(substr(external_ref, %s)::bigint) from orders where source = 'api'"
            " and external_ref like %s and substr(external_ref, %s) ~ '^[0-9]{6,9}$'",
            (len(prefix) + 2, f"{prefix}-%", len(prefix) + 2),
        )
    return found or 0


def under_way(prefix: str) -> dict[str, Stopped]:
    """Return the orders of that prefix whose next step is a customer's or an acceptor's, by their numbers."""
    with reading() as tx:
        rows = tx.rows(
            "select o.external_ref, o.ref, o.state, coalesce(p.ref, ''), coalesce(o.claimed_at, o.created_at),"
            " o.deadline_at from order_waiting w join orders o on o.id = w.order_id"
            " left join party p on p.id = o.acceptor_id where o.external_ref like %s and o.state = any(%s)"
            " and o.next_actor <> 'compliance'",
            (f"{prefix}-%", [State.MATCHING, State.AWAITING_PAYMENT, State.PAID_CLAIMED]),
        )
    return {row[0]: Stopped(*row) for row in rows}
