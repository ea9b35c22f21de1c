"""What every answer carries, and that forms without our token change nothing."""

from __future__ import annotations

import json
import re

from core.settings import Settings
from portal.app import create_app
from tests.portal.conftest import PASSWORD


def test_every_page_forbids_foreign_scripts_framing_sniffing_and_keeping(desk, signed_in):
    browser = signed_in("admin")
    for path in ("/", "/users/", "/account/", "/parcels/list/", "/nowhere"):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self' 'nonce-" in policy
        assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "Permissions-Policy" in headers


def test_every_script_has_the_nonce_of_its_answer_and_no_handler_is_inline(desk, signed_in):
    browser = signed_in("admin")
    for path in ("/", "/users/", "/parcels/list/", "/parcels/show/par_000003", "/account/"):
        answer = browser.get(path)
        nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"]).group(1)
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert scripts
        assert all(f'nonce="{nonce}"' in script for script in scripts)
        assert not re.search(r"\son[a-z]+=", answer.text)
        assert "javascript:" not in answer.text
        assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)


def test_a_nonce_is_used_once(desk):
    browser = desk.browser()
    one, two = (browser.get("/login/").headers["Content-Security-Policy"] for _ in range(2))
    assert one != two


def test_the_sign_in_page_is_not_kept_and_its_cookie_is_closed_to_scripts(desk):
    answer = desk.browser().get("/login/")
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_static_files_may_be_kept(desk):
    answer = desk.browser().client.get("/static/css/tokens.css")
    assert answer.status_code == 200
    assert "no-store" not in answer.headers["Cache-Control"]


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(database, monkeypatch):
    monkeypatch.setenv("DESK_COOKIE_SECURE", "true")
    app = create_app(Settings())
    answer = app.test_client().get("/login/", base_url="https://localhost")
    assert "__Host-desk=" in answer.headers["Set-Cookie"]
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_other_host_names_are_refused(desk):
    answer = desk.app.test_client().get("/login/", base_url="http://evil.example")
    assert answer.status_code == 400


def test_a_wrong_host_name_writes_one_line_and_no_warning(desk, capsys):
    client = desk.app.test_client()
    for path in ("/", "/login/", "/orders/list/", "/api/v1/balances", "/static/css/base.css"):
        capsys.readouterr()
        client.get(path, base_url="http://evil.example")
        lines = capsys.readouterr().err.splitlines()
        assert [json.loads(line)["level"] for line in lines] == ["info"], path


def test_a_post_without_our_token_changes_nothing(desk, signed_in):
    browser = signed_in("admin")
    for path in ("/logout/", "/account/taste", "/users/2/deactivate", "/parcels/action/open_it/par_000001"):
        answer = browser.client.post(path, data={"theme": "dark"})
        assert answer.status_code == 400
        assert "no longer valid" in answer.text
    assert browser.get("/account/").status_code == 200


def test_signing_in_needs_our_token_too(desk):
    answer = desk.app.test_client().post("/login/", data={"username": "admin", "password": PASSWORD})
    assert answer.status_code == 400


def test_a_fault_gives_a_500_with_a_trace_id_and_logs_no_password(desk, capfd, monkeypatch):
    from portal.security import accounts

    def broken(*_args, **_kwargs):
        secret_in_a_local = "hunter-2-hunter-2"
        raise RuntimeError("broken inside") from ValueError(len(secret_in_a_local))

    monkeypatch.setattr(accounts, "sign_in", broken)
    browser = desk.browser()
    answer = browser.sign_in("admin", "hunter-2-hunter-2")
    trace = answer.headers["X-Request-Id"]
    assert answer.status_code == 500
    assert trace in answer.text
    assert "broken inside" not in answer.text
    log = capfd.readouterr().err
    assert trace in log
    assert "broken inside" in log
    assert "hunter-2" not in log


def test_a_callers_request_id_is_kept_when_it_is_well_formed(desk):
    client = desk.app.test_client()
    assert client.get("/healthz", headers={"X-Request-Id": "abc-123-def"}).headers["X-Request-Id"] == "abc-123-def"
    assert (
        client.get("/healthz", headers={"X-Request-Id": "a b\tc<script>"}).headers["X-Request-Id"] != "a b\tc<script>"
    )


def test_the_api_gets_problem_json_and_never_looks_at_the_cookie(desk, signed_in):
    browser = signed_in("admin")
    answer = browser.client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "not_found"
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    with desk.app.test_request_context(
        "/api/v1/balances", headers={"Cookie": f"desk={browser.client.get_cookie('desk').value}"}
    ):
        from portal.security.sessions import current_person

        assert current_person() is None
