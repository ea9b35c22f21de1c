"""A step that is refused names the steps its actor may take, and where there is none what the order waits for."""

from __future__ import annotations

import pytest

from core.actor import Right, Scope
from core.errors import WrongState
from core.money import Money, fiat
from core.orders import deposit, release
from core.orders.locking import taken
from core.orders.states import EVENT_WORDS, DisputeState, Event, RiskState, State
from tests import make
from tests.core import lives

SEES_ALL = {"merchant": (Right.CLAIM_PAID, Right.CANCEL_ORDER), "acceptor": (Right.CONFIRM_RECEIPT,),
            "admin": (Right.CANCEL_ORDER,), "compliance": (Right.DECIDE_ALERT,)}  # fmt: skip
STATE_WORDS = {
    State.AWAITING_PAYMENT: "awaiting payment", State.COMPLETED: "completed", State.EXPIRED: "expired",
    State.MATCHING: "matching", State.PAID_CLAIMED: "paid, claimed",
}  # fmt: skip
PEOPLE = {role: make.person(role, *rights) for role, rights in SEES_ALL.items()}


def refused(step, *args, **more):
    with pytest.raises(WrongState) as caught:
        step(*args, **more)
    return caught.value


@pytest.mark.parametrize(
    ("role", "state", "event", "can", "said"),
    [
        ("acceptor", State.AWAITING_PAYMENT, Event.CONFIRM, [], "it waits for the customer to pay and to say so"),
        ("acceptor", State.MATCHING, Event.CONFIRM, [], "an acceptor is being looked for"),
        ("acceptor", State.COMPLETED, Event.CONFIRM, [], "it has ended"),
        ("merchant", State.PAID_CLAIMED, Event.CANCEL, [], "it waits for the acceptor to confirm the receipt"),
        ("merchant", State.MATCHING, Event.CLAIM_PAID, ["cancel"], "possible: cancelling"),
        ("merchant", State.EXPIRED, Event.CLAIM_PAID, [], "it has ended"),
        ("admin", State.AWAITING_PAYMENT, Event.CONFIRM, ["cancel"], "possible: cancelling"),
        ("compliance", State.PAID_CLAIMED, Event.CANCEL, ["confirm", "refund"], "possible: confirming, refunding"),
    ],
)
def test_only_the_actors_own_steps_are_named(role, state, event, can, said):
    wrong = refused(taken, PEOPLE[role], state, event)
    assert wrong.facts["allowed"] == can
    assert wrong.facts["event"] == event
    asked = EVENT_WORDS[event]
    assert str(wrong) == f"the order is {STATE_WORDS[state]}: {asked} is not possible now; {said}"
    assert "_" not in str(wrong), "a sentence for people has no name of a program in it"


def test_of_an_order_under_review_nobody_but_an_officer_is_told_a_step():
    for held in ((RiskState.HELD, DisputeState.NONE), (RiskState.CLEAR, DisputeState.OPEN)):
        wrong = refused(taken, PEOPLE["merchant"], State.PAID_CLAIMED, Event.CANCEL, *held)
        assert (str(wrong).endswith("it is under review"), wrong.facts["allowed"]) == (True, [])
        assert refused(taken, PEOPLE["compliance"], State.PAID_CLAIMED, Event.CANCEL, *held).facts["allowed"] == [
            "confirm", "refund",
        ]  # fmt: skip


def test_the_steps_of_an_order_say_so(database):
    market = make.market(1)
    ref = lives.opened(market)
    early = refused(
        release.confirm, market.acceptors[0].actor, ref, received=Money.parse("250.00", fiat("BRL")), payer_name="J S"
    )
    assert early.facts == {
        "state": "awaiting_payment", "event": "confirm", "allowed": [], "next_actor": "customer",
    }  # fmt: skip
    claimed = lives.claimed(market)
    assert market.merchant.scope is Scope.MERCHANT
    assert refused(deposit.cancel, market.merchant, claimed, reason="changed my mind").facts["allowed"] == []
    again = refused(
        deposit.claim_paid, market.merchant, lives.completed(market), payer_name="J S", payer_account="99887766"
    )
    assert str(again).endswith("it has ended")


def test_a_claim_of_an_order_under_review_says_whom_it_waits_for(database):
    market = make.market(1)
    ref = lives.claimed(market)
    received = Money.parse("250.00", fiat("BRL"))
    release.confirm(market.acceptors[0].actor, ref, received=received, payer_name="Somebody Else Entirely")
    with pytest.raises(WrongState, match="under review") as refused:
        deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account="BR5511")
    assert refused.value.facts["next_actor"] == "compliance"


def test_every_step_has_words():
    assert set(EVENT_WORDS) == set(Event)
    assert not any("_" in words for words in EVENT_WORDS.values())
