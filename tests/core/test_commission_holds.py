"""Commissions held: with its suspension nothing is payable to an agent, with its end all is; each step a posting."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from core import clock, db
from core.actor import Right, Scope, system
from core.commissions import periods, queries
from core.errors import AlreadyDone, BadInput, Forbidden, NotFound, WrongState
from core.money import USDT, Money
from core.parties import commission_holds, commission_lifts, standing
from core.reports import commission, files
from core.verify import run as verify
from jobs import ledger
from tests import make
from tests.core import lives, review

JUDGES = (Right.SET_STANDING, Right.SEE_AGENTS, Right.SEE_APPROVALS)
JUDGE, OTHER = make.person("compliance", *JUDGES), make.person("compliance2", *JUDGES)


@pytest.fixture
def market(database):
    made = make.market(1, levels=2, reserve="100000")
    lives.completed(made)
    return made


def pockets(ref):
    return review.rows(
        "select l.available, l.held from ledger_account l join party p on p.id = l.party_id where p.ref = %s", ref
    )[0]


def shown(ref):
    return dict(
        review.rows(
            "select b.account, b.units from v_balances b join party p on b.account like 'agent:' || p.code || '%%'"
            " where p.ref = %s",
            ref,
        )
    )


def earned(ref):
    return review.one("select coalesce(sum(units), 0)::bigint from commission_line c join party p on p.id = c.agent_id"
                      " where p.ref = %s", ref)  # fmt: skip


def holds():
    assert [(each.invariant, each.breaks) for each in verify() if not each.holds] == []


def refused(kind, command, *args):
    before = review.everything(), review.rows("select * from commission_hold")
    with pytest.raises(kind) as caught:
        command(*args)
    assert (review.everything(), review.rows("select * from commission_hold")) == before
    return caught.value


def lifted(agent, why):
    """Let one person ask for a hold's end and another agree."""
    commission_lifts.decide(OTHER, commission_lifts.ask(JUDGE, agent, why), approve=True, why=why)


def test_a_suspension_holds_what_was_and_is_earned_and_its_end_gives_all_back(market):
    agent, code = market.agents[0], review.one("select code from party where ref = %s", market.agents[0])
    first = earned(agent)
    assert first > 0
    standing.suspend(JUDGE, agent, "papers have expired")
    assert pockets(agent) == (0, first)
    assert shown(agent) == {f"agent:{code}": 0, f"agent:{code}:held": first}
    assert review.one("select sum(units) from v_balances") == 0
    assert review.one("select sum(units) from v_journal where account = %s", f"agent:{code}:held") == first
    holds()
    lives.completed(market)
    both = earned(agent)
    assert both > first
    assert commission_holds.of(JUDGE, agent).held.units == both, "what came in since is not payable either"
    ledger.fold()
    assert pockets(agent) == (0, both)
    ledger.fold()
    assert pockets(agent) == (0, both)
    holds()
    standing.reinstate(JUDGE, agent, "papers renewed")
    assert (pockets(agent), shown(agent)) == ((both, 0), {f"agent:{code}": both})
    assert commission_holds.of(JUDGE, agent) is None
    told = review.rows(
        "select action, reason, (details ->> 'usdt_units')::bigint from audit where subject = %s and actor = %s"
        " and action like 'commission.%%' order by at, id",
        agent, JUDGE.name,
    )  # fmt: skip
    assert told == [("commission.hold", "papers have expired", first), ("commission.lift", "papers renewed", both)]
    assert [row[0] for row in review.rows("select topic from outbox where topic like 'commission.%%' order by id")] == [
        "commission.held", "commission.lifted",
    ]  # fmt: skip
    holds()


def test_commission_is_held_while_something_is_looked_into_and_the_agent_works_on(market):
    agent = market.agents[0]
    refused(Forbidden, commission_holds.hold, make.person("agent"), agent, "why")
    refused(BadInput, commission_holds.hold, JUDGE, agent, " ")
    refused(NotFound, commission_holds.hold, JUDGE, market.merchant_ref, "no agent")
    refused(WrongState, commission_lifts.ask, JUDGE, agent, "nothing is held")
    commission_holds.hold(JUDGE, agent, "many orders of one size")
    refused(AlreadyDone, commission_holds.hold, JUDGE, agent, "again")
    assert review.one("select state from party where ref = %s", agent) == "active"
    standing.suspend(JUDGE, agent, "it is a ring")
    refused(WrongState, commission_lifts.ask, JUDGE, agent, "not while suspended")
    standing.reinstate(JUDGE, agent, "no ring after all")
    assert pockets(agent) == (0, earned(agent)), "the hold from before stays until it is lifted"
    lifted(agent, "explained")
    assert pockets(agent) == (earned(agent), 0)
    holds()


