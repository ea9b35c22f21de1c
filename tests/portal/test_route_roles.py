"""Every route for every role, generated from the app's url map: who is not in the table is refused."""

from __future__ import annotations

import re

import pytest

from core.settings import settings
from portal.roles import ROLES as ROLE_TABLE
from portal.security.gate import needed
from tests.portal.conftest import USERS, Browser, people
from tests.portal.routes import EVERYBODY, ROLES, ROWS, Row
from wsgi import compose

NOT_METHODS = {"HEAD", "OPTIONS"}
FILL = {
    "user_id": "999999",
    "key": "none",
    "name": "none",
    "ref": "none",
    "filename": "none.css",
    "path": "none",
}
NAME_OF = {role: name for name, role in USERS.items()}


@pytest.fixture(scope="module")
def whole(module_database):
    people()
    return compose(settings())


@pytest.fixture(scope="module")
def browsers(whole):
    made = {"anonymous": Browser(whole)}
    made["anonymous"].get("/login/")
    for role in ROLES:
        made[role] = Browser(whole)
        assert made[role].sign_in(NAME_OF[role]).status_code == 302
    return made


def routes(app):
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods - NOT_METHODS}


def address(row: Row) -> str:
    return row.path or re.sub(r"<(?:\w+:)?(\w+)>", lambda found: FILL.get(found.group(1), "none"), row.rule)


def refused(answer) -> bool:
    """Return whether the gate kept the caller out, as opposed to the view answering in whatever way."""
    to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith("/login/")
    return to_sign_in or answer.status_code in {401, 403}


def test_every_route_has_its_row_and_every_row_its_route(whole):
    assert routes(whole) == {(row.method, row.rule) for row in ROWS}


def test_every_role_of_the_portal_is_walked():
    assert set(ROLE_TABLE) == set(ROLES)


def test_every_route_says_what_it_asks_for(whole):
    silent = [rule.rule for rule in whole.url_map.iter_rules() if needed(whole, rule.endpoint, rule.rule) is None]
    assert silent == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path or row.rule}")
def test_only_who_is_in_the_table_gets_in(row, whole, browsers):
    for who in sorted(EVERYBODY):
        browser = browsers[who]
        if row.rule == "/logout/":
            browser = Browser(whole)
            browser.get("/login/")
            if who != "anonymous":
                browser.sign_in(NAME_OF[who])
        get = row.method == "GET"
        answer = browser.client.get(address(row), buffered=True) if get else browser.post(address(row), row.form)
        # The sign-in form answers 401 to everybody whose password is wrong: it is open all the same.
        # Signing out leads there too, once it is done.
        kept_out = refused(answer) and row.rule != "/login/" and (row.rule, answer.status_code) != ("/logout/", 302)
        assert kept_out is (who not in row.who), f"{who}: {answer.status_code}"
        assert answer.status_code < 500, f"{who}: {answer.status_code}"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_change_nothing_anywhere(method, whole, browsers):
    for row in ROWS:
        answer = browsers["admin"].client.open(address(row), method=method)
        assert answer.status_code in {400, 401, 403, 404, 405}, f"{method} {row.rule}"
