"""Quotes: a price frozen with all its lines, only for those who may, only from a fresh rate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core import clock, db
from core.actor import Right, system
from core.errors import BadAmount, BadInput, Barred, Conflict, Forbidden, Frozen, NotFound, Unavailable
from core.money import USDT, Money, Rate, fiat
from core.parties import merchants, pools, standing
from core.pricing import quotes, rates, schedules
from core.settings import settings as in_force
from tests import make

BRL = fiat("BRL")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def stored():
    with db.reading() as tx:
        return tx.call("select count(*) from quote")


def is_stored(view):
    """Whether the quote's row says what was shown."""
    with db.reading() as tx:
        *row, lines = tx.rows(
            "select p.ref, l.ref, q.kind, q.currency, q.fiat_units, q.usdt_units, q.fee_units, q.rate_price,"
            " q.created_at, q.expires_at, q.lines from quote q join party p on p.id = q.merchant_id"
            " join pool l on l.id = q.pool_id where q.ref = %s",
            (view.ref,),
        )[0]
    units = (view.fiat.units, view.usdt.units, view.fee.units, view.rate.units)
    shown = [view.merchant_ref, view.pool_ref, view.kind, view.currency, *units, view.created_at, view.expires_at]
    return row == shown and quotes.read_lines(lines) == view.lines


def ask(market, amount="250.00", **named):
    return quotes.quote(market.merchant, "deposit", market.currency, Money.parse(amount, BRL), **named)


def test_a_quote_shows_every_line_and_stores_what_it_shows(database):
    market = make.market(1)
    view = ask(market)
    assert view.ref.startswith("quo_")
    assert view.usdt == Money(46_125_461, USDT)  # 250.00 / 5.42, rounded down
    assert view.fee == Money(276_753, USDT)  # 60 bps
    assert view.net == view.usdt - view.fee
    assert sum(line.amount.units for line in view.lines) == view.fee.units
    assert (view.pool_ref, view.method, view.currency) == (market.pool_ref, "pix", "BRL")
    assert is_stored(view)


def test_a_quote_lives_as_long_as_its_pool_says(database):
    with clock.at(NOON):
        view = ask(make.market(1, quote_seconds=120))
    assert view.expires_at - view.created_at == timedelta(seconds=120)
    assert view.created_at == NOON


def test_who_sees_all_rows_names_the_merchant(database):
    market, other = make.market(1), make.market(0)
    amount = Money.parse("250.00", BRL)
    view = quotes.quote(system(), "deposit", "BRL", amount, merchant_ref=market.merchant_ref)
    assert view.merchant_ref == market.merchant_ref
    with pytest.raises(BadInput):
        quotes.quote(system(), "deposit", "BRL", amount)
    with pytest.raises(NotFound):
        quotes.quote(other.merchant, "deposit", "BRL", amount, merchant_ref=market.merchant_ref)


def test_what_is_not_offered_is_refused_and_nothing_is_stored(database):
    market = make.market(1)
    amount = Money.parse("250.00", BRL)
    for args, named, error in (
        (("withdrawal", "BRL", amount), {}, Conflict),
        (("gift", "BRL", amount), {}, Conflict),
        (("deposit", "EUR", Money.parse("250.00", fiat("EUR"))), {}, Conflict),
        (("deposit", "BRL", amount), {"method": "cash"}, Conflict),
        (("deposit", "XXX", amount), {}, BadInput),
        (("deposit", "EUR", amount), {}, BadAmount),
        (("deposit", "BRL", Money(0, BRL)), {}, BadAmount),
        (("deposit", "BRL", Money.parse("0.99", BRL)), {}, BadAmount),
        (("deposit", "BRL", Money.parse("1000000001", BRL)), {}, BadAmount),
    ):
        with pytest.raises(error):
            quotes.quote(market.merchant, *args, **named)
    with pytest.raises(Forbidden):
        quotes.quote(market.acceptors[0].actor, "deposit", "BRL", amount)
    assert stored() == 0


def test_the_limits_are_told(database):
    market = make.market(1)
    with pytest.raises(BadAmount) as refused:
        ask(market, "0.50")
    assert refused.value.facts["least"] == "1.00"


