"""Acceptors that were there and fell silent get no new orders until they are heard again; nobody else is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.db import Memory, transaction
from core.parties import acceptors, presence
from jobs import catalog, relay
from tests import make
from tests.core import lives, review

NOW = review.START


@pytest.fixture
def market(database):
    return make.market(2, levels=1, reserve="100000")


def at(seconds):
    return clock.at(NOW + timedelta(seconds=seconds))


def beat(acceptor, seconds, *, watch=True):
    with at(seconds):
        return presence.heard(acceptor.actor, watch=watch)


def hush(seconds):
    with at(seconds):
        return presence.hush()


def matched(market, seconds, customer):
    """The acceptor that a new order goes to, None while it waits."""
    with at(seconds):
        ref = lives.opened(market, "50.00", customer=customer)
    return review.one("select acceptor_id from orders where ref = %s", ref)


def matchable(acceptor):
    return review.one("select matchable from pool_account where id = %s", acceptor.pool_account)


def told(acceptor):
    return [row[0] for row in review.rows("select action from audit where subject = %s order by id", acceptor.ref)]


def test_whom_nobody_ever_heard_stays_as_it_said(market):
    assert hush(10 * 86_400) == 0
    assert all(map(matchable, market.acceptors))


def test_who_falls_silent_gets_no_new_order_and_is_back_at_the_next_sign(market):
    silent, other = market.acceptors
    beat(silent, 0)
    assert hush(600) == 0
    assert hush(601) == 1
    assert hush(601) == 0
    assert (matchable(silent), matchable(other)) == (False, True)
    assert {matched(market, 610, f"c-{n}") for n in range(4)} == {other.id}
    assert beat(silent, 620) == NOW
    assert matchable(silent)
    assert beat(silent, 640) is None
    assert told(silent)[-2:] == ["acceptor.silent", "acceptor.heard"]
    assert review.breaks(but=("I13", "I6")) == []  # the orders are left unpaid long ago


def test_a_silent_acceptor_keeps_its_open_orders(market):
    first = market.acceptors[0]
    acceptors.set_online(market.acceptors[1].actor, market.acceptors[1].ref, online=False)
    with at(0):
        ref = lives.claimed(market, "250.00")
    beat(first, 0)
    hush(700)
    assert not matchable(first)
    assert review.confirm(market, ref, "250.00") == "completed"


def test_an_order_that_waited_is_matched_when_somebody_is_heard_again(market):
    for acceptor in market.acceptors:
        beat(acceptor, 0)
    assert hush(700) == 2
    assert matched(market, 701, "c-1") is None
    beat(market.acceptors[0], 710)
    asked = set()
    lives.settle(
        lambda: relay.carry(lambda *job: asked.add(job[0])).rows,
        "select exists (select 1 from outbox where xid >= (select done_to from watermark where name = 'relay'))",
    )
    assert "orders.match" in asked
    with at(711):
        catalog.run("orders.match")
    assert review.rows("select state, acceptor_id from orders") == [("awaiting_payment", market.acceptors[0].id)]


def test_a_program_that_only_confirms_is_not_expected_to_call_again(market):
    api = market.acceptors[0]
    beat(api, 0, watch=False)
    assert hush(86_400) == 0
    beat(api, 86_400)
    beat(api, 87_000, watch=False)
    assert hush(87_500) == 0
    assert hush(87_601) == 1
    beat(api, 87_700, watch=False)
    assert matchable(api)


def test_going_online_anew_ends_the_silence_and_the_watch(market):
    acceptor = market.acceptors[0]
    beat(acceptor, 0)
    hush(700)
    with at(800):
        acceptors.set_online(acceptor.actor, acceptor.ref, online=True)
    assert matchable(acceptor)
    assert hush(90_000) == 0


def test_who_went_offline_is_not_called_silent(market):
    acceptor = market.acceptors[0]
    beat(acceptor, 0)
    with at(10):
        acceptors.set_online(acceptor.actor, acceptor.ref, online=False)
    assert hush(700) == 0
    assert told(acceptor)[-1] == "acceptor.offline"


def test_the_strictest_pool_says_how_long_one_may_be_silent(market):
    with transaction() as tx:
        tx.run("update pool set silent_seconds = 120 where ref = %s", (market.pool_ref,))
    beat(market.acceptors[0], 0)
    assert hush(120) == 0
    with at(121):
        catalog.run("acceptors.hush")
    assert not matchable(market.acceptors[0])


def test_a_sign_of_life_is_written_at_most_every_fifteen_seconds(market):
    acceptor = market.acceptors[0]
    for seconds in (0, 3, 14, 15, 18):
        beat(acceptor, seconds)
    seen = review.one(
        "select extract(epoch from beat_at - %s)::int from acceptor where party_id = %s", NOW, acceptor.id
    )
    assert seen == 15


def test_a_process_remembers_no_more_signs_of_life_than_it_may(market, monkeypatch):
    monkeypatch.setattr(presence, "_written", Memory(1))
    first, second = market.acceptors
    for seconds in (0, 1, 2, 3):
        beat(first if seconds % 2 == 0 else second, seconds)
        assert len(presence._written) == 1
    seen = review.rows("select extract(epoch from beat_at - %s)::int from acceptor order by party_id", NOW)
    assert seen == [(2,), (3,)], "whom it has forgotten it writes down again"
