"""Reading orders: one order with all there is to say about it, row-scoped; lists are in `listing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from core import ids, vault
from core.actor import Actor, Right, Scope
from core.db import reading
from core.errors import NotFound, sentence
from core.money import USDT, Money, fiat
from core.orders.scope import condition, sees_customers

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction

PAYABLE = frozenset({"awaiting_payment"})
"""States in which the customer is shown where to pay."""


class PartyView(NamedTuple):
    """A party as others see it."""

    ref: str
    code: str
    name: str


class PayTo(NamedTuple):
    """Where and how the customer pays."""

    bank: str
    account: str
    name: str
    reference: str


class OrderView(NamedTuple):
    """One order as its page and the API show it; accounts are masked.

    `payer_…` is who was declared at the opening, and from the claim on who was named there; `declared_…` is who was
    declared, where that differs ("" and None where it does not). All of the customer and the payer, the payment code
    included, is empty for who may not know them.
    """

    id: int
    ref: str
    external_ref: str
    kind: str
    state: str
    amount_state: str
    timeliness: str
    dispute_state: str
    risk_state: str
    source: str
    next_actor: str
    deadline_at: datetime | None
    merchant: PartyView
    acceptor: PartyView | None
    agent: PartyView | None
    customer_ref: str
    customer_external_id: str
    customer_name: str
    customer_country: str
    customer_level: int
    payer_name: str
    payer_ref: str | None
    payer_account: str
    pool: str
    currency: str
    fiat: Money
    usdt: Money
    fee: Money
    rate_price: int
    split: list[dict[str, Any]]
    pay_code: str
    attempts: int
    created_at: datetime
    matched_at: datetime | None
    claimed_at: datetime | None
    paid_at: datetime | None
    completed_at: datetime | None
    ended_at: datetime | None
    pool_account_id: int | None
    declared_name: str
    declared_ref: str | None
    declared_account: str
    pool_ref: str


_SELECT = """
select o.id, o.ref, o.external_ref, o.kind, o.state, o.amount_state, o.timeliness, o.dispute_state, o.risk_state,
       o.source, o.next_actor, o.deadline_at, m.ref, m.code, m.name, a.ref, a.code, a.name, g.ref, g.code, g.name,
       c.ref, c.external_id, c.verified_name, c.country, c.kyc_level, o.payer_name, y.ref, coalesce(y.masked, ''),
       l.code,
       o.currency, o.fiat_units, o.usdt_units, o.fee_units, o.rate_price, o.split, o.pay_code, o.attempts,
       o.created_at, o.matched_at, o.claimed_at, o.paid_at, o.completed_at, o.ended_at, o.pool_account_id,
       coalesce(o.declared_payer_name, ''), d.ref, coalesce(d.masked, ''), l.ref
  from orders o join party m on m.id = o.merchant_id join customer c on c.id = o.customer_id
  join pool l on l.id = o.pool_id
  left join party a on a.id = o.acceptor_id left join party g on g.id = o.agent_id
  left join payer_account y on y.id = o.payer_account_id
  left join payer_account d on d.id = o.declared_payer_account_id
"""


def _view(row: tuple[Any, ...]) -> OrderView:
    def party(at: int) -> PartyView | None:
        return PartyView(*row[at : at + 3]) if row[at] else None

    merchant = party(12)
    assert merchant is not None  # noqa: S101 - an order has a merchant by its foreign key
    currency = fiat(row[30])
    amounts = (Money(row[31], currency), Money(row[32], USDT), Money(row[33], USDT))
    return OrderView._make((*row[:12], merchant, party(15), party(18), *row[21:31], *amounts, *row[34:]))


_NOBODYS: dict[str, Any] = {
    **dict.fromkeys(("customer_ref", "customer_external_id", "customer_name", "customer_country", "payer_name"), ""),
    **dict.fromkeys(("payer_account", "pay_code", "declared_name", "declared_account"), ""),
    **dict.fromkeys(("payer_ref", "declared_ref"), None),
    "customer_level": 0,
}
"""An order's customer and payer, for who may not know them."""


def order_in(tx: Transaction, actor: Actor, ref: str) -> OrderView:
    """Return the order if the actor may see it. Refuses with `forbidden`, or `not_found` for another's."""
    actor.must(Right.SEE_ORDERS)
    where, args = condition(actor)
    rows = tx.rows(f"{_SELECT} where o.ref = %s and {where}", (ids.check(ref, "ord"), *args))
    if not rows:
        raise NotFound(sentence("there is no order %(ref)s among yours", ref=ref), ref=ref)
    view = _view(rows[0])
    return view if sees_customers(actor) else view._replace(**_NOBODYS)


def order(actor: Actor, ref: str) -> OrderView:
    """Return the order if the actor may see it. Refuses with `forbidden`, or `not_found` for another's."""
    with reading() as tx:
        return order_in(tx, actor, ref)


