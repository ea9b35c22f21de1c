"""Deposits whose confirmation is no plain one: something else came, or an officer has to look first."""

from __future__ import annotations

import pytest

from core.compliance import disputes
from core.db import transaction
from core.errors import BadInput, Forbidden, NotFound, UnderReview, WrongState
from core.money import Money, fiat
from core.orders import disputing, queries, release
from tests import make
from tests.core import lives, review
from tests.core.review import refuses


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of this module's keys."""
    with review.kept_home(tmp_path_factory):
        yield


@pytest.fixture(autouse=True)
def own_home(home):
    """In place of a folder for each test."""


@pytest.fixture(scope="module")
def market(home, module_database):
    """A market that all stories share; each has customers of its own."""
    return make.market(2, levels=1, reserve="1000000", open_limit=1000)


@pytest.fixture(scope="module")
def stranger(market):
    """Another merchant and another acceptor of the same currency."""
    return make.market(1, reserve="1000")


def brl(amount):
    return Money.parse(amount, fiat("BRL"))


def test_an_acceptor_says_that_something_else_came_and_the_dispute_desk_has_it(market, stranger):
    before = review.pockets(market)
    for amount, kept in (("200.00", "under"), ("0", "under"), ("300.00", "over")):
        ref = review.claimed(market, customer=f"c-else-{amount}")
        acceptor = review.acceptor_of(market, ref).actor
        came = Money.parse(amount, fiat("BRL"), allow_zero=True)
        assert disputing.contest(acceptor, ref, received=came, why="one line, by transfer") == kept
        assert review.state(ref) == ("paid_claimed", "clear", "open", "compliance")
        assert disputing.came(queries.order(acceptor, ref)) == came
        stands = "select amount_state, received_units from orders where ref = %s"
        assert review.rows(stands, ref) == [(kept, None)]
        told = "select reason from audit where action = 'order.dispute' and subject = %s"
        assert review.one(told, ref) == f"{came.show()}: one line, by transfer"
        refuses(UnderReview, lambda a=acceptor, r=ref: release.confirm(a, r, received=brl("250.00"), payer_name="J S"))
        refuses(UnderReview, lambda a=acceptor, r=ref, c=came: disputing.contest(a, r, received=c, why="again"))
        disputes.decide(review.officer("ann"), ref, "refuse", "the statement shows another amount")
        disputes.second(review.officer("bob"), ref, True, "seen it")
    assert review.pockets(market) == before
    assert review.breaks() == []


def test_how_an_amount_is_written_changes_nothing_of_how_much_has_come(market, monkeypatch):
    for amount in ("0", "1250.00"):
        ref = review.claimed(market, customer=f"c-written-{amount}")
        came = Money.parse(amount, fiat("BRL"), allow_zero=True)
        acceptor = review.acceptor_of(market, ref).actor
        with monkeypatch.context() as patch:
            patch.setattr(Money, "show", lambda self: f"R$ {self.units // 100}.{self.units % 100:02}")
            disputing.contest(acceptor, ref, received=came, why="by the bank's page")
        assert disputing.came(queries.order(acceptor, ref)) == came


@pytest.mark.parametrize(
    ("words", "units"),
    [
        ("1,250.00 BRL: seen", 125_000),
        ("0.00 BRL: nothing", 0),
        ("12.00 EUR: seen", None),
        ("deadline passed", None),
        ("R$ 12.00: seen", None),
        ("1.2.3 BRL: seen", None),
    ],
)
def test_what_was_said_before_amounts_were_facts_of_the_step_is_read_from_its_words(market, words, units):
    ref = review.claimed(market, customer=f"c-words-{words}")
    with transaction() as tx:
        tx.run(
            "insert into audit (at, actor, role, action, subject, order_id, reason)"
            " select clock_timestamp(), 'x', 'acceptor', 'order.dispute', ref, id, %s from orders where ref = %s",
            (words, ref),
        )
        tx.run("update orders set amount_state = 'under' where ref = %s", (ref,))
    came = disputing.came(queries.order(make.system(), ref))
    assert came == (None if units is None else Money(units, fiat("BRL")))


def test_what_came_is_another_amount_of_one_s_own_order(market, stranger):
    ref = review.claimed(market, customer="c-else")
    acceptor = review.acceptor_of(market, ref).actor

    def step(actor=acceptor, received=None, why="one line"):
        return lambda: disputing.contest(actor, ref, received=received or brl("200.00"), why=why)

    refuses(BadInput, step(received=brl("250.00")), field="received")
    refuses(BadInput, step(received=Money.parse("200.00", fiat("EUR"))))
    refuses(BadInput, step(why=" "), field="reason")
    refuses(BadInput, step(why="x" * 281), field="reason")
    refuses(NotFound, step(actor=stranger.acceptors[0].actor))
    refuses(Forbidden, step(actor=market.merchant))
    waiting = lives.opened(market, customer="c-else-early")
    early = review.acceptor_of(market, waiting).actor
    refuses(WrongState, lambda: disputing.contest(early, waiting, received=brl("200.00"), why="early"))


def test_what_waits_for_an_officer_is_not_paid_out_by_confirming_again_with_a_better_name(market):
    for kept in (review.stopped(market, customer="c-again-kept"), review.held(market, customer="c-again-held")):
        acceptor = review.acceptor_of(market, kept).actor
        again = {"received": brl("250.00"), "payer_name": "Joao Silva"}
        refuses(UnderReview, lambda a=acceptor, k=kept, more=again: release.confirm(a, k, **more))
