"""Coming in: lockout by account and address, no word about who exists, no way past the form."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core import clock
from core.db import reading
from core.errors import TooMany
from portal.security import lockout
from tests.portal.conftest import PASSWORD


def test_every_demo_role_signs_in_and_lands_on_its_home(desk, signed_in):
    for name in ("admin", "compliance", "finance", "auditor", "agent1", "acceptor1", "merchant1"):
        answer = signed_in(name).get("/")
        assert answer.status_code == 200
        assert "Sign out" in answer.text


def test_unknown_names_and_wrong_passwords_are_told_the_same_way(fresh):
    known, unknown = fresh.browser(), fresh.browser()
    wrong = known.sign_in("admin", "not the password")
    nobody = unknown.sign_in("nobody-like-that", "not the password")
    assert wrong.status_code == nobody.status_code == 401
    assert "User name or password is not right" in wrong.text
    assert "User name or password is not right" in nobody.text


def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(fresh):
    browser = fresh.browser()
    for _ in range(lockout.ACCOUNT_TRIES):
        assert browser.sign_in("finance", "wrong password").status_code == 401
    locked = browser.sign_in("finance", PASSWORD)
    assert locked.status_code == 429
    assert "Too many tries" in locked.text
    assert browser.sign_in("compliance", PASSWORD).status_code == 302


def test_a_name_nobody_has_is_locked_in_the_same_way(fresh):
    browser = fresh.browser()
    answers = [browser.sign_in("ghost", "wrong").status_code for _ in range(lockout.ACCOUNT_TRIES + 1)]
    assert answers == [401] * lockout.ACCOUNT_TRIES + [429]


def test_the_lock_opens_after_the_window_and_a_success_starts_the_count_anew(fresh):
    browser = fresh.browser()
    for _ in range(lockout.ACCOUNT_TRIES):
        browser.sign_in("finance", "wrong password")
    with clock.at(clock.now() + lockout.WINDOW + timedelta(seconds=1)):
        assert browser.sign_in("finance", PASSWORD).status_code == 302
        other = fresh.browser()
        assert other.sign_in("finance", "wrong password").status_code == 401


def test_one_address_cannot_go_through_all_names(fresh, monkeypatch):
    monkeypatch.setattr(lockout, "ADDRESS_TRIES", 6)
    browser = fresh.browser()
    answers = [browser.sign_in(f"name{n}", "wrong").status_code for n in range(8)]
    assert answers == [401] * 6 + [429] * 2
    elsewhere = fresh.browser()
    assert elsewhere.sign_in("admin", PASSWORD, environ_base={"REMOTE_ADDR": "10.9.8.7"}).status_code == 302


def test_thirty_guesses_at_once_get_no_more_tries_than_five(fresh):
    def guess(n):
        with fresh.app.app_context():
            try:
                lockout.admit("merchant1", f"10.0.0.{n}", "load")
            except TooMany:
                return 0
            return 1

    with fresh.app.test_request_context(), ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(30))) == lockout.ACCOUNT_TRIES


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "\thttps://evil.example",
    ],
)
def test_sign_in_never_leads_to_another_host(desk, target):
    browser = desk.browser()
    browser.get("/login/")
    answer = browser.client.post(
        "/login/",
        query_string={"next": target},
        data={"csrf_token": browser.token, "username": "auditor", "password": PASSWORD},
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"


def test_sign_in_leads_back_to_the_page_that_was_wanted(desk):
    browser = desk.browser()
    asked = browser.get("/parcels/list/?state=completed")
    assert asked.status_code == 302
    browser.get(asked.headers["Location"])
    answer = browser.post(asked.headers["Location"], {"username": "auditor", "password": PASSWORD})
    assert answer.headers["Location"] == "/parcels/list/?state=completed"


def test_names_and_passwords_with_odd_bytes_are_refused_not_broken(desk):
    browser = desk.browser()
    for name, password in (("a\0b", "x"), ("", ""), ("x" * 5000, "y" * 5000), ("'; drop table ab_user", "z")):
        assert browser.sign_in(name, password).status_code in {401, 429}


def test_a_user_with_two_roles_does_not_exist(fresh):
    from core.db import transaction

    with pytest.raises(Exception, match="ab_user_one_role"), transaction() as tx:
        tx.run(
            "insert into ab_user_role (id, user_id, role_id) "
            "select nextval('ab_user_role_id_seq'), u.id, r.id "
            "from ab_user u, ab_role r where u.username = 'agent1' and r.name = 'admin'",
        )


def test_there_is_no_second_door(desk):
    rules = {rule.rule for rule in desk.app.url_map.iter_rules()}
    assert not [rule for rule in rules if "security" in rule or "register" in rule or "resetmy" in rule]
    with reading() as tx:
        assert tx.call("select count(*) from ab_role where name in ('Public', 'Admin')") == 0
