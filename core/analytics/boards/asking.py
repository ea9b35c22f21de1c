"""The question every figure starts from: from when to when, which filters; as conditions on a rollup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from core.actor import Actor, Scope

if TYPE_CHECKING:
    from datetime import date, datetime

Condition = tuple[str, tuple[object, ...]]
BUCKETS = ("hour", "day")
"""The buckets sums are asked for; whoever draws longer ones adds these up."""


class Ratio(NamedTuple):
    """A share as the two counts behind it."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment up to (not with) another; days begin in `zone`. `bucket`: hour or day."""

    start: datetime
    end: datetime
    zone: str = "UTC"
    bucket: str = "day"


@dataclass(frozen=True, slots=True)
class Days:
    """From a UTC day to a UTC day, both within, for what is kept by the day."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Filters:
    """Codes to look at; empty: all. An unknown code matches nothing.

    `whose` is an agent's own question: "own" is what it earned itself, "below" what the agents below it did.
    """

    merchant: str = ""
    acceptor: str = ""
    pool: str = ""
    currency: str = ""
    agent: str = ""
    rule: str = ""
    whose: str = ""


_PARTY = "r.{kind}_id = (select p.id from party p where p.kind = '{kind}' and p.code = %s)"
_FILTERS = {
    "merchant": _PARTY.format(kind="merchant"),
    "acceptor": _PARTY.format(kind="acceptor"),
    "agent": _PARTY.format(kind="agent"),
    "pool": "r.pool_id = (select p.id from pool p where p.code = %s)",
    "currency": "r.currency = %s",
    "rule": "r.rule = %s",
}
ORDERS = ("merchant", "acceptor", "pool", "currency")
PARTIES = ("merchant", "acceptor", "currency")
ALERTS = (*PARTIES, "rule")
COMMISSIONS = ("agent",)


def where(filters: Filters, names: tuple[str, ...], *first: Condition) -> Condition:
    """Return all conditions as one on the rollup's alias `r`: those given, then the filters that are set."""
    parts = list(first)
    for name in names:
        value = getattr(filters, name)
        if value:
            parts.append((_FILTERS[name], (value,)))
    return " and ".join(f"({sql})" for sql, _args in parts), tuple(each for _sql, args in parts for each in args)


def hours(span: Span) -> Condition:
    """Return the condition that an hour lies in the span."""
    return "r.hour >= %s and r.hour < %s", (span.start, span.end)


def days(span: Days) -> Condition:
    """Return the condition that a day lies in the span."""
    return "r.day between %s and %s", (span.first, span.last)


def own(actor: Actor, **columns: str) -> Condition:
    """Return the condition that a row is the actor's, by the columns that say whose it is; deny is the default.

    `merchant`, `acceptor` and `agent` name the columns; an agent owns the rows of its whole subtree.
    """
    if actor.scope is Scope.ALL:
        return "true", ()
    column = columns.get(actor.scope.value)
    if actor.party_id is None or column is None:
        return "false", ()
    if actor.scope is Scope.AGENT:
        return (
            f"{column} in (select x.descendant_id from agent_closure x where x.ancestor_id = %s)",  # noqa: S608
            (actor.party_id,),
        )
    return f"{column} = %s", (actor.party_id,)


def whose(actor: Actor, filters: Filters, column: str) -> Condition:
    """Return the condition that a row is the agent's itself, or another's below it, as the filters ask."""
    if actor.scope is not Scope.AGENT or filters.whose not in {"own", "below"}:
        return "true", ()
    return f"{column} {'=' if filters.whose == 'own' else '<>'} %s", (actor.party_id,)


def known(actor: Actor, kind: str) -> Condition:
    """Return the condition that the actor may know the name of party `p`, a merchant or an acceptor.

    Who trades with another knows its code. Names are for who sees all parties, for the party itself, and for the
    agents above it.
    """
    if actor.scope is Scope.ALL:
        return "true", ()
    if actor.party_id is None:
        return "false", ()
    if actor.scope is Scope.AGENT and kind in {"merchant", "acceptor"}:
        referred = (
            f"p.id in (select m.party_id from {kind} m join agent_closure x on x.descendant_id = m.agent_id"  # noqa: S608
            " where x.ancestor_id = %s)"
        )
        return referred, (actor.party_id,)
    return "p.id = %s", (actor.party_id,)


def own_orders(actor: Actor) -> Condition:
    """Return the condition that a row of the hourly rollup is the actor's."""
    return own(actor, merchant="r.merchant_id", acceptor="r.acceptor_id", agent="r.agent_id")