def page(
    actor: Actor, *, kind: str = "deposit", before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[OrderView]:
    """Return the actor's orders, newest first; `before` is the last row's (created_at, id) for the next page.

    Raises Forbidden.
    """
    actor.must(Right.SEE_ORDERS)
    where, args = condition(actor)
    key = "" if before is None else "and (o.created_at, o.id) < (%s, %s)"
    with reading() as tx:
        rows = tx.rows(
            f"{_SELECT} where o.kind = %s and {where} {key} order by o.created_at desc, o.id desc limit %s",
            (kind, *args, *(before or ()), min(limit, 200)),
        )
    seen = {} if sees_customers(actor) else _NOBODYS
    return [_view(row)._replace(**seen) for row in rows]


class Paying(NamedTuple):
    """Where the customer pays, and why that is withheld though it waits to be paid ("" where it is not)."""

    to: PayTo | None
    withheld: str


def paying(actor: Actor, view: OrderView) -> Paying:
    """Return where the customer pays, the account number in full, while the order can be paid.

    Only for those who tell the customer: the order's merchant, and its acceptor, whose account it is. While the bank
    account is out of use it is told to nobody: `withheld` says so, to the desk too (`bank_account_frozen`).
    """
    told = actor.scope in {Scope.MERCHANT, Scope.ACCEPTOR}
    if view.state not in PAYABLE or view.pool_account_id is None or not (told or actor.scope is Scope.ALL):
        return Paying(None, "")
    with reading() as tx:
        state, found = tx.rows(
            "select b.state, order_pay_to(l.id) from pool_account l join bank_account b on b.id = l.bank_account_id"
            " where l.id = %s",
            (view.pool_account_id,),
        )[0]
    if state != "active":
        return Paying(None, f"bank_account_{state}")
    if not told:
        return Paying(None, "")
    account = vault.open_(bytes.fromhex(found["sealed"]))
    return Paying(PayTo(found["bank"], account, found["holder"], view.pay_code), "")


class TimelineRow(NamedTuple):
    """One thing that happened to an order; `details` are the facts of the step, None where there are none.

    `rule` is that of the alert a step is about, "" where it is about none: an order may have several.
    """

    at: datetime
    action: str
    actor: str
    role: str
    reason: str
    before: str | None
    to: str | None
    topic: str
    details: dict[str, Any] | None
    rule: str


_PARTIES = frozenset({"merchant", "acceptor", "agent", "system"})
"""Whose steps everybody sees by name; what officers do is told as the desk's."""


def timeline(actor: Actor, view: OrderView) -> list[TimelineRow]:
    """Return what happened to the order, oldest first. Others than officers see that it is under review, not why.

    Raises Forbidden.
    """
    actor.must(Right.SEE_ORDERS)
    with reading() as tx:
        rows = tx.rows(
            "select t.at, t.action, t.actor, t.role, t.reason, t.from_state, t.to_state, t.action, t.details,"
            " coalesce(x.rule, '') from audit t left join alert x on x.ref = t.subject"
            " where t.order_id = %s order by t.at, t.id",
            (view.id,),
        )
    told = [TimelineRow(*row) for row in rows]
    if actor.may(Right.SEE_ALERTS):
        return told
    # What somebody wrote about an order may name its customer.
    heard = _PARTIES if sees_customers(actor) else frozenset({"system"})
    return [
        row._replace(
            actor=row.actor if row.role in _PARTIES else "desk",
            role=row.role if row.role in _PARTIES else "desk",
            reason="" if row.role not in heard or row.action in {"order.stop", "order.refuse"} else row.reason,
            details=None,
        )
        for row in told
        if row.action.startswith("order.") and row.action != "order.remind"
    ]


class JournalRow(NamedTuple):
    """One leg of an entry of the order."""

    entry_ref: str
    reason: str
    account: str
    units: int
    happened_at: datetime
    block: int | None


def journal(actor: Actor, view: OrderView) -> list[JournalRow]:
    """Return the legs booked for the order in the order they were booked, with the seal's block if sealed.

    Raises Forbidden.
    """
    actor.must(Right.SEE_LEDGER)
    with reading() as tx:
        rows = tx.rows(
            "select v.entry_ref, v.reason, v.account, v.units, v.happened_at, b.no from v_journal v"
            " join journal_entry e on e.ref = v.entry_ref"
            " left join seal_row s on s.chain = 'journal' and s.row_id = e.id"
            " left join seal_block b on b.chain = 'journal' and s.pos between b.first_pos and b.last_pos"
            " where e.order_id = %s order by e.happened_at, e.booked_at, e.id, v.units",
            (view.id,),
        )
    return [JournalRow(*row) for row in rows]
