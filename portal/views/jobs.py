"""Jobs: which processes live, when each job last ran and whether it is late, what failed, and one's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import current_app, render_template
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _

from core import clock, health, verify
from core.actor import Right
from core.reports import requests
from portal import job_words as words
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
LEFT_SECONDS = 120
"""A process silent for so long is left out while another of its kind lives: it was replaced, and not lost."""
LATEST_FAILURES = 20
FIRST = 6
"""So much of what a run said stands in the table, the rest behind a click."""


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
        beats = health.beats(actor)
        kinds = {_kind(each) for each in beats if each.age_seconds <= SILENT_SECONDS}
        heard = [each for each in beats if each.age_seconds <= LEFT_SECONDS or _kind(each) not in kinds]
        checked = health.runs(actor, name="ledger.verify", outcome="done", limit=1)
        return render_template(
            "jobs/list.html",
            title=_("Jobs"),
            beats=[(each, each.age_seconds > SILENT_SECONDS) for each in heard],
            kinds=words.KINDS,
            missing=[label for kind, label in words.KINDS.items() if kind not in kinds],
            checked=checked[0] if checked and "found" in checked[0].details else None,
            elsewhere=verify.ELSEWHERE,
            planned=planned(actor),
            failures=health.runs(actor, outcome="failed", limit=LATEST_FAILURES),
            exports=requests.own(actor, limit=10) if actor.may(Right.EXPORT) else [],
            now=clock.now(),
            details_of=words.details_of,
            first=FIRST,
            decimal=words.seconds,
        )


def _kind(beat: health.Beat) -> str:
    return beat.process.partition(":")[0]


def planned(actor: Actor) -> list[Planned]:
    """Return every job of the schedule with its last run; those that once ran but are no longer known, too."""
    periods: Mapping[str, int] = current_app.extensions.get("desk_schedule", {})
    runs = {each.name: each for each in health.latest(actor)}
    ages = health.quiet_for(sorted({*periods, *runs}))
    found = []
    for name in sorted({*periods, *runs}):
        every, run, age = periods.get(name, 0), runs.get(name), ages.get(name)
        found.append(Planned(name, str(words.PURPOSES.get(name, "")), every, run, age, _state(every, run, age)))
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
