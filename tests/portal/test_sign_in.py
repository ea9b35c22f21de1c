"""Coming in: guessing stays slow, the owner is never shut out, no word about who exists, no way past the form."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from core import clock
from core.db import reading
from core.errors import BadInput, TooMany
from core.settings import settings
from portal.app import create_app
from portal.security import devices, lockout
from tests.portal.conftest import PASSWORD, Browser


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


def test_five_wrong_passwords_from_one_address_wait_even_with_the_right_one(fresh):
    browser = fresh.browser()
    for _ in range(lockout.PAIR_TRIES):
        assert browser.sign_in("finance", "wrong password").status_code == 401
    locked = browser.sign_in("finance", PASSWORD)
    assert locked.status_code == 429
    assert "Too many tries" in locked.text
    assert "You can try again from" in locked.text
    assert 0 < int(locked.headers["Retry-After"]) <= lockout.WINDOW.total_seconds()
    assert browser.sign_in("compliance", PASSWORD).status_code == 302


def test_an_outsider_cannot_lock_the_owner_out_elsewhere_nor_at_a_device_the_owner_has_used(fresh):
    owner = fresh.browser()
    assert owner.sign_in("finance", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 302
    owner.post("/logout/")
    outsider = fresh.browser()
    for n in range(30):
        outsider.sign_in("finance", f"guess {n}", environ_base={"REMOTE_ADDR": f"198.51.100.{n}"})
    # From the owner's own address too, as from an office they share.
    for n in range(lockout.ADDRESS_TRIES + 1):
        outsider.sign_in(f"name{n}", "guess", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert fresh.browser().sign_in("finance", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 429
    assert owner.sign_in("finance", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 302
    assert owner.sign_in("finance", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 302


def test_guesses_from_many_addresses_wait_longer_and_longer(fresh):
    moment, admitted = clock.now(), 0
    with fresh.app.test_request_context():
        for n in range(24 * 60 * 2):
            with clock.at(moment + timedelta(seconds=30 * n)), suppress(TooMany):
                lockout.admit("merchant1", f"10.{n // 250}.0.{n % 250}", "guesses")
                admitted += 1
    assert admitted < 120, "a day of guessing from any number of addresses"
    assert lockout.wait_after(lockout.FREE_TRIES) == timedelta(seconds=1)
    assert lockout.wait_after(10_000) == lockout.LONGEST_WAIT


def test_a_known_device_has_few_tries_and_is_a_stranger_afterwards(fresh):
    thief = fresh.browser()
    thief.sign_in("finance")
    thief.post("/logout/")
    answers = [thief.sign_in("finance", "guess").status_code for _ in range(lockout.DEVICE_TRIES + lockout.PAIR_TRIES)]
    assert answers == [401] * len(answers)
    assert thief.sign_in("finance", "guess").status_code == 429
    other = fresh.browser()
    assert other.sign_in("finance", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 302


def test_the_word_of_a_device_is_signed_and_of_use_to_its_own_accounts_only(fresh):
    browser = fresh.browser()
    browser.sign_in("finance")
    cookie = browser.client.get_cookie("desk-device")
    assert cookie.http_only
    assert cookie.same_site == "Strict"
    assert "finance" not in cookie.decoded_value

    def seen(value, account):
        with fresh.app.test_request_context(headers={"Cookie": f"desk-device={value}"}):
            return devices.known(account)

    assert seen(cookie.value, "Finance ")
    assert not seen(cookie.value, "admin")
    forged = "A" if cookie.value[-9] != "A" else "B"
    assert not seen(cookie.value[:-9] + forged + cookie.value[-8:], "finance")
    assert not seen("[]", "finance")
    browser.sign_in("auditor")  # signed in already: the form is not asked
    browser.post("/logout/")
    browser.sign_in("auditor")
    both = browser.client.get_cookie("desk-device").value
    assert seen(both, "finance") == seen(both, "auditor") == seen(cookie.value, "finance")


def test_an_administrator_lifts_the_wait_and_it_is_written_down(fresh):
    browser, admin = fresh.browser(), fresh.browser()
    admin.sign_in("admin")
    with reading() as tx:
        number = tx.call("select id from ab_user where username = 'finance'")
    for path, status in ((f"/users/{number}/unlock", 302), (f"/users/{number}/password", 200)):
        for _ in range(lockout.PAIR_TRIES):
            assert browser.sign_in("finance", "wrong password").status_code == 401
        assert browser.sign_in("finance", "wrong password").status_code == 429
        assert "5 failed tries" in admin.get("/users/").text
        assert admin.post(path).status_code == status
        assert "failed tries" not in admin.get("/users/").text
    assert browser.sign_in("finance", "wrong password").status_code == 401
    with reading() as tx:
        trail = tx.rows("select action, details from audit where subject = 'finance' order by at")
    assert trail == [
        ("user.unlocked", {"failed_tries_lifted": 5}),
        ("user.password_reset", {"failed_tries_lifted": 5}),
    ]


def test_only_wrong_present_passwords_count_when_the_password_is_changed(fresh):
    browser = fresh.browser()
    browser.sign_in("finance")
    good, other = "a long new password", "another long password"
    for fresh_one, again in ((good, other), ("short", "short"), (PASSWORD, PASSWORD)) * 4:
        answer = browser.post("/account/password", {"current": PASSWORD, "fresh": fresh_one, "again": again})
        assert answer.status_code == 422
    for _ in range(lockout.PAIR_TRIES):
        wrong = browser.post("/account/password", {"current": "wrong", "fresh": good, "again": good})
        assert wrong.status_code == 403
    waits = browser.post("/account/password", {"current": PASSWORD, "fresh": good, "again": good})
    assert waits.status_code == 429
    assert int(waits.headers["Retry-After"]) > 0
    elsewhere = fresh.browser()
    assert elsewhere.sign_in("finance").status_code == 302, "a stolen session shuts nobody out"
    assert elsewhere.post("/account/password", {"current": PASSWORD, "fresh": good, "again": good}).status_code == 302


@pytest.mark.parametrize(
    ("ip", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense" * 20, ("nonsense" * 20)[:64]),
    ],
)
def test_one_subscriber_is_one_address(ip, counts_as):
    assert lockout.network(ip) == counts_as


def test_a_name_nobody_has_is_locked_in_the_same_way(fresh):
    browser = fresh.browser()
    answers = [browser.sign_in("ghost", "wrong").status_code for _ in range(lockout.PAIR_TRIES + 1)]
    assert answers == [401] * lockout.PAIR_TRIES + [429]


def test_the_lock_opens_after_the_window_and_a_success_starts_the_count_anew(fresh):
    browser = fresh.browser()
    for _ in range(lockout.PAIR_TRIES):
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


def test_thirty_guesses_at_once_get_no_more_tries_than_ten_in_a_row(fresh):
    def guess(n):
        with fresh.app.app_context():
            try:
                lockout.admit("merchant1", f"10.0.0.{n}", "load")
            except TooMany:
                return 0
            return 1

    with fresh.app.test_request_context(), ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(30))) == lockout.FREE_TRIES


def test_forty_names_at_once_from_one_address_get_no_more_tries_than_one_after_another(fresh, monkeypatch):
    monkeypatch.setattr(lockout, "ADDRESS_TRIES", 6)

    def guess(n):
        with fresh.app.app_context():
            try:
                lockout.admit(f"name{n}", "10.0.0.1", "load")
            except TooMany:
                return 0
            return 1

    with fresh.app.test_request_context(), ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(40))) == 6


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


@pytest.mark.parametrize(
    ("hops", "ours", "peer", "told", "counts"),
    [
        ("0", "", "127.0.0.1", "198.51.100.9", "127.0.0.1"),
        ("1", "", "10.0.0.2", "198.51.100.9", "198.51.100.9"),
        ("1", "", "10.0.0.2", "203.0.113.1, 198.51.100.9", "198.51.100.9"),
        ("2", "", "10.0.0.2", "203.0.113.1, 198.51.100.9, 10.0.0.3", "198.51.100.9"),
        ("2", "", "10.0.0.2", "198.51.100.9", "10.0.0.2"),
        ("1", "", "203.0.113.50", "198.51.100.9", "203.0.113.50"),
        ("1", "10.0.0.7", "10.0.0.2", "198.51.100.9", "10.0.0.2"),
        ("1", "203.0.113.0/24, ::1", "203.0.113.50", "198.51.100.9", "198.51.100.9"),
    ],
)
def test_the_address_is_what_our_own_proxies_say_and_nobody_else(fresh, monkeypatch, hops, ours, peer, told, counts):
    monkeypatch.setenv("DESK_PROXIES", hops)
    monkeypatch.setenv("DESK_PROXY_ADDRESSES", ours)
    settings.cache_clear()
    browser = Browser(create_app(settings()))
    headers = {"X-Forwarded-For": told, "X-Forwarded-Proto": "https", "Forwarded": "for=192.0.2.1"}
    browser.sign_in("finance", "guess", headers=headers, environ_base={"REMOTE_ADDR": peer})
    with reading() as tx:
        assert tx.rows("select ip, network from login_attempt") == [(counts, counts)]


def test_networks_that_are_none_stop_the_start(fresh, monkeypatch):
    monkeypatch.setenv("DESK_PROXIES", "1")
    monkeypatch.setenv("DESK_PROXY_ADDRESSES", "the proxy")
    settings.cache_clear()
    with pytest.raises(BadInput, match="DESK_PROXY_ADDRESSES"):
        create_app(settings())
