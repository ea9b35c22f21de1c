"""What a party is told above all else on its home page: that it is suspended or paused, what of it, and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Scope
from core.parties import standing

if TYPE_CHECKING:
    from core.actor import Actor

# Why somebody was suspended is an officer's to know, and to tell: the trail keeps it, the party's page does not.
SUSPENDED: Final = {
    Scope.MERCHANT: _l(
        "You are suspended: every new quote and order is refused with the code frozen. Open orders go on, and your"
        " balance stays yours. Ask an administrator of the desk: only the desk can end it."
    ),
    Scope.ACCEPTOR: _l(
        "You are suspended: no new orders are sent to you. Open ones go on: confirm them in time. Your reserve stays"
        " yours. Ask an administrator of the desk: only the desk can end it."
    ),
    Scope.AGENT: _l(
        "You are suspended: your commission, and what you earn meanwhile, is held and not paid out. It stays yours."
        " Ask an administrator of the desk: only the desk can end it."
    ),
}


def notices(actor: Actor) -> list[str]:
    """Return what keeps the actor's own party from new business, each in a sentence; empty for everybody else."""
    found = standing.own(actor)
    if found is None:
        return []
    said = [str(SUSPENDED[actor.scope])] if found.state == "suspended" and actor.scope in SUSPENDED else []
    if found.paused:
        # written for the acceptor: its desk and its page tell the same reason
        said.append(
            _(
                "The desk has taken you out of matching: %(why)s. No new orders are sent to you, open ones go on. Ask"
                " an administrator of the desk when you may go on.",
                why=found.paused.rstrip("."),
            )
        )
    return said
