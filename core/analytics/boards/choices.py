"""What a filter may offer an actor: the merchants, acceptors, pools, currencies, agents and rules it has rows of."""

from __future__ import annotations

from typing import NamedTuple

from core.actor import Actor, Right
from core.analytics.boards.asking import Condition, known, own
from core.db import reading
from core.errors import BadInput, sentence

MOST = 300
"""A longer list is no help to choose from; the address takes any code."""


class Choice(NamedTuple):
    """One thing to filter by."""

    code: str
    name: str


_OWN_PARTIES = {"merchant": "r.merchant_id", "acceptor": "r.acceptor_id", "agent": "r.agent_id"}
_PARTIES = (
    "select p.code, case when {knows} then p.name else p.code end from party p where p.kind = '{kind}'"
    " and ({every} or exists (select 1 from rollup_hour r where r.{kind}_id = p.id and {mine}))"
    " order by p.code limit {most}"
)
_POOLS = (
    "select p.code, p.currency || ' ' || p.method from pool p"
    " where ({every} or exists (select 1 from rollup_hour r where r.pool_id = p.id and {mine}))"
    " order by p.code limit {most}"
)
_CURRENCIES = (
    "select distinct p.currency, p.currency from pool p"
    " where {every} or exists (select 1 from rollup_hour r where r.currency = p.currency and {mine}) order by 1"
)
_AGENTS = "select p.code, p.name from party p where p.kind = 'agent' and {below} order by p.code limit {most}"


def offered(actor: Actor, what: str) -> list[Choice]:
    """Return what the actor may filter by, by code, at most 300. Raises Forbidden, BadInput for what is no filter."""
    sql, args = _question(actor, what)
    with reading() as tx:
        return [Choice(*row) for row in tx.rows(sql, args)]


def _question(actor: Actor, what: str) -> Condition:
    mine, args = own(actor, **_OWN_PARTIES)
    every = "true" if mine == "true" else "false"
    if what in {"merchant", "acceptor"}:
        knows, who = known(actor, what)
        return _PARTIES.format(kind=what, knows=knows, every=every, mine=mine, most=MOST), (*who, *args)
    if what == "pool":
        return _POOLS.format(every=every, mine=mine, most=MOST), args
    if what == "currency":
        return _CURRENCIES.format(every=every, mine=mine), args
    if what == "agent":
        actor.must(Right.SEE_COMMISSIONS)
        below, given = own(actor, agent="p.id")
        return _AGENTS.format(below=below, most=MOST), given
    if what == "rule":
        actor.must(Right.SEE_RISK)
        return "select distinct r.rule, r.rule from rollup_alert_day r order by 1", ()
    raise BadInput(sentence("'%(what)s' is nothing to filter by", what=what[:20]), what=what[:20])
