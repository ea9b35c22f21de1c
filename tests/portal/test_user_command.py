"""`desk user`: who may sign in is decided at the terminal, audited, and at once."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from core import verify
from core.actor import system
from core.db import reading, transaction
from core.errors import Refusal
from core.parties import merchants
from portal.commands.user import command

OWN = "my own long secret 7"


def desk(*arguments: str, typed: str = "") -> str:
    done = CliRunner().invoke(command, list(arguments), input=typed)
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def audited() -> list[tuple[str, str]]:
    with reading() as tx:
        return tx.rows(
            "select action, subject from v_audit where action like 'user.%%' and actor = 'terminal' order by at"
        )


def test_a_new_user_signs_in_with_the_one_time_password_and_must_change_it(fresh):
    once = desk("new", "rosa", "--role", "finance", "--first-name", "Rosa").splitlines()[0]
    browser = fresh.browser()
    assert browser.sign_in("rosa", once).status_code == 302
    assert "/account/password" in browser.get("/").headers.get("Location", "")
    assert audited() == [("user.created", "rosa")]


def test_a_typed_password_is_final_and_a_weak_one_refused(fresh):
    desk("new", "rosa", "--role", "auditor", "--password-stdin", typed=f"{OWN}\n")
    browser = fresh.browser()
    browser.sign_in("rosa", OWN)
    assert browser.get("/").status_code == 200
    for weak in ("short", "otto-otto-otto-1", ""):
        with pytest.raises(Refusal):
            desk("new", "otto", "--role", "auditor", "--password-stdin", typed=f"{weak}\n")


def test_the_published_password_is_none_for_production(fresh, monkeypatch):
    from portal.security import enrolling

    class Real:
        production = True

    monkeypatch.setattr(enrolling, "settings", Real)
    with pytest.raises(Refusal, match="published"):
        desk("new", "otto", "--role", "auditor", "--password-stdin", typed="desk-demo-2026\n")


def test_a_reset_ends_the_sessions_and_the_old_password(fresh):
    browser = fresh.browser()
    browser.sign_in("finance")
    assert browser.get("/").status_code == 200
    once = desk("password", "Finance").splitlines()[0]
    assert browser.get("/").status_code == 302
    assert fresh.browser().sign_in("finance").status_code != 302
    assert fresh.browser().sign_in("finance", once).status_code == 302


def test_a_switched_off_user_is_out_at_once_and_in_again_when_switched_on(fresh):
    browser = fresh.browser()
    browser.sign_in("finance")
    desk("deactivate", "finance")
    assert browser.get("/").status_code == 302
    assert fresh.browser().sign_in("finance").status_code != 302
    desk("activate", "finance")
    assert fresh.browser().sign_in("finance").status_code == 302


def test_another_role_ends_the_sessions_and_gives_other_rights(fresh):
    browser = fresh.browser()
    browser.sign_in("auditor")
    desk("role", "auditor", "merchant", "--party", "shop-04")
    assert browser.get("/").status_code == 302
    (row,) = [json.loads(line) for line in desk("list", "--json").splitlines() if '"auditor"' in line.split(",")[0]]
    assert (row["role"], row["party"], row["open_sessions"]) == ("merchant", "shop-04", 0)
    assert audited() == [("user.role_changed", "auditor")]


USERS = "select id from ab_user where username = 'auditor'"


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        (f"update user_party set party_id = (select id from party where code = 'shop-05') where user_id = ({USERS})",
         "user auditor is merchant of "),
        (f"delete from user_party where user_id = ({USERS})", "user auditor is merchant of nobody"),
        (f"update ab_user_role set role_id = (select id from ab_role where name = 'admin') where user_id = ({USERS})",
         "user auditor is admin of "),
    ],
)  # fmt: skip
def test_a_user_given_another_party_or_role_behind_the_desk_is_a_break(fresh, moved, said):
    desk("role", "auditor", "merchant", "--party", "shop-04")
    merchants.create(system(), "shop-05", "Shop 05", country="BR")
    assert users_named() == []
    with transaction() as tx:
        assert tx.run(moved) == 1
    (told,) = users_named()
    assert told.startswith(said)
    assert told.endswith("; the audit trail says merchant of shop-04")


def users_named():
    """What the verifier says of users."""
    found = next(each for each in verify.run() if each.invariant == "I16")
    return [words for words in found.breaks if words.startswith("user ")]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["new", "finance", "--role", "finance"], "already_done"),
        (["new", "FINANCE", "--role", "finance"], "already_done"),
        (["new", "a b", "--role", "finance"], "bad_input"),
        (["new", "x" * 65, "--role", "finance"], "bad_input"),
        (["new", "otto", "--role", "merchant"], "bad_input"),
        (["new", "otto", "--role", "merchant", "--party", "nobody"], "not_found"),
        (["new", "otto", "--role", "merchant", "--party", "agent-04"], "not_found"),
        (["new", "otto", "--role", "finance", "--party", "shop-04"], "bad_input"),
        (["new", "otto", "--role", "finance", "--first-name", "O\u202e"], "bad_input"),
        *[
            (["new", "otto", "--role", "finance", "--email", email], "bad_input")
            for email in (
                "notanemail1",
                "a@b",
                "a@b@c.de",
                "@b.de",
                "a@.de",
                "a@b.",
                "a b@c.de",
                "a@b.d\te",
                "a@b\u200b.de",
            )
        ],
        (["role", "nobody", "finance"], "not_found"),
        (["role", "admin", "finance"], "conflict"),
        (["deactivate", "admin"], "conflict"),
        (["deactivate", "nobody"], "not_found"),
        (["password", "nobody"], "not_found"),
        (["unlock", "nobody"], "not_found"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(fresh, arguments, code):
    before = desk("list")
    with pytest.raises(Refusal) as refused:
        desk(*arguments)
    assert refused.value.code == code
    assert desk("list") == before
    assert audited() == []


def test_an_unknown_role_is_a_usage_error(fresh):
    assert CliRunner().invoke(command, ["new", "otto", "--role", "root"]).exit_code == 2


def test_production_is_not_set_up_over_users_with_the_published_password(fresh, monkeypatch):
    from portal.commands import init

    with pytest.raises(Refusal, match="acceptor1, admin") as refused:
        init._no_published_password()
    assert "desk user password" in refused.value.detail
    for name in refused.value.facts["users"]:
        if name != "admin":
            desk("deactivate", name)
    desk("password", "admin")
    init._no_published_password()
