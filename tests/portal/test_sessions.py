"""Sessions live on the server: a copied cookie is worth nothing once the session is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.actor import system
from core.db import reading, transaction
from core.errors import Conflict
from portal.security.accounts import set_active
from portal.security.setup import ensure_user
from tests.portal.conftest import PASSWORD, Browser


def copied(browser, app):
    """Return a browser with a copy of the cookie."""
    thief = Browser(app)
    cookie = browser.client.get_cookie("desk")
    thief.client.set_cookie("desk", cookie.value)
    return thief


def alive(browser):
    return browser.get("/account/").status_code == 200


def come_in(fresh, name, password=PASSWORD):
    browser = fresh.browser()
    assert browser.sign_in(name, password).status_code == 302
    assert alive(browser)
    return browser


def test_a_copied_cookie_dies_with_the_sign_out(fresh):
    browser = come_in(fresh, "finance")
    thief = copied(browser, fresh.app)
    assert alive(thief)
    assert browser.post("/logout/").status_code == 302
    assert not alive(browser)
    assert not alive(thief)


def test_signing_out_takes_a_post(fresh):
    browser = come_in(fresh, "finance")
    assert browser.get("/logout/").status_code == 405
    assert alive(browser)


def test_all_other_sessions_die_with_a_new_password(fresh):
    here, there = come_in(fresh, "finance"), come_in(fresh, "finance")
    thief = copied(here, fresh.app)
    fresh_password = "a long new password"
    answer = here.post("/account/password", {"current": PASSWORD, "fresh": fresh_password, "again": fresh_password})
    assert answer.status_code == 302
    assert alive(here)
    assert not alive(there)
    assert not alive(thief)
    assert fresh.browser().sign_in("finance", PASSWORD).status_code == 401
    come_in(fresh, "finance", fresh_password)


def test_sessions_die_when_the_account_is_switched_off(fresh):
    browser, admin = come_in(fresh, "agent1"), come_in(fresh, "admin")
    with reading() as tx:
        number = tx.call("select id from ab_user where username = 'agent1'")
    assert admin.post(f"/users/{number}/deactivate").status_code == 302
    assert not alive(browser)
    assert fresh.browser().sign_in("agent1").status_code == 401
    assert admin.post(f"/users/{number}/activate").status_code == 302
    assert not alive(browser)
    come_in(fresh, "agent1")
    with reading() as tx:
        trail = [row[0] for row in tx.rows("select action from audit where subject = 'agent1' order by id")]
    assert trail == ["user.deactivated", "user.activated"]


def test_sessions_die_when_the_role_changes_by_whatever_way(fresh):
    browser = come_in(fresh, "auditor")
    with transaction() as tx:
        tx.run(
            "update ab_user_role set role_id = (select id from ab_role where name = 'finance') "
            "where user_id = (select id from ab_user where username = 'auditor')",
        )
    assert not alive(browser)


def test_sessions_die_when_somebody_sets_the_password_in_the_database(fresh):
    browser = come_in(fresh, "auditor")
    with transaction() as tx:
        tx.run("update ab_user set password = 'x' where username = 'auditor'")
    assert not alive(browser)


def test_a_session_ends_when_idle_and_when_old(fresh):
    start = clock.now()
    idle = come_in(fresh, "finance")
    with clock.at(start + timedelta(minutes=29)):
        assert alive(idle)
    with clock.at(start + timedelta(minutes=29 + 31)):
        assert not alive(idle)
    busy = come_in(fresh, "finance")
    for minutes in range(0, 12 * 60, 25):
        with clock.at(start + timedelta(minutes=minutes)):
            assert alive(busy)
    with clock.at(start + timedelta(hours=12, minutes=5)):
        assert not alive(busy)


def test_the_session_before_sign_in_is_not_the_session_after(fresh):
    browser = fresh.browser()
    browser.get("/login/")
    before = browser.client.get_cookie("desk").value
    browser.sign_in("finance")
    thief = Browser(fresh.app)
    thief.client.set_cookie("desk", before)
    assert not alive(thief)


def test_the_token_is_not_in_the_database(fresh):
    browser = come_in(fresh, "finance")
    with browser.client.session_transaction() as kept:
        token = kept["sid"]
    with reading() as tx:
        assert tx.call("select count(*) from portal_session where token_hash = %s", (token.encode(),)) == 0
        assert tx.call("select count(*) from portal_session where ended_at is null") == 1


def test_a_reset_password_must_be_changed_before_anything_else(fresh):
    admin = come_in(fresh, "admin")
    with reading() as tx:
        number = tx.call("select id from ab_user where username = 'merchant1'")
    page = admin.post(f"/users/{number}/password")
    assert page.status_code == 200
    given = page.text.split("shown only now:")[1].split("<")[0].strip()
    browser = fresh.browser()
    assert browser.sign_in("merchant1", given).status_code == 302
    assert browser.get("/").headers["Location"] == "/account/password"
    assert browser.get("/parcels/list/").headers["Location"] == "/account/password"
    own = "my own good words"
    answer = browser.post("/account/password", {"current": given, "fresh": own, "again": own})
    assert answer.status_code == 302
    assert browser.get("/").status_code == 200


def test_nobody_changes_the_own_account_as_administrator_nor_the_last_one(fresh):
    admin = come_in(fresh, "admin")
    with reading() as tx:
        own = tx.call("select id from ab_user where username = 'admin'")
    assert admin.post(f"/users/{own}/deactivate").status_code == 409
    assert admin.post(f"/users/{own}/password").status_code == 409
    second = ensure_user("admin2", "admin", PASSWORD)
    other = come_in(fresh, "admin2")
    assert other.post(f"/users/{own}/deactivate").status_code == 302
    with fresh.app.test_request_context(), pytest.raises(Conflict, match="last active administrator"):
        set_active(system(), second, active=False)


def test_weak_and_wrong_passwords_are_refused_and_nothing_ends(fresh):
    browser = come_in(fresh, "finance")
    for current, new, again, status in (
        ("wrong", "a long new password", "a long new password", 403),
        (PASSWORD, "short", "short", 422),
        (PASSWORD, "finance-finance", "finance-finance", 422),
        (PASSWORD, PASSWORD, PASSWORD, 422),
        (PASSWORD, "a long new password", "another password", 422),
    ):
        answer = browser.post("/account/password", {"current": current, "fresh": new, "again": again})
        assert answer.status_code == status
        assert alive(browser)
