"""Flask-AppBuilder's security manager, narrowed: one sign-in view, roles in process, own sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app
from flask_appbuilder import AppBuilder
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_login import LoginManager

from core.actor import Right
from portal.roles import FAB_ROLES, current_actor
from portal.security.gate import SIGNED_IN, owner_of
from portal.security.sessions import current_person
from portal.security.sign_in import SignInView

if TYPE_CHECKING:
    from flask import Flask


class DeskLogin(LoginManager):
    """Flask-Login that asks our session table; it reads no remember-me cookie and no header."""

    def _load_user(self) -> None:
        self._update_request_context_with_user(current_person())


class DeskSecurity(SecurityManager):
    """Access by `portal.roles` alone: no SQL per check, no database permissions, no JWT, no API keys."""

    authdbview = SignInView
    userstatschartview = None

    def create_login_manager(self, app: Flask) -> LoginManager:
        """Return the login manager that knows our sessions."""
        return DeskLogin(app)

    def create_jwt_manager(self, app: Flask) -> None:
        """Return None: there is no second way in by JWT."""

    def create_limiter(self, app: Flask) -> None:
        """Return None: the lockout counts in the database, over all processes."""

    def create_db(self) -> None:
        """Do nothing: `desk init` creates tables and roles under a lock, web workers only serve."""

    @staticmethod
    def create_builtin_roles() -> dict[str, Any]:
        """Return the seven roles' names."""
        return dict(FAB_ROLES)

    def register_views(self) -> None:
        """Register the sign-in view and nothing else; users, roles and permissions have no stock screens."""
        self.auth_view = self.authdbview()
        self.appbuilder.add_view_no_menu(self.auth_view)

    def has_access(self, permission_name: str, view_name: str) -> bool:  # noqa: ARG002 - methods are fixed by the desk
        """Return whether the person's role holds the right the view asks for; views without one are shut."""
        if current_person() is None:
            return False
        view = owner_of(current_app._get_current_object(), view_name)  # type: ignore[attr-defined]  # noqa: SLF001
        right = getattr(view, "right", None)
        return right == SIGNED_IN or (isinstance(right, Right) and current_actor().may(right))

    def get_public_permissions(self) -> list[Any]:
        """Return nothing: there is no public role."""
        return []


class Portal(AppBuilder):
    """AppBuilder without its stock pages: no back route, no locale route, no menu API, no OpenAPI."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.sm.register_views()
