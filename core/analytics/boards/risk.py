"""Alerts from the daily rollup: by rule and day, verdicts, precision, parties; and what is held and open now.

Alerts count on the UTC day they were raised, decisions on the day of their alert, both for the acceptor their order
has, so that figures are those of the rows they open. USDT is of the orders, each once however many alerts it has.
Held value and open alerts are of this moment, read from the holds and the alerts themselves, which are few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.actor import Actor, Right
from core.analytics.boards.asking import ALERTS, PARTIES, Ratio, days, own, where
from core.db import reading
from core.errors import BadInput, sentence

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.boards.asking import Condition, Days, Filters

# The column `false_positive` holds all that was cleared: closed as a false positive or as explained.
_COLUMNS = ("raised", "closed", "confirmed", "false_positive", "decide_seconds")
_COUNTS = ", ".join(f"coalesce(sum(r.{column}), 0)::bigint" for column in _COLUMNS)
_ALERTS = "rollup_alert_day r"
_ORDERS = "rollup_alert_order r"
AGES = (3600, 4 * 3600, 24 * 3600, 72 * 3600)
"""The upper ends of the ages open alerts are counted by, in seconds; older ones come last."""
MOST_PARTIES = 200


class Counts(NamedTuple):
    """Alerts raised and closed; of the closed: confirmed and cleared, see `choices.CLEARED`; seconds to decide."""

    raised: int
    closed: int
    confirmed: int
    cleared: int
    decide_seconds: int

    @property
    def waiting(self) -> int:
        """Alerts not decided yet."""
        return self.raised - self.closed

    @property
    def precision(self) -> Ratio:
        """Confirmed of those decided either way; inconclusive ones are in neither."""
        return Ratio(self.confirmed, self.confirmed + self.cleared)

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
    condition, args = _alerts(actor, span, filters)
    with reading() as tx:
        return Counts(*tx.rows(f"select {_COUNTS} from {_ALERTS} where {condition}", args)[0])  # noqa: S608


def by_day(actor: Actor, span: Days, filters: Filters) -> list[DayRow]:
    """Return the sums by UTC day and rule, oldest first; days without an alert have no row. Raises Forbidden."""
    condition, args = _alerts(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            f"select r.day, r.rule, {_COUNTS} from {_ALERTS}"  # noqa: S608
            f" where {condition} group by 1, 2 order by 1, 2",
            args,
        )
    return [DayRow(day, rule, Counts(*counts)) for day, rule, *counts in rows]


def by_key(actor: Actor, span: Days, filters: Filters, what: str) -> list[KeyRow]:
    """Return the sums by rule or verdict, most alerts first. Raises Forbidden, BadInput."""
    if what not in {"rule", "verdict"}:
        raise _nothing(what)
    condition, args = _alerts(actor, span, filters)
    with reading() as tx:
        rows = tx.rows(
            f"select r.{what}, {_COUNTS} from {_ALERTS} where {condition} group by 1 order by 2 desc, 1",  # noqa: S608
            args,
        )
    return [KeyRow(code, Counts(*counts)) for code, *counts in rows]


def by_party(actor: Actor, span: Days, filters: Filters, what: str) -> list[PartyRow]:
    """Return the sums by merchant or acceptor of the order, most alerts first, at most 200.

    Orders that found no acceptor yet belong to none. Raises Forbidden, BadInput.
    """
    if what not in {"merchant", "acceptor"}:
        raise _nothing(what)
    condition, args = _alerts(actor, span, filters)
    about, about_args = _orders(actor, span, filters)
    names = ", ".join(_COLUMNS)
    with reading() as tx:
        rows = tx.rows(
            f"with told (party, {names}) as"  # noqa: S608
            f" (select r.{what}_id, {_COUNTS} from {_ALERTS} where {condition} group by 1),"
            f" worth (party, usdt_units) as (select r.{what}_id, sum(r.usdt_units)::bigint"
            f" from {_ORDERS} where {about} group by 1)"
            f" select p.code, p.name, w.usdt_units, {names} from told t join worth w on w.party = t.party"
            f" join party p on p.id = t.party order by t.raised desc, 1 limit {MOST_PARTIES}",
            (*args, *about_args),
        )
    return [PartyRow(code, name, usdt_units, Counts(*counts)) for code, name, usdt_units, *counts in rows]


def opened(actor: Actor, span: Days, filters: Filters) -> int:
    """Return how many orders were opened on those UTC days, to set alerts against. Raises Forbidden."""
    actor.must(Right.SEE_RISK)
    # The hourly rollup knows no rules: that filter does not narrow the orders.
    condition, args = where(
        filters,
        PARTIES,
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


def _alerts(actor: Actor, span: Days, filters: Filters) -> Condition:
    """Return the condition on the rollup of alerts."""
    return where(filters, ALERTS, days(span), _own(actor))


def _orders(actor: Actor, span: Days, filters: Filters) -> Condition:
    """Return the condition on the rollup of orders with alerts: one of its alerts is of these days and that rule."""
    # Most orders have one alert: whether the first or the last is of these days is asked before each is.
    first_or_last = "r.days[1] <= %s and r.days[cardinality(r.days)] >= %s", (span.last, span.first)
    each = (
        "exists (select from unnest(r.days, r.rules) x (d, rule) where x.d between %s and %s and %s in ('', x.rule))",
        (span.first, span.last, filters.rule),
    )
    return where(filters, PARTIES, first_or_last, each, _own(actor))


def _own(actor: Actor) -> Condition:
    actor.must(Right.SEE_RISK)
    return own(actor, merchant="r.merchant_id", acceptor="r.acceptor_id")


def _nothing(what: str) -> BadInput:
    return BadInput(sentence("'%(what)s' is nothing to sum by", what=what[:20]), what=what[:20])
