"""API keys of merchants and acceptors: shown once, stored as a hash, ended at any time."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from core import audit, clock, ids, outbox
from core.actor import Actor, Right, Scope
from core.db import reading, transaction
from core.errors import Barred, NotFound, NotSignedIn, WrongState
from core.parties import particulars

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction

_RANDOM_BYTES = 30  # 40 characters of base 64
_LONGEST_KEY = 100

RIGHTS: Final[dict[str, frozenset[Right]]] = {
    "merchant": frozenset(
        {
            Right.SEE_ORDERS,
            Right.OPEN_ORDER,
            Right.CLAIM_PAID,
            Right.CANCEL_ORDER,
            Right.SEE_BALANCE,
            Right.SEE_LEDGER,
        },
    ),
    "acceptor": frozenset(
        {Right.SEE_ORDERS, Right.CONFIRM_RECEIPT, Right.SET_ONLINE, Right.SEE_BALANCE, Right.SEE_LEDGER},
    ),
}
"""What a key may do for a party of each kind; parties of other kinds have no keys."""


class Known(NamedTuple):
    """A key as it can still be told: never the key itself."""

    ref: str
    party: str
    label: str
    created_at: datetime
    ended_at: datetime | None
    barred: bool


def create(actor: Actor, party_ref: str, label: str) -> tuple[str, str]:
    """Make a key for a merchant or acceptor; return its ref and the key, which nobody sees again.

    Raises Forbidden, NotFound for anybody else, Barred, BadInput for an unreadable label.
    """
    actor.must(Right.MANAGE_KEYS)
    words = particulars.read_words(label, "label") if label else ""
    ref, key = ids.new("key"), f"dk_{secrets.token_urlsafe(_RANDOM_BYTES)}"
    with transaction() as tx:
        party = particulars.find(tx, party_ref, *RIGHTS)
        if party.state == "barred":
            raise Barred(f"{party.code} is barred", ref=party_ref)
        tx.run(
            "insert into api_key (ref, party_id, hash, label, created_at) values (%s, %s, %s, %s, %s)",
            (ref, party.id, _hash(key), words, clock.now()),
        )
        audit.write(tx, actor, "key.create", ref, details={"party": party_ref, "label": words})
        outbox.tell(tx, "key.created", ref, payload={"party": party_ref})
    return ref, key


def end(actor: Actor, ref: str, why: str) -> None:
    """End a key: from now on nobody gets in with it. Raises Forbidden, NotFound, WrongState, BadInput."""
    actor.must(Right.MANAGE_KEYS)
    reason = particulars.read_why(why)
    with transaction() as tx:
        rows = tx.rows("select ended_at from api_key where ref = %s for no key update", (ref,))
        if not rows:
            raise NotFound(f"there is no key {ref[:40]}", ref=ref[:40])
        ended: datetime | None = rows[0][0]
        if ended is not None:
            raise WrongState("the key has ended already", ref=ref)
        tx.run("update api_key set ended_at = %s where ref = %s", (clock.now(), ref))
        audit.write(tx, actor, "key.end", ref, reason=reason)
        outbox.tell(tx, "key.ended", ref)


def alive(tx: Transaction, user_id: int) -> int:
    """Return how many keys let somebody in for the party that a user belongs to; a barred one's are refused."""
    found: int = tx.call(
        "select count(*) from api_key k join user_party u on u.party_id = k.party_id join party p on p.id = k.party_id"
        " where u.user_id = %s and k.ended_at is null and p.state <> 'barred'",
        (user_id,),
    )
    return found


def known(actor: Actor, party_ref: str = "") -> list[Known]:
    """Return the keys of one party or of all, newest first. Raises Forbidden, NotFound for what has none."""
    actor.must(Right.MANAGE_KEYS)
    with reading() as tx:
        party_id = particulars.find(tx, party_ref, *RIGHTS).id if party_ref else None
        rows = tx.rows(
            "select k.ref, p.code, k.label, k.created_at, k.ended_at, p.state = 'barred'"
            " from api_key k join party p on p.id = k.party_id"
            " where k.party_id = coalesce(%s, k.party_id) order by k.id desc",
            (party_id,),
        )
    return [Known(*row) for row in rows]


def authenticate(key: str) -> Actor:
    """Return the actor of a key: its party's own rows, the rights of its kind of party.

    Raises NotSignedIn for an unknown or ended key, Barred for a barred party's.
    """
    if len(key) <= _LONGEST_KEY:
        with reading() as tx:
            rows = tx.rows(
                "select k.ref, p.id, p.kind, p.code, p.state from api_key k join party p on p.id = k.party_id"
                " where k.hash = %s and k.ended_at is null",
                (_hash(key),),
            )
        if rows:
            ref, party_id, kind, code, state = rows[0]
            if state == "barred":
                raise Barred("this party is barred")
            return Actor(name=f"{code}/{ref}", role=kind, scope=Scope(kind), party_id=party_id, rights=RIGHTS[kind])
    raise NotSignedIn("the key is unknown or has ended; ask for a new one")


def _hash(key: str) -> bytes:
    """Return the hash a key is stored under; keys are random, so one round of SHA-256 is enough."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
