"""The places of a time axis in words: when each bucket begins and ends, and how it reads on the axis and in tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from babel.dates import format_date, format_datetime
from flask_babel import get_locale
from flask_babel import gettext as _

from dashboards import frames

if TYPE_CHECKING:
    from dashboards.asked import Asked

DAY = timedelta(days=1)


class Place(NamedTuple):
    """One bucket: its moments (UTC) and its days, first and last; short on the axis, long in tables."""

    start: datetime
    end: datetime
    first: date
    last: date
    short: str
    long: str


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
    short = format_date(day, "MMM yyyy" if bucket == "month" else "d MMM", locale=_locale())
    long = {"week": _("week of %(day)s", day=day.isoformat()), "month": f"{day:%Y-%m}"}.get(bucket, day.isoformat())
    return Place(_midnight(question, first), _midnight(question, last + DAY), first, last, short, long)


def _hour(question: Asked, start: datetime) -> Place:
    here = start.astimezone(question.zone)
    short = format_datetime(here, "d MMM HH:mm", tzinfo=question.zone, locale=_locale())
    begins = start.astimezone(UTC)
    return Place(begins, begins + timedelta(hours=1), here.date(), here.date(), short, f"{here:%Y-%m-%d %H:%M}")


def _midnight(question: Asked, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=question.zone).astimezone(UTC)


def _locale() -> object:
    return get_locale() or "en"
