"""Fee schedules: each golden price to the last unit, and lines that always sum to the fee."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadAmount, BadInput
from core.money import USDT, Money, Rate, fiat
from core.pricing.fees import Schedule, percent, price

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/fees/schedules.json").read_text("utf-8"))
BRL = fiat("BRL")
PLAIN = {"version": 1, "platform_bps": 60}


@pytest.mark.parametrize("vector", GOLDEN, ids=[vector["story"] for vector in GOLDEN])
def test_a_schedule_gives_its_golden_price(vector):
    currency = fiat(vector["currency"])
    priced = price(
        Schedule.read(vector["schedule"]),
        fiat=Money.parse(vector["fiat"], currency),
        rate=Rate.parse(vector["rate"], currency),
        volume_30d_units=Money.parse(vector["volume_30d"], USDT, allow_zero=True).units,
        method=vector["method"],
    )
    assert {
        "gross": priced.gross.text(),
        "fee": priced.fee.text(),
        "net": priced.net.text(),
        "spread": priced.spread.text(),
        "rate_used": priced.rate.text(),
        "lines": [[line.code, line.amount.text(), line.note] for line in priced.lines],
    } == {name: vector[name] for name in ("gross", "fee", "net", "spread", "rate_used", "lines")}
    assert priced.schedule_version == vector["schedule"]["version"]


schedules = st.builds(
    Schedule,
    version=st.just(1),
    platform_bps=st.integers(0, 1000),
    min_fee_units=st.integers(0, 10**6),
    max_fee_units=st.none() | st.integers(10**6, 10**9),
    method_bps=st.fixed_dictionaries({"pix": st.integers(0, 1000)}),
    spread_bps=st.integers(0, 1000),
)


@given(schedules, st.integers(1, 10**11), st.integers(10**6, 10**12))
def test_lines_sum_to_the_fee_and_net_plus_fee_is_gross(schedule, fiat_units, rate_units):
    paid, rate = Money(fiat_units, BRL), Rate(rate_units, BRL)
    try:
        priced = price(schedule, fiat=paid, rate=rate, volume_30d_units=0, method="pix")
    except BadAmount:
        return
    assert sum(line.amount.units for line in priced.lines) == priced.fee.units
    assert priced.net + priced.fee == priced.gross
    assert priced.net.units > 0
    assert priced.spread.units >= 0
    assert all(line.amount.units >= 0 for line in priced.lines)
    assert priced.margin == priced.lines[0].amount
    assert price(schedule, fiat=paid, rate=rate, volume_30d_units=0, method="pix") == priced


def test_an_amount_the_fee_would_eat_is_refused():
    schedule = Schedule.read({**PLAIN, "min_fee_units": 2_000_000})
    with pytest.raises(BadAmount, match="too small") as refused:
        price(schedule, fiat=Money(1000, BRL), rate=Rate.parse("5.42", BRL), volume_30d_units=0, method="pix")
    assert refused.value.facts["fee_units"] == 2_000_000


def test_a_schedule_survives_being_written_and_read():
    for vector in GOLDEN:
        schedule = Schedule.read(vector["schedule"])
        assert Schedule.read(json.loads(json.dumps(schedule.to_json()))) == schedule


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"platform_bps": 1001}, "platform_bps"),
        ({"platform_bps": -1}, "platform_bps"),
        ({"platform_bps": "30"}, "platform_bps"),
        ({"platform_bps": 0.3}, "platform_bps"),
        ({"platform_bps": True}, "platform_bps"),
        ({"version": 0}, "version"),
        ({"min_fee_units": -1}, "min_fee_units"),
        ({"min_fee_units": 10, "max_fee_units": 9}, "max_fee_units"),
        ({"max_fee_units": 10**15}, "max_fee_units"),
        ({"spread_bps": 1001}, "spread_bps"),
        ({"method_bps": {"pix": 1001}}, "method_bps"),
        ({"method_bps": {"": 1}}, "method_bps"),
        ({"method_bps": {5: 1}}, "method_bps"),
        ({"method_bps": [1]}, "method_bps"),
        ({"tiers": [[0, 30], [0, 20]]}, "tiers"),
        ({"tiers": [[100, 30], [50, 20]]}, "tiers"),
        ({"tiers": [[0, 1001]]}, "tiers"),
        ({"tiers": [[0]]}, "tiers"),
        ({"tiers": [[0, True]]}, "tiers"),
        ({"tiers": "no"}, "tiers"),
        ({"tiers": [[n, 1] for n in range(51)]}, "tiers"),
        ({"platfrom_bps": 30}, "platfrom_bps"),
    ],
)
def test_a_broken_schedule_is_refused_by_the_name_of_its_field(change, field):
    with pytest.raises(BadInput) as refused:
        Schedule.read({**PLAIN, **change})
    assert refused.value.facts["field"] == field
    assert field in refused.value.detail


def test_a_refusal_says_to_programs_which_rule_is_broken_and_its_bounds():
    with pytest.raises(BadInput) as refused:
        Schedule.read({"version": 1, "platform_bps": 30, "min_fee_units": 5, "max_fee_units": 1})
    assert refused.value.detail.startswith("max_fee_units must be a whole number from 5 to ")
    facts = refused.value.facts
    assert {name: facts[name] for name in ("field", "rule", "least")} == {
        "field": "max_fee_units", "rule": "range", "least": 5,
    }  # fmt: skip


def test_basis_points_are_written_as_percent():
    assert [percent(bps) for bps in (0, 5, 30, 45, 100, 150, 1000)] == [
        "0 %",
        "0.05 %",
        "0.3 %",
        "0.45 %",
        "1 %",
        "1.5 %",
        "10 %",
    ]
