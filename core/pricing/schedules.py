"""Fee schedules by code: the version in force at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.errors import NotFound
from core.pricing.fees import Schedule

if TYPE_CHECKING:
    from datetime import datetime

    from core.db import Transaction


class InForce(NamedTuple):
    """A schedule and the number of the row it was read from."""

    id: int
    code: str
    schedule: Schedule


def in_force(tx: Transaction, code: str, at: datetime) -> InForce:
    """Return the latest version of a fee schedule in force at `at`: the moment that what it prices is stored with.

    Raises NotFound.
    """
    rows = tx.rows(
        "select id, version, terms from fee_schedule where code = %s and effective_from <= %s"
        " and withdrawn_at is null order by version desc limit 1",
        (code, at),
    )
    if not rows:
        raise NotFound(f"there is no fee schedule '{code[:40]}' in force", code=code[:40])
    number, version, terms = rows[0]
    return InForce(number, code, Schedule.read({**terms, "version": version}))
