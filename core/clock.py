"""The product's clock: real time, or a time that tests, the demo and the sandbox control."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# None is real time; a moment stands still, a span is how far a clock that runs is ahead.
_set: ContextVar[datetime | timedelta | None] = ContextVar("desk_clock", default=None)


def now() -> datetime:
    """Return the present moment, UTC, or the controlled one."""
    held = _set.get()
    if held is None:
        return datetime.now(UTC)
    return held if isinstance(held, datetime) else datetime.now(UTC) + held


def seconds() -> float:
    """Return the present moment as seconds since 1970, or the controlled one."""
    return time.time() if _set.get() is None else now().timestamp()


def controlled() -> bool:
    """Return whether the time is set by a test, the demo or the sandbox."""
    return _set.get() is not None


def standing() -> bool:
    """Return whether the time stands still at one moment, as a test or the demo set it."""
    return isinstance(_set.get(), datetime)


def set_to(moment: datetime | None) -> None:
    """Set the clock of this context; None returns it to real time. Raises ValueError for a moment without a zone."""
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    _set.set(None if moment is None else moment.astimezone(UTC))


def set_ahead(by: timedelta) -> None:
    """Let the clock of this context run ahead of real time by so much."""
    _set.set(by)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Run the block at `moment`."""
    before = _set.get()
    set_to(moment)
    try:
        yield
    finally:
        _set.set(before)


@contextmanager
def ahead(by: timedelta) -> Iterator[None]:
    """Run the block by a clock that runs ahead of real time by so much."""
    before = _set.get()
    set_ahead(by)
    try:
        yield
    finally:
        _set.set(before)
