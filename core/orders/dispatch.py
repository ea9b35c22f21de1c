"""Choosing an acceptor for an order and freezing its reserve; orders that wait are tried again."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from core import ids
from core.actor import Right, system
from core.db import reading, transaction
from core.errors import Changed
from core.orders import matching
from core.orders.locking import base, event_row, locked, moment
from core.orders.states import NEXT_ACTOR, Event, State, step

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

TRIES = 3
"""How many acceptors one dispatch tries in turn, when others were quicker."""

WAIT_SECONDS = 300
"""How long an order may wait in `matching` before it ends with `no_liquidity`."""


EXPLAINED = ("acceptor", "pool_account_id", "free_units", "open_orders", "weight", "score", "lot", "outcome")
"""The places of one candidate's row in `dispatch.candidates`."""

_FIT = frozenset({matching.CHOSEN, matching.BUSIER, matching.NOT_DRAWN})


class Plan(NamedTuple):
    """Whom to try, in which order, and the explanation that is stored."""

    tries: list[dict[str, int]]
    dispatch: dict[str, Any]


def slot() -> int:
    """Return a random place to start looking at in a pool (31 bits, as `pool_account.slot`)."""
    return secrets.randbits(31)


def plan(policy: str, policy_version: int, found: list[dict[str, Any]], *, need_units: int, fiat_units: int) -> Plan:
    """Choose among the candidates found; return up to three to try and why each other one lost.

    The explanation keeps one short row a candidate: see `EXPLAINED` for what its places mean.
    """
    seed = secrets.randbits(62)
    choice = matching.choose(
        policy, [_candidate(each) for each in found], seed=seed, need_units=need_units, need_fiat_units=fiat_units
    )
    fit = sorted(
        (each for each in choice.considered if each.outcome in _FIT),
        key=lambda each: (each.score, each.lot, each.candidate.pool_account_id),
    )
    accounts = {each["pool_account_id"]: each["account_id"] for each in found}
    tries = [
        {
            "pool_account_id": each.candidate.pool_account_id,
            "account_id": accounts[each.candidate.pool_account_id],
            "acceptor_id": each.candidate.acceptor_id,
        }
        for each in fit[:TRIES]
    ]
    explained = [
        [c.acceptor_ref, c.pool_account_id, c.free_units, c.open_orders, each.weight, each.score, each.lot, each.outcome]
        for each in choice.considered
        for c in (each.candidate,)
    ]
    return Plan(tries, {"policy": policy, "policy_version": policy_version, "seed": seed, "candidates": explained})


def _candidate(found: dict[str, Any]) -> matching.Candidate:
    return matching.Candidate(
        acceptor_id=found["acceptor_id"],
        pool_account_id=found["pool_account_id"],
        acceptor_ref=found["acceptor_ref"],
        slot=found["slot"],
        free_units=found["free_units"],
        open_orders=found["open_orders"],
        weight=found["weight"],
        day_left_units=found["day_left_units"],
        slot_limit=found["open_limit"],
    )


def wider(tx: Transaction, pool_id: int, at: str, *, need_units: int, fiat_units: int) -> list[dict[str, Any]]:
    """Return candidates from the whole pool; asked when the first few were all short or full."""
    found: list[dict[str, Any]] = tx.call(
        "select match_candidates_wide(%s, %s, %s, (%s::timestamptz at time zone 'UTC')::date, 8)",
        (pool_id, need_units, fiat_units, at),
    )
    return found


def match_waiting(actor: Actor, ref: str) -> State:
    """Try once more to find an acceptor for an order in `matching`; return its state afterwards."""
    with transaction() as tx:
        order = locked(tx, actor, Right.OPEN_ORDER, ref)
        target = step(State(order["state"]), Event.MATCH)
        policy, version, pay_seconds = tx.rows(
            "select policy, policy_version, pay_seconds from pool where id = %s", (order["pool_id"],)
        )[0]
        need, fiat = order["usdt_units"], order["fiat_units"]
        found = wider(tx, order["pool_id"], order["at"], need_units=need, fiat_units=fiat)
        chosen = plan(policy, version, found, need_units=need, fiat_units=fiat)
        if not chosen.tries:
            return State(order["state"])
        deadline = tx.call("select to_jsonb(%s::timestamptz + make_interval(secs => %s))", (order["at"], pay_seconds))
        facts = base(order, actor) | {
            "tries": chosen.tries,
            "dispatch": chosen.dispatch,
            "attempt": order["attempts"] + 1,
            "entry": ids.new("jrn"),
            "state": target,
            "next_actor": NEXT_ACTOR[target],
            "deadline_at": deadline,
            "events": [event_row(Event.MATCH, order["state"], target)],
        }
        won = tx.call("select order_match(%s)", (json.dumps(facts),))
        return target if won else State(order["state"])


def match_due(limit: int = 200) -> int:
    """Try all orders that wait for an acceptor, the most urgent first; return how many were matched."""
    with reading() as tx:
        refs = tx.rows(
            "select ref from orders where state = 'matching' and deadline_at > coalesce(%s, clock_timestamp())"
            " order by deadline_at limit %s",
            (moment(), limit),
        )
    matched = 0
    for (ref,) in refs:
        try:
            matched += match_waiting(system("matching"), ref) is State.AWAITING_PAYMENT
        except Changed:
            continue
    return matched
