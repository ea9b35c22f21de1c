"""Alerts from the daily rollup: by rule and day, verdicts, precision; and their parties, what is held and open now.

Alerts count on the UTC day they were raised, decisions on the day of their alert. Held value, open alerts and
whatever asks for an acceptor or for USDT is of this moment, read from the holds and the alerts themselves, which are
few: the rollup keeps the acceptor an order had when the gate looked, and adds its USDT once for each of its alerts.
The list of alerts shows the acceptor the order has, and sums each order once; figures are those of the rows they open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.actor import Actor, Right, Scope
from core.analytics.boards.asking import ALERTS, Ratio, days, own, where
from core.db import reading
from core.errors import BadInput, sentence

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.boards.asking import Days, Filters

_COLUMNS = ("raised", "closed", "confirmed", "false_positive", "decide_seconds")
_COUNTS = ", ".join(f"coalesce(sum(r.{column}), 0)::bigint" for column in _COLUMNS)
_ROLLUP = "rollup_alert_day r"
_THEMSELVES = """
(select (a.raised_at at time zone 'UTC')::date as day, a.rule, a.verdict, o.currency, o.merchant_id,
        coalesce(o.acceptor_id, 0) as acceptor_id, a.order_id, o.usdt_units, 1 as raised,
        (a.state = 'closed')::int as closed,
        (a.state = 'closed' and a.disposition like 'confirmed%%')::int as confirmed,
        (a.state = 'closed' and a.disposition in ('false_positive', 'explained'))::int as false_positive,
        case when a.state = 'closed' then floor(extract(epoch from a.closed_at - a.raised_at)) else 0 end
            as decide_seconds
   from alert a join orders o on o.id = a.order_id
  where a.raised_at >= %s::date::timestamp at time zone 'UTC'
    and a.raised_at < (%s::date + 1)::timestamp at time zone 'UTC') r
"""
"""The alerts of those days one by one, each with its order, named as the rollup names what it keeps."""
AGES = (3600, 4 * 3600, 24 * 3600, 72 * 3600)
"""The upper ends of the ages open alerts are counted by, in seconds; older ones come last."""
MOST_PARTIES = 200


class Counts(NamedTuple):
    """Alerts raised and closed; of the closed: confirmed and false; seconds to decide, summed."""

    raised: int
    closed: int
    confirmed: int
    false_positive: int
    decide_seconds: int

    @property
    def waiting(self) -> int:
        """Alerts not decided yet."""
        return self.raised - self.closed

    @property
    def precision(self) -> Ratio:
        """Confirmed of those decided either way; inconclusive ones are in neither."""
        return Ratio(self.confirmed, self.confirmed + self.false_positive)

    @property
    def mean_decide_seconds(self) -> int | None:
        """Mean time from raised to closed in whole seconds; None when nothing was closed."""
        return self.decide_seconds // self.closed if self.closed else None


class DayRow(NamedTuple):
    """The alerts of one rule on one UTC day."""

    day: date
    rule: str
    counts: Counts


class KeyRow(NamedTuple):
    """The alerts of one rule or verdict."""

    code: str
    counts: Counts


class PartyRow(NamedTuple):
    """The alerts about orders of one merchant or acceptor, and the USDT units of those orders, each order once."""

    code: str
    name: str
    usdt_units: int
    counts: Counts


class Held(NamedTuple):
    """What compliance holds now: open holds and their units, and the ledger's held pockets, which must agree."""

    holds: int
    units: int
    ledger_units: int


class AgeRow(NamedTuple):
    """Open alerts younger than `until_seconds` (None: older than all others), and how many are past their due time."""

    until_seconds: int | None
    waiting: int
    late: int


def totals(actor: Actor, span: Days, filters: Filters) -> Counts:
    """Return the sums over the days. Raises Forbidden."""
    source, condition, args = _asked(actor, span, filters)
    with reading() as tx:
        return Counts(*tx.rows(f"select {_COUNTS} from {source} where {condition}", args)[0])  # noqa: S608


def by_day(actor: Actor, span: Days, filters: Filters) -> list[DayRow]:
    """Return the sums by UTC day and rule, oldest first; days without an alert have no row. Raises Forbidden."""
    source, condition, args = _asked(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            f"select r.day, r.rule, {_COUNTS} from {source}"  # noqa: S608
            f" where {condition} group by 1, 2 order by 1, 2",
            args,
        )
    return [DayRow(day, rule, Counts(*counts)) for day, rule, *counts in rows]


def by_key(actor: Actor, span: Days, filters: Filters, what: str) -> list[KeyRow]:
    """Return the sums by rule or verdict, most alerts first. Raises Forbidden, BadInput."""
    if what not in {"rule", "verdict"}:
        raise _nothing(what)
    source, condition, args = _asked(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            f"select r.{what}, {_COUNTS} from {source} where {condition} group by 1 order by 2 desc, 1",  # noqa: S608
            args,
        )
    return [KeyRow(code, Counts(*counts)) for code, *counts in rows]


