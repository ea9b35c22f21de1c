"""Runs one kind of work on many connections at once: warm up, start together, count until the time is up.

A process for each of two cores, forked from one that has read everything, and the connections shared out among their
threads: so the web serves (portal/gunicorn.py). pgbench, which all variants are measured against, does it with `-j 2`.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from core import db
from core.memory import rest_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

_CONTEXT = multiprocessing.get_context("fork")
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


class _Door:
    """When the next order of a process comes: at once, or by chance at a rate (as `pgbench --rate` does).

    Whoever is free takes the next one, as a web process gives a request to any of its threads.
    """

    def __init__(self, rate: float | None, first: int) -> None:
        self.rate = rate
        self._draw = random.Random(first)
        self._lock = threading.Lock()
        self._last = 0.0

    def next(self) -> float | None:
        """Return the moment at which the next order comes, which may be over; None for at once."""
        if self.rate is None:
            return None
        with self._lock:
            self._last = (self._last or time.perf_counter()) + self._draw.expovariate(self.rate)
            return self._last


def _hand(
    make: Callable[[str, int], Work], url: str, number: int, seconds: float,
    door: _Door, barrier: Barrier, told: Queue[object],
) -> None:  # fmt: skip
    try:
        work = make(url, number)
        for _ in range(WARM_UP):
            work()
        barrier.wait(300)
        begun = time.perf_counter()
        steps = []
        while time.perf_counter() - begun < seconds:
            due = door.next()
            if due is None:
                steps.append(work())
            else:
                time.sleep(max(0.0, due - time.perf_counter()))
                waited = time.perf_counter() - due
                steps.append((*work(), waited))
        told.put((len(steps), time.perf_counter() - begun, steps))
    except BaseException as error:
        barrier.abort()
        told.put(error)
        raise


def _process(
    make: Callable[[str, int], Work], url: str, numbers: range, seconds: float, rate: float | None,
    barrier: Barrier, told: Queue[object],
) -> None:  # fmt: skip
    """Be one process of the crew: a thread for each of the numbers, as a web process has one for each request."""
    db.connect(url, pool_size=len(numbers))
    door = _Door(rate, numbers[0])
    hands = [
        threading.Thread(target=_hand, args=(make, url, number, seconds, door, barrier, told)) for number in numbers
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()


def run(
    make: Callable[[str, int], Work], url: str, *, connections: int, seconds: float, rate: float | None = None
) -> Run:
    """Do the work on `connections` connections for `seconds`; `make(url, number)` prepares one of them.

    With a `rate` so many orders a second come by chance; how long each waited until somebody was free is told like one
    more step at the end.
    """
    db.disconnect()  # two processes must not speak over one connection
    rest_of_memory()
    barrier = _CONTEXT.Barrier(connections)
    told: Queue[object] = _CONTEXT.Queue()
    many = min(PROCESSES, connections)
    each = rate / many if rate else None
    crew = []
    for first in range(many):
        numbers = range(first, connections, many)
        crew.append(_CONTEXT.Process(target=_process, args=(make, url, numbers, seconds, each, barrier, told)))
    for process in crew:
        process.start()
    answers = [told.get() for _ in range(connections)]
    for process in crew:
        process.join()
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    reached = sum(count / took for count, took, _ in answers)  # type: ignore[misc]
    steps = list(zip(*(step for _, _, each in answers for step in each), strict=True))  # type: ignore[misc]
    return Run(reached, *(tuple(_at(step, share) for step in steps) for share in (0.5, 0.99)))


def _at(values: tuple[float, ...], share: float) -> float:
    """Return the value at a share of the sorted values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
