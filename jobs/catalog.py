"""The only functions a worker may run, by name: what they take, how long, how often, what cannot wait."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

from core import timeshift
from core.health import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE, HOUR, DAY = 60, 3600, 86400


class UnknownJob(Exception):  # noqa: N818 - an answer to a forged or outdated job, not a fault of ours
    """A job names no function of the catalogue, or brings what that function does not take."""


class Entry(NamedTuple):
    """One job. Times are in seconds; `every` 0 means only when asked; `takes` is the kind of ref it is given.

    An `urgent` job is run by the schedule itself when no worker has ended one for a while.
    """

    target: str
    timeout: int
    every: int = 0
    urgent: bool = False
    slow: bool = False
    takes: str = ""


CATALOG: Final[dict[str, Entry]] = {
    "orders.expire": Entry("jobs.orders:expire", MINUTE, every=5, urgent=True),
    "orders.match": Entry("jobs.orders:match", MINUTE, every=5, urgent=True),
    "acceptors.hush": Entry("jobs.acceptors:hush", MINUTE, every=15, urgent=True),
    "ledger.fold": Entry("jobs.ledger:fold", 2 * MINUTE, every=5, urgent=True),
    "analytics.rollup": Entry("jobs.analytics:rollup", 15 * MINUTE, every=10, urgent=True),
    "ledger.seal": Entry("jobs.ledger:seal_new", 15 * MINUTE, every=30, urgent=True),
    "prices.observe": Entry("jobs.prices:observe", MINUTE, every=MINUTE, urgent=True),
    "exports.sweep": Entry("jobs.exports:sweep", MINUTE, every=10),
    "exports.run": Entry("jobs.exports:run", 30 * MINUTE, slow=True, takes="exp"),
    "ledger.verify": Entry("jobs.ledger:verify", 30 * MINUTE, every=15 * MINUTE, slow=True),
    "health.measure": Entry("jobs.health:measure", MINUTE, every=15, urgent=True),
    "health.clean": Entry("jobs.health:clean", 5 * MINUTE, every=HOUR),
    "risk.cohorts": Entry("jobs.risk:usual", 5 * MINUTE, every=DAY),
    "merchants.volume": Entry("jobs.analytics:volume", 5 * MINUTE, every=DAY),
    "agents.volume": Entry("jobs.analytics:tiers", 5 * MINUTE, every=5 * MINUTE),
}


def entry(name: object, refs: Sequence[object] = ()) -> Entry:
    """Return the entry of a job that may run with these refs. Raises UnknownJob."""
    found = CATALOG.get(name) if isinstance(name, str) else None
    if found is None:
        raise UnknownJob(f"{str(name)[:60]!r} is not in the catalogue")
    shape = re.compile(rf"{found.takes}_[0-9A-HJKMNP-TV-Z]{{16}}")
    fits = all(isinstance(ref, str) and shape.fullmatch(ref) for ref in refs)
    if len(refs) != bool(found.takes) or not fits:
        raise UnknownJob(f"{name} takes {'one ref ' + found.takes + '_…' if found.takes else 'nothing'}")
    return found


def run(name: str, refs: Sequence[str] = ()) -> None:
    """Run a job now, in this process, and write down what came of it. Raises what the job raises.

    Every job may run twice and twice at once: what is due is read from the tables each time.
    """
    found = entry(name, refs)
    module, _, function = found.target.partition(":")
    do = getattr(import_module(module), function)
    with timeshift.followed(), recorded(name) as said:
        said.update(do(*refs))
