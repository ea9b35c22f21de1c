"""Judging alerts: an officer takes one and decides it; where money is held, a second officer agrees first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from core import approvals, audit, clock, outbox
from core.actor import Right
from core.compliance import choices, files
from core.db import transaction
from core.errors import Conflict, WrongState, sentence
from core.orders import rulings

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

LOCK_SECONDS: Final = 15 * 60
"""How long an alert stays with the officer who took it."""

KIND: Final = "hold_decision"
"""What a first officer's decision about held money is called among the requests for a second pair of eyes."""

WEIGHT: Final = "case a.verdict when 'refuse' then 4 when 'hold' then 3 when 'review' then 2 else 1 end"
PRIORITY: Final = f"{WEIGHT} * o.usdt_units::numeric * greatest(extract(epoch from %(at)s - a.raised_at), 1)"
"""How much is at stake, as SQL: risk x amount x age."""

KEPT: Final = "(a.verdict <> 'allow' and o.state = 'paid_claimed' and o.received_units is not null)"
"""Whether the order's release waits for the alert, as SQL: the twin of `choices.stops`."""

_STANDS: Final = (
    f"case when exists (select 1 from hold h where h.order_id = o.id and h.closed_at is null) then 0 when {KEPT} then 1"  # noqa: S608 - our own words
    " when exists (select 1 from order_waiting w where w.order_id = o.id) then 2 else 3 end"
)
WANTED: Final = f"{_STANDS}, case {_STANDS} when 3 then a.due_at end, {PRIORITY} desc, a.id"
"""What comes first, as SQL: orders with held money, those whose release waits, others that still wait, each by what is
at stake; then what only has to be looked over, by its deadline."""

_TAKE = "update alert set locked_by = %s, locked_until = %s where ref = any (%s)"


class Decision(NamedTuple):
    """What a decision did: the alerts it was about, their state now, and the order's.

    `approval_ref` is the request for a second officer, None when nothing is held.
    """

    order_ref: str
    order_state: str
    state: str
    alerts: tuple[str, ...]
    approval_ref: str | None = None


def take(actor: Actor, ref: str) -> datetime:
    """Take an alert, and those raised with it, for 15 minutes; return until when.

    Taking again starts the time anew. Refuses with forbidden, not_found, wrong_state when it was decided, and
    conflict while another officer has it.
    """
    actor.must(Right.DECIDE_ALERT)
    until = clock.now() + timedelta(seconds=LOCK_SECONDS)
    with transaction() as tx:
        file = files.locked(tx, ref)
        if file.asked.state == "closed":
            files.must_be(file, "open")
        files.must_be_free(file, actor)
        asked = approvals.waiting(tx, KIND, file.order_ref)
        if asked is not None and asked.requested_by == actor.name:
            # Who asked for a second officer must not keep one out by taking the case again.
            raise Conflict(sentence("you have decided this; it waits for another officer"), ref=ref)
        tx.run(_TAKE, (actor.name, until, file.standing(file.asked.state)))
        audit.write(tx, actor, "alert.take", ref, order_id=file.order_id)
    return until


def put_back(actor: Actor, ref: str) -> None:
    """Give an alert one has taken back to the queue. Refuses as `take` does."""
    actor.must(Right.DECIDE_ALERT)
    with transaction() as tx:
        file = files.locked(tx, ref)
        files.must_be_free(file, actor)
        tx.run(_TAKE, (None, None, [each.ref for each in file.alerts]))
        audit.write(tx, actor, "alert.put_back", ref, order_id=file.order_id)


def decide(actor: Actor, ref: str, outcome: str, disposition: str, narrative: str) -> Decision:
    """Decide an alert, and with it those of its gate, or all that keep the order's release back; return what that did.

    `release` pays the order out, `refuse` gives the reserve back (before the payment: calls the order off),
    `dismiss` leaves the order as it is. What is held or in dispute moves only when another officer agrees
    (`second`): until then the alerts are `pending_second`. Refuses with forbidden, not_found, bad_input, wrong_state,
    and conflict while another officer has the alert.
    """
    actor.must(Right.DECIDE_ALERT)
    said = choices.read(outcome, disposition, narrative)
    with transaction() as tx:
        file = files.locked(tx, ref)
        files.must_be(file, "open")
        files.must_be_free(file, actor)
        verdict, keeper = file.asked.verdict, files.keeper(tx, file)
        choices.check(outcome, file.gate, verdict, file.order_state, confirmed=file.confirmed, keeper=keeper)
        refs = file.standing("open")
        if file.two:
            return ask_second(tx, actor, file, refs, outcome, disposition, said)
        state = _carry_out(tx, actor, file, outcome)
        files.close(tx, actor, file, refs, outcome=outcome, disposition=disposition, narrative=said)
    return Decision(file.order_ref, state, "closed", tuple(refs))


