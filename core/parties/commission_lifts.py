"""The hold of an agent's commission ends by two: one asks for it, another agrees, and all of it is payable again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core import approvals, audit
from core.actor import Right, Scope
from core.db import reading, transaction
from core.errors import NotFound, sentence
from core.parties import commission_holds, particulars

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction
    from core.parties.commission_holds import HeldCommission

KIND: Final = "commission_lift"
"""What it is called among the requests that wait for a second person."""


class Asked(NamedTuple):
    """A hold's end that waits for a second person, as the agent's page shows it."""

    request: str
    by: str
    at: datetime
    reason: str


class Lift(NamedTuple):
    """What a request ends: whose hold, and what is held now; None once nothing of it is."""

    ref: str
    code: str
    name: str
    holding: HeldCommission | None


def ask(actor: Actor, ref: str, why: str) -> str:
    """Ask that the hold of an agent's commission end; return the request's ref.

    All stays held until another person agrees (`decide`). Raises Forbidden, NotFound, BadInput without a reason,
    WrongState when nothing is held or the agent is suspended or barred, AlreadyDone while a request waits.
    """
    particulars.must_judge(actor)
    with transaction() as tx:
        agent = particulars.find(tx, ref, "agent", lock=True)
        found = commission_holds.to_lift(tx, agent)
        payload = {"agent": ref, "code": agent.code, "hold": found.ref, "units": commission_holds.all_of(tx, found)}
        request = approvals.request(tx, actor, KIND, ref, payload, why)
        audit.write(tx, actor, "commission.ask_lift", ref, reason=why, details={"request": request, "hold": found.ref})
    return request


def decide(actor: Actor, request: str, approve: bool, why: str) -> bool:  # noqa: FBT001 - yes or no
    """Agree to another's request, or turn it down; agreed, all that is held is payable at once. Return whether it is.

    Raises Forbidden (fact `rule` = `four_eyes` for who asked), NotFound, WrongState when it was decided before or the
    hold may not end any more, BadInput without a reason.
    """
    particulars.must_judge(actor)
    with transaction() as tx:
        # The agent first and then the request, as asking does: two at once wait for each other in one order only.
        agent = particulars.find(tx, _ours(tx, request), "agent", lock=True)
        done = approvals.decide(tx, actor, request, approve, why)
        if approve:
            found = commission_holds.to_lift(tx, agent, done.payload["hold"])
            facts = {"asked_by": done.requested_by, "request": request}
            commission_holds.end(tx, actor, agent, found, done.decided_why, facts)
        else:
            audit.write(
                tx, actor, "commission.keep", agent.ref, reason=done.decided_why, details={"request": request}
            )  # fmt: skip
    return approve


def withdraw(actor: Actor, request: str, why: str) -> None:
    """Take back one's own request while it waits. Raises Forbidden, NotFound, WrongState, BadInput without a reason."""
    particulars.must_judge(actor)
    with transaction() as tx:
        ref = _ours(tx, request)
        done = approvals.withdraw(tx, actor, request, why)
        details = {"request": request}
        audit.write(tx, actor, "commission.withdraw_lift", ref, reason=done.decided_why, details=details)


def asked(actor: Actor, request: str) -> Lift:
    """Return what a request ends, with what is held now. Raises Forbidden, NotFound."""
    actor.must(Right.SEE_APPROVALS)
    with reading() as tx:
        agent = particulars.find(tx, _ours(tx, request), "agent")
    return Lift(agent.ref, agent.code, agent.name, commission_holds.of(actor, agent.ref))


def waiting(actor: Actor, ref: str) -> Asked | None:
    """Return the request to end an agent's hold that waits, for those who see all rows. Raises Forbidden."""
    actor.must(Right.SEE_AGENTS)
    if actor.scope is not Scope.ALL:
        return None
    with reading() as tx:
        found = approvals.waiting(tx, KIND, ref)
    return Asked(found.ref, found.requested_by, found.requested_at, found.reason) if found else None


def _ours(tx: Transaction, request: str) -> str:
    """Return the ref of the agent whose hold a request is to end. Raises NotFound for any other request."""
    found = approvals.find(tx, request)
    if found.kind != KIND:
        raise NotFound(sentence("there is no request %(ref)s", ref=request[:40]), ref=request[:40])
    return found.subject
