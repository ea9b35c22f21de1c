"""Alerts alike: a crowd of one rule at one acceptor is dismissed together, one in ten is judged again."""

from __future__ import annotations

import pytest

from core.compliance import alerts, alike, turns
from core.errors import BadInput, Conflict, Forbidden, NotFound, WrongState
from tests import make
from tests.core import review

WHY = "its program reads the bank's notices and confirms at once"
ANN, BOB = review.officer("ann"), review.officer("bob")


@pytest.fixture
def market(database):
    return make.market(1, reserve="1000000", open_limit=1000)


def quick(market, **more):
    """An order whose acceptor confirmed within seconds; returns the ref of the alert."""
    ref = review.claimed(market, customer=f"c-{next(make.numbers)}", **more)
    review.confirm(market, ref, "250.00", seconds=5)
    ((alert, gate, rule, verdict, state),) = review.alerts(ref)
    assert (gate, rule, verdict, state) == ("G3", "M_CONFIRM", "allow", "open")
    return alert


def standing(refs):
    return dict(review.rows("select ref, state from alert where ref = any (%s)", refs))


def refused(kind, refs, actor=ANN, disposition="explained", narrative=WHY):
    before = review.everything()
    with pytest.raises(kind):
        alike.dismiss(actor, refs, disposition, narrative)
    assert review.everything() == before


def test_a_crowd_of_alerts_alike_is_dismissed_with_one_reason_and_a_sample_is_judged_again(market):
    refs = [quick(market) for _ in range(12)]
    ((rule, acceptor, number, oldest),) = alike.crowds(ANN)
    assert (rule, acceptor, number, oldest) == ("M_CONFIRM", market.acceptors[0].code, 12, refs[0])
    found = alike.of(ANN, refs[5])
    assert (found.number, [each.ref for each in found.rows]) == (12, refs)
    done = alike.dismiss(ANN, refs, "explained", WHY)
    assert (len(done.closed), len(done.sampled)) == (10, 2)
    assert standing(refs) == dict.fromkeys(done.closed, "closed") | dict.fromkeys(done.sampled, "pending_second")
    trail = review.rows(
        "select subject, reason, (details ->> 'together')::int from audit"
        " where action = 'alert.close' and actor = 'ann'"
    )
    assert sorted(trail) == sorted((ref, WHY, 12) for ref in done.closed)
    told = review.rows("select subject from outbox where topic = 'alert.closed'")
    assert sorted(told) == sorted((ref,) for ref in done.closed)
    orders = "select count(*) from orders where state = 'completed' and risk_state = %s"
    assert (review.one(orders, "clear"), review.one(orders, "flagged")) == (10, 2)
    with pytest.raises(Forbidden):
        alerts.second(ANN, done.sampled[0], True, "my own")
    assert turns.next_alert(ANN) is None
    assert turns.next_alert(BOB) in done.sampled
    alerts.second(BOB, done.sampled[0], True, "it is its program")
    alerts.second(BOB, done.sampled[1], False, "this one had no notice")
    assert standing(list(done.sampled)) == {done.sampled[0]: "closed", done.sampled[1]: "open"}
    assert alike.crowds(ANN) == []
    assert review.breaks() == []


def test_only_what_is_alike_and_stopped_nothing_is_dismissed_together(market):
    first, second = quick(market), quick(market)
    there = make.acceptor(market.pool_ref)
    with_two = market._replace(acceptors=[*market.acceptors, there])
    make.acceptors.set_online(market.acceptors[0].actor, market.acceptors[0].ref, online=False)
    elsewhere = quick(with_two)
    make.acceptors.set_online(market.acceptors[0].actor, market.acceptors[0].ref, online=True)
    stopped = review.alert(review.held(with_two, customer="c-held"))
    for others in ([elsewhere], [stopped]):
        refused(WrongState, [first, second, *others])
    refused(NotFound, [first, "alr_0000000000000000"])
    for refs in ([], [first], [first, first], [first] * 60):
        refused(BadInput, refs)
    refused(BadInput, [first, second], disposition="whatever")
    refused(BadInput, [first, second], narrative="short")
    refused(Forbidden, [first, second], actor=make.person("auditor"))
    alerts.take(BOB, second)
    refused(Conflict, [first, second])
    assert alike.of(ANN, first).number == 1
    alerts.put_back(BOB, second)
    alike.dismiss(ANN, [first, second], "explained", WHY)
    refused(WrongState, [first, second])
