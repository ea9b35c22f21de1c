"""The way from a party's or pool's code to its page, for whoever may open that page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from core.actor import Right, Scope

if TYPE_CHECKING:
    from core.actor import Actor

PAGES: Final = {
    "merchant": (Right.SEE_MERCHANTS, "/merchants/show/{}", Scope.MERCHANT),
    "acceptor": (Right.SEE_ACCEPTORS, "/acceptors/show/{}", Scope.ACCEPTOR),
    "agent": (Right.SEE_AGENTS, "/agents/show/{}", Scope.AGENT),
    "pool": (Right.SEE_POOLS, "/pools/show/{}", None),
}
"""By kind: the right its page asks for, the page's address, and whose rows it is on besides those of the desk."""


def lead(actor: Actor, kind: str, ref: str, code: str) -> Markup:
    """Return the code as a link to its page, the plain code for who may not open that page.

    A party named beside its own order is one's own; an agent's merchants may have moved away since, and stay plain.
    """
    right, page, own = PAGES[kind]
    if not ref or not actor.may(right) or (actor.scope is not Scope.ALL and actor.scope is not own):
        return escape(code)
    return Markup('<a href="{}">{}</a>').format(page.format(ref), code)
