"""create_app(settings): the portal as a Flask app, every mend in its place."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Flask, has_request_context, request, session
from flask_wtf.csrf import CSRFProtect

from core.db import portal_session
from portal import (
    api,
    faults,
    format,  # noqa: A004 - our module of that name
    frame,
    health,
    logs,
    problems,
    taste,
    timing,
    views,
)
from portal.security import gate, headers, hosts, origins, proxies
from portal.security.manager import DeskSecurity, Portal
from portal.security.sessions import API, LANGUAGE, current_person
from portal.views.home import HomeView

if TYPE_CHECKING:
    from core.settings import Settings

HERE = Path(__file__).parent
LARGEST_BODY = 8 * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    """Return the portal for these settings; core.db must be able to connect, `desk init` must have run.

    Other rooms hang themselves on it in wsgi.py.
    """
    logs.configure(settings.log_level)
    app = Flask("portal", static_folder=str(HERE / "static"), template_folder=str(HERE / "templates"))
    app.config.from_mapping(_config(settings))
    hosts.install(app, settings.hosts)
    proxies.install(app, settings.proxies, settings.proxy_addresses)
    origins.install(app, settings.hosts, settings.proxies, https=settings.secure_cookies)
    logs.install(app)
    faults.install(app)
    timing.install(app)
    _protect_forms(app)
    with app.app_context():
        appbuilder = Portal(
            app,
            portal_session,  # type: ignore[arg-type]  # a scoped session stands for the session
            indexview=HomeView,
            base_template="page.html",
            security_manager_class=DeskSecurity,
            static_folder=None,  # type: ignore[arg-type]  # none of the stock scripts and styles is served
            update_perms=False,
        )
        views.register(appbuilder)
    app.register_blueprint(api.blueprint())
    _speak(app)
    health.install(app)
    app.register_blueprint(problems.problems)
    headers.install(app)
    format.install(app)
    frame.install(app)
    app.before_request(gate.guard)

    @app.teardown_appcontext
    def let_go(_error: BaseException | None) -> None:
        portal_session.remove()

    return app


def _config(settings: Settings) -> dict[str, object]:
    secure = settings.secure_cookies
    return {
        "APP_NAME": "Escrow Desk",
        "DEBUG": settings.debug,
        "PRODUCTION": settings.production,
        "RELEASE": _release(),
        "SECRET_KEY": settings.session_key,
        "TRUSTED_HOSTS": settings.hosts,
        "MAX_CONTENT_LENGTH": LARGEST_BODY,
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=30),
        "SESSION_COOKIE_NAME": "__Host-desk" if secure else "desk",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_IDLE_MINUTES": settings.session_idle_minutes,
        "SESSION_HOURS": settings.session_hours,
        "SEARCH_HREF": "/search/",
        "METRICS_TOKEN": settings.metrics_token.get_secret_value(),
        "METRICS_DIR": os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""),
        # Flask-AppBuilder: what it would do by itself and shall not.
        "AUTH_ROLE_ADMIN": "admin",
        "AUTH_ROLE_PUBLIC": "nobody",
        "AUTH_USER_REGISTRATION": False,
        "FAB_ADD_SECURITY_API": False,
        "FAB_ADD_OPENAPI_VIEWS": False,
        "FAB_ADD_MENU_API": False,
        "FAB_API_KEY_ENABLED": False,
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        "FAB_SAFE_REDIRECT_HOSTS": settings.hosts,
        "FAB_STATIC_FOLDER": None,
        # Forms and languages.
        "WTF_CSRF_CHECK_DEFAULT": False,
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": secure,
        "LANGUAGES": {code: {"flag": code, "name": name} for code, name in taste.LANGUAGES.items()},
        "BABEL_DEFAULT_LOCALE": "en",
        "BABEL_TRANSLATION_DIRECTORIES": str(HERE / "translations"),
    }


def _release() -> str:
    """Return a short fingerprint of the static files, so that browsers fetch new ones and keep old ones."""
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").rglob("*.*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:10]


def _protect_forms(app: Flask) -> None:
    """Ask for a page of ours and its CSRF token everywhere but in the API, which never looks at the cookie."""
    csrf = CSRFProtect(app)

    def check() -> None:
        if not request.path.startswith(API) and request.routing_exception is None:
            origins.check()
            csrf.protect()

    app.before_request(check)


def _speak(app: Flask) -> None:
    """Let language and time zone follow the signed-in person, else the address, else the browser."""

    def keep() -> None:
        """Keep the language an address asks for: what its page then asks of us speaks it too, as do the next pages."""
        asked = request.args.get("lang", "")
        if asked in taste.LANGUAGES and not request.path.startswith((API, "/static/")):
            session[LANGUAGE] = asked

    def language() -> str:
        if not has_request_context():
            return "en"
        person = current_person()
        kept = "" if request.path.startswith(API) else session.get(LANGUAGE, "")
        for asked in (person.language if person else "", request.args.get("lang", ""), kept):
            if asked in taste.LANGUAGES:
                return asked
        return request.accept_languages.best_match(list(taste.LANGUAGES), "en") or "en"

    def zone() -> ZoneInfo | object:
        person = current_person() if has_request_context() else None
        return ZoneInfo(person.zone) if person is not None and person.zone in taste.zones() else UTC

    app.before_request(keep)
    speech = app.extensions["babel"]
    speech.locale_selector = language
    speech.timezone_selector = zone
