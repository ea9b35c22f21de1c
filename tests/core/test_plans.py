"""The differential tree: no share below nothing, no sum above the margin, and each one explained."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commissions.plans import Link, PlanVersion, from_json, split, to_json
from core.errors import BadInput
from core.money import USDT, Money

THOUSAND = Money(1_000_000_000, USDT)
PLENTY = Money(1_000_000_000_000, USDT)


def path(*rates: int) -> list[Link]:
    return [Link(number, f"agt_{number}", 7, 3, bps) for number, bps in enumerate(rates, start=1)]


def units(shares) -> dict[int, int]:
    return {share.agent_id: share.units for share in shares}


paths = st.lists(st.integers(0, 200), max_size=8).map(lambda rates: path(*rates))
bases = st.integers(1, 10**13).map(lambda size: Money(size, USDT))
margins = st.integers(0, 10**11).map(lambda size: Money(size, USDT))


def test_each_earns_its_rate_less_the_one_below():
    shares = split(path(10, 15, 20), base=THOUSAND, margin=PLENTY)
    assert units(shares) == {1: 1_000_000, 2: 500_000, 3: 500_000}
    assert [(share.level, share.own_bps, share.below_bps, share.rate_bps) for share in shares] == [
        (1, 10, 0, 10),
        (2, 15, 10, 5),
        (3, 20, 15, 5),
    ]


def test_an_upline_with_no_better_rate_earns_nothing_and_those_above_are_measured_by_the_highest():
    assert units(split(path(15, 10, 20), base=THOUSAND, margin=PLENTY)) == {1: 1_500_000, 3: 500_000}


def test_a_path_dearer_than_the_margin_is_cut_to_it_exactly():
    margin = Money(1_000_001, USDT)
    shares = split(path(10, 15, 20), base=THOUSAND, margin=margin)
    assert units(shares) == {1: 500_001, 2: 250_000, 3: 250_000}
    assert sum(share.units for share in shares) == margin.units
    assert "to keep within the margin" in shares[0].formula


def test_no_margin_no_commission():
    assert split(path(10, 20), base=THOUSAND, margin=Money(0, USDT)) == ()
    assert split([], base=THOUSAND, margin=PLENTY) == ()


@given(paths, bases, margins)
def test_no_share_is_negative_and_the_sum_stays_within_the_margin(links, base, margin):
    shares = split(links, base=base, margin=margin)
    assert all(share.units > 0 and share.rate_bps > 0 for share in shares)
    assert sum(share.units for share in shares) <= margin.units
    assert sum(share.rate_bps for share in shares) <= max((link.own_bps for link in links), default=0)


@given(paths, bases)
def test_uncapped_shares_are_the_floor_of_their_rate(links, base):
    for share in split(links, base=base, margin=Money(10**14, USDT)):
        assert share.units == base.units * share.rate_bps // 10_000


@given(paths.filter(bool), bases, margins, st.data())
def test_an_agent_put_in_at_a_rate_already_reached_changes_nobody(links, base, margin, data):
    place = data.draw(st.integers(1, len(links)))
    reached = max(link.own_bps for link in links[:place])
    newcomer = Link(99, "agt_99", 7, 3, data.draw(st.integers(0, reached)))
    longer = [*links[:place], newcomer, *links[place:]]
    before = units(split(links, base=base, margin=margin))
    assert units(split(longer, base=base, margin=margin)) == before


@given(paths.filter(bool), bases)
def test_a_better_rate_for_the_root_takes_nothing_from_those_below(links, base):
    before = units(split(links, base=base, margin=Money(10**14, USDT)))
    raised = [*links[:-1], links[-1]._replace(own_bps=links[-1].own_bps + 10)]
    after = units(split(raised, base=base, margin=Money(10**14, USDT)))
    for link in links[:-1]:
        assert after.get(link.agent_id) == before.get(link.agent_id)


def test_an_agent_twice_on_the_path_is_refused():
    with pytest.raises(BadInput):
        split([*path(10), *path(20)], base=THOUSAND, margin=PLENTY)
    with pytest.raises(BadInput):
        split(path(10_001), base=THOUSAND, margin=PLENTY)


@given(paths, bases, margins)
def test_the_snapshot_gives_the_same_shares_again(links, base, margin):
    shares = split(links, base=base, margin=margin)
    stored = json.loads(json.dumps([{**row, "formula": "for people"} for row in to_json(shares)]))
    assert from_json(stored) == shares


def test_a_foreign_snapshot_is_refused():
    with pytest.raises(BadInput):
        from_json([{"agent": 1}])


def test_every_share_explains_itself():
    shares = split(path(10, 15), base=Money(46_125_461, USDT), margin=PLENTY)
    assert [share.formula for share in shares] == [
        "0.1 % of 46.125461 USDT = 0.046125 USDT",
        "0.15 % less 0.1 % below it = 0.05 % of 46.125461 USDT = 0.023062 USDT",
    ]
    assert shares[0].money == Money(46_125, USDT)


TIERED = {
    "id": 4,
    "version": 2,
    "rates": {"deposit": 10, "withdrawal": 5},
    "tiers": {"deposit": [[1_000, 20], [2_000, 30]]},
}


def test_slab_pays_the_whole_order_at_the_tier_it_reaches():
    plan = PlanVersion.read(TIERED)
    assert [plan.rate_for("deposit", volume) for volume in (0, 999, 1_000, 1_999, 2_000, 10**12)] == [
        10,
        10,
        20,
        20,
        30,
        30,
    ]
    assert plan.rate_for("deposit", 999, 1) == 20
    assert [plan.tier_at("deposit", volume) for volume in (0, 999, 1_000, 1_999, 2_000)] == [0, 0, 1, 1, 2]
    assert plan.rate_for("withdrawal", 10**9) == 5
    assert plan.rate_for("acceptor_volume", 10**9) == 0


def test_marginal_pays_each_part_at_its_own_tier():
    plan = PlanVersion.read({**TIERED, "tier_mode": "marginal"})
    assert plan.rate_for("deposit", 0, 1_000) == 10
    assert plan.rate_for("deposit", 500, 1_000) == 15
    assert plan.rate_for("deposit", 0, 4_000) == (10_000 + 20_000 + 60_000) // 4_000
    assert plan.rate_for("deposit", 5_000, 100) == 30
    assert plan.rate_for("deposit", 1_000) == 20


@given(st.integers(0, 5_000), st.integers(1, 5_000))
def test_marginal_never_pays_more_than_slab_on_rising_tiers(volume, order):
    slab, marginal = (PlanVersion.read({**TIERED, "tier_mode": mode}) for mode in ("slab", "marginal"))
    assert 10 <= marginal.rate_for("deposit", volume, order) <= slab.rate_for("deposit", volume, order) <= 30


def test_the_next_tier_is_known():
    plan = PlanVersion.read(TIERED)
    assert plan.next_tier("deposit", 0) == (1_000, 20)
    assert plan.next_tier("deposit", 1_000) == (2_000, 30)
    assert plan.next_tier("deposit", 2_000) is None


def test_one_list_of_tiers_counts_for_every_product():
    plan = PlanVersion.read({**TIERED, "tiers": [[1_000, 20]]})
    assert plan.rate_for("deposit", 1_000) == plan.rate_for("withdrawal", 1_000) == 20
    assert PlanVersion.read(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rates": {}}, "rates"),
        ({"rates": None}, "rates"),
        ({"rates": {"lottery": 10}}, "rates"),
        ({"rates": {"deposit": 1001}}, "deposit"),
        ({"rates": {"deposit": 1.5}}, "deposit"),
        ({"tier_mode": "both"}, "tier_mode"),
        ({"tier_mode": ["slab"]}, "tier_mode"),
        ({"tiers": {"lottery": []}}, "tiers"),
        ({"tiers": {"deposit": [[5, 5], [4, 5]]}}, "tiers.deposit"),
        ({"tiers": 5}, "tiers"),
        ({"version": "1"}, "version"),
        ({"bonus": 1}, "bonus"),
    ],
)
def test_a_broken_plan_is_refused_by_the_name_of_its_field(change, field):
    with pytest.raises(BadInput) as refused:
        PlanVersion.read({**TIERED, **change})
    assert refused.value.facts["field"] == field
