"""Finding orders by one whole number: theirs, the merchant's, the payment code's, the payer's account's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core.actor import Right, Scope
from core.db import reading
from core.orders.scope import condition
from core.parties import finding as parties

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

MOST: Final = 20


class Found(NamedTuple):
    """One order a search found; `by` says how: ref, external_ref, pay_code, payer_account or payer_end."""

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

    A payer's whole account number finds orders for officers who may reveal, and is written down; the end of the
    number finds those to whom it is shown. Raises Forbidden.
    """
    actor.must(Right.SEE_ORDERS)
    own, args = condition(actor)
    code = words.upper().replace(" ", "").replace("-", "")
    ways: list[tuple[str, str, object]] = [
        ("ref", "o.ref = %s", words[:4].lower() + words[4:].upper()),
        ("external_ref", "o.external_ref = %s", words),
        ("pay_code", "o.pay_code <> '' and o.pay_code = %s", code),
    ]
    payer = parties.payer_account(actor, words)
    if payer is not None:
        ways.append(("payer_account", "o.ref in (select order_ref from risk_fact where payer_account_id = %s)", payer))
    end = parties.end_of_number(actor, words) if actor.scope is not Scope.AGENT else ""
    if end:
        ways.append(("payer_end", "o.payer_account_id in (select id from payer_account where masked = %s)", end))
    found: dict[str, Found] = {}
    with reading() as tx:
        for by, where, value in ways:
            sql = f"{_ROW.format(by=by)} where {where} and {own} {_NEWEST.format(most=MOST)}"
            for row in tx.rows(sql, (value, *args)):
                found.setdefault(row[1], Found(*row))
    return list(found.values())
