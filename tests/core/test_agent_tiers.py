"""Agents' volume tiers: what the branch completed in the plan's window chooses the rate, and stays with the order."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from core import clock, db
from core.actor import Actor, Right, Scope, system
from core.analytics import agent_volume
from core.commissions import tiers
from core.commissions.plans import PlanVersion
from core.errors import BadInput, NotFound
from core.money import USDT, Money
from core.parties import standing
from core.simulator.history import import_history
from core.verify import orders
from tests import make
from tests.core import lives
from tests.core.past_orders import START, order, write

MAY = datetime(2026, 5, 20, 12, tzinfo=UTC)
USDT_UNITS = 46_125_461  # 250.00 BRL


def plan_for(agent_ref, **terms):
    """Give an agent a plan of its own."""
    code = f"own{next(make.numbers)}"
    with db.transaction() as tx:
        number = tx.call("insert into plan (code) values (%s) returning id", (code,))
        tx.run(
            "insert into plan_version (plan_id, version, terms, effective_from, created_at)"
            " values (%s, 1, %s, '2026-01-01', '2026-01-01')",
            (number, json.dumps({"rates": {"deposit": 10}, **terms})),
        )
        tx.run("update agent set plan_id = %s from party p where p.id = party_id and p.ref = %s", (number, agent_ref))


def shares(ref):
    with db.reading() as tx:
        return tx.call("select split from orders where ref = %s", (ref,))


def reckoned_again():
    """What the verifier finds when it reckons fees and splits again."""
    with db.reading() as tx:
        return orders.fee_to_the_cent(tx).breaks


def reckoned():
    lives.rolled_up()
    agent_volume.refresh()


@pytest.mark.parametrize(("mode", "third_bps"), [("slab", 30), ("marginal", 13)])
def test_the_branch_s_volume_of_the_month_chooses_the_tier(database, mode, third_bps):
    market = make.market(2, levels=2)
    plan_for(market.agents[0], rates={"deposit": 10}, tiers=[[130_000_000, 30]], tier_mode=mode)
    with clock.at(MAY):
        make.rate("BRL")
        refs = [lives.completed(market)]
        reckoned()
        refs.append(lives.completed(market))
        reckoned()
        refs.append(lives.completed(market))
    first, second, third = (shares(ref)[0] for ref in refs)
    assert [(each["own_bps"], each["tier"], each["volume_units"]) for each in (first, second)] == [
        (10, 0, 0), (10, 0, USDT_UNITS),
    ]  # fmt: skip
    assert (third["own_bps"], third["tier"], third["volume_units"]) == (third_bps, 1, 2 * USDT_UNITS)
    assert datetime.fromisoformat(third["volume_at"]) == MAY
    assert reckoned_again() == []


def test_the_volume_counts_for_all_above_and_begins_anew_with_the_month(database):
    market = make.market(2, levels=2)
    top = {"rates": {"deposit": 20}, "tiers": [[40_000_000, 40]], "time_zone": "Asia/Shanghai"}
    plan_for(market.agents[1], **top)
    # In Shanghai May ends at 16:00 UTC.
    last = datetime(2026, 5, 31, 15, 30, tzinfo=UTC)
    with clock.at(last):
        lives.completed(market)
        reckoned()
        assert shares(lives.completed(market))[1]["volume_units"] == USDT_UNITS
    with clock.at(last + timedelta(minutes=31)):
        late = shares(lives.completed(market))[1]
        assert late["volume_units"] == 0, "the job has not run in June yet, and May's volume is May's"
        reckoned()
        assert shares(lives.completed(market))[1]["volume_units"] == USDT_UNITS
    assert reckoned_again() == []


def test_a_rolling_window_forgets_what_is_older_than_thirty_days(database):
    market = make.market(1, levels=1)
    plan_for(market.agents[0], tiers=[[40_000_000, 12]], window="rolling_30d")
    with clock.at(MAY):
        lives.completed(market)
    for days, known in ((29, USDT_UNITS), (31, 0)):
        with clock.at(MAY + timedelta(days=days)):
            reckoned()
            assert shares(lives.opened(market))[0]["volume_units"] == known


def test_an_agent_sees_what_is_missing_to_the_next_tier(database):
    market = make.market(1, levels=2)
    plan_for(market.agents[0], tiers=[[100_000_000, 12]])
    with clock.at(MAY):
        lives.completed(market)
        reckoned()
        with db.reading() as tx:
            number = tx.call("select id from party where ref = %s", (market.agents[0],))
        mine = Actor("a", "agent", Scope.AGENT, number, rights=frozenset({Right.SEE_COMMISSIONS}))
        found = tiers.standing(mine, market.agents[0])
        assert found is not None
        assert (found.volume, found.missing) == (Money(USDT_UNITS, USDT), Money(100_000_000 - USDT_UNITS, USDT))
        assert (found.bps, found.next_bps, found.reckoned_at) == (10, 12, MAY)
        with pytest.raises(NotFound):
            tiers.standing(mine, market.agents[1])


def test_a_plan_without_tiers_has_no_next_one(database):
    market = make.market(1, levels=1)
    everybody = make.person("finance", Right.SEE_COMMISSIONS)
    assert tiers.standing(everybody, market.agents[0]) is None


@pytest.mark.parametrize(
    ("zone", "days"), [("UTC", 31), ("America/Sao_Paulo", 31), ("Asia/Shanghai", 31), ("Europe/Berlin", 31)]
)
def test_months_of_a_zone_touch_and_do_not_overlap(zone, days):
    plan = PlanVersion.read({"version": 1, "rates": {"deposit": 1}, "time_zone": zone})
    starts_at, ends_at = plan.window_at(datetime(2026, 3, 15, tzinfo=UTC))
    assert ends_at is not None
    hour = timedelta(hours=1) if zone == "Europe/Berlin" else timedelta()
    assert ends_at - starts_at == timedelta(days=days) - hour
    assert plan.window_at(ends_at)[0] == ends_at
    assert plan.window_at(ends_at - timedelta(microseconds=1)) == (starts_at, ends_at)


@pytest.mark.parametrize(
    "bad", [{"time_zone": "Mars/Olympus"}, {"time_zone": "Asia/Kolkata"}, {"time_zone": 3}, {"window": "week"}]
)
def test_a_window_that_cannot_be_counted_is_refused(bad):
    with pytest.raises(BadInput):
        PlanVersion.read({"version": 1, "rates": {"deposit": 1}, **bad})


def test_past_withdrawals_raise_no_tier_of_deposits(database, tmp_path):
    import_history(write(tmp_path / "past.csv", [order(1, agent="both"), order(6, agent="both")]))
    lives.rolled_up()
    with clock.at(START + timedelta(hours=3)):
        agent_volume.refresh()
    with db.reading() as tx:
        volumes = tx.rows("select p.code, g.deposit_volume_units from agent g join party p on p.id = g.party_id")
    assert volumes == [("both", 100_010_000)]


def test_a_barred_agent_has_no_share_in_new_orders_and_keeps_those_frozen_before(database):
    market = make.market(1, levels=2)
    direct, above = market.agents
    before = lives.opened(market)
    assert [each["agent_ref"] for each in shares(before)] == codes(direct, above)
    standing.bar(system(), direct, "a ring of self-referrals")
    (share,) = shares(lives.opened(market))
    assert [share["agent_ref"]] == codes(above)
    assert (share["below_bps"], share["rate_bps"]) == (0, share["own_bps"]), "nobody stands below it any more"
    assert [each["agent_ref"] for each in shares(before)] == codes(direct, above)
    assert reckoned_again() == []


def codes(*refs):
    with db.reading() as tx:
        return [tx.call("select code from party where ref = %s", (ref,)) for ref in refs]
