"""Jobs: which processes live, when each job last ran and whether it is late, what failed, and one's own files."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from babel.numbers import format_decimal
from flask import current_app, render_template
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import clock, health
from core.actor import Right
from core.reports import requests
from portal import format as show
from portal import menu
from portal.roles import current_actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.actor import Actor

SILENT_SECONDS = 45
"""A process beats every ten seconds; one silent for so long is taken for lost."""
PATIENCE = 3
"""A job is late when it did not end for so many of its periods, and at least a minute."""
LEAST_LATE = 60
LATEST_FAILURES = 20
THOUSAND = 10_000
"""Smaller numbers need no separators."""
PLAIN = frozenset({"pid", "seed"})
"""Numbers that are names."""
FIRST = 6
"""So much of what a run said stands in the table, the rest behind a click."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*[+Z]\S*")
KINDS = {"worker": _l("Worker"), "cron": _l("Schedule"), "web": _l("Web")}
PURPOSES = {
    "orders.expire": _l("Ends orders whose time is over"),
    "orders.match": _l("Finds acceptors for waiting orders"),
    "ledger.fold": _l("Adds new credits to their accounts"),
    "analytics.rollup": _l("Brings the dashboards' figures up to the present"),
    "ledger.seal": _l("Seals the journal and the audit trail"),
    "prices.observe": _l("Reads exchange rates"),
    "exports.sweep": _l("Queues files and removes old ones"),
    "exports.run": _l("Writes one file"),
    "ledger.verify": _l("Checks every invariant"),
    "health.clean": _l("Removes what is past its time"),
    "pools.shuffle": _l("Draws new places in the pools"),
    "agents.volume": _l("Reckons agents' volumes for the commission tiers"),
    "merchants.volume": _l("Reckons merchants' volumes for the fee tiers"),
}


class Planned(NamedTuple):
    """One job of the schedule: its period in seconds (0: only when asked), its last run, and whether it is late."""

    name: str
    purpose: str
    every: int
    run: health.Run | None
    age: int | None
    state: str


class JobsView(BaseView):
    """The machine room, for those who run the platform and those who audit it."""

    route_base = "/jobs"
    default_view = "list"
    right = Right.SEE_JOBS

    @expose("/list/", methods=["GET"])
    def list(self) -> str:
        """Show processes, schedule, failures and one's own files."""
        actor = current_actor()
        beats = [(each, each.age_seconds > SILENT_SECONDS) for each in health.beats(actor)]
        kinds = {each.process.partition(":")[0] for each, silent in beats if not silent}
        return render_template(
            "jobs/list.html",
            title=_("Jobs"),
            beats=beats,
            kinds=KINDS,
            missing=[label for kind, label in KINDS.items() if kind not in kinds],
            planned=planned(actor),
            failures=health.runs(actor, outcome="failed", limit=LATEST_FAILURES),
            exports=requests.own(actor, limit=10) if actor.may(Right.EXPORT) else [],
            now=clock.now(),
            details_of=details_of,
            first=FIRST,
            decimal=lambda seconds: format_decimal(seconds, "0.00", locale=get_locale() or "en"),
        )


def details_of(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a run or a process says of itself: name and value as people read them, what says nothing left out."""
    found: list[tuple[str, str]] = []
    for name, value in details.items():
        if isinstance(value, dict):
            found += details_of(value)
        elif value not in {None, ""} if not isinstance(value, list) else value:
            found.append((name.replace("_", " "), str(value) if name in PLAIN else _said(value)))
    return found


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int) and value >= THOUSAND:
        return show.number(value)
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return show.when(datetime.fromisoformat(value))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def planned(actor: Actor) -> list[Planned]:
    """Return every job of the schedule with its last run; those that once ran but are no longer known, too."""
    periods: Mapping[str, int] = current_app.extensions.get("desk_schedule", {})
    runs = {each.name: each for each in health.latest(actor)}
    ages = health.quiet_for(sorted({*periods, *runs}))
    found = []
    for name in sorted({*periods, *runs}):
        every, run, age = periods.get(name, 0), runs.get(name), ages.get(name)
        found.append(Planned(name, str(PURPOSES.get(name, "")), every, run, age, _state(every, run, age)))
    return found


def _state(every: int, run: health.Run | None, age: int | None) -> str:
    if run is None:
        return "never" if every else ""
    if run.outcome == "failed":
        return "failed"
    late = every and (age is None or age > max(PATIENCE * every, LEAST_LATE))
    return "late_job" if late else run.outcome


@menu.badge("jobs")
def _troubled(actor: Actor) -> menu.Count | None:
    number = sum(each.state in {"failed", "late_job"} for each in planned(actor))
    return menu.Count(number, hot=True) if number else None
