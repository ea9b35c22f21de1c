"""Commission lines from the daily rollup: totals, by time, agent, level and plan; their share of the fees; the pace.

Lines count on the UTC day they were earned. An agent sees its own lines and those of the agents below it, apart or
together, and nothing of the platform's fees.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.actor import Actor, Right, Scope
from core.analytics.boards.asking import COMMISSIONS, Days, days, own, where, whose
from core.db import reading
from core.errors import BadInput, Forbidden

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.boards.asking import Filters
    from core.db import Transaction

MOST_AGENTS = 200
DAY_SECONDS = 86_400
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


class BucketRow(NamedTuple):
    """What agents of one level earned in the day or week (of Monday) that begins on `start`."""

    start: date
    level: int
    counts: Counts


class KeyRow(NamedTuple):
    """What one agent, level or plan version earned; `agents` is how many shared in it."""

    code: str
    name: str
    agents: int
    counts: Counts


class Cost(NamedTuple):
    """Commissions beside the fees of the same days, USDT units."""

    units: int
    fee_units: int


class Step(NamedTuple):
    """One UTC day of the running month: earned up to its end (None: not begun yet), and what the pace says."""

    day: date
    units: int | None
    expected_units: int


class Pace(NamedTuple):
    """The running UTC month in USDT units: earned until now, expected at its end, day by day."""

    first: date
    last: date
    units: int
    expected_units: int
    steps: list[Step]


def totals(actor: Actor, span: Days, filters: Filters) -> Counts:
    """Return the sums over the days. Raises Forbidden."""
    condition, args = _where(actor, span, filters)
    every, seen, given = _seen(actor, filters)
    sql = _TOTALS.format(every=every, seen=seen, condition=condition)
    with reading() as tx:
        return Counts(*tx.rows(sql, (span.first, span.last, *given, *args))[0])


def by_bucket(actor: Actor, span: Days, filters: Filters, bucket: str) -> list[BucketRow]:
    """Return the sums by day or week and level, oldest first. Raises Forbidden, BadInput."""
    if bucket not in {"day", "week"}:
        raise BadInput(f"'{bucket[:20]}' is not a bucket of commissions", bucket=bucket[:20])
    condition, args = _where(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            f"select date_trunc(%s, r.day::timestamp)::date, r.level, {_COUNTS} from rollup_commission_day r"  # noqa: S608
            f" where {condition} group by 1, 2 order by 1, 2",
            (bucket, *args),
        )
    return [BucketRow(start, level, Counts(*counts)) for start, level, *counts in rows]


_KEYS = {
    "agent": ("r.agent_id", "join party p on p.id = g.key", "p.code, p.name"),
    "level": ("r.level", "", "g.key::text, g.key::text"),
    "plan": (
        "r.plan_version_id",
        "join plan_version v on v.id = g.key join plan p on p.id = v.plan_id",
        "p.code || ' v' || v.version, p.code",
    ),
}


def by_key(actor: Actor, span: Days, filters: Filters, what: str) -> list[KeyRow]:
    """Return the sums by agent, level or plan version, most earned first, at most 200. Raises Forbidden, BadInput."""
    if what not in _KEYS:
        raise BadInput(f"'{what[:20]}' is nothing to sum by", what=what[:20])
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
        KeyRow(code, name, agents, Counts(lines, bases.get(number, base), units))
        for number, code, name, agents, lines, base, units in rows
    ]


def _plan_bases(tx: Transaction, actor: Actor, span: Days, filters: Filters) -> dict[int, int]:
    """Return the base of each plan version's lines: two agents of one path may be paid by the same version."""
    every, seen, given = _seen(actor, filters)
    return dict(tx.rows(_PLAN_BASES.format(every=every, seen=seen), (span.first, span.last, *given)))


def cost(actor: Actor, span: Days) -> Cost:
    """Return all commissions beside all fees of those days. Raises Forbidden for whoever does not see all rows."""
    actor.must(Right.SEE_COMMISSIONS)
    if actor.scope is not Scope.ALL:
        raise Forbidden("the platform's fees are not shown to agents", right=Right.SEE_COMMISSIONS.value)
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


def pace(actor: Actor, filters: Filters) -> Pace:
    """Return the running UTC month and a plain run-rate: earned so far ÷ time passed × length of the month.

    Whole units, rounded down; no season or trend is assumed. Raises Forbidden.
    """
    now = clock.now()
    first = now.date().replace(day=1)
    length = monthrange(first.year, first.month)[1]
    span = Days(first, first + timedelta(days=length - 1))
    earned: dict[date, int] = {}
    for row in by_bucket(actor, span, filters, "day"):
        earned[row.start] = earned.get(row.start, 0) + row.counts.units
    units = sum(earned.values())
    passed = max((now.date() - first).days * DAY_SECONDS + (now.hour * 60 + now.minute) * 60 + now.second, 1)
    steps: list[Step] = []
    running = 0
    for number in range(length):
        day = first + timedelta(days=number)
        running += earned.get(day, 0)
        expected = units * (number + 1) * DAY_SECONDS // passed
        steps.append(Step(day, running if day <= now.date() else None, expected))
    return Pace(span.first, span.last, units, steps[-1].expected_units, steps)


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
