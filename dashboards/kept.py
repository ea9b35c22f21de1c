"""Figures several tiles of one page start from, asked once for all of them and kept for a few seconds."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from core.db import engine

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from core.actor import Actor
    from dashboards.asked import Asked

KEEP_SECONDS = 3
MOST = 500

_Found = TypeVar("_Found")


@dataclass(slots=True)
class _Slot:
    """One answer, and the lock that lets one thread fetch it while the others wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    at: float | None = None
    found: Any = None


_slots: dict[Hashable, _Slot] = {}


def asked_once(actor: Actor, question: Hashable, ask: Callable[[], _Found]) -> _Found:
    """Return what `ask` returns, or what it returned to the same actor's same question a moment ago.

    The actor is part of the question whole: its rights, scope and party. A refusal is kept by nobody.
    """
    key = (engine().url, actor.scope, actor.party_id, actor.rights, question)
    if len(_slots) > MOST:
        _slots.clear()
    slot = _slots.setdefault(key, _Slot())
    with slot.lock:
        if slot.at is None or time.monotonic() - slot.at > KEEP_SECONDS:
            slot.found = ask()
            slot.at = time.monotonic()
        found: _Found = slot.found
        return found


def with_before(actor: Actor, page: str, question: Asked, totals: Callable[[Asked], _Found]) -> tuple[_Found, _Found]:
    """Return the totals of the days asked for and of as many before; the page's tiles share them."""
    return asked_once(actor, (page, question), lambda: (totals(question), totals(question.previous())))
