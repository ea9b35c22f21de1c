"""Showing personal data to somebody who may see it: each look leaves a row with who, whose, for what and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core import audit, ids, vault, words
from core.actor import Right, Scope
from core.db import transaction
from core.errors import BadInput, Forbidden, NotFound, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.actor import Actor
    from core.db import Transaction

MOST_WORDS: Final = 500


class _Kind(NamedTuple):
    prefix: str
    sql: str
    sealed: bool


_KINDS: Final = {
    "customer": _Kind("cus", "select verified_name from customer where ref = %s", sealed=False),
    "payer": _Kind("ord", "select payer_name from orders where ref = %s", sealed=False),
    "declared_payer": _Kind("ord", "select declared_payer_name from orders where ref = %s", sealed=False),
    "payer_account": _Kind("pay", "select sealed from payer_account where ref = %s", sealed=True),
    "bank_account": _Kind("bnk", "select sealed from bank_account where ref = %s", sealed=True),
}

KINDS: Final = tuple(_KINDS)
"""What can be revealed: a customer's verified name (by `cus_`), the payer's name on an order, and the one declared at
its opening where the claim names another (by `ord_`), the number of a payer's account (by `pay_`) or of a party's bank
account (by `bnk_`)."""

_SUBJECT: Final = {
    "ord": "select id from orders where ref = %s",
    "alr": "select order_id from alert where ref = %s",
}
_ALONE: Final = {"bnk": "select id from bank_account where ref = %s"}
"""What may be looked at for its own sake, on its own page: it belongs to no order."""


def reveal(actor: Actor, kind: str, ref: str, reason: str, subject_ref: str) -> str:
    """Return the plain value, and log who saw whose data, for which order or alert (`subject_ref`) and why.

    A party's bank account may be the subject itself, where somebody looks at it on its own page.

    Refuses with forbidden, bad_input for an unknown kind or a reason under 5 characters, and not_found for a
    thing or a subject that is not there; nothing is shown then, and nothing logged.
    """
    _may(actor)
    what = _KINDS.get(kind)
    if what is None:
        raise BadInput(sentence("what can be revealed: %(kinds)s", kinds=list(KINDS)), kind=kind[:20])
    why = words.reason(reason, longest=MOST_WORDS)
    with transaction() as tx:
        order_id = _subject(tx, subject_ref)
        found = tx.call(what.sql, (ids.check(ref, what.prefix),))
        if found is None:
            raise NotFound(sentence("there is no %(kind)s %(ref)s", kind=kind.replace("_", " "), ref=ref), ref=ref)
        plain = vault.open_(found) if what.sealed else str(found)
        audit.write(tx, actor, f"reveal.{kind}", ref, reason=why, details={"subject": subject_ref}, order_id=order_id)
    return plain


def reason_of(actor: Actor, reason: str) -> str:
    """Return why somebody wants to see a whole list's personal data, as the trail keeps it.

    Refuses with forbidden, and with bad_input for a reason under 5 characters.
    """
    _may(actor)
    return words.reason(reason, longest=MOST_WORDS)


def of_list(tx: Transaction, actor: Actor, name: str, reason: str, details: Mapping[str, object]) -> None:
    """Log that somebody takes a list's rows away with the names in full: which (`details`), how many, and why."""
    why = reason_of(actor, reason)
    audit.write(tx, actor, "reveal.list", name, reason=why, details={**details, "personal": "whole"})


def _may(actor: Actor) -> None:
    actor.must(Right.REVEAL)
    if actor.scope is not Scope.ALL:
        raise Forbidden(sentence("only those who see all rows reveal personal data"), right=Right.REVEAL.value)


def _subject(tx: Transaction, subject_ref: str) -> int | None:
    """Return the number of the order that the look is for, None where it is for no order."""
    kind = subject_ref[:3]
    sql = _SUBJECT.get(kind) or _ALONE.get(kind)
    if sql is None:
        raise BadInput(
            sentence("say for which order (ord_…), alert (alr_…) or account (bnk_…) you look"), field="subject_ref"
        )
    number: int | None = tx.call(sql, (ids.check(subject_ref, kind),))
    if number is None:
        raise NotFound(sentence("there is no %(subject_ref)s", subject_ref=subject_ref), ref=subject_ref)
    return number if kind in _SUBJECT else None
