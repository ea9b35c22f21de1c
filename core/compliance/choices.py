"""What an officer may decide about an alert, as pure facts: outcomes, dispositions, and why not."""

from __future__ import annotations

from typing import Final

from core import words
from core.errors import BadInput, WrongState, sentence
from core.orders.states import WAITING, State

RELEASE: Final = "release"
REFUSE: Final = "refuse"
DISMISS: Final = "dismiss"
OUTCOMES: Final = (RELEASE, REFUSE, DISMISS)
"""What becomes of the order: paid out, given back, or left as it is."""

DISPOSITIONS: Final = ("false_positive", "explained", "confirmed_no_report", "confirmed_reported", "inconclusive")
"""How an alert ends, by the glossary."""

CLEARED: Final = ("false_positive", "explained")
"""Ends after which nothing is left to suspect; whatever counts alerts as cleared counts these, and no others."""

LEAST_WORDS: Final = 10
MOST_WORDS: Final = 2000
UNPAID: Final = frozenset({State.MATCHING, State.OFFERED, State.AWAITING_PAYMENT})
"""States in which an order can still be called off: nobody has said that it is paid."""


def stops(verdict: str, order_state: str, *, confirmed: bool) -> bool:
    """Return whether an open alert of this verdict, of whichever gate, is what the order's release waits for.

    It is once the fiat is `confirmed`; before that the order goes on, and its release will wait.
    """
    return verdict != "allow" and order_state == State.PAID_CLAIMED and confirmed


def possible(gate: str, verdict: str, order_state: str, *, confirmed: bool) -> tuple[str, ...]:
    """Return the outcomes that an alert can have on an order in this state, its fiat `confirmed` or not yet."""
    if stops(verdict, order_state, confirmed=confirmed):
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
    return words.reason(narrative, field="narrative", least=LEAST_WORDS, longest=MOST_WORDS, lines=True)


def check(outcome: str, gate: str, verdict: str, order_state: str, *, confirmed: bool, keeper: str = "") -> None:
    """Refuse with `wrong_state` an outcome that this alert cannot have now, saying what it can have.

    `keeper` is the alert beside it that keeps the payout back ("" where none does): that one settles the order.
    """
    can = possible(gate, verdict, order_state, confirmed=confirmed)
    if outcome in can:
        return
    if stops(verdict, order_state, confirmed=confirmed):
        why = sentence("this alert keeps the payout back, so it ends with a release or a refusal")
    elif keeper:
        why = sentence("%(keeper)s keeps the payout back and settles the order: decide that one", keeper=keeper)
    elif outcome == RELEASE and order_state in WAITING:
        why = sentence("there is nothing to release before the acceptor has confirmed")
    elif outcome == RELEASE:
        why = sentence("the order is %(state)s, so there is nothing to release", state=order_state)
    elif order_state == State.PAID_CLAIMED:
        why = sentence(
            "the customer has paid by now, so the order cannot be called off; while this alert is open the payout"
            " waits, and you decide it when the acceptor has confirmed"
        )
    else:
        why = sentence("the order is %(state)s, so there is nothing left to refuse", state=order_state)
    raise WrongState(
        sentence("%(why)s; possible: %(can)s", why=why, can=list(can)),
        state=order_state,
        outcome=outcome,
        allowed=list(can),
        **({"alert": keeper} if keeper else {}),
    )
