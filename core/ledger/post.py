"""Postings: the only writer of balances, and the folding of appended credits into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from core import clock, ids
from core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.db import Transaction

Pocket = Literal["available", "escrow", "held"]


class Leg(NamedTuple):
    """One line of an entry: `units` added to (or, negative, taken from) a pocket of an account."""

    account_id: int
    pocket: Pocket
    units: int


def post(
    tx: Transaction,
    *,
    key: str,
    reason: str,
    legs: Sequence[Leg],
    actor: str,
    happened_at: datetime | None = None,
    order_id: int | None = None,
) -> str:
    """Book one balanced, immutable entry and return its ref.

    Debits lock their account and refuse below zero; pure credits of merchants, agents and the house are
    only appended (see `fold_all`). Raises AlreadyDone when the key was booked before, ShortReserve when an
    account holds less than is taken, Conflict when the legs do not sum to zero, WrongState in a locked
    period, NotFound for an unknown account, BadInput for an empty or zero leg.
    """
    if not legs or any(type(leg.units) is not int or leg.units == 0 for leg in legs):
        raise BadInput("an entry needs legs, each of whole units other than zero", key=key)
    accounts = [leg.account_id for leg in legs]
    known = tx.call("select count(*) from ledger_account where id = any(%s)", (accounts,))
    if known != len(set(accounts)):
        raise NotFound("the entry names an account that does not exist", key=key)
    ref = ids.new("jrn")
    tx.call(
        "select ledger_post(%s, %s, %s, %s, %s, %s, %s::bigint[], %s::text[], %s::bigint[])",
        (
            ref,
            key,
            reason,
            order_id,
            actor,
            happened_at or clock.now(),
            accounts,
            [leg.pocket for leg in legs],
            [leg.units for leg in legs],
        ),
    )
    return ref


def fold_all(tx: Transaction) -> int:
    """Add the credits of ended transactions to their accounts' balances; return how many changed.

    Safe to run at any time and twice at once.
    """
    folded: int = tx.call(
        "select count(ledger_fold(due.id)) from (select a.id from ledger_account a where exists ("
        " select 1 from journal_leg l where l.account_id = a.id and leg_waits(l.xid, a.folded)) order by a.id) due",
    )
    return folded
