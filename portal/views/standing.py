"""A party's standing on its page: suspend, reinstate or bar it, with a reason, by who runs or judges the parties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Right
from core.parties import standing
from portal.desk import Button, deed
from portal.roles import current_actor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.actor import Actor

BEFORE = {"suspend": ("active",), "reinstate": ("suspended",), "bar": ("active", "suspended", "imported")}
"""From which states each step is possible."""


class Stands:
    """The deeds that set a party's standing, for the desks of merchants and acceptors."""

    @deed("suspend", _l("Suspend"), Right.SET_STANDING, look="bad", sign="lock")
    def suspend(self, rows: Sequence[Any]) -> None:
        """Stop new business with the party; what is open goes on."""
        turn(current_actor(), "suspend", rows[0].ref, rows[0].code)

    @deed("reinstate", _l("Reinstate"), Right.SET_STANDING, sign="rotate-ccw")
    def reinstate(self, rows: Sequence[Any]) -> None:
        """End the suspension."""
        turn(current_actor(), "reinstate", rows[0].ref, rows[0].code)

    @deed("bar", _l("Bar for good"), Right.SET_STANDING, look="bad", sign="ban")
    def bar(self, rows: Sequence[Any]) -> None:
        """Bar the party for good."""
        turn(current_actor(), "bar", rows[0].ref, rows[0].code)


def turn(actor: Actor, name: str, ref: str, code: str) -> None:
    """Set a party's standing with the reason of the form that was sent, and say so."""
    why = request.form.get("reason", "")
    if name == "suspend":
        standing.suspend(actor, ref, why)
        flash(_("%(code)s is suspended: no new business. What is open goes on.", code=code), "ok")
    elif name == "reinstate":
        standing.reinstate(actor, ref, why)
        flash(_("%(code)s is active again.", code=code), "ok")
    else:
        standing.bar(actor, ref, why)
        flash(_("%(code)s is barred. Its users and API keys get in no more.", code=code), "ok")


def gone(state: str) -> set[str]:
    """Return the steps that are not possible from a state."""
    return {name for name, before in BEFORE.items() if state not in before}


def buttons(actor: Actor, state: str) -> list[Button]:
    """Return the steps possible now, for a page that is no desk's."""
    if not actor.may(Right.SET_STANDING):
        return []
    words = {
        "suspend": (_("Suspend"), "bad", "lock"),
        "reinstate": (_("Reinstate"), "", "rotate-ccw"),
        "bar": (_("Bar for good"), "bad", "ban"),
    }
    left = [name for name in words if name not in gone(state)]
    return [Button(name, words[name][0], "", words[name][1], words[name][2], "", "") for name in left]
