"""A version begins when everybody can see it: who orders while it is approved has the one before, and rightly so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import clock, db, timeshift
from core.actor import Right, system
from core.commissions import versions
from core.errors import Changed
from core.pricing import schedules
from core.verify import run as verify
from tests import make
from tests.beside import PATIENCE_SECONDS, Deed, other, raced, stalled_at, waits_for_a_lock
from tests.core import lives

RIGHTS = (Right.MANAGE_PRICING, Right.APPROVE_PRICING, Right.SEE_LEDGER)
ONE, TWO = (replace(make.person(role, *RIGHTS), user_id=n) for n, role in enumerate(("admin", "finance"), 1))
NEXT = {
    versions.FEES: ("standard", {"platform_bps": 90}),
    versions.PLAN: ("direct", {"rates": {"deposit": 7}}),
}


@pytest.fixture
def market(database):
    return make.market(2, levels=1)


def proposed(kind):
    code, terms = NEXT[kind]
    return versions.propose(ONE, kind, code, terms, "the board's decision")


def approved(ref):
    return versions.decide(TWO, ref, approve=True, why="as decided")


def took(market):
    """Open an order; return the versions of the schedule and of the plan that it took."""
    ref = lives.opened(market)
    with db.reading() as tx:
        return tx.rows(
            "select s.version, (o.split -> 0 ->> 'plan_version')::int from orders o"
            " join fee_schedule s on s.id = o.fee_schedule_id where o.ref = %s",
            (ref,),
        )[0]


def broken():
    return [line for each in verify() for line in each.breaks]


@pytest.fixture
def stalled(monkeypatch):
    """An approval has written its version, and may go on to its end."""
    with stalled_at(monkeypatch, {f"{kind}.approved" for kind in versions.KINDS}) as events:
        yield events


@pytest.mark.parametrize("kind", versions.KINDS)
def test_orders_opened_while_a_version_is_approved_have_the_one_in_force(market, kind, stalled):
    written, go_on = stalled
    assert took(market) == (1, 1)
    ref = proposed(kind)
    approver = Deed(lambda: approved(ref))
    assert written.wait(PATIENCE_SECONDS)
    early = took(market)
    go_on.set()
    done = approver.answer()
    assert broken() == []
    assert [early, took(market)] == [(1, 1)] * 2, "it has not begun"
    with clock.at(done.effective_from - timedelta(microseconds=1)):
        assert took(market) == (1, 1)
    with clock.at(done.effective_from):
        assert took(market) == ((2, 1) if kind == versions.FEES else (1, 2))
    assert broken() == []


def test_what_was_stored_too_late_is_not_stored(market, monkeypatch):
    ref = proposed(versions.PLAN)
    # A second is left for all of it.
    monkeypatch.setattr(versions, "LEAD", timedelta(seconds=6))

    def race():
        with other() as holder:
            holder.execute("select 1 from configuration for update")
            approver = Deed(lambda: approved(ref))
            waits_for_a_lock(holder, approver, of_age=timedelta(seconds=1))
            holder.rollback()
            return approver.answer()

    refused = raced(race)
    assert isinstance(refused, Changed)
    assert refused.facts == {"constraint": "version_begins_later"}
    assert [each.version for each in versions.known(ONE, versions.PLAN) if each.code == "direct"] == [1]
    assert [each.ref for each in versions.waiting(ONE, versions.PLAN)] == [ref]
    monkeypatch.undo()
    assert approved(ref).version == 2


@pytest.mark.parametrize("lead", ["0", "4.9"])
@pytest.mark.parametrize("table", ["fee_schedule", "plan_version"])
def test_the_database_refuses_a_version_that_begins_before_everybody_sees_it(database, table, lead):
    named = {"fee_schedule": "code", "plan_version": "plan_id"}[table]
    with pytest.raises(Changed) as refused, db.transaction() as tx:
        tx.run(
            f"insert into {table} ({named}, version, terms, effective_from, created_at)"
            f" select {named}, 2, terms, clock_timestamp() + interval '{lead} seconds', clock_timestamp() from {table}"
        )
    assert refused.value.facts == {"constraint": "version_begins_later"}


def test_an_approval_counts_from_when_it_is_stored_also_in_a_sandbox_whose_clock_is_moved_on(market):
    timeshift.advance(system(), timedelta(hours=2))
    ref = proposed(versions.FEES)
    with timeshift.followed():
        timeshift.advance(system(), timedelta(days=1))  # somebody else, while the approver reads
        before = datetime.now(UTC) + timedelta(days=1, hours=2)
        begins = approved(ref).effective_from
    assert begins > before + versions.LEAD - timedelta(seconds=1)


def test_the_sandbox_s_clock_is_not_moved_on_while_a_version_is_approved(market, stalled):
    written, go_on = stalled
    ref = proposed(versions.FEES)
    approver = Deed(lambda: approved(ref))
    assert written.wait(PATIENCE_SECONDS)
    mover = Deed(lambda: timeshift.advance(system(), timedelta(days=1)))
    with other() as looker:
        waits_for_a_lock(looker, mover)
    go_on.set()
    assert approver.answer().effective_from < mover.answer()


def test_a_quote_is_stored_with_the_moment_its_schedule_was_chosen_for(market, monkeypatch):
    chosen = []
    in_force = schedules.in_force
    monkeypatch.setattr(schedules, "in_force", lambda tx, code, at: chosen.append(at) or in_force(tx, code, at))
    lives.opened(market)
    with db.reading() as tx:
        assert tx.rows("select created_at from quote") == [(at,) for at in chosen]
