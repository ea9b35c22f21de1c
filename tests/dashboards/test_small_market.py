"""A market small enough to be counted by hand: what every figure of the volume page says about it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import Babel

from core import clock
from core.actor import system
from core.db import reading, transaction
from core.orders import deadlines, deposit, rulings
from dashboards import asked, means
from dashboards.pages import BOARDS
from tests import make
from tests.core import lives

AFTER = lives.DAYS + timedelta(hours=6)
SEARCH = "?range=custom&from=2026-10-05&to=2026-10-05&tz=UTC"


@pytest.fixture(scope="module")
def small(module_database):
    """Seven orders on one day, each to its own end.

    Three are paid and released after 6, 6 and 12 minutes, one is paid and refunded, one is paid and still waits
    for its acceptor, one expires and one is cancelled before anybody pays.
    """
    with clock.at(lives.DAYS):
        market = make.market(2, levels=1)
        paid = [lives.claimed(market, amount) for amount in ("100.00", "200.00", "300.00")]
        back = lives.claimed(market, "50.00")
        lives.claimed(market, "80.00")
        unpaid = lives.opened(market, "60.00")
        gone = lives.opened(market, "70.00")
        deposit.cancel(market.merchant, gone, reason="changed their mind")
    for minutes, ref, amount in zip((6, 6, 12), paid, ("100.00", "200.00", "300.00"), strict=True):
        with clock.at(lives.DAYS + timedelta(minutes=minutes)):
            lives.confirm(market, ref, amount)
    with clock.at(lives.DAYS + timedelta(hours=2)):
        deadlines.expire(unpaid)
        with transaction() as tx:
            rulings.refund(tx, system(), back, reason="it never came")
    lives.rolled_up()
    return market


@pytest.fixture
def figure(small):
    """A function that draws one tile of the volume page, hours after."""
    app = Flask("small")
    Babel(app)

    def draw(name):
        tiles = (*BOARDS["volume"].numbers, *BOARDS["volume"].charts)
        return next(each for each in tiles if each.name == name).draw(system(), asked.read(SEARCH))

    with clock.at(AFTER), app.test_request_context():
        yield draw


def test_seven_orders_were_opened(figure):
    assert figure("opened").value == "7"


def test_a_paid_order_that_still_waits_is_no_failure(figure):
    found = figure("success")
    assert found.value == "75.0 %"
    assert "3 of 4 paid and ended" in found.foot
    assert "state=completed&state=refunded" in found.href


def test_conversion_counts_orders_that_ended_and_not_the_one_that_waits(figure):
    found = figure("conversion")
    assert found.value == "50.0 %"
    assert "3 of 6 ended" in found.foot
    assert "Orders still open are in neither" in means.of("volume", "conversion")


def test_the_mean_time_is_that_of_the_released(figure):
    assert figure("settle").value == "08:00"


def test_completed_usdt_is_that_of_the_three_released(figure):
    with reading() as tx:
        units = tx.rows("select usdt_units from orders where state = 'completed'")
    assert len(units) == 3
    total = sum(each for (each,) in units)
    assert figure("amounts").table.total[-1].value == str(Decimal(total).scaleb(-6))
    # 600 BRL at 5.42 BRL for 1 USDT, each order rounded for itself.
    assert abs(Decimal(total).scaleb(-6) - Decimal(600) / Decimal("5.42")) < Decimal("0.00001")


def test_orders_end_as_they_did(figure):
    ends = figure("orders").table
    named = dict(zip([head.label for head in ends.heads], [cell.value for cell in ends.total], strict=True))
    assert named == {"From": "Together", "Completed": "3", "Expired": "1", "Cancelled": "1", "Refunded": "1",
                     "Together": "6"}  # fmt: skip
    causes = {row[0].text: (row[1].value, row[2].text) for row in figure("failures").table.rows}
    assert causes == {"Expired": ("1", "33.3 %"), "Cancelled": ("1", "33.3 %"), "Refunded": ("1", "33.3 %")}


def test_each_step_of_the_path_has_as_many_orders_as_came_so_far(figure):
    steps = [(row[0].text, row[1].value) for row in figure("path").table.rows]
    assert steps == [("Opened", "7"), ("Matched", "7"), ("Paid", "5"), ("Completed", "3")]


def test_parties_and_hours_add_up_to_the_same(figure, small):
    for tile in ("merchants", "currencies", "pools"):
        (row,) = figure(tile).table.rows
        assert [cell.value for cell in row[1:3]] == ["7", "3"]
        assert row[3].text == "50.0 %"
    acceptors = figure("acceptors").table.rows
    assert {row[0].value for row in acceptors} <= {each.code for each in small.acceptors}
    assert sum(int(row[1].value) for row in acceptors) == 7
    monday = next(row for row in figure("week").table.rows if row[0].text == "Mon")
    assert [cell.value for cell in monday[1:]] == ["7" if hour == 8 else "0" for hour in range(24)]
