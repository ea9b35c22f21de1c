"""Home: for each role its figures and its queue, put together from what other views register here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flask import render_template
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _

from core import clock
from core.actor import Actor, Right  # noqa: TC001 - NamedTuples read them while running
from portal.roles import current_actor
from portal.security.accounts import since_last_time
from portal.security.gate import SIGNED_IN
from portal.security.sessions import current_person
from portal.standing_words import notices

if TYPE_CHECKING:
    from collections.abc import Callable

_NOON = 12
_EVENING = 18


class Card(NamedTuple):
    """One figure: what it counts, its value, and what stands beside and below it."""

    label: str
    value: str
    unit: str = ""
    aside: str = ""
    foot: str = ""
    tone: str = ""
    """'up' for good, 'down' for bad, empty for neither."""
    href: str = ""


class Panel(NamedTuple):
    """A block of the page: a template of ours and what it draws."""

    template: str
    facts: dict[str, Any]


class Part(NamedTuple):
    """Something a view put on the home page, with the right that shows it."""

    right: Right
    roles: frozenset[str]
    make: Callable[[Actor], Any]


_cards: list[Part] = []
_panels: list[Part] = []
_asides: list[Part] = []


def card(right: Right, *roles: str) -> Callable[[Callable[[Actor], Card | None]], Callable[[Actor], Card | None]]:
    """Register a function that returns a figure for an actor; shown to holders of the right."""

    def register(make: Callable[[Actor], Card | None]) -> Callable[[Actor], Card | None]:
        _cards.append(Part(right, frozenset(roles), make))
        return make

    return register


def panel(
    right: Right,
    *roles: str,
    aside: bool = False,
) -> Callable[[Callable[[Actor], Panel | None]], Callable[[Actor], Panel | None]]:
    """Register a function that returns a block (the queue, the next deadline) for an actor."""

    def register(make: Callable[[Actor], Panel | None]) -> Callable[[Actor], Panel | None]:
        (_asides if aside else _panels).append(Part(right, frozenset(roles), make))
        return make

    return register


def _made(parts: list[Part], actor: Actor) -> list[Any]:
    shown = (p for p in parts if actor.may(p.right) and (not p.roles or actor.role in p.roles))
    return [made for made in (part.make(actor) for part in shown) if made is not None]


class HomeView(BaseView):
    """The page everybody starts from."""

    route_base = ""
    default_view = "index"
    right = SIGNED_IN

    @expose("/", methods=["GET"])
    def index(self) -> str:
        """Show the figures and the queue of the role."""
        actor = current_actor()
        person = current_person()
        last, failed = since_last_time(actor)
        panels, asides = _made(_panels, actor), _made(_asides, actor)
        facts: dict[str, Any] = {}
        for each in (*panels, *asides):
            facts |= each.facts
        return render_template(
            "home.html",
            greeting=_greeting(person.first_name if person else actor.name),
            notices=notices(actor),
            cards=_made(_cards, actor),
            panels=panels,
            asides=asides,
            now=clock.now(),
            last_sign_in=last,
            failed_since=failed,
            **facts,
        )


def _greeting(name: str) -> str:
    from flask_babel import get_timezone

    hour = clock.now().astimezone(get_timezone()).hour
    if hour < _NOON:
        return _("Good morning, %(name)s", name=name)
    if hour < _EVENING:
        return _("Good afternoon, %(name)s", name=name)
    return _("Good evening, %(name)s", name=name)
