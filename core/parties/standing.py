"""The standing of parties and customers: active, suspended for a while, or barred."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import audit, outbox
from core.actor import Right
from core.db import reading, transaction
from core.errors import NotFound, WrongState, sentence
from core.parties import acceptors, commission_holds, particulars

if TYPE_CHECKING:
    from core.actor import Actor


class Standing(NamedTuple):
    """How a party stands: its state, why it is out of matching, and the account of its payouts while that is frozen.

    Each is "" while it is not so; the account is named by its bank and masked number, and by its ref.
    """

    state: str
    paused: str
    frozen: str = ""
    frozen_ref: str = ""


def own(actor: Actor) -> Standing | None:
    """Return how the actor's own party stands; None for who acts for no party."""
    if actor.party_id is None:
        return None
    with reading() as tx:
        rows = tx.rows(
            "select p.state, coalesce(a.paused, ''), coalesce(b.bank || ' ' || b.masked, ''), coalesce(b.ref, '')"
            " from party p left join acceptor a on a.party_id = p.id"
            " left join withdrawal_account w on w.party_id = p.id"
            " left join bank_account b on b.id = w.bank_account_id and b.state = 'frozen' where p.id = %s",
            (actor.party_id,),
        )
    return Standing(*rows[0]) if rows else None


def suspend(actor: Actor, ref: str, why: str) -> None:
    """Stop new business with a party; what is open goes on, an agent's commission is held. Raises as `bar` does."""
    _turn(actor, ref, why, before=("active",), after="suspended")


def reinstate(actor: Actor, ref: str, why: str) -> None:
    """End a suspension and its hold. Raises Forbidden, NotFound, WrongState (a bar has no end), BadInput."""
    _turn(actor, ref, why, before=("suspended",), after="active")


def bar(actor: Actor, ref: str, why: str) -> None:
    """Bar a party for good. Raises Forbidden, NotFound, WrongState, BadInput."""
    _turn(actor, ref, why, before=("active", "suspended", "imported"), after="barred")


def _turn(actor: Actor, ref: str, why: str, *, before: tuple[str, ...], after: str) -> None:
    particulars.must_judge(actor)
    reason = particulars.read_why(why)
    with transaction() as tx:
        party = particulars.find(tx, ref, lock=True)
        if party.state not in before:
            raise WrongState(
                sentence("%(code)s is %(state)s", code=party.code, state=party.state), ref=ref, state=party.state
            )
        tx.run("update party set state = %s where id = %s", (after, party.id))
        if party.kind == "acceptor":
            acceptors.sync(tx, party.id)
        elif party.kind == "agent":
            commission_holds.follow(tx, actor, party, after, reason)
        audit.write(tx, actor, f"party.{after}", ref, reason=reason, details={"before": party.state})
        outbox.tell(tx, f"party.{after}", ref, payload={"kind": party.kind})


def bar_customer(actor: Actor, ref: str, why: str) -> None:
    """Refuse a merchant's customer every new order; open ones go on. Raises as `admit_customer`."""
    _turn_customer(actor, ref, why, before="active", after="barred")


def admit_customer(actor: Actor, ref: str, why: str) -> None:
    """Let a barred customer open orders again. Raises Forbidden, NotFound, WrongState, BadInput."""
    _turn_customer(actor, ref, why, before="barred", after="active")


def of_customer(actor: Actor, ref: str) -> str:
    """Return a customer's state. Raises Forbidden, NotFound."""
    actor.must(Right.SEE_ALERTS)
    with reading() as tx:
        state: str | None = tx.call("select state from customer where ref = %s", (ref,))
    if state is None:
        raise NotFound(sentence("there is no customer %(ref)s", ref=ref[:40]), ref=ref[:40])
    return state


def _turn_customer(actor: Actor, ref: str, why: str, *, before: str, after: str) -> None:
    particulars.must_judge(actor)
    reason = particulars.read_why(why)
    with transaction() as tx:
        rows = tx.rows(
            "select c.id, c.state, p.ref from customer c join party p on p.id = c.merchant_id where c.ref = %s"
            " for no key update of c",
            (ref,),
        )
        if not rows:
            raise NotFound(sentence("there is no customer %(ref)s", ref=ref[:40]), ref=ref[:40])
        number, state, merchant = rows[0]
        if state != before:
            raise WrongState(sentence("the customer is %(state)s", state=state), ref=ref, state=state)
        tx.run("update customer set state = %s where id = %s", (after, number))
        audit.write(tx, actor, f"customer.{after}", ref, reason=reason, details={"before": state, "merchant": merchant})
        outbox.tell(tx, f"customer.{after}", ref, payload={"merchant": merchant})
