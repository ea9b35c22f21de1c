"""The tree of agents as people read it: who stands below whom, what each refers, its volume and commission."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import clock
from core.actor import Actor, Right, Scope
from core.db import reading
from core.errors import NotFound, sentence
from core.money import USDT, Money

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction

MOST: Final = 2_000
"""Agents shown at most; a longer tree is looked at branch by branch."""


class Node(NamedTuple):
    """One agent in the tree. `level` counts from the top of what is shown; volume is of 30 days, of its own referrals.

    `commission` is what it earned itself in the running month (UTC).
    """

    id: int
    ref: str
    code: str
    name: str
    state: str
    held: bool
    plan: str
    level: int
    merchants: int
    acceptors: int
    sub_agents: int
    volume: Money
    commission: Money
    joined_at: datetime


class AgentView(NamedTuple):
    """One agent: its place, its plan's version in force and that version's terms.

    `parent` is None at the top of what the actor sees.
    """

    id: int
    ref: str
    code: str
    name: str
    state: str
    held: bool
    country: str
    depth: int
    parent_ref: str | None
    parent: str | None
    plan: str
    plan_version: int
    plan_from: datetime
    terms: dict[str, Any]
    joined_at: datetime


class Referral(NamedTuple):
    """A merchant, acceptor or sub-agent that an agent refers itself; what it brought in 30 days and this month."""

    kind: str
    ref: str
    code: str
    name: str
    state: str
    volume: Money
    commission: Money | None
    joined_at: datetime


# Subtrees in the order of a walk: each agent under its parent, siblings by code. An agent's path is the codes above it.
_TREE = """
with recursive shown (id, level, path) as (
    select g.party_id, 0, array[p.code] from agent g join party p on p.id = g.party_id where {top}
    union all
    select g.party_id, s.level + 1, s.path || p.code
      from shown s join agent g on g.parent_id = s.id join party p on p.id = g.party_id
), volume as (
    select r.agent_id, sum(r.usdt_units)::bigint as units from rollup_hour r
     where r.hour >= %(since)s and r.agent_id in (select id from shown) group by 1
), earned as (
    select r.agent_id, sum(r.units)::bigint as units from rollup_commission_day r
     where r.day >= %(month)s and r.agent_id in (select id from shown) group by 1
)
select p.id, p.ref, p.code, p.name, p.state, g.held, l.code, s.level,
       (select count(*) from merchant x where x.agent_id = p.id),
       (select count(*) from acceptor x where x.agent_id = p.id),
       (select count(*) from agent x where x.parent_id = p.id),
       coalesce(v.units, 0), coalesce(e.units, 0), p.created_at
  from shown s join party p on p.id = s.id join agent g on g.party_id = s.id join plan l on l.id = g.plan_id
  left join volume v on v.agent_id = s.id left join earned e on e.agent_id = s.id
 order by s.path limit %(most)s
"""
_AGENT = """
select p.id, p.ref, p.code, p.name, p.state, g.held, p.country, g.depth, u.ref, u.code,
       l.code, v.version, v.effective_from, v.terms, p.created_at
  from agent g join party p on p.id = g.party_id left join party u on u.id = g.parent_id
  join plan l on l.id = g.plan_id
  join lateral (select x.version, x.effective_from, x.terms from plan_version x
                 where x.plan_id = l.id and x.effective_from <= %s and x.withdrawn_at is null
                 order by x.version desc limit 1) v on true
 where p.ref = %s
"""
_REFERRALS = """
with by_merchant as (
    select r.merchant_id, sum(r.usdt_units)::bigint as units from rollup_hour r where r.hour >= %(since)s
       and r.merchant_id in (select x.party_id from merchant x where x.agent_id = %(agent)s) group by 1
), by_acceptor as (
    select r.acceptor_id, sum(r.usdt_units)::bigint as units from rollup_hour r where r.hour >= %(since)s
       and r.acceptor_id in (select x.party_id from acceptor x where x.agent_id = %(agent)s) group by 1
), below as (
    select d.ancestor_id as top, d.descendant_id as id from agent_closure d
     where d.ancestor_id in (select x.party_id from agent x where x.parent_id = %(agent)s)
), branch as (
    select b.top, sum(r.usdt_units)::bigint as units from rollup_hour r join below b on b.id = r.agent_id
     where r.hour >= %(since)s group by 1
), earned as (
    select b.top, sum(r.units)::bigint as units from rollup_commission_day r join below b on b.id = r.agent_id
     where r.day >= %(month)s group by 1
), month as (
    select o.merchant_id, sum(c.units)::bigint as units from commission_line c join orders o on o.id = c.order_id
     where c.agent_id = %(agent)s and c.period = %(period)s group by 1
)
select 'merchant', p.ref, p.code, p.name, p.state, coalesce(v.units, 0), coalesce(m.units, 0), p.created_at
  from merchant x join party p on p.id = x.party_id left join by_merchant v on v.merchant_id = p.id
  left join month m on m.merchant_id = p.id where x.agent_id = %(agent)s
