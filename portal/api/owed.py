"""Turns of requests that broke while the database was away too: given back as soon as it answers again."""

from __future__ import annotations

import threading
import time
from typing import Final, NamedTuple

from core import idempotency
from core.errors import Refusal
from portal.logs import log

LOOK_SECONDS: Final = 0.5
MOST: Final = 1000
"""So many wait in one process; the turns beyond are taken over after their time, as those of a killed process are."""


class Debt(NamedTuple):
    """A turn whose request has ended, and when it is taken for dead anyway."""

    turn: idempotency.Turn
    ends: float


_lock = threading.Lock()
_debts: list[Debt] = []
_paying: list[threading.Thread] = []


def give_back(turn: idempotency.Turn) -> None:
    """Let the next request with the key run: now, or as soon as the database answers.

    Only the thread that held the turn may say so, when its request is over: then nothing can run twice. A turn
    that was given back, ended or taken over meanwhile is left alone: it is known by its number and its moment.
    """
    try:
        idempotency.give_back(turn)
    except Refusal:
        with _lock:
            if len(_debts) < MOST:
                _debts.append(Debt(turn, time.monotonic() + idempotency.DEAD_SECONDS))
            if not _paying:
                _paying.append(threading.Thread(target=_pay, name="owed turns", daemon=True))
                _paying[0].start()


def _pay() -> None:
    """Give back what is owed, the oldest first, until nothing is."""
    while True:
        time.sleep(LOOK_SECONDS)
        while debt := _oldest():
            try:
                idempotency.give_back(debt.turn)
            except Refusal:
                break  # still away
            except Exception:  # noqa: BLE001 - this turn waits for its time; the others must not
                log.warning("turn not given back", exc_info=True)
            with _lock:
                _debts.remove(debt)
        with _lock:
            if not _debts:
                _paying.clear()
                return


def _oldest() -> Debt | None:
    with _lock:
        now = time.monotonic()
        _debts[:] = [debt for debt in _debts if debt.ends > now]
        return _debts[0] if _debts else None
