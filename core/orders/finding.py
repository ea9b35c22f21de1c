"""Finding orders by one whole number or name: theirs, the merchant's, the payment code's, an account's, an amount's.

A customer's name is looked for by its whole words, in any order, by those alone who may see it in full: officers who
may reveal, whose look is written down when it finds somebody, and the merchant whose customer it is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import audit, vault
from core.actor import Right, Scope
from core.db import reading, transaction
from core.errors import BadAmount
from core.money import USDT, Money, fiat
from core.orders.scope import condition, sees_customers
from core.parties import finding as parties

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction
    from core.money import Asset

MOST: Final = 20


class Found(NamedTuple):
    """One order a search found; `by` says how, by its keys in the portal's words for them."""

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
NAME_WORDS: Final = (
    "string_to_array(regexp_replace(lower(normalize(c.verified_name, NFKD)), '[\u0300-\u036f]', '', 'g'), ' ')"
)
"""A name's words as the index customer_name_words keeps them: small, without accents."""
_MARKS: Final = re.compile("[\u0300-\u036f]")
_AMOUNT: Final = re.compile(r"(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(\.\d{1,8})?(?: ?([A-Za-z]{3,4}))?")
_LEAST_NAME: Final = 2
"""One letter names nobody; one sign of Chinese may be half a name."""
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
    ]
    if sees_customers(actor):
        ways += [
            ("pay_code", "o.pay_code <> '' and o.pay_code = %s", code),
            ("customer", "o.customer_id in (select id from customer where external_id = %s)", words),
        ]
    payer = parties.payer_account(actor, words)
    if payer is not None:
        ways.append(("payer_account", "o.ref in (select order_ref from risk_fact where payer_account_id = %s)", payer))
    end = parties.end_of_number(actor, words) if sees_customers(actor) else ""
    if end:
        ways.append(("payer_end", "o.payer_account_id in (select id from payer_account where masked = %s)", end))
    found: dict[str, Found] = {}
    with reading() as tx:
        named = _named(tx, actor, words)
        ways += _amounts(tx, words)
        if named:
            ways.append(("name", "o.customer_id = any(%s)", named))
        for by, where, value in ways:
            sql = f"{_ROW.format(by=by)} where {where} and {own} {_NEWEST.format(most=MOST)}"
            for row in tx.rows(sql, (*(value if isinstance(value, tuple) else (value,)), *args)):
                found.setdefault(row[1], Found(*row))
    if named and actor.scope is Scope.ALL:
        with transaction() as tx:
            audit.write(tx, actor, "name.search", vault.mask_name(words), details={"found": len(named)})
    return list(found.values())


def name_words(name: str) -> list[str]:
    """Return the words of a name as the index keeps them."""
    return _MARKS.sub("", unicodedata.normalize("NFKD", name).lower()).split()


def _named(tx: Transaction, actor: Actor, words: str) -> list[int]:
    """Return the customers whose verified name has all these words, of those whose names the actor may see."""
    officer = actor.scope is Scope.ALL and actor.may(Right.REVEAL)
    if not officer and (actor.scope is not Scope.MERCHANT or actor.party_id is None):
        return []
    if sum(map(str.isalpha, words)) < _LEAST_NAME or any(map(str.isdigit, words)):
        return []
    rows = tx.rows(
        f"select c.id from customer c where {NAME_WORDS} @> %s::text[] and (%s or c.merchant_id = %s) limit %s",  # noqa: S608 - our own words
        (name_words(words), officer, actor.party_id, MOST),
    )
    return [int(row[0]) for row in rows]


def _amounts(tx: Transaction, words: str) -> list[tuple[str, str, Any]]:
    """Return the ways to find orders by an amount such as 1,250.00 or 1250 BRL: fiat of every currency, and USDT."""
    read = _AMOUNT.fullmatch(words)
    if read is None:
        return []
    plain, code = read[1].replace(",", "") + (read[2] or ""), (read[3] or "").upper()
    ways: list[tuple[str, str, Any]] = []
    for (currency,) in tx.rows("select distinct currency from pool order by 1"):
        if code in {"", currency}:
            ways += _units("(o.currency, o.fiat_units) = (%s::text, %s)", plain, fiat(currency), currency)
    return ways + (_units("o.usdt_units = %s", plain, USDT) if code in {"", USDT.code} else [])


def _units(where: str, plain: str, asset: Asset, *before: str) -> list[tuple[str, str, Any]]:
    try:
        return [("amount", where, (*before, Money.parse(plain, asset).units))]
    except BadAmount:
        return []
