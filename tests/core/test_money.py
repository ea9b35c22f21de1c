"""Money and rates: exact integer units, read without guessing, divided without loss."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadAmount, BadInput
from core.money import LIMIT, RATE_SCALE, USDT, Asset, Money, Rate, asset, divide, fiat

BRL, VND, KWD = fiat("BRL"), fiat("VND"), fiat("KWD")
units = st.integers(-LIMIT + 1, LIMIT - 1)
positive = st.integers(1, LIMIT - 1)
assets = st.sampled_from([USDT, BRL, VND, KWD])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NaN", "finite"),
        ("-nan", "finite"),
        ("Infinity", "finite"),
        ("-Inf", "finite"),
        ("1e400", "exponents"),
        ("1E5", "exponents"),
        ("-0", "negative"),
        ("-5.00", "negative"),
        ("\u22125", "negative"),
        ("+5", "sign"),
        ("1_000", "underscores"),
        ("\uff11\uff12", "only digits 0-9"),
        ("\u0663", "only digits 0-9"),
        ("1,5", "commas"),
        ("1,000.00", "commas"),
        (" 5", "space"),
        ("5\n", "space"),
        ("1 000", "space"),
        ("\u00a05", "space"),
        ("", "empty"),
        (".5", "both sides"),
        ("5.", "both sides"),
        ("1.2.3", "only digits"),
        ("007", "zeros"),
        ("00.5", "zeros"),
        ("0x10", "only digits"),
        ("5 USDT", "space"),
        ("5\x00", "only digits"),
        ("\u202e5", "only digits"),
        ("\u200b5", "only digits"),
        ("9" * 41, "longer than 40"),
        ("1" * 1_000_000, "longer than 40"),
        ("0.0000001", "has more than 6 decimals for USDT"),
        ("1.0000000", "has more than 6 decimals for USDT"),
        ("0", "not above zero"),
        ("0.000000", "not above zero"),
        ("1000000000", "above the limit"),
        (str(2**63), "above the limit"),
        ("9" * 19, "above the limit"),
    ],
)
def test_a_strange_amount_is_refused_with_the_reason(text, words):
    with pytest.raises(BadAmount) as refused:
        Money.parse(text, USDT)
    assert words in refused.value.detail
    assert refused.value.code == "bad_amount"
    assert len(refused.value.detail) < 200
    assert refused.value.detail.isprintable()


@pytest.mark.parametrize("value", [5, 5.0, None, True, b"5", ["5"], {"amount": "5"}])
def test_an_amount_is_text_and_nothing_else(value):
    with pytest.raises(BadAmount, match="must be text"):
        Money.parse(value, USDT)


def test_decimals_follow_the_currency():
    assert Money.parse("250.00", BRL).units == 25_000
    assert Money.parse("250", VND).text() == "250"
    assert Money.parse("0.001", KWD).units == 1
    with pytest.raises(BadAmount, match="more than 0 decimals for VND"):
        Money.parse("250.0", VND)
    with pytest.raises(BadAmount, match="more than 2 decimals for BRL"):
        Money.parse("0.005", BRL)


def test_zero_is_read_only_where_it_is_meant():
    assert Money.parse("0.00", BRL, allow_zero=True) == Money(0, BRL)
    with pytest.raises(BadAmount):
        Money.parse("-0", BRL, allow_zero=True)


@given(positive, assets)
def test_what_is_written_is_read_back(size, of):
    money = Money(size, of)
    assert Money.parse(money.text(), of) == money


@given(st.text(max_size=60))
def test_no_text_at_all_makes_the_reader_fail_in_another_way(text):
    try:
        money = Money.parse(text, USDT)
    except BadAmount:
        return
    assert 0 < money.units < LIMIT


@given(units, units)
def test_adding_and_taking_away_undo_each_other(first, second):
    assert Money(first, USDT) + Money(second, USDT) - Money(second, USDT) == Money(first, USDT)
    assert Money(first, USDT) + -Money(first, USDT) == Money(0, USDT)
    assert (Money(first, USDT) < Money(second, USDT)) == (first < second)
    assert (Money(first, USDT) >= Money(second, USDT)) == (first >= second)


def test_two_assets_never_mix():
    for act in (
        lambda: Money(1, USDT) + Money(1, BRL),
        lambda: Money(1, USDT) - Money(1, BRL),
        lambda: Money(1, USDT) < Money(1, BRL),
        lambda: Money(1, USDT) >= Money(1, BRL),
        lambda: Rate(RATE_SCALE, BRL).usdt_for(Money(1, VND)),
        lambda: Rate(RATE_SCALE, BRL).fiat_for(Money(1, BRL)),
    ):
        with pytest.raises(TypeError):
            act()
    assert Money(1, USDT) != Money(1, BRL)


def test_units_are_whole_numbers():
    for wrong in (1.0, True, "1", None):
        with pytest.raises(TypeError):
            Money(wrong, USDT)
    for wrong in (0, -1, 1.5):
        with pytest.raises(TypeError):
            Rate(wrong, BRL)


def test_amounts_are_shown_with_all_their_decimals():
    assert Money(485_000, BRL).show() == "4,850.00 BRL"
    assert Money(-5, USDT).show() == "-0.000005 USDT"
    assert Money(25_400_000, VND).show() == "25,400,000 VND"
    assert str(Money(25_000, BRL)) == "250.00 BRL"


@pytest.mark.parametrize(
    ("size", "bps", "rounding", "share"),
    [
        (10_000, 30, "down", 30),
        (10_001, 30, "down", 30),
        (10_001, 30, "up", 31),
        (5_000, 1, "half_even", 0),
        (15_000, 1, "half_even", 2),
        (5_001, 1, "half_even", 1),
        (-10_001, 30, "down", -30),
        (-10_001, 30, "up", -31),
        (10_001, -30, "up", -31),
    ],
)
def test_a_share_is_rounded_as_said(size, bps, rounding, share):
    assert Money(size, USDT).share_bps(bps, rounding=rounding) == Money(share, USDT)


@given(units, st.integers(0, 10_000))
def test_a_reversed_share_is_the_exact_opposite(size, bps):
    for rounding in ("down", "half_even", "up"):
        share = Money(size, USDT).share_bps(bps, rounding=rounding)
        assert (-Money(size, USDT)).share_bps(bps, rounding=rounding) == -share
        assert abs(Fraction(size * bps, 10_000) - share.units) < 1


@given(units, st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_parts_sum_to_the_whole_and_none_is_off_by_a_unit(size, weights):
    parts = Money(size, USDT).allocate(weights)
    assert sum(part.units for part in parts) == size
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.units - Fraction(size * weight, sum(weights))) < 1
        assert weight or not part


def test_the_odd_unit_goes_to_the_largest_remainder_then_to_the_first():
    assert [part.units for part in Money(100, USDT).allocate([1, 1, 1])] == [34, 33, 33]
    assert [part.units for part in Money(10, USDT).allocate([1, 6, 8])] == [1, 4, 5]
    for weights in ([], [0, 0], [3, -1]):
        with pytest.raises(BadInput):
            Money(100, USDT).allocate(weights)


def test_a_rate_is_the_price_of_one_usdt():
    rate = Rate.parse("5.42", BRL)
    assert rate.units == 542_000_000
    assert rate.usdt_for(Money(25_000, BRL)) == Money(46_125_461, USDT)
    assert rate.fiat_for(Money(46_125_461, USDT)) == Money(25_000, BRL)
    assert Rate.parse("25400", VND).usdt_for(Money(2_540_000, VND)).show() == "100.000000 USDT"
    assert [Rate.parse(text, of).text() for text, of in [("5.42", BRL), ("5.4", BRL), ("25400", VND)]] == [
        "5.42",
        "5.40",
        "25400",
    ]
    assert str(rate) == "1 USDT = 5.42 BRL"
    assert rate.dearer(100).text() == "5.4742"


@pytest.mark.parametrize("text", ["0", "-5", "5.123456789", "NaN", "10000000", "5,4"])
def test_a_strange_rate_is_refused(text):
    with pytest.raises(BadAmount):
        Rate.parse(text, BRL)


@given(st.integers(1, 10**11), st.integers(RATE_SCALE // 100, 10**14), st.sampled_from([BRL, VND, KWD]))
def test_rounding_never_gives_away_a_unit(size, price, currency):
    rate, paid = Rate(price, currency), Money(size, currency)
    try:
        usdt = rate.usdt_for(paid)
    except BadAmount:
        return
    assert Fraction(usdt.units, 10**6) * Fraction(price, RATE_SCALE) <= Fraction(size, 10**currency.decimals)
    assert rate.fiat_for(usdt) <= paid


def test_a_conversion_past_the_limit_is_refused():
    with pytest.raises(BadAmount, match="above the limit"):
        Rate(1, BRL).usdt_for(Money(LIMIT - 1, BRL))
    with pytest.raises(BadAmount, match="above the limit"):
        Rate(LIMIT - 1, VND).fiat_for(Money(LIMIT - 1, USDT))


def test_currencies_are_those_of_iso_4217():
    assert fiat("BRL") == Asset("BRL", 2)
    assert [fiat(code).decimals for code in ("JPY", "VND", "KWD", "CNY", "NGN", "CLF")] == [0, 0, 3, 2, 2, 4]
    assert asset("USDT") is USDT
    assert asset("EUR") == fiat("EUR")


@pytest.mark.parametrize("code", ["", "brl", "BR", "BRLX", "ZZZ", "XXX", "XAU", "USDT", "ＢＲＬ", None, 5, "B\x00L"])
def test_an_unknown_currency_is_refused(code):
    with pytest.raises(BadInput) as refused:
        fiat(code)
    assert refused.value.code == "bad_input"
    assert refused.value.detail.isprintable()


def test_whole_numbers_are_divided_as_said():
    assert [divide(7, 2, how) for how in ("down", "half_even", "up")] == [3, 4, 4]
    assert [divide(5, 2, how) for how in ("down", "half_even", "up")] == [2, 2, 3]
    assert all(type(divide(7, 2, how)) is int for how in ("down", "half_even", "up"))
