"""The administrator's list of users: switch on and off, give a new password; each is audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _
from flask_babel import ngettext

from core.actor import Right
from portal import format as show
from portal.roles import ROLES, current_actor
from portal.security import accounts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


class UsersView(BaseView):
    """Who can sign in. Nobody changes the own account here, and roles are given by `desk` commands only."""

    route_base = "/users"
    default_view = "list"
    right = Right.MANAGE_USERS

    @expose("/", methods=["GET"])
    def list(self) -> str:
        """Show all users."""
        return self._page()

    @expose("/<int:user_id>/activate", methods=["POST"])
    def activate(self, user_id: int) -> ResponseReturnValue:
        """Switch an account on."""
        accounts.set_active(current_actor(), user_id, active=True)
        flash(_("The account is switched on."), "ok")
        return redirect(url_for("UsersView.list"))

    @expose("/<int:user_id>/deactivate", methods=["POST"])
    def deactivate(self, user_id: int) -> ResponseReturnValue:
        """Switch an account off; its sessions are over."""
        left = accounts.set_active(current_actor(), user_id, active=False)
        flash(_("The account is switched off and its sessions have ended."), "ok")
        if left:
            flash(
                ngettext(
                    "%(n)s API key of its party goes on working: a key is the party's, not the person's. `desk key"
                    " list` names it, `desk key end` ends it.",
                    "%(n)s API keys of its party go on working: keys are the party's, not the person's. `desk key"
                    " list` names them, `desk key end` ends one.",
                    left,
                    n=show.number(left),
                ),
                "warning",
            )
        return redirect(url_for("UsersView.list"))

    @expose("/<int:user_id>/password", methods=["POST"])
    def password(self, user_id: int) -> str:
        """Give a new password and show it this once."""
        fresh = accounts.reset_password(current_actor(), user_id)
        return self._page((accounts.account(user_id).username, fresh))

    @expose("/<int:user_id>/unlock", methods=["POST"])
    def unlock(self, user_id: int) -> ResponseReturnValue:
        """Let the account's tries to sign in start anew."""
        accounts.unlock(current_actor(), user_id)
        flash(_("Tries to sign in to the account start anew."), "ok")
        return redirect(url_for("UsersView.list"))

    def _page(self, shown_once: tuple[str, str] | None = None) -> str:
        return render_template(
            "users.html",
            title=_("Users"),
            users=accounts.accounts(),
            role_labels={name: role.label for name, role in ROLES.items()},
            shown_once=shown_once,
        )