union all
select 'acceptor', p.ref, p.code, p.name, p.state, coalesce(v.units, 0), null, p.created_at
  from acceptor x join party p on p.id = x.party_id left join by_acceptor v on v.acceptor_id = p.id
 where x.agent_id = %(agent)s
union all
select 'agent', p.ref, p.code, p.name, p.state, coalesce(v.units, 0), coalesce(e.units, 0), p.created_at
  from agent x join party p on p.id = x.party_id left join branch v on v.top = p.id left join earned e on e.top = p.id
 where x.parent_id = %(agent)s
 order by 1, 6 desc, 3 limit %(most)s
"""


def nodes(actor: Actor) -> list[Node]:
    """Return the agents the actor sees, each below its parent: the whole tree, or its own subtree. Raises Forbidden."""
    actor.must(Right.SEE_AGENTS)
    top, number = ("g.parent_id is null", None) if actor.scope is Scope.ALL else ("g.party_id = %(top)s", _self(actor))
    with reading() as tx:
        rows = tx.raw.execute(_TREE.format(top=top), {"top": number, **_times()}).fetchall()
    return [Node._make((*row[:11], Money(row[11], USDT), Money(row[12], USDT), row[13])) for row in rows]


def agent(actor: Actor, ref: str) -> AgentView:
    """Return one agent of those the actor sees. Raises Forbidden, NotFound (for another's too)."""
    actor.must(Right.SEE_AGENTS)
    with reading() as tx:
        rows = tx.rows(_AGENT, (clock.now(), ref))
        if not rows or not _sees(tx, actor, rows[0][0]):
            raise NotFound(sentence("there is no agent %(ref)s among yours", ref=ref[:40]), ref=ref[:40])
    found = AgentView(*rows[0])
    # An agent does not learn who stands above it.
    return found._replace(parent_ref=None, parent=None) if found.id == _self(actor) else found


def referrals(actor: Actor, ref: str) -> list[Referral]:
    """Return what an agent refers itself: merchants, acceptors and sub-agents (those with all below them).

    Commission is what this agent earns on a merchant, and what a sub-agent's whole branch earns itself. Raises as
    `agent` does.
    """
    found = agent(actor, ref)
    with reading() as tx:
        rows = tx.raw.execute(_REFERRALS, {"agent": found.id, **_times()}).fetchall()
    amounts = [(Money(row[5], USDT), None if row[6] is None else Money(row[6], USDT)) for row in rows]
    return [Referral._make((*row[:5], *each, row[7])) for row, each in zip(rows, amounts, strict=True)]


def active_referrals(actor: Actor) -> int:
    """Return how many merchants of the actor's subtree completed an order in the last 30 days. Raises Forbidden."""
    actor.must(Right.SEE_AGENTS)
    with reading() as tx:
        found: int = tx.call(
            "select count(distinct r.merchant_id) from rollup_hour r where r.hour >= %s and r.completed > 0"
            " and r.agent_id in (select d.descendant_id from agent_closure d where d.ancestor_id = %s)",
            (_times()["since"], _self(actor)),
        )
    return found


def _times() -> dict[str, Any]:
    now = clock.now()
    return {
        "since": now - timedelta(days=30),
        "month": now.date().replace(day=1),
        "period": f"{now:%Y-%m}",
        "most": MOST,
    }


def _self(actor: Actor) -> int | None:
    return actor.party_id if actor.scope is Scope.AGENT else None


def _sees(tx: Transaction, actor: Actor, number: int) -> bool:
    if actor.scope is Scope.ALL:
        return True
    below = "select 1 from agent_closure where ancestor_id = %s and descendant_id = %s"
    return bool(tx.call(below, (_self(actor), number)))
