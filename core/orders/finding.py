"""Finding orders by one whole number: theirs, the merchant's, the payment code's, the payer's account's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core import vault
from core.actor import Right, Scope
from core.db import reading
from core.orders.scope import condition

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

MOST: Final = 20
LEAST_DIGITS: Final = 4
"""A shorter account number names nobody."""


class Found(NamedTuple):
    """One order a search found; `by` says how: ref, external_ref, pay_code or payer_account."""

    by: str
    ref: str
    external_ref: str
    state: str
    merchant: str
    created_at: datetime


_ROW = (
    "select '{by}', o.ref, o.external_ref, o.state, m.code, o.created_at"
    " from orders o join party m on m.id = o.merchant_id"
)
_NEWEST = "order by o.created_at desc limit {most}"


def find(actor: Actor, words: str) -> list[Found]:
    """Return the actor's orders that these words name whole, newest first, at most 20 for each way of naming.

    A payer's account number finds orders for officers who may reveal, and a party's own. Raises Forbidden.
    """
    actor.must(Right.SEE_ORDERS)
    own, args = condition(actor)
    code = words.upper().replace(" ", "").replace("-", "")
    ways: list[tuple[str, str, object]] = [
        ("ref", "o.ref = %s", words[:4].lower() + words[4:].upper()),
        ("external_ref", "o.external_ref = %s", words),
        ("pay_code", "o.pay_code <> '' and o.pay_code = %s", code),
    ]
    if _may_look(actor) and sum(letter.isalnum() for letter in words) >= LEAST_DIGITS:
        seen = (
            "o.ref in (select f.order_ref from risk_fact f join payer_account y on y.id = f.payer_account_id"
            " where y.blind = %s)"
        )
        ways.append(("payer_account", seen, vault.blind(words)))
    found: dict[str, Found] = {}
    with reading() as tx:
        for by, where, value in ways:
            sql = f"{_ROW.format(by=by)} where {where} and {own} {_NEWEST.format(most=MOST)}"
            for row in tx.rows(sql, (value, *args)):
                found.setdefault(row[1], Found(*row))
    return list(found.values())


def _may_look(actor: Actor) -> bool:
    return actor.scope in {Scope.MERCHANT, Scope.ACCEPTOR} or (actor.scope is Scope.ALL and actor.may(Right.REVEAL))
