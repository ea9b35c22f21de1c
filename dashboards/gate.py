"""The gate of the dashboards: one door before every address, and the same question again in every callback."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from flask import current_app, redirect, request

from core.actor import Actor, Right
from core.errors import Forbidden, NotFound, NotSignedIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

PREFIX = "/dashboards/"
PAGE_RIGHTS: dict[str, Right] = {
    "volume": Right.SEE_VOLUME,
    "risk": Right.SEE_RISK,
    "commissions": Right.SEE_COMMISSIONS,
}
"""The pages there are and the right each asks for."""

_MACHINERY = ("_dash-layout", "_dash-dependencies", "_dash-update-component", "_dash-component-suites/", "assets/")
_GUARDS = "boards_actor_of"

_Callback = TypeVar("_Callback", bound="Callable[..., Any]")


class Guard(NamedTuple):
    """What a callback asks of its caller: all of these rights, or (none named) a right to any page."""

    rights: tuple[Right, ...]


def install(actor_of: Callable[[], Actor | None]) -> None:
    """Remember in the current app how to learn who asks, and put the door before every request."""
    current_app.extensions[_GUARDS] = actor_of
    current_app.before_request(door)


def asking() -> Actor:
    """Return who asks. Raises NotSignedIn when nobody is signed in."""
    actor: Actor | None = current_app.extensions[_GUARDS]()
    if actor is None:
        raise NotSignedIn("sign in first")
    return actor


def door() -> Response | None:
    """Let the request pass, or refuse it; an address nobody has named is shut.

    Raises NotSignedIn, Forbidden, or NotFound for an address that is none of ours.
    """
    if not request.path.startswith(PREFIX) or request.routing_exception is not None:
        return None
    rest = request.path.removeprefix(PREFIX)
    actor = asking()
    if rest in PAGE_RIGHTS:
        actor.must(PAGE_RIGHTS[rest])
        return None
    pages = _pages(actor)
    if rest == "":
        return redirect(PREFIX + pages[0])
    if not rest.startswith(_MACHINERY):
        raise NotFound("there is no such dashboard", page=rest[:80])
    return None


def _pages(actor: Actor) -> list[str]:
    pages = [name for name, right in PAGE_RIGHTS.items() if actor.may(right)]
    if not pages:
        raise Forbidden(f"{actor.name} ({actor.role}) may see no dashboard")
    return pages


def guarded(*rights: Right) -> Callable[[_Callback], _Callback]:
    """Make a callback ask who calls, refuse whoever lacks one of the rights, and hand on the actor first.

    Callbacks can be called directly with forged ids, so that the door alone is not enough.
    """

    def wrap(callback: _Callback) -> _Callback:
        @functools.wraps(callback)
        def ask_again(*args: object, **named: object) -> object:
            actor = asking()
            _pages(actor)
            for right in rights:
                actor.must(right)
            return callback(actor, *args, **named)

        ask_again.guard = Guard(rights)  # type: ignore[attr-defined]
        return ask_again  # type: ignore[return-value]

    return wrap
