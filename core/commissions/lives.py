"""How each version of a fee schedule or commission plan lived: what it followed, until when, and whose it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.commissions.versions import FEES, PLAN, Version, known
from core.db import reading
from core.errors import NotFound, sentence

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

_ASKED: Final = """
select (payload->>'version')::int, ref, requested_by, decided_by from approval
 where kind = %s and subject = %s and state = 'approved'
"""
_TWO: Final = {
    FEES: "select version, requested_by, approved_by, withdrawn_by, withdrawn_why from fee_schedule where code = %s",
    PLAN: "select v.version, v.requested_by, v.approved_by, v.withdrawn_by, v.withdrawn_why from plan_version v"
    " join plan p on p.id = v.plan_id where p.code = %s",
}


class Lived(NamedTuple):
    """A version in the row of its code's: what it follows, what follows it, and whose request it was.

    Withdrawn ones are passed over by the others. `request`, `proposed_by` and `approved_by` are "" of what was there
    before anybody asked, as the demo's first ones; `two` holds the numbers of the users who agreed on it.
    """

    version: Version
    before: Version | None
    after: Version | None
    request: str = ""
    proposed_by: str = ""
    approved_by: str = ""
    two: frozenset[int] = frozenset()
    withdrawn_by: str = ""
    withdrawn_why: str = ""

    @property
    def until(self) -> datetime | None:
        """When its time ends: None while none comes after it; of a withdrawn one, when it would have ended."""
        return self.after.effective_from if self.after else None

    @property
    def never(self) -> bool:
        """Whether the next version began with it, so that nothing was ever priced or split by it."""
        return self.until == self.version.effective_from


def history(actor: Actor, kind: str, code: str) -> list[Lived]:
    """Return every version of one schedule or plan, the latest first. Raises Forbidden, NotFound."""
    of_it = [each for each in known(actor, kind) if each.code == code]
    if not of_it:
        raise NotFound(sentence("there is no version of %(code)s", code=code[:40]), code=code[:40])
    with reading() as tx:
        asked = {version: tuple(by) for version, *by in tx.rows(_ASKED, (kind, code))}
        two = {version: tuple(by) for version, *by in tx.rows(_TWO[kind], (code,))}
    return [
        Lived(
            each, before(of_it, each.version), _after(of_it, each.version),
            **_whose(asked.get(each.version, ("", "", "")), two[each.version]),
        )
        for each in reversed(of_it)
    ]  # fmt: skip


def before(of_it: list[Version], version: int) -> Version | None:
    """Return what a version follows: the one before it that was not withdrawn; None for the first."""
    return next((each for each in reversed(of_it) if each.version < version and not each.withdrawn_at), None)


def _after(of_it: list[Version], version: int) -> Version | None:
    return next((each for each in of_it if each.version > version and not each.withdrawn_at), None)


def _whose(asked: tuple[str, str, str], two: tuple[int | None, int | None, int | None, str | None]) -> dict[str, Any]:
    request, proposed_by, approved_by = asked
    proposer, approver, withdrawer, why = two
    found = {
        "request": request, "proposed_by": proposed_by, "approved_by": approved_by,
        "two": frozenset(filter(None, (proposer, approver))),
    }  # fmt: skip
    if withdrawer is None:
        return found
    return found | {"withdrawn_by": proposed_by if withdrawer == proposer else approved_by, "withdrawn_why": why or ""}
