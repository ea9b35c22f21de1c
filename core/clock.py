"""The product's clock: real time, or a time that tests, the demo and the sandbox control."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_fixed: ContextVar[datetime | None] = ContextVar("desk_clock", default=None)


def now() -> datetime:
    """Return the present moment, UTC, or the controlled one."""
    return _fixed.get() or datetime.now(UTC)


def seconds() -> float:
    """Return the present moment as seconds since 1970, or the controlled one."""
    fixed = _fixed.get()
    return time.time() if fixed is None else fixed.timestamp()


def controlled() -> bool:
    """Return whether the time is set by a test, the demo or the sandbox."""
    return _fixed.get() is not None


def set_to(moment: datetime | None) -> None:
    """Set the clock of this context; None returns it to real time. Raises ValueError for a moment without a zone."""
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    _fixed.set(None if moment is None else moment.astimezone(UTC))


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Run the block at `moment`."""
    before = _fixed.get()
    set_to(moment)
    try:
        yield
    finally:
        _fixed.set(before)
