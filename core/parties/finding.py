"""Finding parties and bank accounts by one whole name or number: ref, code, an account's own number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core import vault
from core.actor import Right, Scope
from core.db import reading

if TYPE_CHECKING:
    from core.actor import Actor

MOST: Final = 20
LEAST_DIGITS: Final = 4


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


def bank_accounts(actor: Actor, words: str) -> list[FoundAccount]:
    """Return bank accounts by ref or by their whole number; others' numbers only for who may reveal them."""
    if not actor.may(Right.SEE_BANK_ACCOUNTS):
        return []
    every = actor.scope is Scope.ALL
    if not every and (actor.party_id is None or actor.scope not in {Scope.MERCHANT, Scope.ACCEPTOR}):
        return []
    number = (not every or actor.may(Right.REVEAL)) and sum(c.isalnum() for c in words) >= LEAST_DIGITS
    with reading() as tx:
        rows = tx.rows(
            "select b.ref, p.code, b.bank, b.masked, b.state from bank_account b join party p on p.id = b.party_id"
            " where (b.ref = %s or (%s and b.blind = %s)) and (%s or b.party_id = %s) order by b.ref limit %s",
            (words[:4].lower() + words[4:].upper(), number, vault.blind(words), every, actor.party_id, MOST),
        )
    return [FoundAccount(*row) for row in rows]
