"""Acceptors: verified liquidity providers, and whether they take orders now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import audit, clock, outbox
from core.actor import Right
from core.db import transaction
from core.errors import Frozen, NotFound, WrongState, sentence
from core.ledger import accounts
from core.parties import agents, particulars

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction


def create(
    actor: Actor,
    code: str,
    name: str,
    *,
    country: str,
    agent_ref: str | None = None,
    kyc_level: int = 1,
) -> str:
    """Enrol an acceptor, offline, with an empty reserve; return its ref.

    `name` is the verified name: its bank accounts must bear it. Raises Forbidden, BadInput, AlreadyDone for
    a taken code, NotFound for an unknown agent.
    """
    actor.must(Right.MANAGE_PARTIES)
    with transaction() as tx:
        agent_id = agents.referrer(tx, agent_ref)
        number, ref = particulars.enrol(tx, "acceptor", code, name, country=country, kyc_level=kyc_level)
        tx.run("insert into acceptor (party_id, agent_id) values (%s, %s)", (number, agent_id))
        accounts.open_account(tx, "acceptor", number, code)
        audit.write(tx, actor, "acceptor.create", ref, details={"code": code, "agent": agent_ref})
        outbox.tell(tx, "acceptor.created", ref, payload={"code": code, "agent": agent_ref})
    return ref


def set_online(actor: Actor, ref: str, online: bool) -> None:  # noqa: FBT001 - on or off
    """Start or stop taking new orders. Saying the same again only renews the sign of life.

    Whoever was taken for silent counts as heard; whether it is there is watched anew from its next sign of life.

    Raises Forbidden, NotFound (a foreign acceptor too), Frozen when a suspended acceptor would go online.
    """
    actor.must(Right.SET_ONLINE)
    with transaction() as tx:
        acceptor, was, _ = _locked(tx, actor, ref)
        if online and acceptor.state != "active":
            raise Frozen(
                sentence("%(code)s is %(state)s and cannot take orders", code=acceptor.code, state=acceptor.state),
                ref=ref,
                state=acceptor.state,
            )
        silent = tx.call("select silent from acceptor where party_id = %s", (acceptor.id,))
        tx.run(
            "update acceptor set online = %s, seen_at = %s, beat_at = null, silent = false where party_id = %s",
            (online, clock.now(), acceptor.id),
        )
        if was == online and not silent:
            return
        sync(tx, acceptor.id)
        word = "online" if online else "offline"
        audit.write(tx, actor, f"acceptor.{word}", ref)
        outbox.tell(tx, f"acceptor.{word}", ref)


def pause(actor: Actor, ref: str, why: str) -> None:
    """Take an acceptor out of matching until `resume`; its open orders go on.

    Raises Forbidden, NotFound, WrongState when paused already, BadInput without a reason.
    """
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    with transaction() as tx:
        acceptor, _, paused = _locked(tx, actor, ref)
        if paused:
            raise WrongState(
                sentence("%(code)s is paused already: %(paused)s", code=acceptor.code, paused=paused), ref=ref
            )
        tx.run("update acceptor set paused = %s where party_id = %s", (reason, acceptor.id))
        sync(tx, acceptor.id)
        audit.write(tx, actor, "acceptor.pause", ref, reason=reason)
        outbox.tell(tx, "acceptor.paused", ref)


def resume(actor: Actor, ref: str, why: str) -> None:
    """End a pause. Raises Forbidden, NotFound, WrongState when not paused, BadInput without a reason."""
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    with transaction() as tx:
        acceptor, _, paused = _locked(tx, actor, ref)
        if not paused:
            raise WrongState(sentence("%(code)s is not paused", code=acceptor.code), ref=ref)
        tx.run("update acceptor set paused = '' where party_id = %s", (acceptor.id,))
        sync(tx, acceptor.id)
        audit.write(tx, actor, "acceptor.resume", ref, reason=reason)
        outbox.tell(tx, "acceptor.resumed", ref)


def sync(tx: Transaction, acceptor_id: int) -> None:
    """Make the acceptor's pool accounts matchable or not, after anything about it has changed."""
    tx.call("select pool_account_sync(%s)", (acceptor_id,))


def _locked(tx: Transaction, actor: Actor, ref: str) -> tuple[particulars.PartyRow, bool, str]:
    """Return the party, online and paused of an acceptor that is the actor's to change; its row is locked."""
    rows = tx.rows(
        "select p.id, p.ref, p.kind, p.code, p.name, p.state, a.online, a.paused"
        " from acceptor a join party p on p.id = a.party_id where p.ref = %s for no key update of a",
        (ref,),
    )
    if not rows or not actor.owns(acceptor_id=rows[0][0]):
        raise NotFound(sentence("there is no acceptor %(ref)s", ref=ref[:40]), ref=ref[:40])
    return particulars.PartyRow(*rows[0][:6]), rows[0][6], rows[0][7]
