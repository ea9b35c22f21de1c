"""Runs one kind of work on many connections at once: warm up, start together, count until the time is up.

A process for each of two cores and the connections shared out among their threads: so the web serves, and so does
pgbench (`-j 2`), which all variants are measured against.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from core import db
from core.memory import rest_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

_CONTEXT = multiprocessing.get_context("spawn")
PROCESSES = 2
WARM_UP = 40


class Work(Protocol):
    """One connection's work: each call does one order and returns the seconds of each of its steps."""

    def __call__(self) -> tuple[float, ...]: ...  # noqa: D102 - said above


class Run(NamedTuple):
    """What a crew did: orders per second, and each step's seconds at its 50th and 99th percentile."""

    orders_per_second: float
    p50: tuple[float, ...]
    p99: tuple[float, ...]


def _hand(
    make: Callable[[str, int], Work], url: str, number: int, seconds: float, barrier: Barrier, told: Queue[object]
) -> None:
    try:
        work = make(url, number)
        for _ in range(WARM_UP):
            work()
        barrier.wait(300)
        begun = time.perf_counter()
        steps = []
        while time.perf_counter() - begun < seconds:
            steps.append(work())
        told.put((len(steps), time.perf_counter() - begun, steps))
    except BaseException as error:
        barrier.abort()
        told.put(error)
        raise


def _process(
    make: Callable[[str, int], Work], url: str, numbers: range, seconds: float, barrier: Barrier, told: Queue[object]
) -> None:
    """Be one process of the crew: a thread for each of the numbers, as a web process has one for each request."""
    db.connect(url, pool_size=len(numbers))
    rest_of_memory()
    hands = [threading.Thread(target=_hand, args=(make, url, number, seconds, barrier, told)) for number in numbers]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()


def run(make: Callable[[str, int], Work], url: str, *, connections: int, seconds: float) -> Run:
    """Do the work on `connections` connections for `seconds`; `make(url, number)` prepares one of them."""
    barrier = _CONTEXT.Barrier(connections)
    told: Queue[object] = _CONTEXT.Queue()
    many = min(PROCESSES, connections)
    crew = [
        _CONTEXT.Process(target=_process, args=(make, url, range(first, connections, many), seconds, barrier, told))
        for first in range(many)
    ]
    for process in crew:
        process.start()
    answers = [told.get() for _ in range(connections)]
    for process in crew:
        process.join()
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    rate = sum(count / took for count, took, _ in answers)  # type: ignore[misc]
    steps = list(zip(*(step for _, _, each in answers for step in each), strict=True))  # type: ignore[misc]
    return Run(rate, *(tuple(_at(step, share) for step in steps) for share in (0.5, 0.99)))


def _at(values: tuple[float, ...], share: float) -> float:
    """Return the value at a share of the sorted values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
