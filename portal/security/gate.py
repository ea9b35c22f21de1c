"""One gate before every view: who must be signed in and with which right; what says nothing is shut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from flask import current_app, redirect, request, url_for

from core.actor import Right
from core.errors import Forbidden, NotSignedIn
from portal.roles import current_actor
from portal.security.sessions import API, current_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.wrappers import Response

PUBLIC = "public"
SIGNED_IN = "signed in"
OWN_DOOR = "own door"
"""Guarded by its own code: the API by keys, metrics by address or token."""

DOORS = {API: OWN_DOOR, "/dashboards/": SIGNED_IN}
"""Addresses of other rooms: the API asks for keys; the dashboards ask again for rights behind the sign-in."""

_View = TypeVar("_View", bound="Callable[..., Any]")
_PASSWORD_FIRST = frozenset({"AccountView.password", "AccountView.save_password", "SignInView.logout"})


def needs(right: Right | str) -> Callable[[_View], _View]:
    """Mark a view function with the right it asks for, or with PUBLIC, SIGNED_IN or OWN_DOOR."""

    def mark(view: _View) -> _View:
        view.needs = right  # type: ignore[attr-defined]
        return view

    return mark


def needed(app: Flask, endpoint: str | None, path: str) -> Right | str | None:
    """Return what a route asks for: its door's, its own mark, its desk's right; None if nothing is said."""
    for start, door in DOORS.items():
        if path.startswith(start):
            return door
    if endpoint is None or endpoint == "static":
        return PUBLIC  # an unknown address: everybody gets the same 404
    blueprint, _, name = endpoint.rpartition(".")
    view = app.view_functions[endpoint]
    mark = getattr(view, "needs", None)
    if mark is None:
        owner = owner_of(app, blueprint)
        method = getattr(type(owner), name, None) if owner is not None else None
        mark = getattr(method, "needs", None) or getattr(owner, "right", None)
    return mark


def owner_of(app: Flask, blueprint: str) -> object | None:
    """Return the Flask-AppBuilder view behind a blueprint's name."""
    owners: dict[str, object] | None = app.extensions.get("desk_owners")
    if owners is None:
        owners = app.extensions["desk_owners"] = {view.endpoint: view for view in app.appbuilder.baseviews}  # type: ignore[attr-defined]
    return owners.get(blueprint)


def guard() -> Response | None:
    """Let the request pass, send people to sign in, or refuse with `not_signed_in` or `forbidden`."""
    if request.routing_exception is not None:
        return None
    asked = needed(current_app, request.endpoint, request.path)
    if asked in {PUBLIC, OWN_DOOR}:
        return None
    person = current_person()
    if person is None:
        if request.method == "GET" and "text/html" in request.headers.get("Accept", "text/html"):
            return redirect(url_for("SignInView.login", next=_here()))
        raise NotSignedIn("sign in first")
    if person.must_change_password and request.endpoint not in _PASSWORD_FIRST:
        return redirect(url_for("AccountView.password"))
    if asked == SIGNED_IN:
        return None
    if not isinstance(asked, Right):
        raise Forbidden("this page is for nobody: it does not say which right it asks for", route=request.endpoint)
    current_actor().must(asked)
    return None


def _here() -> str | None:
    path = request.full_path.rstrip("?")
    return None if path == "/" else path


def safe_next(target: str | None) -> str:
    """Return where to go after sign-in: a path on this host, else the home page."""
    home = url_for("HomeView.index")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(letter) < ord(" ") or letter == "\\" for letter in target):
        return home
    return target
