"""The alerts decided together, locked with their order: those of one gate, or all that keep a release back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import audit, clock, ids, outbox
from core.compliance import choices
from core.errors import Conflict, NotFound, WrongState, sentence
from core.orders.states import DisputeState, RiskState, State

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.approvals import Approval
    from core.db import Transaction

_ORDER = (
    "select id, ref, state, risk_state, dispute_state, received_units is not null from orders"
    " where id = %s for no key update"
)
_ALERTS = (
    "select ref, state, verdict, locked_by, locked_until, raised_at from alert"
    " where order_id = %s and (gate = %s or (%s and verdict <> 'allow')) order by id for update"
)
_KEEPS = (
    "select ref from alert where order_id = %s and ref <> %s and state <> 'closed' and verdict <> 'allow'"
    " order by gate desc, id limit 1"
)


class Held(NamedTuple):
    """One alert as it stands, locked."""

    ref: str
    state: str
    verdict: str
    locked_by: str | None
    locked_until: datetime | None
    raised_at: datetime


class File(NamedTuple):
    """An order with the alerts that are decided together, and whether deciding them takes `two` officers.

    They are those of the named alert's gate; where the release waits for it, all that it waits for, of any gate.
    It takes two where USDT is held, and where the parties disagree about the order. `confirmed` says that it is
    known what came in.
    """

    alert_ref: str
    gate: str
    order_id: int
    order_ref: str
    order_state: str
    risk_state: str
    confirmed: bool
    alerts: tuple[Held, ...]
    two: bool

    @property
    def asked(self) -> Held:
        """The alert that was named."""
        return next(each for each in self.alerts if each.ref == self.alert_ref)

    def standing(self, state: str) -> list[str]:
        """Return the refs of the alerts in that state."""
        return [each.ref for each in self.alerts if each.state == state]


def locked(tx: Transaction, ref: str) -> File:
    """Lock the order, then the alerts decided with this one, and return them. Refuses with not_found or bad_input."""
    found = tx.rows("select order_id, gate, verdict from alert where ref = %s", (ids.check(ref, "alr"),))
    if not found:
        raise NotFound(sentence("there is no alert %(ref)s", ref=ref), ref=ref)
    order_id, gate, verdict = found[0]
    order, order_ref, state, risk_state, dispute, confirmed = tx.rows(_ORDER, (order_id,))[0]
    kept = choices.stops(verdict, state, confirmed=confirmed)
    alerts = tuple(Held(*row) for row in tx.rows(_ALERTS, (order_id, gate, kept)))
    hold = tx.call("select exists (select 1 from hold where order_id = %s and closed_at is null)", (order_id,))
    two = hold or dispute == DisputeState.OPEN
    return File(ref, gate, order, order_ref, state, risk_state, confirmed, alerts, two)


def keeper(tx: Transaction, file: File) -> str:
    """Return the first alert beside the named one that keeps the order's payout back, "" where none does."""
    if not file.confirmed or file.order_state != State.PAID_CLAIMED:
        return ""
    rows = tx.rows(_KEEPS, (file.order_id, file.alert_ref))
    return str(rows[0][0]) if rows else ""


def must_be(file: File, state: str) -> None:
    """Refuse with `wrong_state` unless the alert that was named is in that state."""
    now = file.asked.state
    if now == state:
        return
    words = {
        "open": sentence("it waits for an officer"),
        "pending_second": sentence("it waits for a second officer"),
        "closed": sentence("it was decided"),
        "in_case": sentence("it is part of a case, which is decided as a whole"),
    }
    raise WrongState(
        sentence("that cannot be done with %(alert_ref)s now: %(why)s", alert_ref=file.alert_ref, why=words[now]),
        ref=file.alert_ref,
        state=now,
    )


def must_be_free(file: File, actor: Actor) -> None:
    """Refuse with `conflict` while another officer has taken one of the alerts."""
    now = clock.now()
    for each in file.alerts:
        if each.locked_by not in {None, actor.name} and each.locked_until is not None and each.locked_until > now:
            raise Conflict(
                sentence(
                    "%(locked_by)s works on this until %(locked_until)s UTC",
                    locked_by=each.locked_by,
                    locked_until=f"{each.locked_until:%H:%M}",
                ),
                ref=each.ref,
                locked_by=each.locked_by,
                locked_until=each.locked_until.isoformat(),
            )


def close(
    tx: Transaction, actor: Actor, file: File, refs: list[str], *, outcome: str, disposition: str, narrative: str,
    first: Approval | None = None, together: int = 0,
) -> None:  # fmt: skip
    """Close these alerts of the file with one decision; each is told once and stands in the trail once.

    With `first`, the decision of another officer that the actor has agreed to, each one's words stay its own;
    `together` says with how many others alike it was dismissed.
    """
    now = clock.now()
    by, at, agreed = (first.requested_by, first.requested_at, first.decided_why) if first else (actor.name, now, "")
    tx.run(
        "update alert set state = 'closed', outcome = %s, disposition = %s, narrative = %s, proposed_by = %s,"
        " proposed_at = %s, confirmed_why = %s, closed_at = %s, closed_by = %s, locked_by = null, locked_until = null"
        " where ref = any (%s)",
        (outcome, disposition, narrative, by, at, agreed, now, actor.name, refs),
    )
    whose = ({"proposed_by": by, "request": first.ref} if first else {}) | ({"together": together} if together else {})
    for each in file.alerts:
        if each.ref not in refs:
            continue
        seconds = max(int((now - each.raised_at).total_seconds()), 0)
        told = {"outcome": outcome, "disposition": disposition, "seconds": seconds}
        details = told | whose
        audit.write(
            tx, actor, "alert.close", each.ref, reason=agreed or narrative, details=details, order_id=file.order_id
        )
        outbox.tell(tx, "alert.closed", each.ref, happened_at=now, payload={**told, "order": file.order_ref})
    _clear(tx, file.order_id)


def _clear(tx: Transaction, order_id: int) -> None:
    """Take the flag off an order when its last alert is closed."""
    tx.run(
        "update orders set risk_state = %s, version = version + 1 where id = %s and risk_state = %s"
        " and not exists (select 1 from alert where order_id = %s and state <> 'closed')",
        (RiskState.CLEAR, order_id, RiskState.FLAGGED, order_id),
    )
