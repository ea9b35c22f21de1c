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
from tests.core import review
from tests.core.test_version_begins import broken, in_the_background, other, stalled_at, took, waits_for_a_lock
from tests.core.test_version_withdrawn import DAY, ONE, TABLE, TWO, coming, in_force, withdrawn


@pytest.fixture
def market(database):
    return make.market(2, levels=1)


@pytest.fixture
def hurried(monkeypatch):
    """Versions begin six to seven seconds after their approval, and may be withdrawn a second after it."""
    monkeypatch.setattr(versions, "LEAD", timedelta(seconds=7))
    monkeypatch.setattr(withdrawing, "LEAD", timedelta(seconds=5.5))


def test_a_pool_that_is_just_being_opened_keeps_its_first_fee(market):
    coming(code="later", terms={"platform_bps": 5})
    with other() as opener:
        opener.execute(make.pools._SCHEDULE, ("later",))
        thread, answers = in_the_background(lambda: withdrawn(1, code="later"))
        with other() as looker:
            waits_for_a_lock(looker)
        opener.execute("update pool set fee_code = 'later'")
        opener.commit()
        thread.join()
    assert [type(each) for each in answers] == [Conflict]


@pytest.mark.parametrize("kind", versions.KINDS)
def test_of_two_at_once_one_withdraws_and_its_twin_is_told_so(market, kind):
    version, _ = coming(kind)
    doing = [in_the_background(lambda by=by: withdrawn(version, kind, by=by)) for by in (ONE, TWO)]
    for thread, _ in doing:
        thread.join()
    answers = [answer for _, (answer,) in doing]
    assert sorted(type(each).__name__ for each in answers) == ["NoneType", "WrongState"]
    assert broken() == []


@pytest.mark.parametrize("kind", versions.KINDS)
def test_whoever_prices_at_the_moment_it_would_have_begun_never_has_it(market, kind, hurried):
    version, begins = coming(kind, soon=True)
    assert begins - clock.now() < timedelta(seconds=7)
    made, ended = [], threading.Event()

    def trade():
        while not ended.is_set():
            made.append(took(market))

    traders = [in_the_background(trade) for _ in range(2)]
    while not made:
        time.sleep(0.01)
    withdrawn(version, kind, by=TWO)
    early = len(made)
    time.sleep((begins - clock.now()).total_seconds() + 0.7)
    ended.set()
    for thread, answers in traders:
        thread.join()
        assert answers == [None]
    assert len(made) > early
    assert {*made} == {(1, 1)}
    for table in ("quote", "orders"):
        assert review.one(f"select count(*) from {table} where created_at >= %s", begins) > 0
    assert broken() == []


@pytest.mark.parametrize("kind", versions.KINDS)
def test_a_withdrawal_that_is_stored_too_late_is_none_and_the_version_begins(market, kind, hurried):
    version, begins = coming(kind, soon=True)
    with other() as holder:
        holder.execute(f"select 1 from {TABLE[kind]} where version = %s for share", (version,))
        thread, answers = in_the_background(lambda: withdrawn(version, kind))
        waits_for_a_lock(holder, of_age=timedelta(seconds=2))
        holder.rollback()
        thread.join()
    assert [type(each) for each in answers] == [TooLate]
    assert versions.known(ONE, kind)[-1].withdrawn_at is None
    with clock.at(begins):
        assert took(market) == ((2, 1) if kind == versions.FEES else (1, 2))
    assert broken() == []


def test_what_waits_after_the_mark_counts_against_it(market, hurried):
    version, begins = coming(versions.PLAN, soon=True)
    with other() as holder:
        holder.execute("select 1 from configuration for update")
        thread, answers = in_the_background(lambda: withdrawn(version, versions.PLAN))
        waits_for_a_lock(holder, of_age=timedelta(seconds=2))
        holder.rollback()
        thread.join()
    assert [type(each) for each in answers] == [TooLate]
    assert answers[0].facts == {"constraint": "version_withdrawn_in_time"}
    assert in_force(versions.PLAN, begins) == 2


@pytest.fixture
def stalled(monkeypatch):
    """A withdrawal is written, and may go on to its end."""
    with stalled_at(monkeypatch, "withdrawn", 50) as events:
        yield events


@pytest.mark.parametrize("kind", versions.KINDS)
def test_who_priced_by_it_while_it_was_being_withdrawn_keeps_it_from_being_withdrawn(market, kind, hurried, stalled):
    written, go_on = stalled
    version, begins = coming(kind, soon=True)
    withdrawer, answers = in_the_background(lambda: withdrawn(version, kind))
    written.wait(50)
    assert took(market) == (1, 1), "nobody waits for it"
    time.sleep((begins - clock.now()).total_seconds() + 0.2)
    begun = (2, 1) if kind == versions.FEES else (1, 2)
    assert took(market) == begun, "nobody sees it yet"
    go_on.set()
    withdrawer.join()
    assert [type(each) for each in answers] == [TooLate]
    assert answers[0].facts == {"constraint": "version_withdrawn_in_time"}
    assert took(market) == begun
    assert broken() == []


def test_the_sandbox_s_clock_is_not_moved_on_while_a_version_is_withdrawn(market, stalled):
    written, go_on = stalled
    version, begins = coming()
    withdrawer, _ = in_the_background(lambda: withdrawn(version))
    written.wait(50)
    mover, moved = in_the_background(lambda: timeshift.advance(system(), 2 * DAY))
    with other() as looker:
        waits_for_a_lock(looker)
    assert moved == []
    go_on.set()
    withdrawer.join()
    mover.join()
    assert moved[0] > begins
    with timeshift.followed():
        assert took(market) == (1, 1)
    assert broken() == []
