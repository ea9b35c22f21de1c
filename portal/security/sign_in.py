"""The sign-in page and signing out, by POST with a CSRF token; without the password errors tell nothing of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import make_response, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.views import AuthDBView
from flask_babel import gettext as _

from core.errors import Refusal, TooMany
from portal import refusals
from portal.security import accounts, devices
from portal.security.gate import PUBLIC, SIGNED_IN, needs, safe_next
from portal.security.sessions import close_session, current_person, open_session

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

UNAUTHORIZED = 401


def caller() -> dict[str, str]:
    """Return address and browser of the request, cut to what is kept."""
    return {"ip": (request.remote_addr or "")[:64], "agent": (request.user_agent.string or "")[:200]}


class SignInView(AuthDBView):
    """Where people come in and go out."""

    route_base = ""
    endpoint = "SignInView"

    @expose("/login/", methods=["GET"])
    @needs(PUBLIC)
    def login(self) -> ResponseReturnValue:
        """Show the sign-in form, or go on when somebody is signed in already."""
        if current_person() is not None:
            return redirect(safe_next(request.args.get("next")))
        return self._form()

    @expose("/login/", methods=["POST"])
    @needs(PUBLIC)
    def sign_in(self) -> ResponseReturnValue:
        """Check name and password; open a session, or show the form again with one sentence for all."""
        username = request.form.get("username", "").strip()
        password = request.form.get("password", "")
        if not username or not password or "\0" in username + password:
            return self._form(_("Enter your user name and your password."), username), UNAUTHORIZED
        try:
            user = accounts.sign_in(username, password, **caller(), device=devices.known(username))
        except TooMany as refusal:
            answer = make_response(
                self._form(refusals.words(refusal), username, until=refusal.facts["until"]), refusal.status
            )
            answer.headers["Retry-After"] = str(refusal.facts["retry_after"])
            return answer
        except Refusal as refusal:
            return self._form(refusals.words(refusal), username), refusal.status
        if user is None:
            wrong = _("User name or password is not right, or the account is switched off.")
            return self._form(wrong, username), UNAUTHORIZED
        open_session(user.id, user.password_hash, user.role, **caller())
        answer = make_response(redirect(safe_next(request.args.get("next"))))
        devices.remember(answer, username)
        return answer

    @expose("/logout/", methods=["POST"])
    @needs(SIGNED_IN)
    def logout(self) -> ResponseReturnValue:
        """End the session and show the sign-in page."""
        close_session()
        return redirect(url_for("SignInView.login"))

    def _form(self, error: str = "", username: str = "", **more: Any) -> str:
        return render_template("sign_in.html", error=error, username=username[:128], **more)
