"""Finding alerts by their whole number, for the search box."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Right, Scope
from core.db import reading

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor


class FoundAlert(NamedTuple):
    """An alert that a search found."""

    ref: str
    rule: str
    state: str
    raised_at: datetime


def find(actor: Actor, words: str) -> list[FoundAlert]:
    """Return the alert with that ref, nothing for who may not see alerts."""
    if not actor.may(Right.SEE_ALERTS) or actor.scope is not Scope.ALL:
        return []
    with reading() as tx:
        rows = tx.rows(
            "select ref, rule, state, raised_at from alert where ref = %s", (words[:4].lower() + words[4:].upper(),)
        )
    return [FoundAlert(*row) for row in rows]
