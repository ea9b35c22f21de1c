"""The windows of the feature query: what lies in them to the second, and nothing that was not known yet."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core import clock, ids
from core.db import transaction
from core.orders import deadlines
from tests import make
from tests.core import lives, review

NOW = datetime.fromisoformat("2026-10-05T12:00:00+00:00")
"""When the order that is judged is opened."""
SECOND = timedelta(seconds=1)
WINDOWS = {
    "orders_10m": timedelta(minutes=10),
    "orders_1h": timedelta(hours=1),
    "orders_1d": timedelta(days=1),
    "orders_30d": timedelta(days=30),
    "prior_orders": timedelta(days=90),
}


@pytest.fixture(scope="module")
def market(module_database):
    """A market that all stories share; each has customers and accounts of its own."""
    return make.market(1, reserve="1000000", open_limit=1000)


def opened(market, at, amount="100.00", **more):
    with clock.at(at):
        return lives.opened(market, amount, **more)


def completed(market, at, customer):
    """An order whose acceptor confirms at that moment."""
    with clock.at(at - timedelta(minutes=5)):
        ref = lives.claimed(market, "100.00", customer=customer)
    with clock.at(at):
        assert lives.confirm(market, ref, "100.00") == "completed"
    return ref


def seen(ref, gate="G1"):
    """The figures a gate had of an order; those at their defaults are not among them."""
    return review.one(
        "select e.features from evaluation e join orders o on o.id = e.order_id where o.ref = %s and e.gate = %s",
        ref,
        gate,
    )


def test_each_window_ends_to_the_second(market):
    for span in WINDOWS.values():
        for back in (span, span - SECOND):
            opened(market, NOW - back, customer="to-the-second")
    features = seen(opened(market, NOW, customer="to-the-second"))
    # Of each window the earlier order is just outside, and inside the next longer one.
    assert {name: features.get(name, 0) for name in WINDOWS} == {
        "orders_10m": 1,
        "orders_1h": 3,
        "orders_1d": 5,
        "orders_30d": 7,
        "prior_orders": 9,
    }
    one = features["usdt_units"]
    assert (features["usdt_24h_units"], features["usdt_30d_units"]) == (5 * one, 7 * one)


def test_orders_that_ran_out_leave_the_window_of_a_day(market):
    late = timedelta(minutes=16)
    for back in (timedelta(days=1), timedelta(days=1) - SECOND):
        ref = opened(market, NOW - back - late, customer="ran-out")
        with clock.at(NOW - back):
            assert deadlines.expire(ref) == "expired"
    assert seen(opened(market, NOW, customer="ran-out"))["expired_unpaid_24h"] == 1


def test_an_account_is_shared_by_those_who_used_it_within_thirty_days(market):
    account = f"BR66{next(make.numbers):08d}"
    for name, back in (("gone", timedelta(days=30)), ("there", timedelta(days=30) - 2 * SECOND)):
        opened(market, NOW - back, customer=f"shared-{name}", account=account)
    features = seen(opened(market, NOW, customer="shared-now", account=account))
    assert features["payer_users_30d"] == 2, "the one of thirty days ago is gone, the one that is judged counts"
    assert features["payer_age_seconds"] == 30 * 86_400
    again = seen(opened(market, NOW + SECOND, customer="shared-now", account=account))
    assert again["payer_users_30d"] == 2, "and counts once"


def test_an_acceptors_record_is_that_of_thirty_days_as_known_then(market):
    for number, back in enumerate((timedelta(days=30), timedelta(days=30) - SECOND, timedelta(days=1))):
        completed(market, NOW - back, f"record-{number}")
    acceptor = market.acceptors[0].id
    with transaction() as tx:
        for happened, known in (
            (NOW - timedelta(days=30), NOW - SECOND),
            (NOW - timedelta(days=9), NOW - SECOND),
            (NOW - timedelta(days=9), NOW + SECOND),
        ):
            tx.run(
                "insert into risk_fact (kind, happened_at, known_at, order_ref, acceptor_id, usdt_units)"
                " values ('order_disputed', %s, %s, %s, %s, 1000000)",
                (happened, known, ids.new("ord"), acceptor),
            )
    features = seen(completed(market, NOW, "record-now"), "G3")
    assert (features["acceptor_confirmed_30d"], features["acceptor_disputed_30d"]) == (2, 1)


def test_what_happened_before_but_became_known_later_is_not_seen(market):
    first = opened(market, NOW - timedelta(days=2), customer="later")
    with transaction() as tx:
        number = tx.call("select customer_id from orders where ref = %s", (first,))
        for known in (NOW - SECOND, NOW + SECOND):
            tx.run(
                "insert into risk_fact (kind, happened_at, known_at, order_ref, customer_id, usdt_units)"
                " values ('order_opened', %s, %s, %s, %s, 1000000)",
                (NOW - timedelta(minutes=5), known, ids.new("ord"), number),
            )
    assert seen(opened(market, NOW, customer="later"))["orders_10m"] == 1
    assert seen(opened(market, NOW + 2 * SECOND, customer="later"))["orders_10m"] == 3


def test_an_acceptor_without_a_dispute_has_no_record(market):
    before = NOW - timedelta(days=40)
    for number in range(3):
        completed(market, before - timedelta(days=number + 1), f"plain-{number}")
    features = seen(completed(market, before, "plain-now"), "G3")
    assert not {"acceptor_confirmed_30d", "acceptor_disputed_30d"} & set(features)


def test_an_acceptors_record_is_its_last_fifty_of_all_kinds(market):
    acceptor = market.acceptors[0].id
    kinds = ["order_disputed", *["order_completed"] * 40, *["confirm_without_bank_line"] * 5, "order_disputed"]
    with transaction() as tx:
        # Newest first; of the last ten completed three count.
        for age, kind in enumerate([*kinds, *["order_completed"] * 10], start=1):
            tx.run(
                "insert into risk_fact (kind, happened_at, known_at, order_ref, acceptor_id, usdt_units)"
                " values (%s, %s, %s, %s, %s, 1000000)",
                (kind, NOW - age * SECOND, NOW - age * SECOND, ids.new("ord"), acceptor),
            )
    features = seen(completed(market, NOW, "fifty"), "G3")
    assert (features["acceptor_confirmed_30d"], features["acceptor_disputed_30d"]) == (43, 2)
