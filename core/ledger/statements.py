"""Statements: what an account held at any moment, and every line that moved it in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.errors import BadInput, NotFound
from core.ledger.accounts import Balance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from core.db import Transaction


class StatementLine(NamedTuple):
    """One entry's effect on one pocket of the account; `balance` is the pocket's, after it."""

    happened_at: datetime
    booked_at: datetime
    entry_ref: str
    reason: str
    key: str
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


def lines(tx: Transaction, account_id: int, starts_at: datetime, ends_at: datetime) -> Iterator[StatementLine]:
    """Yield what moved the account from `starts_at` up to (not with) `ends_at`, oldest first.

    The running balance begins with what the account held at `starts_at`. Raises as `balance_at` does.
    """
    opening = balance_at(tx, account_id, starts_at)
    running = {"available": opening.available, "escrow": opening.escrow, "held": opening.held}
    found = tx.raw.execute(
        "select e.happened_at, e.booked_at, e.ref, e.reason, e.key, l.pocket, l.units"
        "  from journal_leg l join journal_entry e on e.id = l.entry_id"
        " where l.account_id = %s and e.happened_at >= %s and e.happened_at < %s"
        " order by e.happened_at, e.booked_at, l.id",
        (account_id, _moment(starts_at), _moment(ends_at)),
    )
    for happened_at, booked_at, ref, reason, key, pocket, units in found:
        running[pocket] += units
        yield StatementLine(happened_at, booked_at, ref, reason, key, pocket, units, running[pocket])


def _moment(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadInput("a moment needs a time zone", at=at.isoformat())
    return at