def by_party(actor: Actor, span: Days, filters: Filters, what: str) -> list[PartyRow]:
    """Return the sums by merchant or acceptor of the order, most alerts first, at most 200.

    Orders that found no acceptor yet belong to none. Raises Forbidden, BadInput.
    """
    if what not in {"merchant", "acceptor"}:
        raise _nothing(what)
    condition, args = _where(actor, span, filters)
    kept = ", ".join(_COLUMNS)
    sums = ", ".join(f"sum(r.{column})::bigint" for column in _COLUMNS)
    with reading() as tx:
        rows = tx.rows(
            f"with each (party, order_id, usdt_units, {kept}) as ("  # noqa: S608
            f"select r.{what}_id, r.order_id, max(r.usdt_units), {sums} from {_THEMSELVES}"
            f" where {condition} group by 1, 2)"
            f" select p.code, p.name, sum(r.usdt_units)::bigint, {sums} from each r join party p on p.id = r.party"
            f" group by 1, 2 order by 4 desc, 1 limit {MOST_PARTIES}",
            (span.first, span.last, *args),
        )
    return [PartyRow(code, name, usdt_units, Counts(*counts)) for code, name, usdt_units, *counts in rows]


def opened(actor: Actor, span: Days, filters: Filters) -> int:
    """Return how many orders were opened on those UTC days, to set alerts against. Raises Forbidden."""
    actor.must(Right.SEE_RISK)
    # The hourly rollup knows no rules: that filter does not narrow the orders.
    condition, args = where(
        filters,
        ("merchant", "acceptor", "currency"),
        ("r.hour >= %s::date::timestamp at time zone 'UTC'", (span.first,)),
        ("r.hour < (%s::date + 1)::timestamp at time zone 'UTC'", (span.last,)),
        own(actor, merchant="r.merchant_id", acceptor="r.acceptor_id"),
    )
    with reading() as tx:
        count: int = tx.call(
            f"select coalesce(sum(r.created), 0)::bigint from rollup_hour r where {condition}",  # noqa: S608
            args,
        )
    return count


def held(actor: Actor) -> Held:
    """Return what is held now, and the ledger's own sum beside it. Raises Forbidden."""
    actor.must(Right.SEE_RISK)
    acceptor, args = own(actor, acceptor="a.party_id")
    with reading() as tx:
        rows = tx.rows(
            "select count(h.id), coalesce(sum(h.units), 0)::bigint,"  # noqa: S608
            f" (select coalesce(sum(a.held), 0)::bigint from ledger_account a where a.kind = 'acceptor' and {acceptor})"
            f" from hold h join ledger_account a on a.id = h.account_id where h.closed_at is null and {acceptor}",
            (*args, *args),
        )
    return Held(*rows[0])


def open_by_age(actor: Actor) -> list[AgeRow]:
    """Return the alerts nobody has decided, by age, youngest first; every age has a row. Raises Forbidden."""
    actor.must(Right.SEE_RISK)
    mine, args = own(actor, merchant="o.merchant_id", acceptor="o.acceptor_id")
    now = clock.now()
    with reading() as tx:
        rows = tx.rows(
            "select width_bucket(greatest(extract(epoch from %s - a.raised_at), 0), %s::numeric[]), count(*),"  # noqa: S608
            " count(*) filter (where a.due_at < %s) from alert a join orders o on o.id = a.order_id"
            f" where a.closed_at is null and {mine} group by 1",
            (now, list(AGES), now, *args),
        )
    found = {place: (waiting, late) for place, waiting, late in rows}
    ends: tuple[int | None, ...] = (*AGES, None)
    return [AgeRow(end, *found.get(place, (0, 0))) for place, end in enumerate(ends)]


def _asked(actor: Actor, span: Days, filters: Filters) -> tuple[str, str, tuple[object, ...]]:
    """Return where to read as `r`, the condition, and the arguments of both."""
    condition, args = _where(actor, span, filters)
    if filters.acceptor or actor.scope is Scope.ACCEPTOR:
        return _THEMSELVES, condition, (span.first, span.last, *args)
    return _ROLLUP, condition, args


def _where(actor: Actor, span: Days, filters: Filters) -> tuple[str, tuple[object, ...]]:
    actor.must(Right.SEE_RISK)
    mine = own(actor, merchant="r.merchant_id", acceptor="r.acceptor_id")
    return where(filters, ALERTS, days(span), mine)


def _nothing(what: str) -> BadInput:
    return BadInput(sentence("'%(what)s' is nothing to sum by", what=what[:20]), what=what[:20])