def test_a_hold_ends_when_another_person_has_agreed(market):
    agent, units = market.agents[0], earned(market.agents[0])
    commission_holds.hold(JUDGE, agent, "many orders of one size")
    refused(BadInput, commission_lifts.ask, JUDGE, agent, " ")
    refused(Forbidden, commission_lifts.ask, make.person("finance", Right.SEE_APPROVALS), agent, "pay it")
    request = commission_lifts.ask(JUDGE, agent, "the orders are a shop's")
    assert pockets(agent) == (0, units), "one person ends no hold"
    assert commission_lifts.waiting(OTHER, agent)[:2] == (request, JUDGE.name)
    assert commission_lifts.asked(OTHER, request).holding.held.units == units
    refused(AlreadyDone, commission_lifts.ask, OTHER, agent, "I ask too")
    own = refused(Forbidden, commission_lifts.decide, JUDGE, request, True, "my own")
    assert own.facts["rule"] == "four_eyes"
    refused(Forbidden, commission_lifts.decide, make.person("finance"), request, True, "no right")
    refused(Forbidden, commission_lifts.withdraw, OTHER, request, "not mine")
    refused(NotFound, commission_lifts.decide, OTHER, "apr_none", True, "no such")
    assert commission_lifts.decide(OTHER, request, approve=True, why="seen the shop") is True
    assert pockets(agent) == (units, 0)
    refused(WrongState, commission_lifts.decide, OTHER, request, True, "twice")
    told = review.rows(
        "select actor, reason, details ->> 'asked_by' from audit where action = 'commission.lift' and subject = %s",
        agent,
    )
    assert told == [(OTHER.name, "seen the shop", JUDGE.name)]
    holds()


def test_what_is_turned_down_or_taken_back_ends_no_hold_and_may_be_asked_for_anew(market):
    agent, units = market.agents[0], earned(market.agents[0])
    commission_holds.hold(JUDGE, agent, "many orders of one size")
    first = commission_lifts.ask(JUDGE, agent, "explained")
    assert commission_lifts.decide(OTHER, first, approve=False, why="not to me") is False
    second = commission_lifts.ask(JUDGE, agent, "with papers")
    commission_lifts.withdraw(JUDGE, second, "the papers are another's")
    third = commission_lifts.ask(OTHER, agent, "with its papers")
    standing.bar(JUDGE, agent, "forged papers")
    refused(WrongState, commission_lifts.decide, JUDGE, third, True, "too late")
    assert pockets(agent) == (0, units)
    assert commission_lifts.decide(JUDGE, third, approve=False, why="forged") is False
    holds()


def test_lines_say_that_they_are_held_and_the_report_ties_what_is_held_to_the_ledger(market, tmp_path):
    low, top = market.agents
    now = periods.of(clock.now())
    said = "select distinct c.state from v_commission_lines c join party p on p.code = c.agent where p.ref = %s"
    assert review.one(said, low) == "pending"
    commission_holds.hold(JUDGE, low, "many orders of one size")
    lives.completed(market)  # earned since: nothing has moved it into what is held yet
    assert (review.one(said, low), review.one(said, top)) == ("held", "pending")
    held, free = (queries.lines(system(), queries.Filters(state=state)) for state in ("held", "pending"))
    assert ({each.agent_ref for each in held}, {each.agent_ref for each in free}) == ({low}, {top})
    assert {each.state for each in held} == {"held"}
    with db.reading() as tx:
        told = {each.agent_ref: each for each in commission.statements(tx, system(), now)}
        for form in ("csv", "xlsx", "pdf"):
            written = files.write(commission.report(tx, system(), now), tmp_path / f"held.{form}", form)
            assert written.sums["held_usdt"].units == earned(low) == sum(each.units for each in held)
        assert shown(low)[f"agent:{told[low].agent}:held"] < earned(low)
        before = commission.statements(tx, system(), now.previous(), low)[0]
    assert (told[low].held.units, told[low].payable.units) == (earned(low), 0)
    assert (told[top].held.units, told[top].payable.units) == (0, earned(top))
    assert (before.held.units, before.closing.units) == (0, 0)
    facts = dict(row.split(",", 1) for row in (tmp_path / "held.csv").read_text().splitlines() if row.startswith("#"))
    assert facts["# held"] == facts["# sum held_usdt"] == Money(earned(low), USDT).text()
    zero = ("# held lines less ledger", "# holds less ledger", "# lines less ledger", "# difference of the statements")
    assert {facts[name] for name in zero} == {"0.000000"}
    ledger.fold()
    lifted(low, "explained")
    assert review.one(said, low) == "pending"
    with db.reading() as tx:
        assert commission.statements(tx, system(), now, low)[0].held.units == 0


