"""Amounts typed as the screens show them are read as they were meant; what has two meanings is the reader's own."""

from __future__ import annotations

import pytest
from flask_babel import force_locale

from core.errors import BadAmount
from core.money import USDT, fiat
from portal import typed


@pytest.fixture
def page(desk):
    with desk.app.test_request_context("/"):
        yield


@pytest.mark.parametrize(
    ("language", "text", "units"),
    [
        ("en", "1,000", 1_000_000_000), ("en", "1,234,567.5", 1_234_567_500_000), ("en", " 12.5 ", 12_500_000),
        ("en", "1.000", 1_000_000), ("es", "1.000", 1_000_000_000), ("es", "1.234.567,5", 1_234_567_500_000),
        ("es", "349,00", 349_000_000), ("es", "349.00", 349_000_000), ("zh", "1,000.25", 1_000_250_000),
    ],
)  # fmt: skip
def test_an_amount_is_read_in_the_readers_language(page, language, text, units):
    with force_locale(language):
        assert typed.money(text, USDT).units == units


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "349,00"), ("en", "1,00,000"), ("en", "1,0000"), ("es", "1.00.000"), ("es", "1,000,000"),
        ("en", "-1,000"),
        ("en", "١,٠٠٠"), ("en", "1 000 0"), ("en", ""), ("es", "0.001,5,5"),
    ],
)  # fmt: skip
def test_what_is_no_number_of_that_language_is_refused(page, language, text):
    with force_locale(language), pytest.raises(BadAmount):
        typed.money(text, USDT)


def test_the_currencys_decimals_still_bind(page):
    with force_locale("en"):
        assert typed.money("1,000,000", fiat("VND")).units == 1_000_000
        with pytest.raises(BadAmount):
            typed.money("1,000.5", fiat("VND"))
