"""Ledger accounts: opening them, finding them, and what they hold now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from core.errors import NotFound

if TYPE_CHECKING:
    from core.db import Transaction

Kind = Literal["acceptor", "merchant", "agent"]


class Balance(NamedTuple):
    """What an account holds, in units of its asset; only acceptors have escrow."""

    account: str
    asset: str
    available: int
    escrow: int
    held: int


def open_account(tx: Transaction, kind: Kind, party_id: int, code: str, asset: str = "USDT") -> int:
    """Open the account of a party and return its number.

    Numbers rise by kind (acceptor, merchant, agent, house), so that locking by number is always in one
    order. A second account of the party in that asset breaks `ledger_account_party_once`.
    """
    found: int = tx.call("select ledger_open(%s, %s, %s, %s)", (kind, party_id, code, asset))
    return found


def house(tx: Transaction, name: str) -> int:
    """Return the number of one of the house's own accounts: custody, fees or rounding. Raises NotFound."""
    return _number(tx, "name = %s", f"house:{name}", f"the house has no account '{name}'")


def of_party(tx: Transaction, party_id: int, *, lock: bool = False) -> int:
    """Return the number of a party's USDT account; locked until the end if asked. Raises NotFound."""
    last = " for no key update" if lock else ""
    return _number(tx, f"asset = 'USDT' and party_id = %s{last}", party_id, "the party has no account")


def balance(tx: Transaction, account_id: int) -> Balance:
    """Return what the account holds now, credits that wait to be folded included. Raises NotFound."""
    rows = tx.rows(
        "select a.name, a.asset, a.available + coalesce((select sum(l.units) from journal_leg l"
        " where l.account_id = a.id and leg_waits(l.xid, a.folded)), 0)::bigint,"
        " a.escrow, a.held from ledger_account a where a.id = %s",
        (account_id,),
    )
    if not rows:
        raise NotFound("there is no such account", account_id=account_id)
    return Balance(*rows[0])


def _number(tx: Transaction, where: str, value: object, otherwise: str) -> int:
    found: int | None = tx.call(f"select id from ledger_account where {where}", (value,))  # noqa: S608 - our words
    if found is None:
        raise NotFound(otherwise)
    return found
