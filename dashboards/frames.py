"""From rollup rows to the frame a chart is drawn of: a row for every bucket of time, a column for every series.

The database adds up hours and days; weeks, months, empty buckets and running sums are made here. All columns are
whole units (int64), never floats; one sum holds nine trillion USDT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.asked import Asked

RULES = {"hour": "h", "day": "D", "week": "W-MON", "month": "MS"}
"""How pandas calls the buckets; a week begins on its Monday, a month on its first day."""
WHOLE = "int64"
DAYS = 7


def axis(question: Asked, bucket: str) -> pd.DatetimeIndex:
    """Return where every bucket begins, empty ones too: hours in UTC, all others as days without a zone.

    The first week or month is the one the first day asked for lies in.
    """
    if bucket == "hour":
        return pd.date_range(question.start, question.end, freq="h", inclusive="left")
    first = pd.Timestamp(question.first)
    if bucket == "week":
        first -= pd.Timedelta(days=first.weekday())
    elif bucket == "month":
        first = first.replace(day=1)
    return pd.date_range(first, pd.Timestamp(question.last), freq=RULES[bucket])


def of(rows: Sequence[Any], question: Asked, bucket: str) -> pd.DataFrame:
    """Return rows (a moment or a day, a key, counts) as a frame: `start` as on the axis, `key`, a column a count.

    Moments become days of the question's zone, but for hours.
    """
    names = rows[0]._fields
    frame = pd.DataFrame.from_records(
        [(row[0], row[1], *row[2]) for row in rows],
        columns=["start", "key", *rows[0][2]._fields],
    )
    moments = pd.to_datetime(frame["start"], utc=True)
    if bucket == "hour" or names[0] == "day":
        frame["start"] = moments if bucket == "hour" else moments.dt.tz_localize(None)
    else:
        frame["start"] = moments.dt.tz_convert(question.zone).dt.tz_localize(None).dt.normalize()
    return frame


def by_count(frame: pd.DataFrame, question: Asked, bucket: str, names: Sequence[str]) -> pd.DataFrame:
    """Return the sums of these counts by bucket, all keys together."""
    return _whole(
        frame.resample(RULES[bucket], on="start", closed="left", label="left")[list(names)].sum(), question, bucket
    )


def by_key(frame: pd.DataFrame, question: Asked, bucket: str, name: str) -> pd.DataFrame:
    """Return the sums of one count by bucket, a column for each key in order."""
    places = pd.Grouper(key="start", freq=RULES[bucket], closed="left", label="left")
    wide = frame.pivot_table(index=places, columns="key", values=name, aggfunc="sum", fill_value=0)
    return _whole(wide, question, bucket)


def _whole(frame: pd.DataFrame, question: Asked, bucket: str) -> pd.DataFrame:
    return frame.reindex(axis(question, bucket), fill_value=0).astype(WHOLE)


def moving_mean(units: pd.Series, width: int = DAYS) -> list[int | None]:
    """Return the mean of each bucket and those before it, `width` in all, rounded down; None where there are fewer."""
    upto = units.cumsum()
    means = (upto - upto.shift(width, fill_value=0)) // width
    return [None] * (width - 1) + means.tolist()[width - 1 :]


def running(units: pd.Series) -> list[int]:
    """Return the sum up to each bucket, itself within."""
    found: list[int] = units.cumsum().tolist()
    return found


def grid(rows: Sequence[Any], name: str) -> list[list[int]]:
    """Return one count by weekday (Monday first) and hour, all seven by all twenty-four."""
    frame = pd.DataFrame.from_records(rows, columns=rows[0]._fields)
    wide = frame.pivot_table(index="weekday", columns="hour", values=name, aggfunc="sum", fill_value=0)
    whole = wide.reindex(index=range(1, 8), columns=range(24), fill_value=0).astype(WHOLE)
    found: list[list[int]] = whole.to_numpy().tolist()
    return found
