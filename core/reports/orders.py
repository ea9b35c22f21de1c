"""The orders report: the orders opened in a span, with fiat, USDT and fees; rows by the actor's scope."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.actor import Right
from core.db import reading
from core.errors import BadInput
from core.money import USDT, Money, fiat
from core.orders.scope import condition
from core.orders.states import State
from core.reports import tie_out
from core.reports.files import Column, Report, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from core.actor import Actor
    from core.db import Transaction
    from core.reports.files import Cell, Progress

ROWS_AT_ONCE = 5_000
DAYS = timedelta(days=31)
COLUMNS = (
    Column("order", wide=165),
    Column("merchant_order", wide=100),
    Column("kind", wide=70),
    Column("state", wide=95),
    Column("merchant", wide=75),
    Column("acceptor", wide=85),
    Column("agent", wide=75),
    Column("pool", wide=0),
    Column("currency", wide=60),
    Column("fiat", "money", wide=110),
    Column("usdt", "money", summed=True, wide=110),
    Column("fee_usdt", "money", summed=True, wide=90),
    Column("created_at", "time", wide=140),
    Column("matched_at", "time", wide=0),
    Column("claimed_at", "time", wide=0),
    Column("completed_at", "time", wide=140),
    Column("ended_at", "time", wide=0),
)
_SELECT = """
select o.ref, o.external_ref, o.kind, o.state, m.code, coalesce(a.code, ''), coalesce(g.code, ''), l.code, o.currency,
       o.fiat_units, o.usdt_units, o.fee_units, o.created_at, o.matched_at, o.claimed_at, o.completed_at, o.ended_at
  from orders o join party m on m.id = o.merchant_id join pool l on l.id = o.pool_id
  left join party a on a.id = o.acceptor_id left join party g on g.id = o.agent_id
"""


class Filters(NamedTuple):
    """Orders opened from `starts_at` up to (not with) `ends_at`; codes narrow further, empty: all."""

    starts_at: datetime
    ends_at: datetime
    state: str = ""
    currency: str = ""
    merchant: str = ""
    acceptor: str = ""
    pool: str = ""

    def words(self) -> str:
        """Return the filters in words."""
        said = [f"opened {self.starts_at:%Y-%m-%dT%H:%M:%S%z} to {self.ends_at:%Y-%m-%dT%H:%M:%S%z}"]
        said += [f"{name} {value}" for name, value in zip(self._fields[2:], self[2:], strict=True) if value]
        return "; ".join(said)


def report(tx: Transaction, actor: Actor, filters: Filters) -> Report:
    """Return the report, its rows read as they are written. Amounts of fiat are summed by currency at the foot.

    Raises Forbidden without the right, BadInput for an unknown state or times without a zone.
    """
    actor.must(Right.SEE_ORDERS)
    where, args = _where(actor, filters)
    by_currency = tx.rows(
        "select o.currency, count(*), sum(o.fiat_units)::bigint from orders o"  # noqa: S608 - our own words
        " join party m on m.id = o.merchant_id join pool l on l.id = o.pool_id"
        f" left join party a on a.id = o.acceptor_id where {where} group by 1 order by 1",
        args,
    )
    return Report(
        title="Orders",
        columns=COLUMNS,
        rows=_rows(tx, where, args),
        facts=[
            *((f"sum fiat {code} of {count} orders", Money(units, fiat(code))) for code, count, units in by_currency),
            ("filter", filters.words()),
            ("made by", f"{actor.name} ({actor.role})"),
            ("made at", clock.now()),
            ("seal", tie_out.sealed_by(tx)),
        ],
    )


def _rows(tx: Transaction, where: str, args: list[object]) -> Iterator[Sequence[Cell]]:
    with tx.raw.cursor("orders_report") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(f"{_SELECT} where {where} order by o.created_at, o.id", args)
        for row in cursor:
            yield (*row[:9], Money(row[9], fiat(row[8])), Money(row[10], USDT), Money(row[11], USDT), *row[12:])


def _where(actor: Actor, filters: Filters) -> tuple[str, list[object]]:
    if filters.state and filters.state not in set(State):
        raise BadInput(f"'{filters.state[:20]}' is no state of an order", state=filters.state[:20])
    if filters.starts_at.tzinfo is None or filters.ends_at.tzinfo is None:
        raise BadInput("a moment needs a time zone")
    own, args = condition(actor)
    where = ["o.created_at >= %s", "o.created_at < %s", own]
    values: list[object] = [filters.starts_at, filters.ends_at, *args]
    for words, value in (
        ("o.state = %s", filters.state),
        ("o.currency = %s", filters.currency),
        ("%s in (m.code, m.ref)", filters.merchant),
        ("%s in (a.code, a.ref)", filters.acceptor),
        ("%s in (l.code, l.ref)", filters.pool),
    ):
        if value:
            where.append(words)
            values.append(value)
    return " and ".join(where), values


def write_export(actor: Actor, filters: Mapping[str, str], path: Path, progress: Progress) -> int:
    """Write the report that was asked for; return its number of rows.

    `from` and `to` are RFC 3339 times (without them: the last 31 days), then `state`, `currency`, `merchant`,
    `acceptor`, `pool` and `format`. Raises BadInput for what cannot be read, else as `report` does.
    """
    ends_at = _moment(filters, "to") or clock.now()
    asked = Filters(
        _moment(filters, "from") or ends_at - DAYS,
        ends_at,
        **{name: filters.get(name, "") for name in Filters._fields[2:]},
    )
    with reading() as tx:
        tx.run("set local statement_timeout = '15min'")
        return write(report(tx, actor, asked), path, filters.get("format", "csv"), progress=progress).rows


def _moment(filters: Mapping[str, str], name: str) -> datetime | None:
    text = filters.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInput(f"'{text[:40]}' is not a time with a zone, such as 2026-10-01T00:00:00Z", field=name)
    return moment
