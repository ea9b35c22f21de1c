"""The platform's margin bounds what agents earn, and a quote shows every line that its price follows from."""

from __future__ import annotations

import json

import pytest

from core import db
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
