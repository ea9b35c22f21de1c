"""Races of a withdrawal: with who prices when the version would have begun, with its twin, with who stands on it."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from core import clock, timeshift
from core.actor import system
from core.commissions import versions, withdrawing
from core.errors import Conflict, TooLate
from tests import make
from tests.beside import PATIENCE_SECONDS, Deed, other, raced, stalled_at, until, waits_for_a_lock
from tests.core import review
from tests.core.test_version_begins import broken, took
from tests.core.test_version_withdrawn import DAY, ONE, TABLE, TWO, coming, in_force, withdrawn


@pytest.fixture
def market(database):
    return make.market(2, levels=1)


def wait_until(moment, *, past=0.0):
    """Wait for that moment, and so many seconds more; not at all when it is past."""
    time.sleep(max(0.0, (moment - clock.now()).total_seconds() + past))


def test_a_pool_that_is_just_being_opened_keeps_its_first_fee(market):
    coming(code="later", terms={"platform_bps": 5})
    with other() as opener:
        opener.execute(make.pools._SCHEDULE, ("later",))
        withdrawer = Deed(lambda: withdrawn(1, code="later"))
        with other() as looker:
            waits_for_a_lock(looker, withdrawer)
        opener.execute("update pool set fee_code = 'later'")
        opener.commit()
        assert isinstance(withdrawer.answer(), Conflict)


@pytest.mark.parametrize("kind", versions.KINDS)
def test_of_two_at_once_one_withdraws_and_its_twin_is_told_so(market, kind):
    version, _ = coming(kind)
    deeds = [Deed(lambda by=by: withdrawn(version, kind, by=by)) for by in (ONE, TWO)]
    assert sorted(type(each.answer()).__name__ for each in deeds) == ["NoneType", "WrongState"]
    assert broken() == []


def test_whoever_prices_at_the_moment_it_would_have_begun_never_has_it(market, monkeypatch):
    # So much of the ten seconds is left for the orders before it and for the withdrawal itself.
    monkeypatch.setattr(withdrawing, "LEAD", timedelta(seconds=5))
    soon = clock.now() + timedelta(seconds=12)
    coming_ones = {kind: coming(kind, soon) for kind in versions.KINDS}
    made, ended = [], threading.Event()

    def trade():
        while not ended.is_set():
            made.append(took(market))

    traders = [Deed(trade) for _ in range(2)]
    try:
        until(lambda: made, "nobody could order")
        for kind, (version, _) in coming_ones.items():
            withdrawn(version, kind, by=TWO)
        early = len(made)
        wait_until(max(begins for _, begins in coming_ones.values()))
        for table in ("quote", "orders"):
            after = f"select count(*) from {table} where created_at >= %s"
            until(lambda after=after: review.one(after, soon), "nobody ordered afterwards")
    finally:
        ended.set()
        assert [each.answer() for each in traders] == [None, None]
    assert len(made) > early
    assert {*made} == {(1, 1)}
    assert broken() == []


@pytest.mark.parametrize("kind", versions.KINDS)
def test_the_time_is_asked_after_the_wait_for_whoever_holds_the_version(market, kind):
    version, begins = coming(kind, clock.now() + withdrawing.LEAD + timedelta(seconds=1.5))

    def race():
        with other() as holder:
            holder.execute(f"select 1 from {TABLE[kind]} where version = %s for share", (version,))
            withdrawer = Deed(lambda: withdrawn(version, kind))
            waits_for_a_lock(holder, withdrawer)
            wait_until(begins - withdrawing.LEAD, past=0.1)
            holder.rollback()
            return withdrawer.answer()

    refused = raced(race)
    assert isinstance(refused, TooLate)
    assert refused.facts == {"begins": begins.isoformat()}
    assert versions.known(ONE, kind)[-1].withdrawn_at is None
    with clock.at(begins):
        assert took(market) == ((2, 1) if kind == versions.FEES else (1, 2))
    assert broken() == []


def test_what_waits_after_the_mark_counts_against_it(market, monkeypatch):
    monkeypatch.setattr(withdrawing, "LEAD", timedelta(seconds=5))
    version, begins = coming(versions.PLAN)

    def late():
        with clock.at(begins - timedelta(seconds=5.5)):
            withdrawn(version, versions.PLAN)

    def race():
        with other() as holder:
            holder.execute("select 1 from configuration for update")
            withdrawer = Deed(late)
            waits_for_a_lock(holder, withdrawer, of_age=timedelta(seconds=0.5))
            holder.rollback()
            return withdrawer.answer()

    refused = raced(race)
    assert isinstance(refused, TooLate)
    assert refused.facts == {"constraint": "version_withdrawn_in_time"}
    assert in_force(versions.PLAN, begins) == 2


@pytest.fixture
def stalled(monkeypatch):
    """A withdrawal is written, and may go on to its end."""
    with stalled_at(monkeypatch, {f"{kind}.withdrawn" for kind in versions.KINDS}) as events:
        yield events


def test_who_priced_by_it_while_it_was_being_withdrawn_keeps_it_from_being_withdrawn(market, stalled):
    written, go_on = stalled
    begun = {kind: coming(kind, soon=True) for kind in versions.KINDS}
    last = max(begins for _, begins in begun.values())

    def withdraw(kind):
        version, begins = begun[kind]
        with clock.at(begins - withdrawing.LEAD):
            withdrawn(version, kind)

    withdrawers = []
    for kind in versions.KINDS:
        withdrawers.append(Deed(lambda kind=kind: withdraw(kind)))
        assert written.wait(PATIENCE_SECONDS)
        written.clear()
    assert took(market) == (1, 1), "nobody waits for it"
    wait_until(max(last, clock.now() + timedelta(seconds=5)), past=0.2)
    assert took(market) == (2, 2), "nobody sees it yet"
    go_on.set()
    for each in withdrawers:
        refused = each.answer()
        assert isinstance(refused, TooLate)
        assert refused.facts == {"constraint": "version_withdrawn_in_time"}
    assert took(market) == (2, 2)
    assert broken() == []


def test_the_sandbox_s_clock_is_not_moved_on_while_a_version_is_withdrawn(market, stalled):
    written, go_on = stalled
    version, begins = coming()
    withdrawer = Deed(lambda: withdrawn(version))
    assert written.wait(PATIENCE_SECONDS)
    mover = Deed(lambda: timeshift.advance(system(), 2 * DAY))
    with other() as looker:
        waits_for_a_lock(looker, mover)
    go_on.set()
    assert withdrawer.answer() is None
    assert mover.answer() > begins
    with timeshift.followed():
        assert took(market) == (1, 1)
    assert broken() == []
