"""The address is the whole question, read strictly: what it does not know, it refuses with words."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from itertools import pairwise
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.errors import BadInput
from dashboards import asked, places

NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def late_in_the_evening():
    app = Flask("asked")
    Babel(app)
    with clock.at(NOW), app.test_request_context():
        yield


def test_the_usual_question_is_the_last_thirty_days_ending_today():
    question = asked.read("")
    assert (question.first, question.last, question.days) == (date(2026, 10, 22), date(2026, 11, 20), 30)
    assert question.zone.key == "UTC"
    assert question.bucket == "day"


def test_today_is_the_readers_today():
    assert asked.read("?tz=Asia/Shanghai&range=7d").last == date(2026, 11, 21)


def test_days_begin_at_the_zones_midnight_also_when_the_clocks_change():
    question = asked.read("?range=custom&from=2026-10-25&to=2026-10-25&tz=Europe/Berlin")
    assert question.start == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert question.end == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert len(places.of(asked.read("?range=custom&from=2026-10-25&to=2026-10-25&tz=Europe/Berlin&bucket=hour"))) == 25


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("7d", date(2026, 11, 14), date(2026, 11, 20)),
        ("90d", date(2026, 8, 23), date(2026, 11, 20)),
        ("month", date(2026, 11, 1), date(2026, 11, 20)),
        ("last_month", date(2026, 10, 1), date(2026, 10, 31)),
    ],
)
def test_presets_mean_these_days(words, first, last):
    question = asked.read(f"?range={words}")
    assert (question.first, question.last) == (first, last)


def test_the_days_before_are_as_many_and_touch():
    before = asked.read("?range=7d").previous()
    assert (before.first, before.last) == (date(2026, 11, 7), date(2026, 11, 13))


def test_the_address_of_a_question_asks_the_same_again():
    question = asked.read("?range=custom&from=2026-10-02&to=2026-10-04&tz=America/Sao_Paulo&currency=BRL&by=currency")
    assert asked.read(question.search()) == question


@pytest.mark.parametrize(
    "search",
    [
        "?range=forever",
        "?bucket=minute",
        "?by=weather",
        "?tz=Mars/Olympus",
        "?tz=../../etc/passwd",
        "?tz=Asia/Kolkata",
        "?range=custom&from=2026-02-30",
        "?range=custom&from=2026-1-1",
        "?range=custom&from=2026-11-02&to=2026-11-01",
        "?range=custom&from=2020-01-01&to=2026-01-01",
        "?range=custom&from=0001-01-01&to=0001-01-02",
        "?range=custom&from=9999-12-31&to=9999-12-31",
        "?range=custom&from=2026-11-01&to=9999-12-31",
        "?range=custom&from=9999-12-31",
        "?range=custom&from=2026-11-21",
        "?range=custom&from=2027-01-01&to=2027-02-01",
        "?range=custom&to=2026-01-01&from=2026-11-21",
        "?range=custom&from=0000-00-00",
        "?range=custom&from=yesterday",
        "?range=custom&from=2026-11-01T00:00",
        "?range=custom&from=２０２６-１１-０１",
        "?range=custom&from=1e9",
        "?range=custom&from=%00",
        "?merchant=a'; drop table orders --",
        "?rule=" + "x" * 65,
        "?" + "&".join(f"a{n}=1" for n in range(40)),
    ],
)
def test_what_is_no_choice_is_refused(search):
    with pytest.raises(BadInput):
        asked.read(search)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "range": st.sampled_from([*asked.RANGES, "x"]),
            "from": st.one_of(st.dates().map(str), st.text(max_size=12)),
            "to": st.one_of(st.dates().map(str), st.text(max_size=12)),
            "tz": st.sampled_from(["", "UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Shanghai", "Factory"]),
            "bucket": st.sampled_from([*asked.BUCKETS, "", "year"]),
            "currency": st.text(max_size=5),
        },
    ),
)
def test_any_address_is_read_whole_or_refused(given_):
    with contextlib.suppress(BadInput):
        question = asked.read("?" + urlencode(given_))
        assert question.start < question.end
        assert question.previous().start < question.start
        assert asked.read(question.search()) == question
        assert places.of(question)


def test_hours_are_for_few_days_only():
    assert asked.read("?range=90d&bucket=hour").bucket == "day"
    assert asked.read("?range=7d&bucket=hour").bucket == "hour"


def test_every_bucket_has_its_place_and_together_they_are_the_days_asked_for():
    for bucket in asked.BUCKETS:
        question = asked.read(f"?range=month&bucket={bucket}&tz=America/Sao_Paulo")
        found = places.of(question)
        assert all(a.end == b.start for a, b in pairwise(found))
        assert (found[0].start, found[-1].end) == (question.start, question.end)
        assert (found[0].first, found[-1].last) == (question.first, question.last)
