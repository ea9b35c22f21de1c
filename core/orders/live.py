"""What an acceptor works on right now: its reserve, whether it takes orders, and its live orders, most urgent first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from core import clock
from core.actor import Right, Scope
from core.db import reading
from core.errors import NotFound, sentence
from core.ledger import accounts
from core.money import USDT, Money, fiat
from core.parties.presence import PATIENCE

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

MOST: Final = 200
"""So many live orders are listed at most, the most urgent first; figures count them all."""
URGENT: Final = timedelta(minutes=5)
"""A claim whose time ends within this is urgent."""


class LiveOrder(NamedTuple):
    """One live order of an acceptor; accounts are masked.

    `review` says that nothing is needed from the acceptor, `held` that the USDT is held and no longer in escrow.
    """

    ref: str
    state: str
    review: bool
    held: bool
    fiat: Money
    usdt: Money
    pay_code: str
    payer_name: str
    payer_account: str
    bank: str
    bank_account: str
    matched_at: datetime
    claimed_at: datetime | None
    deadline_at: datetime


class Live(NamedTuple):
    """How many live orders there are, listed or not: all, those in escrow, claims to confirm, urgent ones of these."""

    all: int
    in_escrow: int
    claims: int
    urgent: int


class Board(NamedTuple):
    """An acceptor's desk: what it holds, whether it takes orders, what it has done since `since`, its live orders.

    `orders` are `MOST` of them at most, the most urgent first, and `live` counts all.
    `silent` says that it was there and is not heard any more; `silent_seconds` is after how long that takes it out of
    matching, None while it serves no pool.
    """

    ref: str
    code: str
    online: bool
    silent: bool
    silent_seconds: int | None
    paused: str
    state: str
    reserve: Money
    escrow: Money
    held: Money
    done_orders: int
    done_usdt: Money
    live: Live
    orders: list[LiveOrder]


_WHO = f"""
select p.id, p.ref, p.code, p.state, a.online, a.silent, {PATIENCE}, a.paused
  from acceptor a join party p on p.id = a.party_id where
"""  # noqa: S608 - our own words
_CLAIM = "o.state = 'paid_claimed' and o.next_actor <> 'compliance'"
_ORDERS = f"""
select count(*) over everything, count(*) filter (where o.risk_state <> 'held') over everything,
       count(*) filter (where {_CLAIM}) over everything,
       count(*) filter (where {_CLAIM} and o.deadline_at < %s) over everything,
       o.ref, o.state, o.next_actor = 'compliance', o.risk_state = 'held', o.currency,
       o.fiat_units, o.usdt_units, o.pay_code, o.payer_name,
       coalesce(y.masked, ''), coalesce(b.bank, ''), coalesce(b.masked, ''), o.matched_at, o.claimed_at, o.deadline_at
  from order_waiting w join orders o on o.id = w.order_id
  left join payer_account y on y.id = o.payer_account_id
  left join pool_account l on l.id = o.pool_account_id left join bank_account b on b.id = l.bank_account_id
 where o.acceptor_id = %s and o.state in ('offered', 'awaiting_payment', 'paid_claimed')
window everything as ()
 order by o.next_actor = 'compliance', o.state <> 'paid_claimed', o.deadline_at, o.id limit %s
"""  # noqa: S608 - our own words
# An order lives for hours, not days: what was completed since then was created within two days before.
_DONE = """
select count(*), coalesce(sum(usdt_units), 0)::bigint from orders
 where acceptor_id = %s and created_at > %s - interval '2 days' and state = 'completed' and completed_at >= %s
"""


def board(actor: Actor, since: datetime, ref: str = "") -> Board:
    """Return the actor's own desk, or for who sees all rows that of the acceptor `ref`.

    Refuses with forbidden, and with not_found for another's or no acceptor.
    """
    actor.must(Right.SEE_BALANCE)
    if actor.scope is not Scope.ALL and (actor.scope is not Scope.ACCEPTOR or ref):
        raise NotFound(sentence("there is no such desk"))
    with reading() as tx:
        rows = tx.rows(f"{_WHO} p.ref = %s", (ref,)) if ref else tx.rows(f"{_WHO} p.id = %s", (actor.party_id,))
        if not rows:
            raise NotFound(sentence("there is no acceptor %(ref)s", ref=ref[:40]), ref=ref[:40])
        number, found, code, state, online, silent, patience, paused = rows[0]
        holds = accounts.balance(tx, accounts.of_party(tx, number))
        done, units = tx.rows(_DONE, (number, since, since))[0]
        listed = tx.rows(_ORDERS, (clock.now() + URGENT, number, MOST))
    counted = Live._make(listed[0][:4]) if listed else Live(0, 0, 0, 0)
    orders = [
        LiveOrder._make((*row[4:8], Money(row[9], fiat(row[8])), Money(row[10], USDT), *row[11:])) for row in listed
    ]
    return Board(
        found, code, online, silent, patience, paused, state, Money(holds.available, USDT), Money(holds.escrow, USDT),
        Money(holds.held, USDT), done, Money(units, USDT), counted, orders,
    )  # fmt: skip
