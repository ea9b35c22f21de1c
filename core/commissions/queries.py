"""Reading commission lines: lists by keyset, sums, one line explained to its formula; rows by scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from core import ids
from core.actor import Actor, Right, Scope
from core.commissions.plans import Share
from core.db import reading
from core.errors import BadInput, NotFound, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from core.db import Transaction

PAGE = 100
ROWS_AT_ONCE = 5_000
STATES = ("pending", "approved", "payable", "held", "paid", "reversed")
UNPAID = ("pending", "approved", "payable")
"""In these states a line is held while its agent's commission is; nothing is written on the line itself."""

_HELD_AGENTS = "select x.party_id from agent x where x.held"
_HELD_THEN = (
    "select x.agent_id from commission_hold x where x.opened_at < %s and (x.closed_at is null or x.closed_at >= %s)"
)

_FROM = """
  from commission_line c
  join orders o on o.id = c.order_id
  join party g on g.id = c.agent_id
  join party m on m.id = o.merchant_id
  join plan_version v on v.id = c.plan_version_id
  join plan l on l.id = v.plan_id
  left join agent h on h.party_id = c.agent_id
"""
_COLUMNS = f"""
select c.id, c.ref, o.ref, c.accrued_at, c.period, g.ref, g.code, g.name, m.code, c.level, l.code, v.version,
       c.plan_version_id, c.own_bps, c.below_bps, c.rate_bps, c.base_units, c.units,
       case when h.held and c.state in {UNPAID} then 'held' else c.state end
"""
_COLUMNS_THEN = _COLUMNS.replace("h.held", f"c.agent_id in ({_HELD_THEN})")


_AGENT = "c.agent_id in (select x.id from party x where x.kind = 'agent' and %s in (x.code, x.ref))"
_MERCHANT = (
    "exists (select 1 from orders x join party p on p.id = x.merchant_id"
    " where x.id = c.order_id and %s in (p.code, p.ref))"
)


class Filters(NamedTuple):
    """What is asked for; empty: everything of the actor's. `agent` and `merchant` are codes or refs.

    `starts_at` is within, `ends_at` is not. `whose` parts an agent's lines: its "own", or those of agents "below" it.
    `held_at` is the moment for which lines say whether they are held, None for now.
    """

    period: str = ""
    agent: str = ""
    merchant: str = ""
    order: str = ""
    state: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    whose: str = ""
    held_at: datetime | None = None

    def words(self) -> str:
        """Return the filters in words, for the foot of a report."""
        named = zip(self._fields, self, strict=True)
        said = [f"{name} {value}" for name, value in named if value and name != "held_at"]
        return "; ".join(said) or "everything"


EVERYTHING = Filters()


class Line(NamedTuple):
    """One commission line; amounts in USDT units. The merchant is known to the agent by its code."""

    id: int
    ref: str
    order_ref: str
    accrued_at: datetime
    period: str
    agent_ref: str
    agent: str
    agent_name: str
    merchant: str
    level: int
    plan: str
    plan_version: int
    plan_version_id: int
    own_bps: int
    below_bps: int
    rate_bps: int
    base_units: int
    units: int
    state: str

    @property
    def formula(self) -> str:
        """How the line was reckoned, in words and figures."""
        return Share(
            agent_id=0,
            agent_ref=self.agent,
            level=self.level,
            plan_version_id=self.plan_version_id,
            plan_version=self.plan_version,
            own_bps=self.own_bps,
            below_bps=self.below_bps,
            rate_bps=self.rate_bps,
            base_units=self.base_units,
            units=self.units,
        ).formula


class Sums(NamedTuple):
    """How many lines, what they pay, and their base in USDT units: the gross amount of the orders they are of.

    An order that pays several of the lines is one order, and counts once in the base.
    """

    lines: int
    orders: int
    base_units: int
    units: int


class Step(NamedTuple):
    """One agent on the path that was frozen when the order was opened, the direct one first."""

    level: int
    agent: str
    plan_version: int
    own_bps: int
    below_bps: int
    rate_bps: int
    units: int


class Explanation(NamedTuple):
    """Why a line is what it is: order, plan version, path, rate, formula, and the entry that paid it."""

    line: Line
    opened_at: datetime
    plan_terms: dict[str, Any]
    plan_effective_from: datetime
    path: list[Step]
    formula: str
    entry_ref: str
    share: Share | None = None
    """The line's own share as it was frozen: with the tier, and the volume that gave it."""


