"""The sandbox's clock goes forward for everybody, and in production not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core import clock, timeshift
from core.actor import Right, system
from core.analytics import rollup
from core.db import reading
from core.errors import BadInput, Conflict, Forbidden
from core.pricing import rates, sandbox
from tests import make

pytestmark = pytest.mark.usefixtures("database")


def test_time_goes_on_by_what_was_said():
    timeshift.advance(system(), timedelta(hours=2))
    timeshift.advance(system(), timedelta(hours=1))

    with timeshift.followed():
        ahead = clock.now() - datetime.now(UTC)
        before = clock.now()
        while clock.now() == before:
            assert not clock.standing(), "it runs on, as in production"
    assert timedelta(hours=2, minutes=59) < ahead <= timedelta(hours=3)
    assert not clock.controlled()


def test_a_second_that_was_begun_is_gone_on_in_full():
    timeshift.advance(system(), timedelta(seconds=1, microseconds=1))
    assert timeshift.offset() == timedelta(seconds=2)


def test_figures_are_no_older_for_the_clock_having_gone_on():
    rollup.advance()
    timeshift.advance(system(), timedelta(minutes=20))
    with timeshift.followed(), reading() as tx:
        assert clock.now() - rollup.mark(tx).moved_at < timedelta(minutes=1)


def test_a_clock_that_is_held_already_is_left_alone():
    timeshift.advance(system(), timedelta(hours=2))
    moment = datetime(2026, 10, 5, tzinfo=UTC)
    with clock.at(moment), timeshift.followed():
        assert clock.now() == moment


def test_it_never_goes_back_nor_too_far_nor_for_anybody():
    for by in (timedelta(seconds=-1), timedelta(days=5000)):
        with pytest.raises(BadInput):
            timeshift.advance(system(), by)
    with pytest.raises(Forbidden):
        timeshift.advance(make.person("finance", Right.EXPORT), timedelta(hours=1))
    assert timeshift.offset() == timedelta()


def test_production_has_no_other_time(monkeypatch):
    timeshift.advance(system(), timedelta(hours=1))
    monkeypatch.setattr(type(timeshift.settings()), "production", True)
    assert timeshift.offset() == timedelta()
    with pytest.raises(Conflict):
        timeshift.advance(system(), timedelta(hours=1))


def test_the_sandbox_market_quotes_a_price_that_depends_on_time_alone():
    at = datetime(2026, 11, 20, 10, 7, tzinfo=UTC)
    for currency, middle in sandbox.MIDDLE.items():
        prices = [sandbox.price(currency, source, at).units for source in sandbox.SOURCES]
        assert prices == [sandbox.price(currency, source, at).units for source in sandbox.SOURCES]
        assert all(abs(price - middle) <= middle * 66 // 10_000 for price in prices)
    moves = [sandbox.price("BRL", sandbox.SOURCES[0], at + timedelta(minutes=m)).units for m in range(60)]
    assert len(set(moves)) > 30


def test_quotes_take_the_median_of_the_sandbox_sources():
    from core.db import reading

    with clock.at(clock.now()):
        assert sandbox.observe_all() == 15
        with reading() as tx:
            current = rates.current(tx, "BRL")
        said = sorted(sandbox.price("BRL", source, clock.now()).units for source in sandbox.SOURCES)
    assert current.units == said[1]
