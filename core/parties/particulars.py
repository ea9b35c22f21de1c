"""What is asked of every party: a code, a name and a country that can be read, and its one row in `party`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from core import audit, clock, countries, ids, words
from core.actor import Right, system
from core.errors import AlreadyDone, BadInput, NotFound, sentence
from core.parties import barred

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

PREFIX = {"merchant": "mer", "acceptor": "acc", "agent": "agt"}
MOST_KYC = 3
LONGEST_NAME = 120
LONGEST_WHY = 500
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_FIND = "select id, ref, kind, code, name, state from party where ref = %s"
_LOCK = _FIND + " for no key update"
_METHOD = re.compile(r"[a-z][a-z0-9_]{1,39}")


class PartyRow(NamedTuple):
    """A party as commands need it."""

    id: int
    ref: str
    kind: str
    code: str
    name: str
    state: str


def enrol(tx: Transaction, kind: str, code: str, name: str, *, country: str, kyc_level: int) -> tuple[int, str]:
    """Store the row of a new party; return its number and ref.

    Raises BadInput, Barred for a country with which no business is done, AlreadyDone when the code is taken.
    """
    if type(kyc_level) is not int or not 0 <= kyc_level <= MOST_KYC:
        raise BadInput(
            sentence("kyc_level must be a whole number from 0 to %(most_kyc)s", most_kyc=MOST_KYC), field="kyc_level"
        )
    ref, where = ids.new(PREFIX[kind]), countries.read(country, "country")
    noted = barred.noted(tx, where)
    number = tx.call(
        "insert into party (ref, kind, code, name, country, kyc_level, created_at)"
        " values (%s, %s, %s, %s, %s, %s, %s) on conflict on constraint party_code_once do nothing"
        " returning id",
        (
            ref,
            kind,
            read_code(code),
            read_words(name, "name"),
            where,
            kyc_level,
            clock.now(),
        ),
    )
    if number is None:
        raise AlreadyDone(
            sentence("there is a %(kind)s with the code %(code)s already", kind=kind, code=code),
            field="code",
            kind=kind,
            code=code,
        )
    if noted:
        audit.write(tx, system("rules"), "party.barred_country", ref, details={"country": where})
    return number, ref


def find(tx: Transaction, ref: str, *kinds: str, lock: bool = False) -> PartyRow:
    """Return the party with that ref and one of these kinds (any if none is named). Raises NotFound."""
    rows = tx.rows(_LOCK if lock else _FIND, (ref,))
    if not rows or (kinds and rows[0][2] not in kinds):
        raise NotFound(
            sentence("there is no %(kinds)s %(ref)s", kinds=list(kinds) or "party", ref=ref[:40]), ref=ref[:40]
        )
    return PartyRow(*rows[0])


def owns(actor: Actor, party: PartyRow) -> bool:
    """Return whether the merchant or acceptor is the actor's own (every party for who sees all rows)."""
    return actor.owns(
        merchant_id=party.id if party.kind == "merchant" else None,
        acceptor_id=party.id if party.kind == "acceptor" else None,
    )


def must_judge(actor: Actor) -> None:
    """Refuse who neither runs the parties nor judges them. Raises Forbidden."""
    if not actor.may(Right.MANAGE_PARTIES):
        actor.must(Right.SET_STANDING)


def read_code(text: str) -> str:
    """Return a code: 1-40 letters, digits, dots, dashes and underscores. Raises BadInput."""
    if not _CODE.fullmatch(text):
        raise BadInput(
            sentence("a code is 1 to 40 letters, digits, dots, dashes or underscores"), field="code", code=text[:40]
        )
    return text


def read_words(text: str, field: str, *, longest: int = LONGEST_NAME) -> str:
    """Return a line of text without spaces around it: visible characters, not too many. Raises BadInput."""
    return words.line(text, field, longest=longest)


def read_method(text: str) -> str:
    """Return the name of a payment method, such as `pix`. Raises BadInput."""
    if not _METHOD.fullmatch(text):
        raise BadInput(
            sentence("a payment method is a short name such as pix or bank"), field="method", method=text[:40]
        )
    return text


def read_why(text: str) -> str:
    """Return a reason, which must be given in words. Raises BadInput."""
    return words.reason(text, longest=LONGEST_WHY)
