"""The places of a time axis: every hour, day or week of what is asked, empty ones too, and how they read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from babel.dates import format_date, format_datetime
from flask_babel import get_locale
from flask_babel import gettext as _

if TYPE_CHECKING:
    from dashboards.asked import Asked


WEEK = 7


class Place(NamedTuple):
    """One bucket: when it begins and ends (UTC), short on the axis, long in tables."""

    start: datetime
    end: datetime
    short: str
    long: str


def of(question: Asked) -> list[Place]:
    """Return the buckets of the question's days in its zone; the first week begins with the first day asked for."""
    if question.bucket == "hour":
        return _hours(question)
    first = question.first
    if question.bucket == "week":
        first -= timedelta(days=first.weekday())
    step = 7 if question.bucket == "week" else 1
    days = [first + timedelta(days=n) for n in range(0, (question.last - first).days + 1, step)]
    return [_place(question, day, day + timedelta(days=step)) for day in days]


def _place(question: Asked, day: date, following: date) -> Place:
    start, end = (_midnight(question, each) for each in (day, following))
    long = _("week of %(day)s", day=day.isoformat()) if question.bucket == "week" else day.isoformat()
    # Where a week is cut by the days asked for, its rows are cut as well.
    return Place(start, min(end, question.end), format_date(day, "d MMM", locale=_locale()), long)


def _hours(question: Asked) -> list[Place]:
    hours = int((question.end - question.start).total_seconds()) // 3600
    found = []
    for n in range(hours):
        start = question.start + timedelta(hours=n)
        here = start.astimezone(question.zone)
        short = format_datetime(here, "d MMM HH:mm", tzinfo=question.zone, locale=_locale())
        found.append(Place(start, start + timedelta(hours=1), short, f"{here:%Y-%m-%d %H:%M}"))
    return found


def _midnight(question: Asked, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=question.zone).astimezone(UTC)


def _locale() -> object:
    return get_locale() or "en"


def clipped(place: Place, question: Asked) -> tuple[datetime, datetime]:
    """Return the part of the place that lies within the question."""
    return max(place.start, question.start), min(place.end, question.end)


def days(question: Asked) -> list[tuple[date, date]]:
    """Return the days (weeks for that bucket) of the question, each with its last day."""
    if question.bucket != "week":
        return [(day, day) for day in (question.first + timedelta(days=n) for n in range(question.days))]
    monday = question.first - timedelta(days=question.first.weekday())
    count = (question.last - monday).days // WEEK + 1
    return [(day, day + timedelta(days=WEEK - 1)) for day in (monday + timedelta(days=WEEK * n) for n in range(count))]
