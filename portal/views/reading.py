"""Reading an alert that was handed out: its page says that it is open, and when it is left; the next one is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import jsonify, session
from flask_appbuilder.baseviews import expose

from core.actor import Actor, Right
from core.compliance import queries, turns
from portal import menu
from portal.roles import current_actor
from portal.security.gate import needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_PASSED: Final = "passed"
_MOST: Final = 20


class Reading:
    """What the page of an alert tells by itself, while it is open and when it is left."""

    @expose("/reading/<ref>", methods=["POST"])
    @needs(Right.DECIDE_ALERT)
    def reading(self, ref: str) -> ResponseReturnValue:
        """The page is still open; say whether the alert is still its reader's, and how many wait by now."""
        actor = current_actor()
        return jsonify(mine=turns.keep(actor, ref), menu=menu.news("alerts", actor))

    @expose("/left/<ref>", methods=["POST"])
    @needs(Right.DECIDE_ALERT)
    def left(self, ref: str) -> ResponseReturnValue:
        """The page was left; what was handed out goes back to the queue."""
        return jsonify(back=turns.leave(current_actor(), ref))


def passed() -> list[str]:
    """Return the alerts this session was handed, the latest last: they come last when it asks for the next."""
    return list(session.get(_PASSED, []))


def opened(ref: str) -> None:
    """Keep in mind that this session was handed the alert."""
    session[_PASSED] = [*(each for each in passed() if each != ref), ref][-_MOST:]


def offers(alert: queries.AlertView, actor: Actor) -> bool:
    """Return whether the next alert is offered beside this one: there is nothing left to do about it for who looks."""
    return actor.may(Right.DECIDE_ALERT) and not alert.may_second and alert.row.state != "open"


def upcoming(alert: queries.AlertView, actor: Actor) -> queries.QueueRow | None:
    """Return the alert that is offered next, None where none is offered or waits."""
    return queries.upcoming(actor, passed()) if offers(alert, actor) else None
