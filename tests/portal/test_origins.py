"""A change that another site's page sends is refused, though it carries a valid token; what no page sends is not."""

from __future__ import annotations

import pytest

from core.settings import Settings
from portal.app import create_app
from tests.portal.conftest import Browser

HERE = "http://localhost"


@pytest.fixture
def posting(desk, signed_in):
    """Post a change of taste as a page with these headers does; return status and code."""
    browser = signed_in("admin")
    browser.get("/account/")

    def post(**headers):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = browser.post("/account/taste", {"theme": "dark"}, headers=sent)
        return answer.status_code, "foreign_origin" in answer.text

    return post


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "https://localhost"},
        {"Referer": "https://localhost/account/"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:x"},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin", "Referer": f"{HERE}/account/"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "cross-site", "Referer": f"{HERE}/account/"},
        {"Referer": "https://evil.example/localhost"},
    ],
)
def test_what_another_sites_page_sends_is_refused_with_a_valid_token(posting, headers):
    assert posting(**headers) == (403, True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": HERE},
        {"Origin": "http://LOCALHOST:80"},
        {"Origin": HERE, "Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
        {"Referer": f"{HERE}/account/"},
    ],
)
def test_what_our_own_page_or_a_program_sends_is_taken(posting, headers):
    status, foreign = posting(**headers)
    assert (status < 400, foreign) == (True, False)


def test_signing_in_and_out_are_changes_too(desk):
    browser = desk.browser()
    browser.get("/login/")
    evil = {"Origin": "https://evil.example"}
    form = {"username": "admin", "password": "not this one"}
    assert browser.post("/login/", form, headers=evil).status_code == 403
    assert browser.get("/login/", headers=evil).status_code == 200, "to look is no change"


def test_the_api_asks_for_keys_and_not_for_origins(desk):
    answer = desk.app.test_client().post("/api/v1/quotes", json={}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("https://desk.example", True),
        ("https://desk.example:8443", True),
        ("https://backup.example", True),
        ("http://desk.example", False),
        ("https://evil.example", False),
        ("https://desk.example.evil.example", False),
    ],
)
def test_behind_proxies_our_names_count_on_whatever_port(desk, monkeypatch, origin, taken):
    monkeypatch.setenv("DESK_PROXIES", "1")
    monkeypatch.setenv("DESK_TRUSTED_HOSTS", "desk.example,backup.example")
    app = create_app(Settings())
    browser = Browser(app)
    told = {"X-Forwarded-Host": "desk.example", "X-Forwarded-Proto": "https", "Origin": origin}
    browser.get("/login/", headers=told)
    answer = browser.post("/login/", {"username": "nobody", "password": "x"}, headers=told)
    assert (answer.status_code != 403) is taken


@pytest.mark.parametrize(
    ("setting", "value", "taken"),
    [
        ("DESK_PROXIES", "0", False),
        ("DESK_PROXIES", "1", True),
        ("DESK_COOKIE_SECURE", "false", False),
        ("DESK_COOKIE_SECURE", "true", True),
    ],
)
def test_our_name_by_https_counts_on_plain_http_only_where_https_may_stand_in_front(
    desk, monkeypatch, setting, value, taken
):
    monkeypatch.setenv(setting, value)
    monkeypatch.setenv("DESK_TRUSTED_HOSTS", "localhost")
    app = create_app(Settings())
    origins = ("https://localhost", "http://localhost", "http://localhost:8443")
    statuses = [app.test_client().post("/login/", headers={"Origin": origin}).status_code for origin in origins]
    # 403: another's page; 400: ours, yet without its token. Behind proxies a name counts, on whatever port.
    assert statuses == [400 if taken else 403, 400, 400 if (setting, value) == ("DESK_PROXIES", "1") else 403]
