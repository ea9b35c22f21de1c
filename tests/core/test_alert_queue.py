"""The officers' queue: what comes first, who has it, what an alert's page shows and to whom."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from core import clock
from core.actor import Actor, Right, Scope
from core.compliance import alerts, queries, turns
from core.compliance.choices import CLEARED
from core.db import reading
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.orders import deadlines, deposit, overdue
from core.orders import queries as orders
from tests import make
from tests.core import lives, review

WHY = "the bank's letter explains the other name"
ANN, BOB = review.officer("ann"), review.officer("bob")


@pytest.fixture(scope="module")
def market(module_database):
    """A market whose orders end at compliance; each test has a customer of its own."""
    return make.market(3, levels=2, reserve="1000000", open_limit=1000)


def who():
    return {"customer": f"c-{next(make.numbers)}"}


def test_an_officer_keeps_what_it_took_for_a_quarter_of_an_hour(market):
    ref = review.stopped(market, **who())
    alert = review.alert(ref)
    until = alerts.take(ANN, alert)
    assert timedelta(minutes=14) < until - clock.now() <= timedelta(minutes=15)
    for step in (
        lambda: alerts.take(BOB, alert),
        lambda: alerts.decide(BOB, alert, "release", "explained", WHY),
        lambda: alerts.put_back(BOB, alert),
    ):
        with pytest.raises(Conflict, match="ann works on this") as refused:
            step()
        assert refused.value.facts["locked_by"] == "ann"
    with clock.at(until + timedelta(seconds=1)):
        alerts.take(BOB, alert)
        alerts.put_back(BOB, alert)
    alerts.decide(ANN, alert, "release", "explained", WHY)


def test_officers_who_ask_for_the_next_at_once_get_one_each(market):
    for alert in queries.queue(ANN, limit=500):
        if alert.state == "open" and alert.gate == "G3" and alert.verdict == "review":
            alerts.decide(ANN, alert.ref, "release", "explained", WHY)
    refs = {review.alert(review.stopped(market, **who())) for _ in range(4)}
    crowd = [review.officer() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(turns.next_alert, crowd))
    found = [ref for ref in got if ref]
    assert len(found) == len(set(found))
    orders = [queries.alert(ANN, ref).row.order_ref for ref in found]
    assert len(orders) == len(set(orders)), "one order's alerts go to one officer"
    assert refs & set(found)
    for actor, ref in zip(crowd, got, strict=True):
        if ref:
            alerts.put_back(actor, ref)


def locked(ref):
    return review.one("select locked_by from alert where ref = %s and locked_until > %s", ref, clock.now())


def test_what_is_handed_out_is_kept_while_its_page_is_open_and_goes_back_with_it(module_database):
    market = make.market(2, reserve="100000")
    for _ in range(3):
        review.held(market, "9000.00", **who())
    cid, dan = review.officer("cid"), review.officer("dan")
    with clock.at(clock.now() + timedelta(hours=1)) as _:
        first = turns.next_alert(cid)
        assert locked(first) == "cid"
        assert turns.keep(cid, first)
        assert not turns.keep(dan, first)
        second = turns.next_alert(cid, passed=[first])
        assert second != first
        assert (locked(first), locked(second)) == (None, "cid"), "asking for another gives the last one back"
        third = turns.next_alert(cid, passed=[first, second])
        assert third not in {first, second}, "what was passed over comes last"
        assert turns.next_alert(cid, passed=[first, second, third]) not in {second, third}
        mine = turns.next_alert(cid, passed=[first, second])
        assert not turns.leave(dan, mine)
        assert turns.leave(cid, mine)
        assert locked(mine) is None
        assert not turns.leave(cid, mine)
        taken = turns.next_alert(cid)
        alerts.take(cid, taken)
        assert not turns.leave(cid, taken), "what is taken stays when its page is left"
        other = turns.next_alert(cid)
        assert locked(taken) == "cid"
        assert turns.offered(cid) == taken, "what one has taken is offered first"
        assert turns.offered(dan) not in {taken, other}
        assert locked(turns.offered(dan)) is None, "what is offered is nobody's yet"
        alerts.put_back(cid, taken)
    with clock.at(clock.now() + timedelta(hours=1, minutes=3)):
        assert locked(other) is None, "a page that gives no sign keeps nobody out"
    actions = review.rows(
        "select action from audit where actor = 'cid' and action in ('alert.take', 'alert.put_back')"
        " order by booked_at, id"
    )
    assert [row[0] for row in actions][:4] == ["alert.take", "alert.put_back", "alert.take", "alert.put_back"]


def test_what_was_turned_down_is_nobodys(module_database):
    market = make.market(1, reserve="100000")
    ref = review.held(market, **who())
    alert = review.alert(ref)
    alerts.decide(ANN, alert, "release", "explained", WHY)
    alerts.take(BOB, alert)
    alerts.second(BOB, alert, False, "look again")
    assert locked(alert) is None


def test_the_next_is_the_riskiest_largest_and_oldest(module_database):
    market = make.market(2, reserve="100000")
    small = review.stopped(market, "100.00", **who())
    large = review.stopped(market, "4000.00", **who())
    heavy = review.held(market, "4000.00", **who())
    mine = queries.queue(ANN, merchant=market.merchant_code)
    assert [row.order_ref for row in mine] == [heavy, large, small]
    assert [row.order_ref for row in queries.queue(ANN, merchant=market.merchant_code, held=True)] == [heavy]


def test_held_money_is_handed_out_before_what_waits_and_that_before_what_is_over(module_database):
    market = make.market(2, reserve="200000")
    # What was confirmed too quickly was paid out all the same; its alert stays to be looked over.
    over = review.claimed(market, "10000.00", **who())
    assert review.confirm(market, over, "10000.00", seconds=3) == "completed"
    waits, money = review.stopped(market, "100.00", **who()), review.held(market, "50.00", **who())
    with clock.at(clock.now() + timedelta(days=30)):
        mine = [row.order_ref for row in queries.queue(ANN, merchant=market.merchant_code, limit=500)]
        assert list(dict.fromkeys(mine)) == [money, waits, over], "late and large, but nobody waits for it"
        others = [row.ref for row in queries.queue(ANN, limit=500) if row.merchant != market.merchant_code]
        got = []
        for _ in range(3):
            got.append(turns.next_alert(review.officer("eve"), passed=[*others, *got]))
        assert [queries.alert(ANN, ref).row.order_ref for ref in got] == [money, waits, over]


def test_the_page_of_an_alert_says_all_there_is_and_no_names(market):
    customer = who()
    before = lives.completed(market, **customer)
    ref = review.held(market, **customer)
    page = queries.alert(ANN, review.alert(ref))
    assert page.row.order_ref == ref
    assert page.possible == ("release", "refuse")
    assert page.reasons[0]["value"] == "60"
    assert page.reasons[0]["threshold"] == "750"
    assert page.reasons[0]["text_key"] == "NAME_MISMATCH.hard"
    assert "text" not in page.reasons[0]
    assert page.features["payer_name"] == "X••• W•••"
    assert "Wang" not in repr(page)
    assert page.held.units == page.row.usdt.units
    assert [row.ref for row in page.same_customer.last] == [before]
    assert page.history[0].action == "order.stop"
    alerts.decide(ANN, page.row.ref, "release", "explained", WHY)
    assert queries.alert(ANN, page.row.ref).may_second is False
    waiting = queries.alert(BOB, page.row.ref)
    assert waiting.may_second
    assert waiting.second.requested_by == "ann"


def test_an_alert_shows_who_else_paid_from_the_account(market):
    account = f"BR31{next(make.numbers):08d}"
    others = []
    for _ in range(2):
        other = lives.opened(market, **who())
        deposit.claim_paid(market.merchant, other, payer_name="Joao Silva", payer_account=account)
        others.append(other)
    ref = lives.opened(market, **who())
    deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account=account)
    review.confirm(market, ref, "250.00")
    page = queries.alert(ANN, review.alert(ref))
    assert (page.same_payer.orders, page.same_payer.customers) == (2, 2)
    assert {row.ref for row in page.same_payer.last} == set(others)


def test_the_figures_tie_to_the_ledger(market):
    alerts.decide(ANN, review.alert(review.held(market, **who())), "release", "explained", WHY)
    alerts.decide(ANN, review.alert(review.stopped(market, **who())), "release", "false_positive", WHY)
    figures = queries.counts(ANN)
    assert figures.held == figures.ledger_held
    assert figures.held.units > 0
    assert figures.waiting >= figures.second > 0
    with clock.at(clock.now() + timedelta(seconds=1)), reading() as tx:  # whatever other tests have closed
        closed = tx.rows("select disposition from alert where state = 'closed'")
    cleared = sum(one in CLEARED for (one,) in closed)
    assert figures.cleared_bps == cleared * 10_000 // len(closed)
    assert figures.decision_seconds >= 0
    with clock.at(clock.now() + timedelta(days=40)):
        later = queries.counts(ANN)
    assert later.late == later.waiting
    assert (later.cleared_bps, later.decision_seconds) == (None, None)


def test_only_who_may_see_alerts_sees_them(market):
    ref = review.held(market, **who())
    alert = review.alert(ref)
    acceptor = review.acceptor_of(market, ref).actor
    for nosy in (market.merchant, acceptor, make.person("finance", Right.SEE_ORDERS)):
        for look in (queries.queue, queries.counts, lambda actor: queries.alert(actor, alert)):
            with pytest.raises(Forbidden):
                look(nosy)
    strange = Actor("x", "merchant", Scope.MERCHANT, market.merchant.party_id, rights=frozenset({Right.SEE_ALERTS}))
    assert queries.queue(strange) == []
    with pytest.raises(NotFound):
        queries.alert(strange, alert)


def test_an_auditor_sees_and_decides_nothing(market):
    ref = review.held(market, **who())
    alert = review.alert(ref)
    auditor = make.person("auditor", Right.SEE_ALERTS)
    assert queries.alert(auditor, alert).row.ref == alert
    before = review.everything()
    for step in (
        lambda: alerts.take(auditor, alert),
        lambda: alerts.put_back(auditor, alert),
        lambda: turns.next_alert(auditor),
        lambda: alerts.decide(auditor, alert, "release", "explained", WHY),
        lambda: alerts.second(auditor, alert, True, "agreed"),
    ):
        with pytest.raises(Forbidden):
            step()
    assert review.everything() == before


def test_an_alert_that_is_not_there_is_not_found(market):
    for ref, code in (("alr_0000000000000000", NotFound), ("ord_0000000000000000", BadInput), ("'; --", BadInput)):
        with pytest.raises(code):
            alerts.take(ANN, ref)
        with pytest.raises(code):
            queries.alert(ANN, ref)


def test_others_see_neither_officer_nor_reason_on_the_order(market):
    ref = review.held(market, **who())
    alerts.decide(ANN, review.alert(ref), "refuse", "confirmed_reported", WHY)
    alerts.second(BOB, review.alert(ref), True, "agreed")
    for party in (market.merchant, review.acceptor_of(market, ref).actor):
        told = orders.timeline(party, orders.order(party, ref))
        words = re.sub(r"[a-z]{3}_[0-9A-Z]{16}", "", repr(told))  # any letters may stand in a reference
        assert [row.action for row in told][-2:] == ["order.stop", "order.refund"]
        for secret in ("ann", "bob", "compliance", "G3", "alert", "review", WHY):
            assert secret not in words
    officer = orders.timeline(ANN, orders.order(ANN, ref))
    assert {"alert.decide", "alert.close", "order.refund"} <= {row.action for row in officer}


def test_an_order_that_compliance_keeps_is_reminded_of_not_disputed(market):
    ref = review.held(market, **who())
    deadline = review.one("select deadline_at from orders where ref = %s", ref)
    with clock.at(deadline + timedelta(minutes=1)):
        assert deadlines.expire(ref) == "paid_claimed"
    assert review.state(ref) == ("paid_claimed", "held", "none", "compliance")
    again = review.one("select deadline_at from orders where ref = %s", ref)
    assert again > deadline
    view = orders.order(ANN, ref)
    told = orders.timeline(ANN, view)[-1]
    assert told.action == "order.remind"
    kept = {name: datetime.fromisoformat(each) for name, each in told.details.items()}
    assert kept == {"was_due": deadline, "next": again}
    assert overdue.review(ANN, view) == (deadline, 1, again)
    with clock.at(again + timedelta(minutes=1)):
        deadlines.expire(ref)
    late = overdue.review(ANN, orders.order(ANN, ref))
    assert (late.due, late.asked) == (deadline, 2), "the first deadline that passed is the one that was missed"
    with pytest.raises(Forbidden):
        overdue.review(market.merchant, view)
    assert "order.remind" not in {row.action for row in orders.timeline(market.merchant, view)}


def test_a_review_within_its_time_is_not_overdue(market):
    view = orders.order(ANN, review.held(market, **who()))
    assert overdue.review(ANN, view) == (None, 0, view.deadline_at)
