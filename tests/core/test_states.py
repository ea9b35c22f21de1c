"""The life cycle: every state meets every event, and only the published steps are taken."""

from __future__ import annotations

import itertools

import pytest

from core.errors import WrongState
from core.orders.states import (
    LIVE_ESCROW,
    NEXT_ACTOR,
    TRANSITIONS,
    WAITING,
    DisputeState,
    Event,
    NextActor,
    RiskState,
    State,
    allowed,
    next_actor,
    step,
)

GRID = list(itertools.product([None, *State], Event))


@pytest.mark.parametrize(("state", "event"), GRID)
def test_each_event_in_each_state_is_a_step_or_a_refusal(state, event):
    if (state, event) in TRANSITIONS:
        assert step(state, event) is TRANSITIONS[state, event]
        assert event in allowed(state)
        return
    with pytest.raises(WrongState) as refused:
        step(state, event)
    assert refused.value.code == "wrong_state"
    assert refused.value.facts["event"] == event.value
    assert refused.value.facts["state"] == (state.value if state else "not opened")
    assert refused.value.facts["allowed"] == [each.value for each in allowed(state)]
    assert event not in allowed(state)


def test_the_table_is_the_published_one():
    edges = {
        (before.value if before else "", event.value, after.value) for (before, event), after in TRANSITIONS.items()
    }
    assert edges == {
        ("", "open", "created"),
        ("created", "refuse", "refused"),
        ("created", "queue", "matching"),
        ("created", "match", "awaiting_payment"),
        ("created", "offer", "offered"),
        ("created", "cancel", "cancelled"),
        ("created", "expire", "expired"),
        ("created", "give_up", "no_liquidity"),
        ("matching", "match", "awaiting_payment"),
        ("matching", "offer", "offered"),
        ("matching", "refuse", "refused"),
        ("matching", "cancel", "cancelled"),
        ("matching", "give_up", "no_liquidity"),
        ("offered", "accept", "awaiting_payment"),
        ("offered", "decline", "matching"),
        ("offered", "cancel", "cancelled"),
        ("offered", "expire", "expired"),
        ("awaiting_payment", "claim_paid", "paid_claimed"),
        ("awaiting_payment", "cancel", "cancelled"),
        ("awaiting_payment", "expire", "expired"),
        ("paid_claimed", "confirm", "completed"),
        ("paid_claimed", "refund", "refunded"),
        ("expired", "late_claim", "paid_claimed"),
        ("completed", "reverse", "reversed"),
    }


def test_a_claim_of_payment_is_never_forgotten():
    assert set(allowed(State.PAID_CLAIMED)) == {Event.CONFIRM, Event.REFUND}


def test_every_state_can_be_reached_and_left_or_is_an_end():
    reached = {State.CREATED}
    for _ in State:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
    assert reached == set(State)
    assert {state for state in State if not allowed(state)} | {State.EXPIRED, State.COMPLETED} == set(State) - WAITING


def test_the_reserve_is_frozen_only_while_somebody_has_a_move():
    assert LIVE_ESCROW < WAITING
    assert {
        after for (before, _), after in TRANSITIONS.items() if before not in LIVE_ESCROW and after in LIVE_ESCROW
    } == {
        State.OFFERED,
        State.AWAITING_PAYMENT,
        State.PAID_CLAIMED,
    }


def test_somebody_has_the_move_in_each_waiting_state_and_nobody_at_the_end():
    assert set(NEXT_ACTOR) == set(State)
    for state in State:
        assert (NEXT_ACTOR[state] is NextActor.NOBODY) == (state not in WAITING)


def test_a_hold_or_dispute_hands_the_move_to_compliance():
    assert next_actor(State.PAID_CLAIMED) is NextActor.ACCEPTOR
    assert next_actor(State.PAID_CLAIMED, RiskState.FLAGGED) is NextActor.ACCEPTOR
    assert next_actor(State.PAID_CLAIMED, RiskState.HELD) is NextActor.COMPLIANCE
    assert next_actor(State.PAID_CLAIMED, dispute=DisputeState.OPEN) is NextActor.COMPLIANCE
    assert next_actor(State.COMPLETED, RiskState.HELD) is NextActor.NOBODY
