"""Charts are pure functions, kept as golden JSON; GOLDEN=write writes them anew."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from dashboards import figures
from dashboards.figures import Bar, Part
from dashboards.theme import INK_3, TONES

GOLDEN = Path(__file__).parent / "golden"
DAYS = ["2026-11-18", "2026-11-19", "2026-11-20"]
SHORT = ["18 Nov", "19 Nov", "20 Nov"]


def stacked():
    parts = [
        Part("False positive", TONES["ok"], [4, 0, 7], ["4", "0", "7"], ["/alerts/list/?a", "/alerts/list/?b", ""]),
        Part("Confirmed", TONES["warn"], [1, 2, 3], ["1", "2", "3"]),
    ]
    return figures.stacked(DAYS, SHORT, parts, unit="alerts")


def amounts():
    values = [Decimal("10.500000"), Decimal(0), Decimal("1234567.890001")]
    return figures.stacked(
        DAYS, SHORT, [Part("BRL", TONES["ok"], values, ["10.50", "0.00", "1,234,567.89"])], unit="USDT"
    )


def stacked_with_mean():
    bars = [Part("Completed", TONES["ok"], [4, 0, 7], ["4", "0", "7"], ["/orders/list/?a", "", ""])]
    mean = Part("7-day mean", INK_3, [None, 2, Decimal("3.5")], ["", "2", "3.50"])
    return figures.stacked(DAYS, SHORT, bars, unit="orders", mean=mean)


def ranked():
    long = "a-merchant-with-a-very-long-code"
    return figures.ranked(
        [Bar("shop-01", 12, "12", "/orders/list/?x"), Bar(long, 3, "3", "", TONES["bad"])], unit="orders"
    )


def heat():
    return figures.heat(["00", "01", "02"], ["Mon", "Tue"], [[0, 1, 2], [3, 4, 5]], name="orders")


def funnel():
    return figures.funnel([Bar("Opened", 10, "10 · 100.0 %"), Bar("Completed", 9, "9 · 90.0 %", "/orders/list/?y")])


def run_rate():
    actual = Part("Earned", TONES["ok"], [1, 3], ["1", "3"])
    return figures.run_rate(
        DAYS, SHORT, actual, Part("At this pace", TONES["warn"], [None, 3, 5], ["", "3", "5"]), unit="USDT"
    )


DRAWN = {each.__name__: each for each in (stacked, stacked_with_mean, amounts, ranked, heat, funnel, run_rate)}


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_drawn_as_it_was(name):
    drawn = json.dumps(json.loads(DRAWN[name]().to_json()), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(drawn)
    assert drawn == path.read_text()


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_names_the_themes_colours_and_no_others(name):
    marks = json.dumps(json.loads(DRAWN[name]().to_json())["data"])
    assert "var(--" in marks
    assert "#" not in marks
    assert "rgb" not in marks


def test_long_names_are_cut_on_the_axis_and_whole_in_the_mark():
    figure = ranked()
    assert figure.layout.yaxis.ticktext[1] == "a-merchant-with-a-ver…"
    assert figure.data[0].y[1] == "a-merchant-with-a-very-long-code"