def lines(
    actor: Actor,
    filters: Filters = EVERYTHING,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> list[Line]:
    """Return the actor's lines, newest first; `after` is the last seen line's (accrued_at, id).

    Raises Forbidden without the right, BadInput for an unknown state.
    """
    actor.must(Right.SEE_COMMISSIONS)
    where, args = condition(actor, filters)
    if after is not None:
        where, args = f"{where} and (c.accrued_at, c.id) < (%s, %s)", [*args, *after]
    with reading() as tx:
        rows = tx.rows(
            f"{_COLUMNS} {_FROM} where {where} order by c.accrued_at desc, c.id desc limit %s",
            [*args, max(1, min(limit, 1000))],
        )
    return [Line(*row) for row in rows]


def sums(actor: Actor, filters: Filters = EVERYTHING) -> Sums:
    """Return what the actor's lines sum to. Raises as `lines` does."""
    actor.must(Right.SEE_COMMISSIONS)
    with reading() as tx:
        return sums_in(tx, actor, filters)


def sums_in(tx: Transaction, actor: Actor, filters: Filters) -> Sums:
    """Return the same inside a reading transaction, so that it belongs to what else is read there."""
    where, args = condition(actor, filters)
    rows = tx.rows(
        "select coalesce(sum(x.lines), 0)::bigint, count(*), coalesce(sum(x.base), 0)::bigint,"  # noqa: S608 - our own words
        " coalesce(sum(x.units), 0)::bigint"
        " from (select count(*) as lines, max(c.base_units) as base, sum(c.units) as units"
        f" from commission_line c where {where} group by c.order_id) x",
        args,
    )
    return Sums(*rows[0])


def stream(tx: Transaction, actor: Actor, filters: Filters) -> Iterator[Line]:
    """Yield the actor's lines, oldest first, a few thousand at a time whatever their number. Raises as `lines` does."""
    actor.must(Right.SEE_COMMISSIONS)
    where, args = condition(actor, filters)
    with tx.raw.cursor("commission_lines") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(
            f"{_COLUMNS_THEN if filters.held_at else _COLUMNS} {_FROM} where {where} order by c.accrued_at, c.id",
            [*_then(filters), *args],
        )
        for row in cursor:
            yield Line(*row)


def explain(actor: Actor, ref: str) -> Explanation:
    """Return why the line is what it is. An agent sees its own part of the path, not what stands above it.

    Raises Forbidden without the right, NotFound for no such line or another's.
    """
    actor.must(Right.SEE_COMMISSIONS)
    where, args = condition(actor, Filters())
    with reading() as tx:
        rows = tx.rows(
            f"{_COLUMNS}, o.created_at, v.terms, v.effective_from, o.split, coalesce((select e.ref from"  # noqa: S608 - our own words
            " journal_entry e"
            " where e.order_id = o.id and e.reason = 'escrow_release' limit 1), ''),"
            " (select coalesce(array_agg(x.id), '{}') from party x where x.kind = 'agent'"
            f"   and {_seen(actor)[0]}) {_FROM} where c.ref = %s and {where}",
            [*_seen(actor)[1], ids.check(ref, "com"), *args],
        )
    if not rows:
        raise NotFound(sentence("there is no commission line %(ref)s among yours", ref=ref), ref=ref)
    *columns, opened_at, terms, effective_from, split, entry_ref, seen = rows[0]
    line = Line(*columns)
    path = [
        Step(
            share["level"],
            share["agent_ref"],
            share["plan_version"],
            share["own_bps"],
            share["below_bps"],
            share["rate_bps"],
            share["units"],
        )
        for share in sorted(split, key=lambda each: int(each["level"]))
        if share["agent_id"] in set(seen)
    ]
    frozen = next((share for share in split if int(share["level"]) == line.level), None)
    own = Share(**{name: frozen[name] for name in Share._fields if name in frozen}) if frozen else None
    return Explanation(line, opened_at, terms, effective_from, path, line.formula, entry_ref, own)


def condition(actor: Actor, filters: Filters) -> tuple[str, list[object]]:
    """Return the condition on lines `c`, which needs no other table beside them; deny is the default.

    Raises BadInput for an unknown state.
    """
    if filters.state and filters.state not in STATES:
        raise BadInput(f"a commission line is {', '.join(STATES)}", state=filters.state[:20])
    seen, args = _seen(actor)
    where = [seen.replace("x.id", "c.agent_id")]
    for words, value in (
        ("c.period = %s", filters.period),
        (_AGENT, filters.agent),
        (_MERCHANT, filters.merchant),
        ("c.order_id = (select x.id from orders x where x.ref = %s)", filters.order),
        ("c.accrued_at >= %s", filters.starts_at),
        ("c.accrued_at < %s", filters.ends_at),
    ):
        if value:
            where.append(words)
            args = [*args, value]
    held = _HELD_THEN if filters.held_at else _HELD_AGENTS
    if filters.state == "held":
        where.append(f"c.state in {UNPAID} and c.agent_id in ({held})")
        args = [*args, *_then(filters)]
    elif filters.state:
        where.append(f"c.state = %s and (c.state not in {UNPAID} or c.agent_id not in ({held}))")
        args = [*args, filters.state, *_then(filters)]
    if filters.whose and actor.scope is Scope.AGENT:
        where.append(f"c.agent_id {'=' if filters.whose == 'own' else '<>'} %s")
        args = [*args, actor.party_id]
    return " and ".join(where), args


def _then(filters: Filters) -> list[object]:
    """Return what `_HELD_THEN` takes: nothing where lines say how they stand now."""
    return [filters.held_at, filters.held_at] if filters.held_at else []


def _seen(actor: Actor) -> tuple[str, list[object]]:
    """Return the condition that agent `x.id` is one whose lines the actor sees: all, or its own subtree's."""
    if actor.scope is Scope.ALL:
        return "true", []
    if actor.scope is Scope.AGENT and actor.party_id is not None:
        return "x.id in (select d.descendant_id from agent_closure d where d.ancestor_id = %s)", [actor.party_id]
    return "false", []