def test_a_months_report_says_what_was_held_at_its_end_whenever_it_is_made(market, tmp_path):
    low, top = market.agents
    month = periods.of(clock.now())
    commission_holds.hold(JUDGE, low, "many orders of one size")
    lives.completed(market)  # what it earned since stands beside the hold when the month ends

    def told(hours):
        """The report as it is made so many hours after the month, without when that was and what was sealed."""
        with clock.at(month.ends_at + timedelta(hours=hours)), db.reading() as tx:
            files.write(commission.report(tx, system(), month), tmp_path / "month.csv", "csv")
        lines = (tmp_path / "month.csv").read_text().splitlines()
        return [line for line in lines if not line.startswith(("# made at", "# seal", "# sha"))]

    first = told(1)
    facts = dict(line.split(",", 1) for line in first if line.startswith("#"))
    assert facts["# held"] == facts["# sum held_usdt"] == Money(earned(low), USDT).text()
    zero = ("# held lines less ledger", "# holds less ledger", "# lines less ledger", "# difference of the statements")
    assert {facts[name] for name in zero} == {"0.000000"}
    with clock.at(month.ends_at + timedelta(hours=2)):
        commission_holds.sweep()
        assert told(3) == first, "what was moved into the hold later was held then already"
        lifted(low, "explained")
        commission_holds.hold(JUDGE, top, "is looked into")
        lives.completed(market)
        assert told(4) == first, "a hold that ended, and one that began, after the month are of the next one"
        with db.reading() as tx:
            later = {each.agent_ref: each for each in commission.statements(tx, system(), periods.of(clock.now()))}
        assert (later[low].held.units, later[top].held.units) == (0, later[top].closing.units)
        assert later[top].closing.units == earned(top) > 0
        assert {each.state for each in queries.lines(system(), queries.Filters(agent=low))} == {"pending"}
        assert queries.sums(system(), queries.Filters(state="held", held_at=month.ends_at)).units > 0
    holds()


def test_a_months_report_shows_what_the_ledger_held_without_a_hold(market):
    low, month = market.agents[0], periods.of(clock.now())
    commission_holds.hold(JUDGE, low, "many orders of one size")
    with db.transaction() as tx:
        tx.run("update commission_hold set opened_at = %s", (month.ends_at + timedelta(hours=1),))
    with clock.at(month.ends_at + timedelta(hours=2)), db.reading() as tx:
        facts = dict(commission.report(tx, system(), month).facts)
    assert facts["holds less ledger"].units == -pockets(low)[1] < 0


def test_a_hold_that_differs_from_the_ledger_shows_in_the_report(market):
    commission_holds.hold(JUDGE, market.agents[0], "many orders of one size")
    with db.transaction() as tx:
        tx.run("update commission_hold set units = units - 7")
    with db.reading() as tx:
        facts = dict(commission.report(tx, system(), periods.of(clock.now())).facts)
    assert facts["holds less ledger"].units == -7


def test_who_may_read_the_view_of_lines_may_still_when_it_is_made_anew(database):
    reader = f"reader_{os.getpid()}"
    upgrade = import_module("core.migrations.versions.0028_held_lines").upgrade
    engine = sa.create_engine(sa.make_url(database).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:  # never committed: the role is gone with it
        connection.exec_driver_sql(f"create role {reader}")
        connection.exec_driver_sql(f"grant select on v_commission_lines to {reader}")
        with Operations.context(MigrationContext.configure(connection)):
            upgrade()
        asked = f"select has_table_privilege('{reader}', 'v_commission_lines', 'select')"
        assert connection.exec_driver_sql(asked).scalar()
    engine.dispose()


def test_a_barred_agents_commission_stays_held(market):
    agent, open_before = market.agents[0], lives.claimed(market)
    before = earned(agent)
    standing.bar(JUDGE, agent, "forged papers")
    lives.confirm(market, open_before)
    assert earned(agent) > before
    assert commission_holds.sweep() == 1
    assert commission_holds.sweep() == 0
    assert pockets(agent) == (0, earned(agent))
    refused(WrongState, commission_lifts.ask, JUDGE, agent, "a bar has no end")
    holds()


def test_an_agent_reads_that_it_is_held_but_not_why(market):
    low, top = market.agents
    commission_holds.hold(JUDGE, low, "many orders of one size")
    number = review.one("select id from party where ref = %s", low)
    own = replace(make.person("agent", Right.SEE_AGENTS), scope=Scope.AGENT, party_id=number)
    seen = commission_holds.of(own, low)
    assert (seen.held.units, seen.by, seen.reason) == (earned(low), "", "")
    with pytest.raises(NotFound):
        commission_holds.of(own, top)


@pytest.mark.parametrize(
    "broken",
    [
        "update commission_hold set units = units - 1",
        "update agent set held = false where held",
        "update commission_hold set closed_at = now(), closed_by = 'x'",
        "update agent set held = true where not held",
    ],
)
def test_the_verifier_names_the_agent_whose_hold_is_broken(market, broken):
    agent = market.agents[0]
    standing.suspend(JUDGE, agent, "papers have expired")
    with db.transaction() as tx:
        tx.run(broken)
    found = next(each for each in verify() if each.invariant == "I3")
    assert found.breaks
    code = "select code from party where kind = 'agent' and ref = any (%s)"
    assert any(name in found.breaks[0] for (name,) in review.rows(code, market.agents))
