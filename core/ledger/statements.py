"""Statements: what an account held at any moment, and the last lines that moved it before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.errors import BadInput, sentence
from core.ledger import accounts

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction
    from core.ledger.accounts import Balance

_SUMS = """
select coalesce(sum(l.units) filter (where l.pocket = 'available'), 0)::bigint,
       coalesce(sum(l.units) filter (where l.pocket = 'escrow'), 0)::bigint,
       coalesce(sum(l.units) filter (where l.pocket = 'held'), 0)::bigint, min(l.entry_id)
  from journal_leg l {where}
"""
_ALL: Final = _SUMS.format(where="where l.account_id = %(account)s")
_SINCE: Final = _SUMS.format(
    where="join journal_entry e on e.id = l.entry_id where l.account_id = %(account)s and e.happened_at >= %(at)s"
)
_NEWEST: Final = 2**63 - 1
# Legs are found by their account in the order of booking, which is nearly that of time. The last ones by time are none
# older than the eldest of as many that were booked last: so a busy account's whole past is not sorted for a few lines.
_FROM = """
select case when count(*) >= %(limit)s then min(x.happened_at) end
  from (select e.happened_at from journal_leg l join journal_entry e on e.id = l.entry_id
         where l.account_id = %(account)s and l.entry_id < %(first)s order by l.entry_id desc limit %(limit)s) x
"""
_LEGS = """
select e.happened_at, e.ref, e.reason, coalesce(o.ref, ''), l.pocket, l.units
  from journal_leg l join journal_entry e on e.id = l.entry_id left join orders o on o.id = e.order_id
 where l.account_id = %(account)s and e.happened_at >= coalesce(%(from)s::timestamptz, '-infinity')
   and e.happened_at < %(at)s
 order by e.happened_at desc, e.booked_at desc, l.id desc limit %(limit)s
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


class Closing(NamedTuple):
    """What an account held at a moment, what all its legs come to, and its last legs before that, newest first."""

    balance: Balance
    summed: int
    lines: list[StatementLine]


class Period(NamedTuple):
    """What an account held when a span of time began and when it ended, and every leg in between, the oldest first."""

    opening: Balance
    closing: Balance
    lines: list[StatementLine]


def period(tx: Transaction, account_id: int, since: datetime, until: datetime, most: int) -> Period:
    """Return the account's statement from `since` to just before `until`.

    Raises NotFound for an unknown account, BadInput for a moment without a zone or where there are over `most` legs.
    """
    end = closing(tx, account_id, 0, until).balance
    asked = {"account": account_id, "from": since, "at": until, "limit": most + 1}
    found = _lines(_planned(tx, _LEGS, asked), end)
    if len(found) > most:
        raise BadInput(sentence("more than %(most)s lines: ask for fewer days", most=most), field="from")
    moved = {
        pocket: sum(line.units for line in found if line.pocket == pocket) for pocket in ("available", "escrow", "held")
    }
    start = end._replace(**{pocket: getattr(end, pocket) - units for pocket, units in moved.items()})
    return Period(start, end, found[::-1])


def closing(tx: Transaction, account_id: int, limit: int, at: datetime | None = None) -> Closing:
    """Return what the account holds now, or held just before `at`, and the last `limit` legs that led there.

    Each line has its pocket's balance after it. The sum is that of all legs, whenever they happened: what the account
    says now must be the same. Raises NotFound for an unknown account, BadInput for a moment without a zone.
    """
    now = accounts.balance(tx, account_id)
    if at is None:
        balance, summed, first = now, sum(_sums(tx, _ALL, account_id)[:3]), _NEWEST
    else:
        balance, summed, first = _before(tx, now, account_id, at)
    asked = {"account": account_id, "first": first, "at": at or "infinity", "limit": limit}
    asked["from"] = tx.raw.execute(_FROM, asked).fetchall()[0][0]
    return Closing(balance, summed, _lines(_planned(tx, _LEGS, asked), balance))


def _lines(rows: list[tuple[Any, ...]], after: Balance) -> list[StatementLine]:
    """Return legs, newest first, each with what its pocket held after it; `after` is what the account held at last."""
    running = {"available": after.available, "escrow": after.escrow, "held": after.held}
    found: list[StatementLine] = []
    for happened_at, ref, reason, order_ref, pocket, units in rows:
        found.append(StatementLine(happened_at, ref, reason, order_ref, pocket, units, running[pocket]))
        running[pocket] -= units
    return found


def _before(tx: Transaction, now: Balance, account_id: int, at: datetime) -> tuple[Balance, int, int]:
    """Return what the account held just before `at`, the sum of all its legs, and its first entry of later legs.

    What it held is what all legs come to less the later ones: most moments asked for are of late.
    """
    if at.tzinfo is None:
        raise BadInput("a moment needs a time zone", at=at.isoformat())
    whole, later = _sums(tx, _ALL, account_id), _sums(tx, _SINCE, account_id, at)
    available, escrow, held = (all_of - since for all_of, since in zip(whole[:3], later[:3], strict=True))
    balance = now._replace(available=available, escrow=escrow, held=held)
    return balance, sum(whole[:3]), _NEWEST if later[3] is None else later[3]


def _sums(tx: Transaction, sql: str, account_id: int, at: datetime | None = None) -> tuple[Any, ...]:
    """Return the sums of legs by pocket, and the first entry of these (None: there are none)."""
    return _planned(tx, sql, {"account": account_id, "at": at})[0]


def _planned(tx: Transaction, sql: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement planned for this very account and span: one plan for all would suit none."""
    return tx.raw.execute(sql, asked, prepare=False).fetchall()
