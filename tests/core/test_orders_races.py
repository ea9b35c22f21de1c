"""Races: many hands on one order or one reserve, and what must be so whoever is first."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from psycopg import errors
from sqlalchemy import exc

from core import clock, steps
from core.compliance import alerts
from core.errors import Changed, Refusal
from core.money import USDT, Money, fiat
from core.orders import deadlines, deposit, dispatch, release
from core.pricing import quotes
from tests import make
from tests.core import lives, review

ANN, BOB = review.officer("ann"), review.officer("bob")


@pytest.fixture(scope="module")
def market(module_database, one_key):
    return make.market(2, levels=2, reserve="100000", open_limit=1000)


def race(doings, *, hands=8):
    """Do all at once from several threads; return each answer, a refusal by its code.

    One that the product refused because a lock or a connection took longer than it waits for has changed nothing. It
    is told to try again, and does so when the others are done: then nobody stands in its way.
    """
    gate = threading.Barrier(min(hands, len(doings)))
    started = threading.local()

    def run(doing):
        if not getattr(started, "yes", False):
            started.yes = True
            gate.wait(60)
        return answer(doing)

    with ThreadPoolExecutor(min(hands, len(doings))) as pool:
        answers = list(pool.map(run, doings))
        list(pool.map(lambda _: steps.let_go(), range(min(hands, len(doings)) * 2)))
    answers = [answer(doing) if waited_in_vain(said) else said for doing, said in zip(doings, answers, strict=True)]
    return [said.code if isinstance(said, Refusal) else said for said in answers]


def answer(doing):
    """What it answers, or the refusal."""
    try:
        return str(doing())
    except Refusal as refusal:
        return refusal


def waited_in_vain(said):
    """Whether one of the product's own limits refused: who waited for a lock or a connection did not get it in time.

    A deadlock, or a step that finds its order changed, is no such thing, though it bears the same code.
    """
    cause = getattr(said, "__cause__", None)
    in_vain = errors.LockNotAvailable | errors.ConnectionTimeout | exc.TimeoutError
    return isinstance(getattr(cause, "orig", cause), in_vain)


def confirming(market, ref, at=None):
    acceptor = review.acceptor_of(market, ref).actor
    moment = at or review.claimed_at(ref) + timedelta(seconds=60)

    def step():
        with clock.at(moment):
            return release.confirm(acceptor, ref, received=Money.parse("250.00", fiat("BRL")), payer_name="Joao Silva")

    return step


def test_a_hundred_threads_confirm_one_order_and_it_is_released_once(market):
    ref = review.claimed(market, customer="c-hundred")
    answers = race([confirming(market, ref)] * 100, hands=100)
    assert Counter(answers) == {"completed": 1, "wrong_state": 99}
    assert review.one("select count(*) from journal_entry where key like %s", f"{ref}:%") == 2
    told = "select count(*) from {} where order_id = (select id from orders where ref = %s)"
    assert review.one(told.format("outbox") + " and event = 'confirm'", ref) == 1
    assert review.one(told.format("audit") + " and action = 'order.confirm'", ref) == 1
    assert review.one(told.format("commission_line"), ref) == 2
    assert review.breaks() == []


def test_two_hundred_orders_want_the_reserve_of_ten(module_database):
    market = make.market(2, reserve="231", open_limit=1000, quote_seconds=3600)
    make.rate("BRL")
    fiat_due = Money.parse("250.00", fiat("BRL"))
    asked = []
    for n in range(200):
        quote = quotes.quote(market.merchant, "deposit", "BRL", fiat_due)
        number = next(make.numbers)
        asked.append(
            deposit.DepositRequest(quote.ref, f"R-{number}", f"r-{n}", "Joao Silva", f"BR21{number:08d}", "Joao Silva")
        )
    answers = race([lambda each=each: deposit.open_order(market.merchant, each).state for each in asked], hands=16)
    assert Counter(answers) == {"awaiting_payment": 10, "matching": 190}
    assert all(0 <= units < 46_200_000 for units in reserves(market))
    assert review.breaks() == []


def reserves(market):
    found = review.rows(
        "select available from ledger_account where party_id = any (%s)", [each.id for each in market.acceptors]
    )
    return [units for (units,) in found]


def ends(ref):
    """How many releases and how many returns an order has."""
    return review.rows(
        "select count(*) filter (where e.reason = 'escrow_release'), count(*) filter (where e.reason = 'escrow_return')"
        " from journal_entry e join orders o on o.id = e.order_id where o.ref = %s",
        ref,
    )[0]


@pytest.mark.parametrize("turn", range(6))
def test_cancel_claim_and_expiry_race_and_one_wins(market, turn):
    ref = lives.opened(market, customer=f"c-{next(make.numbers)}")
    edge = review.one("select deadline_at from orders where ref = %s", ref)

    def at(offset, doing):
        def step():
            with clock.at(edge + timedelta(seconds=offset)):
                return doing()

        return step

    answers = race(
        [
            at(-1, lambda: deposit.cancel(market.merchant, ref, reason="changed their mind")),
            at(
                -1,
                lambda: deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account="BR5500000007"),
            ),
            at(1, lambda: deadlines.expire(ref)),
            at(-1, lambda: deposit.cancel(market.merchant, ref, reason="changed their mind")),
            at(
                -1,
                lambda: deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account="BR5500000008"),
            ),
        ]
    )
    state = review.state(ref)[0]
    assert state in {"cancelled", "expired", "paid_claimed"}
    assert answers.count(state) >= 1
    assert ends(ref) == ((0, 0) if state == "paid_claimed" else (0, 1))
    assert review.breaks() == []


@pytest.mark.parametrize("turn", range(6))
def test_a_confirmation_a_dispute_and_a_claim_race_and_the_books_agree(market, turn):
    ref = lives.claimed(market, customer=f"c-{next(make.numbers)}")
    edge = review.one("select deadline_at from orders where ref = %s", ref)

    def expire():
        with clock.at(edge + timedelta(seconds=1)):
            return deadlines.expire(ref)

    confirm = confirming(market, ref, edge - timedelta(seconds=1))
    answers = race([confirm, expire, confirm, expire, confirm])
    state, _, dispute, _ = review.state(ref)
    assert (state, dispute) in {("completed", "none"), ("paid_claimed", "open")}
    assert ends(ref) == ((1, 0) if state == "completed" else (0, 0))
    assert answers[::2].count("completed") == (state == "completed"), "of the confirmations"
    assert set(answers[1::2]) == {state}, "an order that nothing is due of any more is told as it is"
    assert review.breaks() == []


@pytest.mark.parametrize("turn", range(4))
def test_a_hold_is_opened_once_however_often_the_acceptor_confirms(market, turn):
    ref = review.claimed(market, customer=f"c-{next(make.numbers)}")
    acceptor = review.acceptor_of(market, ref).actor
    moment = review.claimed_at(ref) + timedelta(seconds=60)

    def confirm():
        with clock.at(moment):
            received = Money.parse("250.00", fiat("BRL"))
            return release.confirm(acceptor, ref, received=received, payer_name="Xiulan Wang")

    answers = race([confirm] * 8)
    assert Counter(answers) == {"paid_claimed": 1, "under_review": 7}
    assert review.one("select count(*) from hold h join orders o on o.id = h.order_id where o.ref = %s", ref) == 1
    assert len(review.alerts(ref)) == 1
    assert review.breaks() == []


@pytest.mark.parametrize("turn", range(4))
def test_officers_decide_apart_and_one_decision_counts(market, turn):
    ref = review.stopped(market, customer=f"c-{next(make.numbers)}")
    alert = review.alert(ref)
    why = "the bank's letter explains the name"
    answers = race(
        [
            lambda: alerts.decide(ANN, alert, "release", "explained", why).order_state,
            lambda: alerts.decide(BOB, alert, "refuse", "confirmed_no_report", why).order_state,
        ]
        * 3
    )
    state = review.state(ref)[0]
    assert Counter(answers) == {state: 1, "wrong_state": 5}
    assert ends(ref) == ((1, 0) if state == "completed" else (0, 1))
    assert review.breaks() == []


def test_waiting_orders_are_matched_once_by_many_sweepers(module_database):
    market = make.market(1, reserve="0", open_limit=1000)
    refs = [lives.opened(market, customer=f"w-{n}") for n in range(6)]
    assert {review.state(ref)[0] for ref in refs} == {"matching"}
    make.top_up(market.acceptors[0].ref, Money.parse("200", USDT), "race")
    race([dispatch.match_due] * 6)
    states = Counter(review.state(ref)[0] for ref in refs)
    assert states == {"awaiting_payment": 4, "matching": 2}
    assert review.breaks() == []


def test_a_claim_that_meets_another_step_is_asked_to_try_again(market, monkeypatch):
    ref = lives.opened(market, customer="c-meets")
    # What the database says when the order was matched between its look and its answer.
    seen = {"state": "awaiting_payment", "risk_state": "clear", "dispute_state": "none"} | dict.fromkeys(
        ("done", "late", "early", "future", "stranger"), False
    )
    monkeypatch.setattr(deposit, "call", lambda *_: seen)
    with pytest.raises(Changed):
        deposit.claim_paid(market.merchant, ref, payer_name="J", payer_account="BR55 123456")
