"""How the market's acceptors get their reserves: two people of the treasury, one asks and the other approves."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.actor import system
from core.errors import AlreadyDone, WrongState
from core.parties import reserves

if TYPE_CHECKING:
    from core.money import Money

_ASKS: Final = system("treasury")
_APPROVES: Final = system("treasury-control")


def fund(ref: str, amount: Money, key: str) -> None:
    """Book what has arrived for an acceptor; a run that was cut off between the two people goes on where it was."""
    with suppress(AlreadyDone):  # asked for before, or booked
        reserves.ask(_ASKS, ref, amount, key, "has arrived in custody")
    request = reserves.request_for(_APPROVES, key)
    if request is not None:
        with suppress(WrongState):  # the database went away after it had stored the decision
            reserves.decide(_APPROVES, request, approve=True, why="seen in custody")
