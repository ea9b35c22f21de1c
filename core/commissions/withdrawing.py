"""An approved version that has not begun yet, withdrawn by one of the two who agreed on it (decision 0034)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core import approvals, audit, outbox, timeshift, words
from core.actor import Right
from core.commissions.versions import FEES, LEAD, PLAN, alone, must_be_known
from core.db import transaction
from core.errors import Conflict, Forbidden, NotFound, TooLate, WrongState, sentence
from core.parties import particulars

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.commissions.lives import Lived
    from core.db import Transaction

_LONGEST_WHY: Final = 500
_MOST: Final = 2**31 - 1
"""The highest number a version can have."""
# A pool or agent that is just being put on it holds the row shared (core/parties); references by its key do not wait.
_FOUND: Final = {
    FEES: "select id, effective_from, withdrawn_at, requested_by, approved_by from fee_schedule"
    " where code = %s and version = %s for no key update",
    PLAN: "select v.id, v.effective_from, v.withdrawn_at, v.requested_by, v.approved_by from plan_version v"
    " join plan p on p.id = v.plan_id where p.code = %s and v.version = %s for no key update of v",
}
_MARK: Final = {
    FEES: "update fee_schedule set withdrawn_at = %s, withdrawn_by = %s, withdrawn_why = %s where id = %s",
    PLAN: "update plan_version set withdrawn_at = %s, withdrawn_by = %s, withdrawn_why = %s where id = %s",
}
_LEFT_WITHOUT: Final = {
    FEES: "select count(*) from pool l where l.fee_code = %(code)s and not exists (select 1 from fee_schedule f"
    " where f.code = l.fee_code and f.effective_from <= %(begins)s and f.withdrawn_at is null)",
    PLAN: "select count(*) from agent g join plan p on p.id = g.plan_id where p.code = %(code)s and not exists"
    " (select 1 from plan_version v where v.plan_id = p.id and v.effective_from <= %(begins)s"
    " and v.withdrawn_at is null)",
}


class _Found(NamedTuple):
    id: int
    begins: datetime
    withdrawn_at: datetime | None
    proposer: int | None
    approver: int | None


def withdraw(actor: Actor, kind: str, code: str, version: int, why: str) -> None:
    """Withdraw an approved version before it begins: nothing is ever priced or split by it, and it stays on record.

    What is in force goes on. Only who proposed or approved it may, as it stands on the agreement of both. Raises
    Forbidden (fact `rule` = `one_of_its_two` for anybody else), BadInput without a reason, NotFound, WrongState when it
    was withdrawn before, TooLate when it has begun or begins within `LEAD`, Conflict while a proposal waits that was
    made to follow it, or when a pool or an agent would be left without any version.
    """
    actor.must(Right.MANAGE_PRICING)
    must_be_known(kind)
    said = words.reason(why, longest=_LONGEST_WHY)
    code = particulars.read_code(code)
    name = f"{code} v{version}"
    with transaction() as tx:
        alone(tx, kind, code)
        rows = tx.rows(_FOUND[kind], (code, version)) if 0 < version <= _MOST else []
        if not rows:
            raise NotFound(sentence("there is no version %(name)s", name=name), code=code, version=version)
        found = _Found(*rows[0])
        # After every lock, and by the clock that quotes and orders are stored by.
        at = timeshift.moment(tx)
        _must_be_to_come(found, name, at)
        if actor.user_id is None or actor.user_id not in (found.proposer, found.approver):
            raise Forbidden(
                sentence(
                    "two people agreed on %(name)s: only one of them may withdraw it; ask them, or propose the next"
                    " version",
                    name=name,
                ),
                rule="one_of_its_two",
            )
        _must_have_no_follower(tx, kind, code, name)
        tx.run(_MARK[kind], (at, actor.user_id, said, found.id))
        _must_leave_nobody_without(tx, kind, code, found.begins, name)
        details = {"version": version, "from": found.begins.isoformat(), "at": at.isoformat()}
        audit.write(tx, actor, f"{kind}.withdraw_version", code, reason=said, details=details)
        outbox.tell(tx, f"{kind}.withdrawn", code, payload={"version": version, "from": found.begins.isoformat()})


def may(actor: Actor, lived: Lived, at: datetime) -> bool:
    """Return whether that person could withdraw that version at that moment."""
    return (
        actor.may(Right.MANAGE_PRICING)
        and actor.user_id in lived.two
        and lived.version.withdrawn_at is None
        and lived.version.effective_from - at >= LEAD
    )


def _must_be_to_come(found: _Found, name: str, at: datetime) -> None:
    if found.withdrawn_at is not None:
        raise WrongState(
            sentence("%(name)s was withdrawn already, at %(at)s", name=name, at=found.withdrawn_at), state="withdrawn"
        )
    facts = {"begins": found.begins.isoformat()}
    if found.begins <= at:
        raise TooLate(
            sentence(
                "%(name)s is in force from %(begins)s on and can no longer be withdrawn; propose the next version",
                name=name, begins=found.begins,
            ),
            **facts,
        )  # fmt: skip
    if found.begins - at < LEAD:
        raise TooLate(
            sentence(
                "%(name)s begins at %(begins)s, in less than %(seconds)s seconds, and can no longer be withdrawn;"
                " propose the next version",
                name=name, begins=found.begins, seconds=LEAD.seconds,
            ),
            **facts,
        )  # fmt: skip


def _must_have_no_follower(tx: Transaction, kind: str, code: str, name: str) -> None:
    """Refuse while a proposal waits: it was made to begin after this version, and would begin at another moment."""
    waiting = approvals.waiting(tx, kind, code)
    if waiting is not None:
        raise Conflict(
            sentence(
                "%(ref)s waits for approval, to begin after %(name)s: withdraw that or turn it down first",
                ref=waiting.ref, name=name,
            ),
            ref=waiting.ref,
        )  # fmt: skip


def _must_leave_nobody_without(tx: Transaction, kind: str, code: str, begins: datetime, name: str) -> None:
    """Refuse what would leave pools without a fee or agents without a rate, after the mark: who comes later sees it."""
    with_none: int = tx.raw.execute(_LEFT_WITHOUT[kind], {"code": code, "begins": begins}).fetchone()[0]  # type: ignore[index]
    if not with_none:
        return
    said = (
        sentence(
            "%(name)s is the first fee there is for its pools (%(n)s): propose the next one", name=name, n=with_none
        )
        if kind == FEES
        else sentence(
            "%(name)s is the first rate there is for its agents (%(n)s): propose the next one", name=name, n=with_none
        )
    )
    raise Conflict(said, code=code, count=with_none)
