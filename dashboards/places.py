"""The places of a time axis in words: when each bucket begins and ends, and how it reads on the axis and in tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from flask_babel import gettext as _

from dashboards import frames, show
from dashboards.asked import midnight

if TYPE_CHECKING:
    from dashboards.asked import Asked

DAY = timedelta(days=1)


class Place(NamedTuple):
    """One bucket: its moments (UTC) and its days, first and last; short on the axis, long in tables, plain in files."""

    start: datetime
    end: datetime
    first: date
    last: date
    short: str
    long: str
    plain: str


def of(question: Asked, bucket: str = "") -> list[Place]:
    """Return the buckets of the question, cut where its days are; `bucket` instead of the question's own."""
    bucket = bucket or question.bucket
    begins = [each.to_pydatetime() for each in frames.axis(question, bucket)]
    if bucket == "hour":
        return [_hour(question, start) for start in begins]
    days = [each.date() for each in begins]
    return [
        _place(question, bucket, day, min(following - DAY, question.last))
        for day, following in pairwise([*days, question.last + DAY])
    ]


def _place(question: Asked, bucket: str, day: date, last: date) -> Place:
    first = max(day, question.first)
    start, end = midnight(first, question.zone), midnight(last + DAY, question.zone)
    if bucket == "month":
        return Place(start, end, first, last, show.month(day), show.month(day), f"{day:%Y-%m}")
    if bucket == "week":
        long = _("week of %(day)s", day=show.full_day(day))
        return Place(start, end, first, last, show.day(day), long, _("week of %(day)s", day=day.isoformat()))
    return Place(start, end, first, last, show.day(day), show.full_day(day), day.isoformat())


def _hour(question: Asked, start: datetime) -> Place:
    here = start.astimezone(question.zone)
    day, begins, hour = here.date(), start.astimezone(UTC), f"{here:%H:%M}"
    long = f"{show.full_day(day)} {hour}"
    return Place(
        begins, begins + timedelta(hours=1), day, day, f"{show.day(day)} {hour}", long, f"{day.isoformat()} {hour}"
    )
