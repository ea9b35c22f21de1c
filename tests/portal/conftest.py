"""A portal on an empty database with one user per role, and clients that are signed in."""

from __future__ import annotations

import re
from functools import lru_cache
from types import SimpleNamespace

import pytest
from werkzeug.security import generate_password_hash

from core.db import transaction
from core.settings import settings
from portal import views
from portal.app import create_app
from portal.security import setup
from portal.security.setup import ensure_user, set_up
from tests.portal.sample import make_parcels

PASSWORD = "desk-demo-2026"
PARTIES = {"merchant": "shop-04", "acceptor": "acceptor-017", "agent": "agent-04"}
USERS = {
    "admin": "admin",
    "compliance": "compliance",
    "finance": "finance",
    "auditor": "auditor",
    "agent1": "agent",
    "acceptor1": "acceptor",
    "merchant1": "merchant",
}


def token_of(html: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', html).group(1)


class Browser:
    """A test client that sends the CSRF token of the page it was on, as a browser does."""

    def __init__(self, app):
        self.client = app.test_client()
        self.token = ""

    def get(self, path, **more):
        answer = self.client.get(path, **more)
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text) if answer.is_json is False else None
        if found:
            self.token = found.group(1)
        return answer

    def post(self, path, data=None, **more):
        return self.client.post(path, data={"csrf_token": self.token, **(data or {})}, **more)

    def sign_in(self, username, password=PASSWORD, **more):
        self.get("/login/")
        answer = self.post("/login/", {"username": username, "password": password}, **more)
        if answer.status_code == 302:
            self.get("/account/password")
        return answer


def party(tx, kind, code):
    return tx.call(
        "insert into party (ref, kind, code, name, created_at) values (%s, %s, %s, %s, now()) returning id",
        (f"{kind[:3]}_{code}", kind, code, code),
    )


@lru_cache(maxsize=8)
def hashed(password):
    """Hash a password of these tests quickly: the product's way is slow on purpose, and they sign in a thousand times.

    Passwords that are set in the portal itself are hashed in the product's way in tests too.
    """
    return generate_password_hash(password, method="pbkdf2:sha256:1000")


def people():
    """Set up roles, parties and one user per role; return the parties' numbers."""
    set_up()
    setup.generate_password_hash = hashed
    with transaction() as tx:
        ids = {kind: party(tx, kind, code) for kind, code in PARTIES.items()}
    for username, role in USERS.items():
        ensure_user(username, role, PASSWORD, last_name="Demo", party_id=ids.get(role))
    return ids


def portal_with_sample():
    """Return a portal that also has the sample desk."""
    plain = views.VIEWS
    views.VIEWS = (*plain, "tests.portal.sample:ParcelDesk")
    try:
        app = create_app(settings())
    finally:
        views.VIEWS = plain
    app.testing = False
    return app


@pytest.fixture(scope="module")
def desk(module_database, tmp_path_factory):
    """The portal of this module's tests, with the sample desk and its rows."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DESK_HOME", str(tmp_path_factory.mktemp("home")))
        settings.cache_clear()
        ids = people()
        make_parcels(ids["merchant"], ids["acceptor"])
        app = portal_with_sample()
    settings.cache_clear()
    return SimpleNamespace(app=app, ids=ids, browser=lambda: Browser(app))


@pytest.fixture
def fresh(database):
    """A portal on a database of this test alone."""
    ids = people()
    make_parcels(ids["merchant"], ids["acceptor"])
    app = portal_with_sample()
    return SimpleNamespace(app=app, ids=ids, browser=lambda: Browser(app))


@pytest.fixture
def signed_in(desk):
    """A function that returns a browser signed in as that user."""

    def come_in(username):
        browser = desk.browser()
        assert browser.sign_in(username).status_code == 302
        return browser

    return come_in
