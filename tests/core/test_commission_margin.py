"""The platform's margin bounds what agents earn, and a quote shows every line that its price follows from."""

from __future__ import annotations

import json

import pytest

from core import db
from core.actor import Right
from core.commissions import margins
from core.errors import Forbidden
from core.money import USDT, Money, fiat
from core.orders import page, queries
from core.pricing import quotes
from core.pricing.fees import SPREAD
from core.verify import orders
from portal.api import shapes
from tests import make
from tests.core import lives


def schedule(market, **terms):
    """Put the market's pool on a fee schedule of its own."""
    code = f"own{next(make.numbers)}"
    with db.transaction() as tx:
        tx.run(
            "insert into fee_schedule (code, version, terms, effective_from, created_at)"
            " values (%s, 1, %s, '2026-01-01', '2026-01-01')",
            (code, json.dumps(terms)),
        )
        tx.run("update pool set fee_code = %s where ref = %s", (code, market.pool_ref))


def split_of(ref):
    with db.reading() as tx:
        return tx.rows("select split, fee_units from orders where ref = %s", (ref,))[0]


def test_commissions_never_take_from_the_method_s_part_of_the_fee(database):
    market = make.market(1, levels=3)
    schedule(market, platform_bps=10, method_bps={"pix": 30})
    split, fee = split_of(lives.completed(market))
    margin = Money(46_125_461, USDT).share_bps(10, rounding="half_even").units
    assert fee > 3 * margin, "the method's fee is the greater part"
    assert sum(share["units"] for share in split) == margin, "20 bps are owed, the platform has 10"
    assert len(split) == 3
    with db.reading() as tx:
        assert orders.fee_to_the_cent(tx).breaks == []


def test_a_margin_that_holds_the_commissions_does_not_cut_them(database):
    market = make.market(1, levels=3)
    schedule(market, platform_bps=60, method_bps={"pix": 30})
    split, _ = split_of(lives.completed(market))
    assert [share["units"] for share in split] == [46_125, 27_675, 18_450]


@pytest.mark.parametrize("spread_bps", [0, 50])
def test_a_quote_shows_the_acceptors_spread_whatever_it_is(database, spread_bps):
    market = make.market(1)
    schedule(market, platform_bps=30, method_bps={"pix": 20}, spread_bps=spread_bps)
    view = quotes.quote(market.merchant, "deposit", "BRL", Money.parse("542.00", fiat("BRL")))
    assert [line.code for line in view.lines] == ["platform_fee", "method_fee", SPREAD]
    assert sum(line.amount.units for line in view.lines if line.part_of == "fee") == view.fee.units
    assert view.lines[-1].amount == Money(100_000_000, USDT) - view.usdt
    assert bool(view.lines[-1].amount) == bool(spread_bps)
    shown = shapes.quote(view)["lines"]
    assert [(each["code"], each["part_of"]) for each in shown] == [
        ("platform_fee", "fee"), ("method_fee", "fee"), (SPREAD, "rate"),
    ]  # fmt: skip
    with db.reading() as tx:
        stored = tx.call("select lines from quote where ref = %s", (view.ref,))
    assert quotes.read_lines(stored) == view.lines


def test_an_order_shows_the_lines_of_its_quote(database):
    market = make.market(1)
    schedule(market, platform_bps=30, method_bps={"pix": 20}, spread_bps=50)
    ref = lives.opened(market)
    beside = page.beside(market.merchant, queries.order(market.merchant, ref))
    assert [line.code for line in beside.lines] == ["platform_fee", "method_fee", SPREAD]
    assert beside.lines[-1].amount.units > 0


FINANCE = make.person("finance", Right.SEE_PRICING)


def plan_of_agents(*versions):
    """Give the agents' plan further versions, each (rates, tiers, effective_from)."""
    with db.transaction() as tx:
        plan = tx.call("select distinct plan_id from agent")
        for number, (rates, tiers, start) in enumerate(versions, 2):
            tx.run(
                "insert into plan_version"
                " (plan_id, version, terms, effective_from, created_at, requested_by, approved_by)"
                " values (%s, %s, %s, %s, '2026-01-01', 1, 2)",
                (plan, number, json.dumps({"rates": rates, "tiers": tiers}), start),
            )
        return tx.call("select code from plan where id = %s", (plan,))


def test_a_schedule_below_the_commissions_is_told_from_both_terms(database):
    make.market(1, levels=3)
    assert margins.below(FINANCE, {"platform_bps": 60}, 2) is None
    assert margins.below(FINANCE, {"platform_bps": 20}, 2) is None, "all that is paid is the root's 20 bps, not the sum"
    with db.reading() as tx:
        codes = {code for (code,) in tx.rows("select code from plan p where p.id in (select plan_id from agent)")}
    found = margins.below(FINANCE, {"platform_bps": 60, "tiers": [[10**12, 30], [2 * 10**12, 19]]}, 2)
    assert found.plan in codes
    assert found == margins.Below(19, Money(2 * 10**12, USDT), found.plan, 1, 20)


def test_a_plan_s_tiers_and_what_comes_of_it_count_and_what_was_before_does_not(database):
    make.market(1, levels=1)
    code = plan_of_agents(
        ({"deposit": 5}, {"deposit": [[10**9, 12]], "acceptor_volume": [[10**9, 90]]}, "2026-01-02"),
        ({"deposit": 5}, {"deposit": [[10**9, 25]]}, "2999-01-01"),
    )
    assert margins.below(FINANCE, {"platform_bps": 24}, 2) == margins.Below(24, Money(0, USDT), code, 3, 25)
    assert margins.below(FINANCE, {"platform_bps": 25}, 2) is None
    with db.transaction() as tx:
        tx.run(
            "update plan_version set withdrawn_at = clock_timestamp(), withdrawn_by = 2, withdrawn_why = 'no more'"
            " where version = 3"
        )
    assert margins.below(FINANCE, {"platform_bps": 12}, 2) is None
    assert margins.below(FINANCE, {"platform_bps": 11}, 2).version == 2


def test_who_may_not_see_prices_is_not_told(database):
    with pytest.raises(Forbidden):
        margins.below(make.person("compliance"), {"platform_bps": 60}, 2)
