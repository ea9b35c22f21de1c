"""Statements: what an account held at any moment, and the last lines that moved it before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.errors import BadInput, NotFound
from core.ledger.accounts import Balance

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction

_LEGS = """
select e.happened_at, e.ref, e.reason, coalesce(o.ref, ''), l.pocket, l.units
  from journal_leg l join journal_entry e on e.id = l.entry_id left join orders o on o.id = e.order_id
 where l.account_id = %s and e.happened_at < %s
 order by e.happened_at desc, e.booked_at desc, l.id desc limit %s
"""


class StatementLine(NamedTuple):
    """One leg of an account's statement; `balance` is its pocket's after it. `order_ref` is "" when it is for none."""

    happened_at: datetime
    entry_ref: str
    reason: str
    order_ref: str
    pocket: str
    units: int
    balance: int


def balance_at(tx: Transaction, account_id: int, at: datetime, *, known_at: datetime | None = None) -> Balance:
    """Return what the account held just before `at`, in units of its asset, summed from its legs.

    `known_at` leaves out what was booked later, so that a figure shown then can be shown again.
    Raises NotFound for an unknown account, BadInput for a moment without a zone.
    """
    moment = _moment(at)
    rows = tx.rows(
        "select a.name, a.asset, coalesce(s.available, 0)::bigint, coalesce(s.escrow, 0)::bigint,"
        "       coalesce(s.held, 0)::bigint"
        "  from ledger_account a cross join lateral ("
        "    select sum(l.units) filter (where l.pocket = 'available') as available,"
        "           sum(l.units) filter (where l.pocket = 'escrow') as escrow,"
        "           sum(l.units) filter (where l.pocket = 'held') as held"
        "      from journal_leg l join journal_entry e on e.id = l.entry_id"
        "     where l.account_id = a.id and e.happened_at < %s"
        "       and (%s::timestamptz is null or e.booked_at < %s)) s"
        " where a.id = %s",
        (moment, known_at, known_at, account_id),
    )
    if not rows:
        raise NotFound("there is no such account", account_id=account_id)
    return Balance(*rows[0])


def last_lines(tx: Transaction, account_id: int, at: datetime, limit: int) -> list[StatementLine]:
    """Return the last legs of the account before `at`, newest first, each with its pocket's balance after it.

    Raises as `balance_at` does.
    """
    then = balance_at(tx, account_id, at)
    running = {"available": then.available, "escrow": then.escrow, "held": then.held}
    found: list[StatementLine] = []
    for happened_at, ref, reason, order_ref, pocket, units in tx.rows(_LEGS, (account_id, at, limit)):
        found.append(StatementLine(happened_at, ref, reason, order_ref, pocket, units, running[pocket]))
        running[pocket] -= units
    return found


def _moment(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadInput("a moment needs a time zone", at=at.isoformat())
    return at
