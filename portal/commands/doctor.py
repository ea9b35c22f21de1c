"""`desk doctor`: looks for what is wrong on this machine, and says for each thing what to do."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from core import db, embedded, health
from core.actor import system
from core.errors import Refusal
from core.migrations import standing
from core.migrations.runner import head
from core.risk import rulesets
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST_FREE_BYTES = 1 << 30
LATE_SECONDS = 30
FAILED_SHOWN = 5


class Sign(NamedTuple):
    """One thing that was looked at: whether it is well, and what was seen or is to be done."""

    well: bool
    what: str
    words: str


@click.command("doctor")
def command() -> None:
    """Look at settings, disk, database, Redis and processes; exit 1 when something is wrong."""
    ill = 0
    for sign in signs():
        ill += not sign.well
        click.echo(f"{'ok ' if sign.well else 'BAD'}  {sign.what}: {sign.words}")
    sys.exit(1 if ill else 0)


def signs() -> Iterator[Sign]:
    """Yield what is seen, one thing after the other."""
    known = settings()
    yield Sign(well=True, what="settings", words=f"{known.env}, home {known.home}")
    there = next(folder for folder in (known.home, *known.home.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    yield Sign(free >= LEAST_FREE_BYTES, "disk", f"{free // (1 << 20):,} MiB free under {known.home}")
    urls = embedded.urls(known.home)
    yield from _database(known.database_url or urls.database)
    yield _redis(known.redis_url or urls.redis)


def _database(url: str) -> Iterator[Sign]:
    try:
        standing.must_answer(url)
    except Refusal as refusal:
        yield Sign(well=False, what="database", words=f"{refusal.detail} Or run `desk up`")
        return
    yield Sign(well=True, what="database", words="answers")
    db.connect(url, pool_size=1)
    try:
        wrong = standing.schema_fault()
        yield Sign(not wrong, "schema", wrong or f"at {head()}")
        if wrong:
            return
        try:
            standing.must_count_onwards()
        except Refusal as refusal:
            yield Sign(well=False, what="restore", words=refusal.detail)
        version = rulesets.in_force(system("doctor"))
        cure = f"{rulesets.NONE_IN_FORCE}. One officer drafts and another activates: `desk rules`"
        yield Sign(version is not None, "rules", f"version {version} in force" if version is not None else cure)
        yield from _processes()
    finally:
        db.disconnect()


def _processes() -> Iterator[Sign]:
    for kind in ("worker", "cron"):
        age = health.age_of(kind)
        alive = age is not None and age <= LATE_SECONDS
        words = f"heard {age} s ago" if age is not None else "never heard"
        yield Sign(alive, kind, words if alive else f"{words}: start `desk {kind}` or `desk up`")
    failed = [run for run in health.latest(system("doctor")) if run.outcome == "failed"]
    for run in failed[:FAILED_SHOWN]:
        yield Sign(well=False, what=f"job {run.name}", words=str(run.details.get("error", "failed")))
    if not failed:
        yield Sign(well=True, what="jobs", words="the last run of each went well")


def _redis(url: str) -> Sign:
    from jobs import queues

    try:
        with queues.connect(url) as client:
            client.ping()
    except queues.AWAY:
        return Sign(
            well=False,
            what="redis",
            words="does not answer: start it or check REDIS_URL; meanwhile the schedule does what is urgent",
        )
    return Sign(well=True, what="redis", words="answers")
