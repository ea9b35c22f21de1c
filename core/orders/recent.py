"""A few orders beside something else: a party's last ones, those that wait, those on one bank account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core.actor import Right, Scope
from core.db import reading
from core.money import USDT, Money, fiat
from core.orders.scope import condition

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

MOST: Final = 200


class Brief(NamedTuple):
    """One order in a line. `review` says that compliance must act next."""

    ref: str
    external_ref: str
    state: str
    review: bool
    merchant: str
    acceptor: str | None
    fiat: Money
    usdt: Money
    created_at: datetime
    deadline_at: datetime | None


_BRIEF = """
select o.ref, o.external_ref, o.state, o.next_actor = 'compliance', m.code, a.code, o.currency, o.fiat_units,
       o.usdt_units, o.created_at, o.deadline_at
"""
_PARTIES = " join party m on m.id = o.merchant_id left join party a on a.id = o.acceptor_id "
_ITS_ACCOUNT = "join pool_account l on l.id = o.pool_account_id join bank_account b on b.id = l.bank_account_id"
_MINE: Final = {Scope.ACCEPTOR: "acceptor", Scope.MERCHANT: "customer"}


def of_party(actor: Actor, kind: str, party_id: int, limit: int = 8) -> list[Brief]:
    """Return the last orders of a merchant or acceptor, of those the actor sees. Raises Forbidden."""
    actor.must(Right.SEE_ORDERS)
    own, args = condition(actor)
    column = {"merchant": "o.merchant_id", "acceptor": "o.acceptor_id"}[kind]
    return _read(
        f"{_BRIEF} from orders o {_PARTIES} where {column} = %s and {own}"
        " order by o.created_at desc, o.id desc limit %s",
        (party_id, *args, min(limit, MOST)),
    )


def waiting(actor: Actor, limit: int = 5) -> list[Brief]:
    """Return the orders that wait, the nearest deadline first: a party's own that wait for it, else all it sees.

    Raises Forbidden.
    """
    actor.must(Right.SEE_ORDERS)
    own, args = condition(actor)
    move = _MINE.get(actor.scope)
    mine = "o.next_actor = %s" if move else "true"
    return _read(
        f"{_BRIEF} from order_waiting w join orders o on o.id = w.order_id {_PARTIES} where {mine} and {own}"
        " order by o.deadline_at, o.id limit %s",
        (*((move,) if move else ()), *args, min(limit, MOST)),
    )


def opened_since(actor: Actor, moment: datetime) -> tuple[int, int]:
    """Return how many of the actor's orders were opened from that moment on, and how many of them are completed.

    Counted one by one, to the second: for a party's own day, not for the whole platform. Raises Forbidden.
    """
    actor.must(Right.SEE_ORDERS)
    own, args = condition(actor)
    with reading() as tx:
        opened, completed = tx.rows(
            "select count(*), count(*) filter (where o.state = 'completed') from orders o"  # noqa: S608 - our own words
            f" where {own} and o.created_at >= %s",
            (*args, moment),
        )[0]
    return opened, completed


def on_bank_account(actor: Actor, ref: str, limit: int = 50) -> list[Brief]:
    """Return the open orders whose customer pays to a bank account: what a freeze does not undo. Raises Forbidden."""
    actor.must(Right.SEE_ORDERS)
    own, args = condition(actor)
    return _read(
        f"{_BRIEF} from order_waiting w join orders o on o.id = w.order_id {_PARTIES} {_ITS_ACCOUNT}"
        f" where b.ref = %s and {own} order by o.deadline_at, o.id limit %s",
        (ref, *args, min(limit, MOST)),
    )


def unpaid_on_bank_account(actor: Actor, ref: str) -> int:
    """Return how many of the actor's orders wait to be paid to a bank account. Raises Forbidden."""
    actor.must(Right.SEE_ORDERS)
    return _count(actor, f"{_ITS_ACCOUNT} where b.ref = %s and o.state = 'awaiting_payment'", ref)


def open_of_merchant(actor: Actor, party_ref: str) -> int:
    """Return how many orders of a merchant are open, of those the actor sees. Raises Forbidden."""
    actor.must(Right.SEE_ORDERS)
    return _count(actor, "join party m on m.id = o.merchant_id where m.ref = %s", party_ref)


def _count(actor: Actor, which: str, ref: str) -> int:
    own, args = condition(actor)
    sql = f"select count(*) from order_waiting w join orders o on o.id = w.order_id {which} and {own}"  # noqa: S608 - our own words
    with reading() as tx:
        number: int = tx.call(sql, (ref, *args))
    return number


def _read(sql: str, args: tuple[object, ...]) -> list[Brief]:
    with reading() as tx:
        rows = tx.rows(sql, args)
    return [Brief._make((*row[:6], Money(row[7], fiat(row[6])), Money(row[8], USDT), *row[9:])) for row in rows]
