"""Orders: deadlines that have passed, and orders that wait for an acceptor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Refusal
from core.orders import deadlines, dispatch
from jobs.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE = 500
MOST_PASSES = 20


def expire() -> dict[str, object]:
    """Do what passed deadlines ask for, the oldest first; one order that breaks does not stop the others."""
    done, broken = 0, set[str]()
    for _ in range(MOST_PASSES):
        refs = [ref for ref in deadlines.due(AT_ONCE + len(broken)) if ref not in broken]
        moved = sum(_moved(deadlines.expire, ref, broken) for ref in refs)
        done += moved
        if moved < AT_ONCE // 2:
            break
    if broken:
        raise RuntimeError(f"{len(broken)} orders could not be expired, {done} were: {sorted(broken)[:5]}")
    return {"orders": done}


def _moved(step: Callable[[str], object], ref: str, broken: set[str]) -> bool:
    try:
        step(ref)
    except Refusal as refusal:  # somebody else moves it just now: the next run looks again
        log.info("order left for later", ref=ref, code=refusal.code)
        return False
    except Exception:  # noqa: BLE001 - told at the end, when the others are done
        log.exception("order broke", ref=ref)
        broken.add(ref)
        return False
    return True


def match() -> dict[str, object]:
    """Try again to find acceptors for orders that wait; one order that breaks does not stop the others."""
    broken = set[str]()

    def broke(ref: str) -> None:
        log.exception("order broke", ref=ref)
        broken.add(ref)

    done = dispatch.match_due(broke=broke)
    if broken:
        raise RuntimeError(f"{len(broken)} orders could not be matched, {done} were: {sorted(broken)[:5]}")
    return {"orders": done}