def test_the_limits_themselves_are_quoted_and_a_cent_beyond_is_not(database):
    market = make.market(1)
    assert [ask(market, amount).fiat.text() for amount in ("1.00", "1000000000.00")] == ["1.00", "1000000000.00"]
    for amount in ("0.99", "1000000000.01"):
        with pytest.raises(BadAmount):
            ask(market, amount)


def test_an_amount_that_its_fee_would_eat_is_refused(database):
    market = make.market(1)
    make.rate("BRL", "1000")
    with pytest.raises(BadAmount, match="fee"):
        ask(market, "50.00")
    assert stored() == 0


def test_suspended_and_barred_merchants_get_no_quote(database):
    market = make.market(1)
    standing.suspend(system(), market.merchant_ref, "papers")
    with pytest.raises(Frozen):
        ask(market)
    standing.bar(system(), market.merchant_ref, "forged papers")
    with pytest.raises(Barred):
        ask(market)


def test_a_merchant_is_quoted_only_in_open_pools_it_was_admitted_to(database):
    market = make.market(1)
    outsider = merchants.create(system(), "outsider", "Outsider", country="BR")
    with pytest.raises(Conflict):
        quotes.quote(make.merchant_actor(outsider), "deposit", "BRL", Money.parse("250", BRL))
    pools.pause(system(), market.pool_ref, "repairs")
    with pytest.raises(Conflict):
        ask(market)


def test_the_pool_whose_limits_hold_the_amount_is_taken(database):
    market = make.market(1)
    small = pools.create(
        system(), "small", "BRL", "pix", "lean", "least_loaded",
        min_fiat=Money(1, BRL), max_fiat=Money.parse("0.99", BRL),
    )  # fmt: skip
    pools.admit(system(), small, market.merchant_ref)
    make.rate("BRL", "0.01")
    assert ask(market, "0.90").pool_ref == small
    assert ask(market, "250.00").pool_ref == market.pool_ref


def test_no_price_is_made_from_an_old_rate(database):
    with clock.at(NOON):
        market = make.market(1)
    longest = timedelta(seconds=in_force().rate_max_age_seconds)
    with clock.at(NOON + longest - timedelta(seconds=1)):
        ask(market)
    with clock.at(NOON + longest), pytest.raises(Unavailable):
        ask(market)
    assert stored() == 1


def test_the_median_of_the_sources_latest_counts(database):
    def say(source, price, minute):
        with clock.at(NOON), db.transaction() as tx:
            rates.observe(tx, "BRL", Rate.parse(price, BRL), source, NOON - timedelta(minutes=minute))

    for source, price, minute in (("a", "9", 5), ("a", "5.40", 1), ("b", "5.42", 2), ("c", "5.90", 3)):
        say(source, price, minute)
    with clock.at(NOON), db.reading() as tx:
        assert rates.current(tx, BRL) == Rate.parse("5.42", BRL)


def test_rates_that_cannot_be_are_refused(database):
    rate = Rate.parse("5.42", BRL)
    for currency, source, at in (
        ("EUR", "a", None),
        (BRL, "", None),
        (BRL, "a", clock.now() + timedelta(hours=1)),
    ):
        with pytest.raises(BadInput), db.transaction() as tx:
            rates.observe(tx, currency, rate, source, at)


def test_a_busy_merchant_pays_less_and_old_quotes_keep_their_version(database):
    market = make.market(1)
    before = ask(market)
    with db.transaction() as tx:
        tx.run("update merchant set volume_30d_units = 100000000000")
    assert ask(market).lines[0].bps == 50
    with db.transaction() as tx:
        tx.run(
            "insert into fee_schedule (code, version, terms, effective_from, created_at)"
            " values ('standard', 2, '{\"platform_bps\": 30}', now() - interval '1 hour', now() - interval '2 hours')",
        )
        assert schedules.in_force(tx, "standard", clock.now()).schedule.version == 2
    assert ask(market).lines[0].bps == 30
    assert is_stored(before)
    with db.reading() as tx, pytest.raises(NotFound):
        schedules.in_force(tx, "no such schedule", clock.now())


def test_only_whoever_may_open_orders_asks_for_prices(database):
    market = make.market(1)
    reader = make.person("auditor", Right.SEE_ORDERS)
    with pytest.raises(Forbidden):
        quotes.quote(reader, "deposit", "BRL", Money.parse("250", BRL), merchant_ref=market.merchant_ref)
