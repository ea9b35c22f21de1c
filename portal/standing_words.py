"""What a party is told first: that it is suspended, barred, paused or not paid out, what of it, and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from core.actor import Scope
from core.parties import standing

if TYPE_CHECKING:
    from core.actor import Actor

# Why somebody was suspended or barred is an officer's to know, and to tell: the trail keeps it, the party reads it not.
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
# Read where its people sign in, for they get no further.
BARRED: Final = {
    Scope.MERCHANT: _l(
        "You are barred, and for good: nobody of yours gets in, and your API keys are refused with the code barred."
        " Open orders are not undone, and your balance stays yours: ask an administrator of the desk about both."
    ),
    Scope.ACCEPTOR: _l(
        "You are barred, and for good: nobody of yours gets in, your API keys are refused with the code barred, and no"
        " new orders are sent to you. Open orders are not undone, and your reserve stays yours: ask an administrator"
        " of the desk about both."
    ),
    Scope.AGENT: _l(
        "You are barred, and for good: nobody of yours gets in, and your commission, with what orders opened before"
        " still earn, is held and not paid out. Ask an administrator of the desk about it."
    ),
}
_OUT: Final = {"suspended": SUSPENDED, "barred": BARRED}


def notices(actor: Actor) -> list[str]:
    """Return what keeps the actor's own party from business or payouts, each in a sentence; empty for all others."""
    found = standing.own(actor)
    if found is None:
        return []
    return told(actor.scope, found.state, found.paused) + _frozen(found)


def _frozen(found: standing.Standing) -> list[str]:
    """Return the sentence about a frozen withdrawal account, without the reason: that one is the desk's to tell."""
    if not found.frozen_ref:
        return []
    words = _(
        "The desk has frozen your withdrawal account, %(account)s: nothing is paid out to it. Make another active"
        " account your withdrawal account, or ask an administrator of the desk.",
        account=found.frozen,
    )
    href = f"/bank-accounts/show/{found.frozen_ref}"
    return [Markup('{} <a href="{}">{}</a>').format(words, href, _("See the account"))]


def told(scope: Scope, state: str, paused: str = "") -> list[str]:
    """Return the sentences for a party in this state, paused for this reason; empty when it may do new business."""
    words = _OUT.get(state, {}).get(scope)
    said = [] if words is None else [str(words)]
    if paused:
        # written for the acceptor: its desk and its page tell the same reason
        said.append(
            _(
                "The desk has taken you out of matching: %(why)s. No new orders are sent to you, open ones go on. Ask"
                " an administrator of the desk when you may go on.",
                why=paused.rstrip("."),
            )
        )
    return said
