"""How a process that serves for long treats its memory."""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 10_000, 20, 20


def rest_of_memory() -> None:
    """Have the collector leave alone what is loaded by now, and come less often; called once a process.

    Modules, plans and settings live as long as the process does, and nothing of a request is kept in cycles: looking
    through all of it again and again is a twentieth of a step's work in Python, and in a forked process it would
    make the pages it shares with its parent its own.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
