"""What the pages of parties show beside a party's row: its pools and limits, and its statement as of a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.actor import Actor, Right, Scope
from core.db import reading
from core.errors import NotFound, sentence
from core.ledger import accounts, statements
from core.money import USDT, Money, fiat
from core.parties import days

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction

LINES = 15
MOST_LINES = 100_000


class Statement(NamedTuple):
    """What a party held just before `at`, and the last legs before that, newest first.

    `stored` is what the account says now; `summed` is the sum of all its legs: their difference must be nothing.
    """

    at: datetime
    asked: bool
    available: Money
    escrow: Money
    held: Money
    stored: Money
    summed: Money
    lines: list[statements.StatementLine]

    @property
    def difference(self) -> Money:
        """What the account says now less the sum of its legs; zero, or something is wrong."""
        return self.stored - self.summed


class MerchantPool(NamedTuple):
    """A pool a merchant may use; limits are of one order."""

    ref: str
    code: str
    currency: str
    method: str
    fee_code: str
    state: str
    least: Money
    most: Money


class ServedPool(NamedTuple):
    """A pool an acceptor serves with one bank account, and what is left of its limits today (UTC)."""

    pool: str
    pool_state: str
    currency: str
    method: str
    bank_ref: str
    bank: str
    masked: str
    open_orders: int
    open_limit: int
    day: days.Day
    matchable: bool


_POOLS = """
select p.ref, p.code, p.currency, p.method, p.fee_code, p.state, p.min_fiat_units, p.max_fiat_units
  from pool_merchant x join pool p on p.id = x.pool_id join party m on m.id = x.merchant_id
 where m.ref = %s order by p.currency, p.code
"""
_SERVED = """
select p.code, p.state, p.currency, p.method, b.ref, b.bank, b.masked, l.open_orders, a.open_limit,
       case when l.day = %s then l.day_units else 0 end, a.day_limit_units, a.matchable and p.state = 'open'
  from pool_account a join pool p on p.id = a.pool_id join party c on c.id = a.acceptor_id
  join bank_account b on b.id = a.bank_account_id left join pool_account_load l on l.pool_account_id = a.id
 where c.ref = %s and a.left_at is null order by p.currency, p.code, b.ref
"""


def merchant_pools(actor: Actor, ref: str) -> list[MerchantPool]:
    """Return the pools a merchant may use; the caller has let the actor see the merchant. Raises Forbidden."""
    actor.must(Right.SEE_MERCHANTS)
    with reading() as tx:
        rows = tx.rows(_POOLS, (ref,))
    return [MerchantPool._make((*row[:6], Money(row[6], fiat(row[2])), Money(row[7], fiat(row[2])))) for row in rows]


def served_pools(actor: Actor, ref: str) -> list[ServedPool]:
    """Return the pools an acceptor serves; the caller has let the actor see the acceptor. Raises Forbidden."""
    actor.must(Right.SEE_ACCEPTORS)
    with reading() as tx:
        rows = tx.rows(_SERVED, (clock.now().date(), ref))
    return [ServedPool._make((*row[:9], days.day(row[2], row[9], row[10]), row[11])) for row in rows]


def statement(actor: Actor, ref: str, at: datetime | None = None) -> Statement:
    """Return a party's statement just before `at` (now when None), with its last legs.

    Raises Forbidden, NotFound for a party that is neither the actor's own nor among all rows it sees.
    """
    actor.must(Right.SEE_BALANCE)
    with reading() as tx:
        account = accounts.of_party(tx, _own_party(tx, actor, ref))
        then, legs, lines = statements.closing(tx, account, LINES, at)
        now = accounts.balance(tx, account) if at else then
    available, escrow, held = (Money(each, USDT) for each in (then.available, then.escrow, then.held))
    stored, summed = (Money(units, USDT) for units in (now.available + now.escrow + now.held, legs))
    return Statement(at or clock.now(), at is not None, available, escrow, held, stored, summed, lines)


def statement_of(actor: Actor, ref: str, since: datetime, until: datetime) -> statements.Period:
    """Return a party's whole statement from `since` to just before `until`, at most `MOST_LINES` legs.

    Raises Forbidden, BadInput for too many, NotFound for a party that is neither the actor's own nor among all it sees.
    """
    actor.must(Right.SEE_BALANCE)
    with reading() as tx:
        account = accounts.of_party(tx, _own_party(tx, actor, ref))
        return statements.period(tx, account, since, until, MOST_LINES)


def _own_party(tx: Transaction, actor: Actor, ref: str) -> int:
    """Return the number of a party whose money the actor may see: its own, or any for who sees all rows."""
    rows = tx.rows("select id from party where ref = %s", (ref,))
    if not rows or not (actor.scope is Scope.ALL or (actor.party_id == rows[0][0] and actor.scope is not Scope.NONE)):
        raise NotFound(sentence("there is no party %(ref)s whose statement you may see", ref=ref[:40]), ref=ref[:40])
    found: int = rows[0][0]
    return found


def offers(actor: Actor) -> list[tuple[str, str]]:
    """Return the currencies and methods that pools take: what a new bank account can be for. Raises Forbidden."""
    actor.must(Right.SEE_BANK_ACCOUNTS)
    with reading() as tx:
        rows = tx.rows("select distinct currency, method from pool where state <> 'imported' order by currency, method")
    return [(currency, method) for currency, method in rows]


def own_ref(actor: Actor) -> str:
    """Return the ref of the actor's own party, "" for who has none."""
    if actor.party_id is None:
        return ""
    with reading() as tx:
        found: str | None = tx.call("select ref from party where id = %s", (actor.party_id,))
    return found or ""


def ref_of(actor: Actor, kind: str, code: str) -> str:
    """Return the ref of the party of that kind and code. Raises Forbidden, NotFound."""
    actor.must(Right.SEE_BANK_ACCOUNTS)
    with reading() as tx:
        found: str | None = tx.call("select ref from party where kind = %s and code = %s", (kind, code))
    if found is None or actor.scope is not Scope.ALL:
        raise NotFound(
            sentence("there is no %(kind)s %(code)s", kind=kind, code=code[:40]), field="party", code=code[:40]
        )
    return found
