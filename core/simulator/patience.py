"""Waiting for a database that restarts: a step is tried again for a minute, then the refusal stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from core.errors import Changed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
SECONDS: Final = 60


def patiently(step: Callable[[], Answer]) -> Answer:
    """Return the step's answer; while the database is away or a row is busy, try again for a minute."""
    again = Retrying(
        retry=retry_if_exception_type((Unavailable, Changed)),
        stop=stop_after_delay(SECONDS),
        wait=wait_exponential(multiplier=0.1, max=3),
        reraise=True,
    )
    return again(step)
