"""Why an order went to one acceptor and not to another: what each dispatch stored, and the same choice made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.actor import Right, Scope
from core.db import reading
from core.orders import matching
from core.orders.dispatch import EXPLAINED
from core.parties.policies import POLICIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.actor import Actor
    from core.orders.queries import OrderView

_EARLIER: Final = (*EXPLAINED[:5], "score", "lot", "outcome")
"""The places of rows that were stored before the limits were: they are shown, and cannot be replayed."""


class DispatchRow(NamedTuple):
    """One try to find an acceptor: policy, seed, and each candidate with why it lost.

    `others` says whom each other policy would have chosen (its code, "" for nobody), for who sees all rows.
    """

    attempt: int
    policy: str
    policy_version: int
    seed: int
    at: datetime
    candidates: list[dict[str, Any]]
    others: dict[str, str]


def dispatches(actor: Actor, view: OrderView) -> list[DispatchRow]:
    """Return how the order was dispatched. An acceptor sees its own row only ("why not me"), never others'.

    Raises Forbidden.
    """
    actor.must(Right.SEE_DISPATCH)
    with reading() as tx:
        rows = tx.rows(
            "select attempt, policy, policy_version, seed, at, candidates, chosen_acceptor_id from dispatch"
            " where order_id = %s order by attempt",
            (view.id,),
        )
        asked = sorted({each[0] for row in rows for each in row[5]})
        codes = dict(tx.rows("select id, code from party where kind = 'acceptor' and id = any(%s)", (asked,)))
    own = None if actor.scope is Scope.ALL else actor.party_id
    found = []
    for attempt, policy, version, seed, at, stored, winner in rows:
        told = [read(each) for each in stored]
        others = {} if own is not None else _by_others(policy, told, seed, view, codes)
        for each in told:
            each["acceptor"] = codes.get(each["acceptor_id"], "")
        _as_it_went(told, winner)
        shown = [each for each in told if own in {None, each["acceptor_id"]}]
        found.append(DispatchRow(attempt, policy, version, seed, at, shown, others))
    return found


def read(stored: Sequence[Any]) -> dict[str, Any]:
    """Return one candidate's stored row by the names of its places."""
    places = EXPLAINED if isinstance(stored[EXPLAINED.index("outcome")], str) else _EARLIER
    return dict(zip(places, stored, strict=True))


def replay(
    policy: str, candidates: Sequence[Mapping[str, Any]], *, seed: int, need_units: int, need_fiat_units: int
) -> matching.Choice:
    """Make the choice again from what was stored, by the same policy or another: the same seed, the same outcomes."""
    crowd = [
        matching.Candidate(
            acceptor_id=each["acceptor_id"],
            pool_account_id=each["pool_account_id"],
            free_units=each["free_units"],
            open_orders=each["open_orders"],
            weight=each["weight"],
            day_left_units=each["day_left_units"],
            slot_limit=each["slot_limit"],
            excluded=each["outcome"] if each["outcome"] in matching.EXCLUSIONS else "",
        )
        for each in candidates
    ]
    return matching.choose(policy, crowd, seed=seed, need_units=need_units, need_fiat_units=need_fiat_units)


def _by_others(
    policy: str, told: list[dict[str, Any]], seed: int, view: OrderView, codes: Mapping[int, str]
) -> dict[str, str]:
    if any("slot_limit" not in each for each in told):
        return {}
    found = {}
    for other in POLICIES:
        if other != policy:
            need = {"need_units": view.usdt.units, "need_fiat_units": view.fiat.units}
            chosen = replay(other, told, seed=seed, **need).chosen
            found[other] = codes.get(chosen.acceptor_id, "") if chosen else ""
    return found


def _as_it_went(told: list[dict[str, Any]], winner: int | None) -> None:
    """Between the choice and the freeze somebody may have been quicker: then the next best got the order."""
    for each in told:
        if each["outcome"] == matching.CHOSEN and each["acceptor_id"] != winner:
            each["outcome"] = matching.TAKEN
            for other in told:
                if other["acceptor_id"] == winner and other["outcome"] in matching.FIT:
                    other["outcome"] = matching.CHOSEN
                    break
            return
