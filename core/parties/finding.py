"""Finding parties and accounts by one whole name or number: ref, code, an account's own number.

Whoever learns that a guessed account number is here has learnt the number. So a whole number is looked up for those
alone who may reveal it, and the look is written down; others find by what they are shown, the end of a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from core import audit, vault
from core.actor import Right, Scope
from core.db import reading, transaction

if TYPE_CHECKING:
    from core.actor import Actor

MOST: Final = 20
_SPACED: Final = re.compile(r"[A-Za-z0-9 ./-]+")
LEAST_DIGITS: Final = 4
"""A shorter account number names nobody."""
SHOWN: Final = 4
"""So much of a whole number's end its mask shows."""
LIKE_A_NUMBER: Final = 8
"""From so many letters and digits on, four digits among them, words are taken for an account number."""


class FoundParty(NamedTuple):
    """A merchant, acceptor or agent that a search found."""

    kind: str
    ref: str
    code: str
    name: str
    state: str


class FoundAccount(NamedTuple):
    """A party's bank account that a search found."""

    ref: str
    party: str
    bank: str
    masked: str
    state: str


_SEES = {"merchant": Right.SEE_MERCHANTS, "acceptor": Right.SEE_ACCEPTORS, "agent": Right.SEE_AGENTS}
_BELOW = (
    "coalesce((select x.agent_id from merchant x where x.party_id = p.id),"
    " (select x.agent_id from acceptor x where x.party_id = p.id), p.id)"
    " in (select d.descendant_id from agent_closure d where d.ancestor_id = %s)"
)


def parties(actor: Actor, words: str) -> list[FoundParty]:
    """Return the parties with exactly that ref, code or (in any case) name, of those the actor sees; at most 20."""
    kinds = [kind for kind, right in _SEES.items() if actor.may(right)]
    if actor.scope is Scope.NONE or (actor.scope is not Scope.ALL and actor.party_id is None):
        return []
    own = {Scope.ALL: "%s::bigint is null", Scope.AGENT: _BELOW}.get(actor.scope, "p.id = %s")
    with reading() as tx:
        rows = tx.rows(
            "select p.kind, p.ref, p.code, p.name, p.state from party p where p.kind = any(%s)"  # noqa: S608 - our own words
            f" and (p.ref = %s or lower(p.code) = lower(%s) or lower(p.name) = lower(%s)) and {own}"
            " order by p.kind, p.code limit %s",
            (kinds, words[:4].lower() + words[4:].upper(), words, words, actor.party_id, MOST),
        )
    return [FoundParty(*row) for row in rows]


def like_a_number(words: str) -> bool:
    """Return whether words look like a whole account number, however it is spaced."""
    plain = vault.normalise_account(words)
    long = len(plain) >= LIKE_A_NUMBER and sum(c.isdigit() for c in plain) >= LEAST_DIGITS
    return long and _SPACED.fullmatch(words) is not None


def end_of_number(actor: Actor, words: str) -> str:
    """Return the masked number to find accounts by: as shown (`•• 8812`), its last four typed alone, or of one's own.

    Four signs without a figure among them are a word, and name no account.
    """
    plain = vault.normalise_account(words)
    if words.startswith("••"):
        return f"•• {plain}" if plain else ""
    if len(plain) == SHOWN and any(map(str.isdigit, plain)) and words.strip().isalnum():
        return f"•• {plain}"
    own = actor.scope in {Scope.MERCHANT, Scope.ACCEPTOR}
    return vault.mask_account(words) if own and like_a_number(words) else ""


def payer_account(actor: Actor, words: str) -> int | None:
    """Return the payer's account with that whole number, None if there is none or the actor may not reveal it.

    A look that found one, or was for what looks like a number, stands in the trail.
    """
    if actor.scope is not Scope.ALL or not actor.may(Right.REVEAL) or sum(map(str.isalnum, words)) < LEAST_DIGITS:
        return None
    with reading() as tx:
        rows = tx.rows("select id, ref from payer_account where blind = %s", (vault.blind(words),))
    _looked(actor, "payer_account", [ref for _number, ref in rows], words)
    return int(rows[0][0]) if rows else None


def _looked(actor: Actor, kind: str, refs: list[str], words: str) -> None:
    """Write down that somebody asked for a whole number; the number itself is not kept."""
    if refs or like_a_number(words):
        with transaction() as tx:
            for subject in refs or [vault.mask_account(words)]:
                audit.write(tx, actor, "account.search", subject, details={"kind": kind, "found": bool(refs)})


def bank_accounts(actor: Actor, words: str) -> list[FoundAccount]:
    """Return bank accounts by ref; by whole number, logged, for who may reveal; by its end among a party's own."""
    if not actor.may(Right.SEE_BANK_ACCOUNTS):
        return []
    every = actor.scope is Scope.ALL
    if not every and (actor.party_id is None or actor.scope not in {Scope.MERCHANT, Scope.ACCEPTOR}):
        return []
    reveals = every and actor.may(Right.REVEAL) and sum(map(str.isalnum, words)) >= LEAST_DIGITS
    ref, end = words[:4].lower() + words[4:].upper(), end_of_number(actor, words)
    with reading() as tx:
        rows = tx.rows(
            "select b.ref, p.code, b.bank, b.masked, b.state, %s and b.blind = %s from bank_account b"
            " join party p on p.id = b.party_id"
            " where (b.ref = %s or (%s and b.blind = %s) or (%s <> '' and b.masked = %s)) and (%s or b.party_id = %s)"
            " order by b.ref limit %s",
            (
                *(reveals, vault.blind(words)),
                *(ref, reveals, vault.blind(words), end, end, every, actor.party_id, MOST),
            ),
        )
    if reveals and not ref.startswith("bnk_"):
        _looked(actor, "bank_account", [row[0] for row in rows if row[5]], "" if end else words)
    return [FoundAccount(*row[:5]) for row in rows]
