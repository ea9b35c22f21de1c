"""`desk rate`: where production's rates come from; told with a reason, guarded, and good for a while only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner

from core import clock
from core.db import reading
from core.errors import Refusal, Unavailable
from core.money import Money, fiat
from core.pricing import quotes, rates
from portal.commands.rate import command
from tests import make


def desk(*arguments: str, piped: str = "") -> str:
    done = CliRunner().invoke(command, list(arguments), input=piped)
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def now_costs(currency: str) -> str:
    with reading() as tx:
        return rates.current(tx, currency).text()


def test_a_rate_that_is_told_makes_quotes_until_it_is_too_old(database):
    market = make.market(1)
    with clock.at(clock.now() + timedelta(hours=1)):
        with pytest.raises(Unavailable):
            quotes.quote(market.merchant, "deposit", "BRL", Money.parse("250.00", fiat("BRL")))
        assert "1 USDT = 5.50 BRL" in desk("set", "BRL", "5.50", "--why", "the bank's board at noon")
        view = quotes.quote(market.merchant, "deposit", "BRL", Money.parse("250.00", fiat("BRL")))
        assert view.rate.text() == "5.50"
    with clock.at(clock.now() + timedelta(hours=2)), pytest.raises(Unavailable):
        quotes.quote(market.merchant, "deposit", "BRL", Money.parse("250.00", fiat("BRL")))


def test_each_telling_is_kept_and_audited_with_what_was_before(database):
    desk("set", "EUR", "0.92", "--why", "first")
    desk("set", "EUR", "0.93", "--why", "second", "--source", "otc")
    with reading() as tx:
        assert tx.rows("select price, source from rate where currency = 'EUR' order by id") == [
            (92_000_000, "manual"), (93_000_000, "otc"),
        ]  # fmt: skip
        told = tx.rows(
            "select reason, details ->> 'rate', details ->> 'before' from audit where action = 'rate.told' order by at"
        )
    assert told == [("first", "0.92", None), ("second", "0.93", "0.92")]


def test_a_slip_of_the_finger_is_refused_unless_it_is_meant(database):
    desk("set", "BRL", "5.42", "--why", "at noon")
    for slip in ("54.2", "0.542", "5.70"):
        with pytest.raises(Refusal, match="last known"):
            desk("set", "BRL", slip, "--why", "at noon")
    assert now_costs("BRL") == "5.42"
    desk("set", "BRL", "5.70", "--why", "a bad day", "--meant")
    assert now_costs("BRL") == "5.70"


def test_of_three_sources_one_liar_does_not_count(database):
    for source, price in (("a", "5.40"), ("b", "5.42"), ("c", "5.41")):
        desk("set", "BRL", price, "--why", "start", "--source", source)
    desk("set", "BRL", "9.99", "--why", "a liar", "--source", "c", "--meant")
    assert now_costs("BRL") == "5.42"


def test_a_feed_is_read_line_by_line_and_bad_lines_are_left_out(database):
    with pytest.raises(Refusal, match="2 rates were left out"):
        desk("read", piped="BRL 5.42 bank\n\nBRL 54.2 bank\nnonsense\nEUR 0.92 bank\n")
    assert (now_costs("BRL"), now_costs("EUR")) == ("5.42", "0.92")
    assert "2 rates taken, 0 left out" in desk("read", piped="BRL 5.43 bank\nEUR 0.92 bank\n")


@pytest.mark.parametrize(
    ("currency", "price", "source", "why"),
    [
        ("XXX", "5.42", "a", "as agreed"),
        ("USDT", "1", "a", "as agreed"),
        ("BRL", "0", "a", "as agreed"),
        ("BRL", "NaN", "a", "as agreed"),
        ("BRL", "5,42", "a", "as agreed"),
        ("BRL", "5.123456789", "a", "as agreed"),
        ("BRL", "5.42", "", "as agreed"),
        ("BRL", "5.42", "s" * 41, "as agreed"),
        ("BRL", "5.42", "a", ""),
    ],
)
def test_what_is_no_rate_is_refused(database, currency, price, source, why):
    with pytest.raises(Refusal):
        desk("set", currency, price, "--source", source, "--why", why)
    assert "no rate is known" in desk("list")


def test_the_list_says_what_counts(database):
    with clock.at(clock.now() - timedelta(hours=1)):
        desk("set", "EUR", "0.92", "--why", "early")
    desk("set", "BRL", "5.42", "--why", "as of now")
    shown = desk("list")
    assert "BRL  1 USDT = 5.42 BRL" in shown
    assert "EUR  none young enough: quotes are refused" in shown
    assert "too old" in shown
