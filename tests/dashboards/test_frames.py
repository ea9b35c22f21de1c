"""Frames of rollup rows: no bucket is missing, weeks and months are their days, and no unit is lost to a float."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.analytics.boards import commissions, volume
from dashboards import asked, compare, frames, parts, places, series
from dashboards.series import Series

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HUGE = 2**53 + 1
"""The first whole number a float cannot hold."""


@pytest.fixture(autouse=True)
def midday():
    app = Flask("frames")
    Babel(app)
    with clock.at(NOW), app.test_request_context():
        yield


def lines(day, level, units):
    return commissions.DayRow(day, level, commissions.Counts(1, 0, units))


def hours(start, currency, units):
    return volume.BucketRow(start, currency, volume.Counts(*[0] * 10, units, 0, 0))


def framed(rows, search, bucket, name="units"):
    question = asked.read(search)
    return frames.by_key(frames.of(rows, question, bucket), question, bucket, name)


def test_days_without_rows_are_nothing_and_not_missing():
    rows = [lines(date(2026, 11, 2), 1, 7), lines(date(2026, 11, 5), 2, 9)]
    frame = framed(rows, "?range=custom&from=2026-11-01&to=2026-11-07", "day")
    assert frame[1].tolist() == [0, 7, 0, 0, 0, 0, 0]
    assert frame[2].tolist() == [0, 0, 0, 0, 9, 0, 0]


@pytest.mark.parametrize("bucket", ["day", "week", "month"])
def test_whole_units_stay_whole_however_many_there_are(bucket):
    rows = [lines(date(2026, 11, 2), 1, HUGE), lines(date(2026, 11, 3), 1, 1), lines(date(2026, 11, 2), 2, 2)]
    frame = framed(rows, "?range=custom&from=2026-11-01&to=2026-11-30", bucket)
    assert set(map(str, frame.dtypes)) == {"int64"}
    assert sum(frame[1].tolist()) == HUGE + 1
    assert sum(frame[2].tolist()) == 2


def test_a_week_begins_on_monday_and_a_month_on_its_first():
    rows = [lines(date(2026, 11, day), 1, day) for day in (1, 2, 8, 9)]
    search = "?range=custom&from=2026-11-01&to=2026-11-15"
    weeks = framed(rows, search, "week")
    assert [(f"{at:%a %d}", n) for at, n in weeks[1].items()] == [("Mon 26", 1), ("Mon 02", 10), ("Mon 09", 9)]
    months = framed([*rows, lines(date(2026, 10, 31), 1, 5)], "?range=custom&from=2026-10-31&to=2026-11-15", "month")
    assert [(f"{at:%b %d}", n) for at, n in months[1].items()] == [("Oct 01", 5), ("Nov 01", 20)]


def test_days_are_those_of_the_zone_also_when_the_clocks_change():
    # Berlin's 25 October 2026 has 25 hours, from 22:00 UTC to 23:00 UTC.
    rows = [
        hours(datetime(2026, 10, 24, 22, tzinfo=UTC), "EUR", 3),
        hours(datetime(2026, 10, 25, 23, tzinfo=UTC), "EUR", 4),
    ]
    frame = framed(rows, "?range=custom&from=2026-10-25&to=2026-10-26&tz=Europe/Berlin", "day", "usdt_units")
    assert frame["EUR"].tolist() == [3, 4]
    by_hour = framed(rows[:1], "?range=custom&from=2026-10-25&to=2026-10-25&tz=Europe/Berlin", "hour", "usdt_units")
    assert by_hour["EUR"].tolist() == [3] + [0] * 24


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 4), st.integers(0, 10**15)), min_size=1, max_size=40),
    bucket=st.sampled_from(["day", "week", "month"]),
)
def test_every_bucket_adds_up_to_the_rows_within_it(rows, bucket):
    first = date(2026, 9, 14)
    question = asked.read(f"?range=custom&from={first}&to={first + timedelta(days=59)}")
    given_ = [lines(first + timedelta(days=day), level, units) for day, level, units in rows]
    frame = frames.by_key(frames.of(given_, question, bucket), question, bucket, "units")
    axis = places.of(question, bucket)
    assert len(axis) == len(frame)
    for level in {row.level for row in given_}:
        for place, units in zip(axis, frame[level].tolist(), strict=True):
            within = [row.counts.units for row in given_ if row.level == level and place.first <= row.day <= place.last]
            assert units == sum(within)


def test_a_mean_is_that_of_seven_days_and_rounded_down():
    frame = framed([lines(date(2026, 11, 1), 1, 7), lines(date(2026, 11, 8), 1, 13)],
                   "?range=custom&from=2026-11-01&to=2026-11-08", "day")  # fmt: skip
    assert frames.moving_mean(frame[1]) == [None] * 6 + [1, 1]
    assert frames.running(frame[1]) == [7] * 7 + [20]


def test_a_tile_shows_the_mean_of_its_days_when_there_are_enough_of_them():
    for days, said in ((7, 1), (30, 2)):
        question = asked.read(f"?range={days}d")
        rows = [lines(question.first, 1, 5_000_000), lines(question.last, 1, HUGE)]
        frame = frames.by_key(frames.of(rows, question, "day"), question, "day", "units")
        shown = Series(1, "Level 1", "var(--c1)", "", lambda place: f"/x?{place.first}")
        drawn = series.drawn(frame, question, "day", [shown], first="Day", unit="USDT", code="USDT")
        assert len(drawn.figure.data) == said
        assert drawn.table.total[-1].value == "9007199259.740993"
        assert drawn.table.rows[0][1].href == f"/x?{question.first}"


def test_what_is_no_page_of_figures_does_not_read_pandas():
    for room in ("portal.app", "jobs.worker", "portal.cli", "core.reports.commission"):
        probe = f"import sys, {room}; print('pandas' in sys.modules)"
        assert subprocess.check_output([sys.executable, "-c", probe], cwd=ROOT, text=True).strip() == "False", room


def test_counted_sentences_have_separators():
    assert compare.change(1, 2, 1_096)[0].endswith("to the 1,096 days before")
    assert compare.change(1, 0, 1_096)[0] == "nothing in the 1,096 days before"
    rows = parts.Table((parts.Head("day"),), [[parts.Cell("x")]] * (parts.MOST_ROWS + 1_204))
    assert "1,204 more rows are in the CSV file." in str(parts.table_of("days", rows))
