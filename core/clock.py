"""The product's clock: real time, or a time that tests, the demo and the sandbox control."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

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
    _set.set(None if moment is None else _zoned(moment))


def set_ahead(by: timedelta) -> None:
    """Let the clock of this context run ahead of real time by so much."""
    _set.set(by)


def at(moment: datetime) -> AbstractContextManager[None]:
    """Run the block at `moment`. Raises ValueError for a moment without a zone."""
    return _during(_zoned(moment))


def ahead(by: timedelta) -> AbstractContextManager[None]:
    """Run the block by a clock that runs ahead of real time by so much."""
    return _during(by)


@contextmanager
def _during(held: datetime | timedelta) -> Iterator[None]:
    before = _set.get()
    _set.set(held)
    try:
        yield
    finally:
        _set.set(before)


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC)
