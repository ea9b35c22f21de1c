"""Jobs: which processes live, when each job last ran and whether it is late, what failed, and one's own files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from flask import current_app, render_template, request
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import clock, health, verify
from core.actor import Right
from core.errors import BadInput
from core.reports import requests
from portal import export, menu
from portal import job_words as words
from portal.roles import current_actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from core.actor import Actor

SILENT_SECONDS = 45
"""A process beats every ten seconds; one silent for so long is taken for lost."""
PATIENCE = 3
"""A job is late when it did not end for so many of its periods, and at least a minute."""
LEAST_LATE = 60
LEFT_SECONDS = 120
"""A process silent for so long is left out while another of its kind lives: it was replaced, and not lost."""
LATEST_RUNS = 20
OUTCOMES = {"failed": _l("Failed"), "done": _l("Done"), "running": _l("Running")}
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
        actor, asked = current_actor(), _asked()
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
            runs=health.runs(actor, **asked, limit=LATEST_RUNS),
            asked=asked,
            outcomes=OUTCOMES,
            may_export=actor.may(Right.EXPORT),
            exports=requests.own(actor, limit=10) if actor.may(Right.EXPORT) else [],
            now=clock.now(),
            details_of=words.details_of,
            first=FIRST,
            decimal=words.seconds,
        )

    @expose("/export.csv", methods=["GET"])
    def export(self) -> Response:
        """Send the runs asked for as CSV."""
        actor = current_actor()
        return export.small(actor, _file(actor, _asked()))


def _asked() -> dict[str, str]:
    """Return which runs are asked for: of one job or all, with one outcome or all; failed ones if nothing is said."""
    name, outcome = request.args.get("name", "").strip()[:60], request.args.get("outcome", "failed").strip()
    if outcome and outcome not in OUTCOMES:
        raise BadInput(_("There is no such state."), state=outcome[:20])
    return {"name": name, "outcome": outcome}


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


def _file(actor: Actor, asked: Mapping[str, str]) -> export.Small:
    heads = [_("Job"), _("State"), _("Last run"), _("Ended"), _("Took"), _("It said")]
    rows = [
        [
            each.name, each.outcome, each.started_at.isoformat(), each.ended_at.isoformat() if each.ended_at else "",
            "" if each.seconds is None else f"{each.seconds:.3f}", json.dumps(each.details, ensure_ascii=False),
        ]
        for each in health.runs(actor, **asked, limit=health.KEPT_RUNS)
    ]  # fmt: skip
    words = "; ".join(str(part) for part in (asked["name"], OUTCOMES.get(asked["outcome"], "")) if part)
    return export.Small("jobs", _("Jobs"), heads, rows, {}, words)


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
