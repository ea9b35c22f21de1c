"""The sandbox's clock: how far the product's time is ahead of the real one, the same for every process."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core import audit, clock
from core.actor import Right
from core.db import reading, transaction
from core.errors import BadInput, Conflict
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.actor import Actor
    from core.db import Transaction

FARTHEST = timedelta(days=3660)
FORWARD_ONLY = "the clock moves forward only: what has been booked would lie in the future"
_ROW = "insert into sandbox_clock (offset_seconds) values (0) on conflict do nothing"


def offset() -> timedelta:
    """Return how far the product's time is ahead; always nothing in production."""
    if settings().production:
        return timedelta()
    with reading() as tx:
        seconds: int | None = tx.call("select offset_seconds from sandbox_clock")
    return timedelta(seconds=seconds or 0)


def moment(tx: Transaction) -> datetime:
    """Return the product's present moment by the database's clock, or the one at which the clock stands still.

    Until the transaction ends nobody moves the sandbox's clock: no longer time goes by for others than for it.
    """
    if clock.standing():
        return clock.now()
    ahead = 0
    if not settings().production:
        tx.run(_ROW)
        ahead = tx.call("select offset_seconds from sandbox_clock for share")
    real: datetime = tx.call("select clock_timestamp()")
    return real + timedelta(seconds=ahead)


def advance(actor: Actor, by: timedelta) -> datetime:
    """Move the product's time on (never back: what has happened stays in the past); return the new present.

    It moves by whole seconds, a begun one in full, so never to before the moment that was asked for. Raises Conflict
    in production, BadInput for a step back or too far, Forbidden.
    """
    actor.must(Right.MANAGE_USERS)
    if settings().production:
        raise Conflict("the clock can be moved in the sandbox only")
    seconds = -(-by // timedelta(seconds=1))
    if seconds < 0:
        raise BadInput(FORWARD_ONLY)
    with transaction() as tx:
        tx.run(_ROW)
        ahead: int = tx.call("select offset_seconds from sandbox_clock for update") + seconds
        if ahead > FARTHEST.total_seconds():
            raise BadInput(f"the clock goes at most {FARTHEST.days} days ahead", days=FARTHEST.days)
        tx.run("update sandbox_clock set offset_seconds = %s", (ahead,))
        audit.write(tx, actor, "clock.advance", "clock", details={"by": seconds, "ahead": ahead})
    return datetime.now(UTC) + timedelta(seconds=ahead)


@contextmanager
def followed() -> Iterator[None]:
    """Run the block at the product's time; real time when it is not ahead or already controlled."""
    ahead = timedelta() if clock.controlled() else offset()
    if not ahead:
        yield
        return
    with clock.ahead(ahead):
        yield
