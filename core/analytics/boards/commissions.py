"""Commission lines from the daily rollup: totals, by time, agent, level and plan; their share of the fees.

Lines count on the UTC day they were earned. An agent sees its own lines and those of the agents below it, apart or
together, and nothing of the platform's fees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Actor, Right, Scope
from core.analytics.boards.asking import COMMISSIONS, Days, days, own, where, whose
from core.db import reading
from core.errors import BadInput, Forbidden, sentence

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.boards.asking import Filters
    from core.db import Transaction

MOST_AGENTS = 200
# Of one agent, or of one level, each line is of another order: their bases add up.
_COUNTS = "coalesce(sum(r.lines), 0)::bigint, coalesce(sum(r.base_units), 0)::bigint, coalesce(sum(r.units), 0)::bigint"
# Several agents share in one order: theirs is counted by the paths, on which each order stands once.
_TOTALS = """
select coalesce(sum(r.lines), 0)::bigint,
       (select coalesce(sum(b.base_units), 0)::bigint from rollup_commission_path_day b
         where b.day between %s and %s and ({every} or b.agents && array(
               select p.id from party p where p.kind = 'agent' and {seen}))),
       coalesce(sum(r.units), 0)::bigint
  from rollup_commission_day r where {condition}
"""
_PLAN_BASES = """
select x.version, sum(x.base_units)::bigint
  from (select distinct b.day, b.agents, b.plan_versions, u.version, b.base_units
          from rollup_commission_path_day b cross join unnest(b.agents, b.plan_versions) as u (agent, version)
         where b.day between %s and %s and ({every} or u.agent in (
               select p.id from party p where p.kind = 'agent' and {seen}))) x
 group by 1
"""


class Counts(NamedTuple):
    """Lines, their base and what they pay, USDT units. The base is the gross of their orders, each order once."""

    lines: int
    base_units: int
    units: int


class DayRow(NamedTuple):
    """What agents of one level earned on one UTC day."""

    day: date
    level: int
    counts: Counts


class KeyRow(NamedTuple):
    """What one agent, level or plan version earned; `agents` is how many shared in it.

    A plan's version is called by both: code "direct v2", name "direct", version 2; of others the version is 0.
    """

    code: str
    name: str
    version: int
    agents: int
    counts: Counts


class Cost(NamedTuple):
    """Commissions beside the fees of the same days, USDT units."""

    units: int
    fee_units: int


def totals(actor: Actor, span: Days, filters: Filters) -> Counts:
    """Return the sums over the days. Raises Forbidden."""
    condition, args = _where(actor, span, filters)
    every, seen, given = _seen(actor, filters)
    sql = _TOTALS.format(every=every, seen=seen, condition=condition)
    with reading() as tx:
        return Counts(*tx.rows(sql, (span.first, span.last, *given, *args))[0])


def by_day(actor: Actor, span: Days, filters: Filters) -> list[DayRow]:
    """Return the sums by UTC day and level, oldest first; days without a line have no row. Raises Forbidden."""
    condition, args = _where(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            f"select r.day, r.level, {_COUNTS} from rollup_commission_day r"  # noqa: S608
            f" where {condition} group by 1, 2 order by 1, 2",
            args,
        )
    return [DayRow(day, level, Counts(*counts)) for day, level, *counts in rows]


_KEYS = {
    "agent": ("r.agent_id", "join party p on p.id = g.key", "p.code, p.name, 0"),
    "level": ("r.level", "", "g.key::text, g.key::text, 0"),
    "plan": (
        "r.plan_version_id",
        "join plan_version v on v.id = g.key join plan p on p.id = v.plan_id",
        "p.code || ' v' || v.version, p.code, v.version",
    ),
}


def by_key(actor: Actor, span: Days, filters: Filters, what: str) -> list[KeyRow]:
    """Return the sums by agent, level or plan version, most earned first, at most 200. Raises Forbidden, BadInput."""
    if what not in _KEYS:
        raise BadInput(sentence("'%(what)s' is nothing to sum by", what=what[:20]), what=what[:20])
    key, join, said = _KEYS[what]
    condition, args = _where(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            f"with g (key, agents, lines, base_units, units) as (select {key}, count(distinct r.agent_id), {_COUNTS}"  # noqa: S608
            f" from rollup_commission_day r where {condition} group by 1)"
            f" select g.key, {said}, g.agents, g.lines, g.base_units, g.units from g {join}"
            f" order by g.units desc, 2 limit {MOST_AGENTS}",
            args,
        )
        bases = _plan_bases(tx, actor, span, filters) if what == "plan" else {}
    return [
        KeyRow(code, name, version, agents, Counts(lines, bases.get(number, base), units))
        for number, code, name, version, agents, lines, base, units in rows
    ]


def _plan_bases(tx: Transaction, actor: Actor, span: Days, filters: Filters) -> dict[int, int]:
    """Return the base of each plan version's lines: two agents of one path may be paid by the same version."""
    every, seen, given = _seen(actor, filters)
    return dict(tx.rows(_PLAN_BASES.format(every=every, seen=seen), (span.first, span.last, *given)))


def cost(actor: Actor, span: Days) -> Cost:
    """Return all commissions beside all fees of those days. Raises Forbidden for whoever does not see all rows."""
    actor.must(Right.SEE_COMMISSIONS)
    if actor.scope is not Scope.ALL:
        raise Forbidden(sentence("the platform's fees are not shown to agents"), right=Right.SEE_COMMISSIONS.value)
    args = (span.first, span.last)
    with reading() as tx:
        rows = tx.rows(
            "select (select coalesce(sum(r.units), 0)::bigint"
            "          from rollup_commission_day r where r.day between %s and %s),"
            " (select coalesce(sum(r.fee_units), 0)::bigint from rollup_hour r"
            "   where r.hour >= %s::date::timestamp at time zone 'UTC'"
            "     and r.hour < (%s::date + 1)::timestamp at time zone 'UTC')",
            (*args, *args),
        )
    return Cost(*rows[0])


def _seen(actor: Actor, filters: Filters) -> tuple[str, str, tuple[object, ...]]:
    """Return whether every agent counts ("true" or "false"), else which party `p` does, with its arguments."""
    (mine, args), (which, more) = own(actor, agent="p.id"), whose(actor, filters, "p.id")
    if filters.agent:
        return "false", f"{mine} and {which} and p.code = %s", (*args, *more, filters.agent)
    return ("true" if actor.scope is Scope.ALL else "false"), f"{mine} and {which}", (*args, *more)


def _where(actor: Actor, span: Days, filters: Filters) -> tuple[str, tuple[object, ...]]:
    actor.must(Right.SEE_COMMISSIONS)
    mine = own(actor, agent="r.agent_id"), whose(actor, filters, "r.agent_id")
    return where(filters, COMMISSIONS, days(span), *mine)
