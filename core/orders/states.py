"""The life cycle of an order as one table, with whose move it is in each state."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from core.errors import Sentence, WrongState, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """Where an order stands on its main axis."""

    CREATED = "created"
    MATCHING = "matching"
    OFFERED = "offered"
    AWAITING_PAYMENT = "awaiting_payment"
    PAID_CLAIMED = "paid_claimed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_LIQUIDITY = "no_liquidity"
    REFUSED = "refused"
    REFUNDED = "refunded"
    REVERSED = "reversed"


class Event(StrEnum):
    """What can happen to an order."""

    OPEN = "open"
    QUEUE = "queue"
    MATCH = "match"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    CLAIM_PAID = "claim_paid"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    EXPIRE = "expire"
    GIVE_UP = "give_up"
    REFUSE = "refuse"
    REFUND = "refund"
    LATE_CLAIM = "late_claim"
    REVERSE = "reverse"


EVENT_WORDS: Final[Mapping[Event, Sentence]] = MappingProxyType(
    {
        Event.OPEN: sentence("opening"),
        Event.QUEUE: sentence("queueing"),
        Event.MATCH: sentence("matching"),
        Event.OFFER: sentence("offering it to an acceptor"),
        Event.ACCEPT: sentence("accepting the offer"),
        Event.DECLINE: sentence("declining the offer"),
        Event.CLAIM_PAID: sentence("claiming the payment"),
        Event.CONFIRM: sentence("confirming"),
        Event.CANCEL: sentence("cancelling"),
        Event.EXPIRE: sentence("expiring"),
        Event.GIVE_UP: sentence("giving up"),
        Event.REFUSE: sentence("refusing"),
        Event.REFUND: sentence("refunding"),
        Event.LATE_CLAIM: sentence("claiming a late payment"),
        Event.REVERSE: sentence("reversing"),
    },
)
"""What a step is called in sentences; programs read its name in their facts."""


class AmountState(StrEnum):
    """How the fiat that came compares with the fiat that was due."""

    EXACT = "exact"
    UNDER = "under"
    OVER = "over"


class DisputeState(StrEnum):
    """Whether the parties disagree about the order."""

    NONE = "none"
    OPEN = "open"
    DECIDED = "decided"


class RiskState(StrEnum):
    """What the risk gates say about the order."""

    CLEAR = "clear"
    FLAGGED = "flagged"
    HELD = "held"
    REFUSED = "refused"


class NextActor(StrEnum):
    """Whose move it is."""

    SYSTEM = "system"
    ACCEPTOR = "acceptor"
    CUSTOMER = "customer"
    COMPLIANCE = "compliance"
    NOBODY = "nobody"


TRANSITIONS: Final[Mapping[tuple[State | None, Event], State]] = MappingProxyType(
    {
        (None, Event.OPEN): State.CREATED,
        # G1 says no: nothing was frozen, nothing is returned.
        (State.CREATED, Event.REFUSE): State.REFUSED,
        (State.CREATED, Event.QUEUE): State.MATCHING,
        (State.CREATED, Event.MATCH): State.AWAITING_PAYMENT,
        (State.CREATED, Event.OFFER): State.OFFERED,
        (State.CREATED, Event.CANCEL): State.CANCELLED,
        (State.CREATED, Event.EXPIRE): State.EXPIRED,
        (State.CREATED, Event.GIVE_UP): State.NO_LIQUIDITY,
        (State.MATCHING, Event.MATCH): State.AWAITING_PAYMENT,
        (State.MATCHING, Event.OFFER): State.OFFERED,
        (State.MATCHING, Event.REFUSE): State.REFUSED,
        (State.MATCHING, Event.CANCEL): State.CANCELLED,
        (State.MATCHING, Event.GIVE_UP): State.NO_LIQUIDITY,
        (State.OFFERED, Event.ACCEPT): State.AWAITING_PAYMENT,
        # A silent acceptor declines by its deadline: the order returns to the queue, the reserve to it.
        (State.OFFERED, Event.DECLINE): State.MATCHING,
        (State.OFFERED, Event.CANCEL): State.CANCELLED,
        (State.OFFERED, Event.EXPIRE): State.EXPIRED,
        (State.AWAITING_PAYMENT, Event.CLAIM_PAID): State.PAID_CLAIMED,
        (State.AWAITING_PAYMENT, Event.CANCEL): State.CANCELLED,
        (State.AWAITING_PAYMENT, Event.EXPIRE): State.EXPIRED,
        # "Paid" cannot be undone by the one who said it: from here only a receipt or a decision leads on.
        (State.PAID_CLAIMED, Event.CONFIRM): State.COMPLETED,
        (State.PAID_CLAIMED, Event.REFUND): State.REFUNDED,
        # Money that comes after the pay window is claimed again once the reserve could be frozen again.
        (State.EXPIRED, Event.LATE_CLAIM): State.PAID_CLAIMED,
        (State.COMPLETED, Event.REVERSE): State.REVERSED,
    },
)

NEXT_ACTOR: Final[Mapping[State, NextActor]] = MappingProxyType(
    {
        State.CREATED: NextActor.SYSTEM,
        State.MATCHING: NextActor.SYSTEM,
        State.OFFERED: NextActor.ACCEPTOR,
        State.AWAITING_PAYMENT: NextActor.CUSTOMER,
        State.PAID_CLAIMED: NextActor.ACCEPTOR,
        State.COMPLETED: NextActor.NOBODY,
        State.CANCELLED: NextActor.NOBODY,
        State.EXPIRED: NextActor.NOBODY,
        State.NO_LIQUIDITY: NextActor.NOBODY,
        State.REFUSED: NextActor.NOBODY,
        State.REFUNDED: NextActor.NOBODY,
        State.REVERSED: NextActor.NOBODY,
    },
)

WAITING: Final = frozenset(
    {State.CREATED, State.MATCHING, State.OFFERED, State.AWAITING_PAYMENT, State.PAID_CLAIMED},
)
"""States that carry a deadline."""

LIVE_ESCROW: Final = frozenset({State.OFFERED, State.AWAITING_PAYMENT, State.PAID_CLAIMED})
"""States in which the acceptor's reserve is frozen for the order."""

_ALLOWED: Final[Mapping[State | None, tuple[Event, ...]]] = {
    state: tuple(event for event in Event if (state, event) in TRANSITIONS) for state in (None, *State)
}


def allowed(state: State | None) -> tuple[Event, ...]:
    """Return the events that lead on from `state`; None is an order not yet opened."""
    return _ALLOWED[state]


def step(state: State | None, event: Event) -> State:
    """Return the state after `event`, else refuse with `wrong_state`, naming the events that are allowed."""
    after = TRANSITIONS.get((state, event))
    if after is None:
        can = [EVENT_WORDS[each] for each in _ALLOWED[state]] or sentence("nothing more")
        where = str(state) if state is not None else "not opened"
        raise WrongState(
            sentence(
                "the order is %(state)s: %(event)s is not possible now; possible: %(can)s",
                state=where,
                event=EVENT_WORDS[event],
                can=can,
            ),
            state=where,
            event=str(event),
            allowed=[str(each) for each in _ALLOWED[state]],
        )
    return after


def next_actor(state: State, risk: RiskState = RiskState.CLEAR, dispute: DisputeState = DisputeState.NONE) -> NextActor:
    """Return whose move it is; a hold or an open dispute hands a waiting order to compliance."""
    stopped = risk is RiskState.HELD or dispute is DisputeState.OPEN
    return NextActor.COMPLIANCE if stopped and state in WAITING else NEXT_ACTOR[state]