def second(actor: Actor, ref: str, approve: bool, why: str) -> Decision:  # noqa: FBT001 - yes or no
    """Agree to or turn down what another officer decided about held money; return what that did.

    Agreed: the hold ends, the order is paid out or given back, and the alerts close, all in one transaction.
    Turned down: the alerts are open again. Refuses with forbidden (fact `rule` = `four_eyes` for the one who
    decided first), not_found, bad_input without a reason, and wrong_state when nothing waits, or when the order has
    gone on since and what was decided is not possible any more.
    """
    actor.must(Right.DECIDE_ALERT)
    with transaction() as tx:
        file = files.locked(tx, ref)
        files.must_be(file, "pending_second")
        files.must_be_free(file, actor)
        waiting = approvals.waiting(tx, KIND, file.order_ref)
        if waiting is None:
            raise WrongState(sentence("no decision about %(ref)s waits for a second officer", ref=ref), ref=ref)
        decided = approvals.decide(tx, actor, waiting.ref, approve, why)
        said = waiting.payload
        refs = file.standing("pending_second")
        if approve:
            choices.check(said["outcome"], file.gate, file.asked.verdict, file.order_state, confirmed=file.confirmed)
        else:
            return _reopen(tx, actor, file, refs, waiting.ref, decided.decided_why)
        state = _carry_out(tx, actor, file, said["outcome"])
        files.close(
            tx, actor, file, refs,
            outcome=said["outcome"], disposition=said["disposition"], narrative=said["narrative"], first=decided,
        )  # fmt: skip
    return Decision(file.order_ref, state, "closed", tuple(refs), waiting.ref)


def ask_second(
    tx: Transaction, actor: Actor, file: files.File, refs: list[str], outcome: str, disposition: str, narrative: str
) -> Decision:
    """Keep the first officer's decision until a second one has agreed."""
    payload = {
        "outcome": outcome,
        "disposition": disposition,
        "narrative": narrative,
        "gate": file.gate,
        "alerts": refs,
    }
    approval = approvals.request(tx, actor, KIND, file.order_ref, payload, narrative)
    tx.run(
        "update alert set state = 'pending_second', outcome = %s, disposition = %s, narrative = %s, proposed_by = %s,"
        " proposed_at = %s, locked_by = null, locked_until = null where ref = any (%s)",
        (outcome, disposition, narrative, actor.name, clock.now(), refs),
    )
    details = {"outcome": outcome, "disposition": disposition, "request": approval}
    for each in refs:
        audit.write(tx, actor, "alert.decide", each, reason=narrative, details=details, order_id=file.order_id)
    return Decision(file.order_ref, file.order_state, "pending_second", tuple(refs), approval)


def _reopen(tx: Transaction, actor: Actor, file: files.File, refs: list[str], approval: str, why: str) -> Decision:
    tx.run(
        "update alert set state = 'open', outcome = '', disposition = '', narrative = '', proposed_by = null,"
        " proposed_at = null, locked_by = null, locked_until = null where ref = any (%s)",
        (refs,),
    )
    for each in refs:
        audit.write(tx, actor, "alert.reopen", each, reason=why, details={"request": approval}, order_id=file.order_id)
        outbox.tell(tx, "alert.reopened", each, payload={"order": file.order_ref})
    return Decision(file.order_ref, file.order_state, "open", tuple(refs), approval)


def _carry_out(tx: Transaction, actor: Actor, file: files.File, outcome: str) -> str:
    """Do to the order what was decided; the narrative stays with the alerts, the order only says "after review"."""
    if outcome == choices.RELEASE:
        return rulings.release(tx, actor, file.order_ref, reason="after review")
    if outcome == choices.REFUSE and file.order_state in choices.UNPAID:
        return rulings.refuse_opening(tx, actor, file.order_ref, reason="after review")
    if outcome == choices.REFUSE:
        return rulings.refund(tx, actor, file.order_ref, reason="after review")
    return file.order_state
