"""A party's standing: active, suspended for a while, or barred for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import audit, outbox
from core.actor import Right
from core.db import transaction
from core.errors import WrongState
from core.parties import acceptors, particulars

if TYPE_CHECKING:
    from core.actor import Actor


def suspend(actor: Actor, ref: str, why: str) -> None:
    """Stop new business with a party; what is open goes on. Raises as `bar` does."""
    _turn(actor, ref, why, before=("active",), after="suspended")


def reinstate(actor: Actor, ref: str, why: str) -> None:
    """End a suspension. Raises Forbidden, NotFound, WrongState (a bar has no end), BadInput."""
    _turn(actor, ref, why, before=("suspended",), after="active")


def bar(actor: Actor, ref: str, why: str) -> None:
    """Bar a party for good. Raises Forbidden, NotFound, WrongState, BadInput."""
    _turn(actor, ref, why, before=("active", "suspended", "imported"), after="barred")


def _turn(actor: Actor, ref: str, why: str, *, before: tuple[str, ...], after: str) -> None:
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    with transaction() as tx:
        party = particulars.find(tx, ref, lock=True)
        if party.state not in before:
            raise WrongState(f"{party.code} is {party.state}", ref=ref, state=party.state)
        tx.run("update party set state = %s where id = %s", (after, party.id))
        if party.kind == "acceptor":
            acceptors.sync(tx, party.id)
        audit.write(tx, actor, f"party.{after}", ref, reason=reason, details={"before": party.state})
        outbox.tell(tx, f"party.{after}", ref, payload={"kind": party.kind})
