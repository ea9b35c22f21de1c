"""Versions of fees and plans: two persons, numbers in a row, each in force from its moment on and never before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core import clock, db
from core.actor import Right
from core.commissions import versions
from core.errors import BadInput, Forbidden, NotFound
from core.pricing import schedules
from tests import make
from tests.core.review import refuses

RIGHTS = (Right.MANAGE_PRICING, Right.APPROVE_PRICING, Right.SEE_LEDGER)
ONE, TWO = (replace(make.person(role, *RIGHTS), user_id=n) for n, role in enumerate(("admin", "finance"), 1))
DAY = timedelta(days=1)


def proposed(bps, start=None):
    return versions.propose(ONE, versions.FEES, "standard", {"platform_bps": bps}, "the board's decision", start=start)


def approved(bps, start=None):
    done = versions.decide(TWO, proposed(bps, start), approve=True, why="as decided")
    return done.version, done.effective_from


def in_force(at):
    with db.transaction() as tx:
        return schedules.in_force(tx, "standard", at).schedule.platform_bps


def test_a_version_is_in_force_from_its_moment_on(database):
    first = in_force(clock.now())
    start = clock.now() + DAY
    assert approved(30, start) == (2, start)
    assert [in_force(start - timedelta(microseconds=1)), in_force(start)] == [first, 30]


def test_versions_follow_in_time(database):
    start = clock.now() + 2 * DAY
    approved(30, start)
    for early in (start, start - DAY):
        refused = refuses(BadInput, lambda early=early: proposed(40, early))
        assert refused.facts["field"] == "effective_from"
    later = start + timedelta(seconds=1)
    assert approved(40, later) == (3, later)
    assert [in_force(start), in_force(later)] == [30, 40]


def test_what_is_approved_after_its_moment_begins_soon_after_the_approval(database):
    start = clock.now() + DAY
    ref = proposed(30, start)
    late = (start + DAY).replace(microsecond=300_000)
    with clock.at(late):
        done = versions.decide(TWO, ref, approve=True, why="a day late")
    begins = late.replace(microsecond=0) + versions.LEAD
    assert (done.version, done.effective_from) == (2, begins), "to the second, as it is shown"
    assert in_force(begins - timedelta(microseconds=1)) != 30, "what was quoted before keeps the terms of then"
    assert in_force(begins) == 30


def test_a_moment_that_comes_too_soon_after_the_approval_is_put_off(database):
    soon = clock.now() + timedelta(seconds=5)
    with clock.at(soon - timedelta(seconds=1)):
        _, begins = approved(30, soon)
        assert begins == clock.now().replace(microsecond=0) + versions.LEAD


def test_the_first_version_of_a_new_code_begins_at_once(database):
    now = clock.now()
    with clock.at(now):
        ref = versions.propose(ONE, versions.PLAN, "brand-new", {"rates": {"deposit": 5}}, "new agents")
        assert versions.decide(TWO, ref, approve=True, why="agreed") == ("brand-new", 1, now)


def test_a_version_without_a_moment_never_begins_before_the_one_before_it(database):
    start = clock.now() + DAY
    approved(30, start)
    assert approved(40) == (3, start)
    assert in_force(start) == 40


def test_nobody_approves_their_own_version_and_none_begins_in_the_past(database):
    ref = proposed(30)
    own = refuses(Forbidden, lambda: versions.decide(ONE, ref, approve=True, why="it is mine"))
    assert own.facts["rule"] == "four_eyes"
    versions.decide(TWO, ref, approve=False, why="not yet")
    for past in (clock.now() - timedelta(seconds=1), clock.now().replace(tzinfo=None)):
        refuses(BadInput, lambda past=past: proposed(30, past), field="effective_from")
    refuses(BadInput, lambda: proposed(30, clock.now() + 367 * DAY), field="effective_from")
    with pytest.raises(BadInput):
        versions.propose(ONE, "tariff", "standard", {}, "there is no such kind")


def test_a_proposal_of_another_kind_than_asked_for_is_none(database):
    ref = proposed(30)
    refuses(NotFound, lambda: versions.decide(TWO, ref, approve=True, why="as decided", kind=versions.PLAN))
    assert versions.decide(TWO, ref, approve=True, why="as decided", kind=versions.FEES).version == 2


def test_the_last_version_is_told_while_it_is_still_to_come(database):
    def stands():
        return tuple(each and each.version for each in versions.standing(ONE, versions.FEES, "standard"))

    assert stands() == (1, None)
    start = clock.now() + DAY
    approved(30, start)
    assert stands() == (1, 2)
    with clock.at(start):
        assert stands() == (2, None)
    assert versions.standing(ONE, versions.FEES, "unknown") == (None, None)
