"""Choosing an acceptor for an order and freezing its reserve; orders that wait are tried again."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

from core import chance, ids
from core.actor import Right, system
from core.db import reading, transaction
from core.errors import Refusal
from core.orders import matching
from core.orders.locking import after, base, event_row, locked, moment
from core.orders.states import NEXT_ACTOR, Event
from core.steps import once

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from core.actor import Actor

TRIES = 3
"""How many acceptors one dispatch tries in turn, when others were quicker."""

WAIT_SECONDS = 300
"""How long an order may wait in `matching` before it ends with `no_liquidity`."""


EXPLAINED = (
    "acceptor_id",
    "pool_account_id",
    "free_units",
    "open_orders",
    "weight",
    "outcome",
    "day_left_units",
    "slot_limit",
)
"""The places of one candidate's row in `dispatch.candidates`: all that the choice is made of, so that it can be made
again; rank and lot follow from these and the seed."""


_DISPUTED = "select acceptor_id from orders where customer_id = %s and dispute_state = 'open'"


class Plan(NamedTuple):
    """Whom to try, in which order (parallel lists), and the explanation that is stored; None if nobody was asked."""

    pool_accounts: list[int]
    accounts: list[int]
    acceptors: list[int]
    told: dict[str, Any] | None


def draw() -> int:
    """Return what the candidates of an opening are drawn by (31 bits)."""
    return chance.bits(31)


def plan(
    policy: str, policy_version: int, found: list[list[int]], *, need_units: int, fiat_units: int,
    disputed: Collection[int] = (),
) -> Plan:  # fmt: skip
    """Choose among the candidates found; return up to three to try and why each other one lost.

    `found` has a row for each candidate as the look at an opening returns it; the acceptors with whom the customer
    is in dispute are not chosen. The explanation keeps one short row a candidate: see `EXPLAINED` for its places.
    """
    seed = chance.bits(62)
    choice = matching.choose(
        policy,
        [_candidate(row, disputed) for row in found],
        seed=seed,
        need_units=need_units,
        need_fiat_units=fiat_units,
    )
    fit: list[tuple[int, int, list[int]]] = []
    explained: list[list[int | str | None]] = []
    for row, (each, weight, score, lot, outcome) in zip(found, choice.considered, strict=True):
        if outcome in matching.FIT:
            fit.append((score, lot, row))
        explained.append(
            [
                each.acceptor_id,
                each.pool_account_id,
                each.free_units,
                each.open_orders,
                weight,
                outcome,
                each.day_left_units,
                each.slot_limit,
            ]
        )
    tries = [row for _, _, row in sorted(fit)[:TRIES]]
    return Plan(
        [row[0] for row in tries],
        [row[1] for row in tries],
        [row[2] for row in tries],
        {"policy": policy, "policy_version": policy_version, "seed": seed, "candidates": explained},
    )


def _candidate(row: list[int], disputed: Collection[int]) -> matching.Candidate:
    number, _, acceptor, weight, free, open_orders, open_limit, day_left = row
    excluded = matching.IN_DISPUTE if acceptor in disputed else ""
    return matching.Candidate(acceptor, number, free, open_orders, weight, day_left, open_limit, excluded)


def wider(pool_id: int, at: datetime | str, *, need_units: int, fiat_units: int) -> list[list[int]]:
    """Return candidates from the whole pool; asked when the first few were all short or full."""
    found: list[list[int]] | None = once(
        "select match_candidates_wide(%s, %s, %s, %s, 8)", (pool_id, need_units, fiat_units, at)
    )
    return found or []


class Tried(Enum):
    """What came of one more try to find an acceptor for an order that waits."""

    MATCHED = auto()
    NOBODY = auto()
    """Nobody in the pool has room for an order of this size, whosever it is."""
    NOT_NOW = auto()
    """Somebody has; yet its customer is in dispute with them, others were quicker, or the pool is paused."""


def match_waiting(actor: Actor, ref: str) -> Tried:
    """Try once more to find an acceptor for an order in `matching`; return what came of it.

    Refuses with wrong_state for an order that does not wait, not_found, forbidden, changed.
    """
    with transaction() as tx:
        order = locked(tx, actor, Right.OPEN_ORDER, ref)
        target = after(order, Event.MATCH, actor)
        # The lock keeps the pool from being paused until this order has its acceptor, or has none.
        policy, version, pay_seconds, pool_state = tx.rows(
            "select policy, policy_version, pay_seconds, state from pool where id = %s for share", (order.pool_id,)
        )[0]
        if pool_state != "open":
            return Tried.NOT_NOW
        need, fiat = order.usdt_units, order.fiat_units
        at = order.moment
        found = wider(order.pool_id, at, need_units=need, fiat_units=fiat)
        if not found:
            return Tried.NOBODY
        disputed = [acceptor for (acceptor,) in tx.rows(_DISPUTED, (order.customer_id,))]
        chosen = plan(policy, version, found, need_units=need, fiat_units=fiat, disputed=disputed)
        if not chosen.accounts:
            return Tried.NOT_NOW
        facts = base(order, actor) | {
            "pool_accounts": chosen.pool_accounts,
            "accounts": chosen.accounts,
            "acceptors": chosen.acceptors,
            "dispatch": chosen.told,
            "attempt": order.attempts + 1,
            "entry": ids.new("jrn"),
            "state": target,
            "next_actor": NEXT_ACTOR[target],
            "deadline_at": (at + timedelta(seconds=pay_seconds)).isoformat(),
            "event": event_row(Event.MATCH, order.state, target),
        }
        won = tx.call("select order_match(%s)", (json.dumps(facts),))
        return Tried.MATCHED if won else Tried.NOT_NOW


# In turns: the most urgent of each pool, then the next of each.
_WAITING = """
select w.ref, w.pool_id, w.usdt_units, w.fiat_units from (
    select o.ref, o.pool_id, o.usdt_units, o.fiat_units, w.deadline_at,
           row_number() over (partition by o.pool_id order by w.deadline_at, o.id) as turn
      from order_waiting w join orders o on o.id = w.order_id join pool l on l.id = o.pool_id
     where o.state = 'matching' and l.state = 'open' and w.deadline_at > coalesce(%s, clock_timestamp())) w
 order by w.turn, w.deadline_at
"""


def match_due(limit: int = 200, *, broke: Callable[[str], None] | None = None) -> int:
    """Try the orders that wait for an acceptor, the most urgent `limit` of each pool; return how many were matched.

    Pools take turns, so that one where nobody has room does not keep the others waiting; nor is anybody there asked in
    vain for an order no smaller than one that found nobody. With `broke` an order that raises is told to it (inside
    the `except`) and the others go on; without it the run ends there.
    """
    with reading() as tx:
        waiting = tx.rows(_WAITING, (moment(),))
    matched, asked = 0, Counter[int]()
    too_large: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for ref, pool, usdt, fiat in waiting:
        if asked[pool] >= limit or any(usdt >= least and fiat >= due for least, due in too_large[pool]):
            continue
        try:
            tried = match_waiting(system("matching"), ref)
        except Refusal:
            tried = Tried.NOT_NOW  # somebody else was quicker, or the order has ended; the next run sees what is left
        except Exception:
            if broke is None:
                raise
            broke(ref)
            continue
        asked[pool] += 1
        matched += tried is Tried.MATCHED
        if tried is Tried.NOBODY:
            too_large[pool].append((usdt, fiat))
    return matched
