"""One's own account: password, language, theme, density, time zone, latest tries to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _

from core.errors import BadInput, Refusal, TooMany
from portal import refusals, taste
from portal.roles import current_actor
from portal.security import accounts
from portal.security.gate import SIGNED_IN, safe_next
from portal.security.sessions import current_person, open_session
from portal.security.sign_in import caller

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

MISMATCH = 422


class AccountView(BaseView):
    """What everybody may see and change of the own account."""

    route_base = "/account"
    default_view = "index"
    right = SIGNED_IN

    @expose("/", methods=["GET"])
    def index(self) -> str:
        """Show the account."""
        return render_template(
            "account.html",
            title=_("Account and look"),
            zones=[(name, name.replace("_", " ")) for name in taste.zones()],
            tries=accounts.latest_tries(current_actor()),
        )

    @expose("/taste", methods=["POST"])
    def taste(self) -> ResponseReturnValue:
        """Keep a choice of language, theme, density or time zone; refuse others with `bad_input`."""
        changes = {name: value for name, value in request.form.items() if name != "csrf_token"}
        for name, value in changes.items():
            if name not in taste.CHOICES or not taste.CHOICES[name](value):
                raise BadInput(_("That choice does not exist."), field=name)
        accounts.save_taste(current_actor().user_id or 0, **changes)
        return redirect(_came_from())

    @expose("/password", methods=["GET"])
    def password(self) -> str:
        """Show the form for a new password."""
        return self._form()

    @expose("/password", methods=["POST"])
    def save_password(self) -> ResponseReturnValue:
        """Change the password; every other session of the account ends."""
        current, fresh, again = (request.form.get(name, "") for name in ("current", "fresh", "again"))
        if fresh != again:
            return self._form(_("The two new passwords differ."), "bad_input"), MISMATCH
        try:
            session_id = current_person().session_id
            user = accounts.change_password(current_actor(), current, fresh, session_id=session_id, **caller())
        except TooMany:
            raise  # its page says when, and so does its header
        except Refusal as refusal:
            return self._form(refusals.words(refusal), refusal.code), refusal.status
        open_session(user.id, user.password_hash, user.role, **caller())
        flash(_("Your password is changed. All other sessions have ended."), "ok")
        return redirect(url_for("HomeView.index"))

    def _form(self, error: str = "", code: str = "") -> str:
        return render_template("password.html", title=_("Change password"), error=error, code=code)


def _came_from() -> str:
    """Return the page of ours the form was on, else the account page."""
    referrer = request.referrer or ""
    here = request.host_url
    if referrer.startswith(here):
        return safe_next("/" + referrer[len(here) :])
    return url_for("AccountView.index")
