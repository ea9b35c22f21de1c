"""What an officer may decide about an alert, as pure facts: outcomes, dispositions, and why not."""

from __future__ import annotations

from typing import Final

from core import words
from core.errors import BadInput, WrongState, sentence
from core.orders.states import State

RELEASE: Final = "release"
REFUSE: Final = "refuse"
DISMISS: Final = "dismiss"
OUTCOMES: Final = (RELEASE, REFUSE, DISMISS)
"""What becomes of the order: paid out, given back, or left as it is."""

DISPOSITIONS: Final = ("false_positive", "explained", "confirmed_no_report", "confirmed_reported", "inconclusive")
"""How an alert ends, by the glossary."""

LEAST_WORDS: Final = 10
MOST_WORDS: Final = 2000
UNPAID: Final = frozenset({State.MATCHING, State.OFFERED, State.AWAITING_PAYMENT})
"""States in which an order can still be called off: nobody has said that it is paid."""


def stops(gate: str, verdict: str) -> bool:
    """Return whether an alert of this gate and verdict keeps a release back."""
    return gate == "G3" and verdict != "allow"


def possible(gate: str, verdict: str, order_state: str) -> tuple[str, ...]:
    """Return the outcomes that an alert of this gate and verdict can have on an order in this state."""
    if stops(gate, verdict) and order_state == State.PAID_CLAIMED:
        return (RELEASE, REFUSE)
    if gate == "G1" and order_state in UNPAID:
        return (DISMISS, REFUSE)
    return (DISMISS,)


def read(outcome: str, disposition: str, narrative: str) -> str:
    """Return the narrative without its outer blanks; refuse with `bad_input` what a decision cannot be made of."""
    if outcome not in OUTCOMES:
        raise BadInput(
            sentence("an outcome is one of %(outcomes)s", outcomes=list(OUTCOMES)),
            field="outcome",
            outcome=outcome[:20],
        )
    if disposition not in DISPOSITIONS:
        raise BadInput(
            sentence("a disposition is one of %(dispositions)s", dispositions=list(DISPOSITIONS)),
            field="disposition",
            disposition=disposition[:20],
        )
    return narrated(narrative)


def narrated(narrative: str) -> str:
    """Return the narrative without its outer blanks, else refuse with `bad_input`."""
    return words.prose(narrative, "narrative", least=LEAST_WORDS, longest=MOST_WORDS)


def check(outcome: str, gate: str, verdict: str, order_state: str) -> None:
    """Refuse with `wrong_state` an outcome that this alert cannot have now, saying what it can have."""
    can = possible(gate, verdict, order_state)
    if outcome in can:
        return
    if stops(gate, verdict) and order_state == State.PAID_CLAIMED:
        why = sentence("this alert keeps the payout back, so it ends with a release or a refusal")
    elif outcome == RELEASE:
        why = sentence("there is nothing to release")
    elif order_state == State.PAID_CLAIMED:
        why = sentence(
            "the customer has paid by now, so the order cannot be called off; dismiss this alert, or list the"
            " payer's account so that the payout is kept back"
        )
    else:
        why = sentence("the order is %(state)s, so there is nothing left to refuse", state=order_state)
    raise WrongState(
        sentence("%(why)s; possible: %(can)s", why=why, can=list(can)),
        state=order_state,
        outcome=outcome,
        allowed=list(can),
    )
