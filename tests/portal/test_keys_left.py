"""API keys are the party's: they are listed without themselves, and who switches a person off is told what goes on."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from core.actor import system
from core.db import reading
from core.errors import Refusal, WrongState
from core.parties import keys, standing
from portal.commands import key, user
from portal.roles import ROLES
from tests.portal import market
from tests.portal.market import signed_in


@pytest.fixture
def desk(database, one_key):
    made = market.built()
    made.ref, made.key = keys.create(system(), made.trade.merchant_ref, "the shop")
    return made


def told(command, *arguments):
    done = CliRunner().invoke(command, list(arguments))
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def number_of(name):
    with reading() as tx:
        return tx.call("select id from ab_user where username = %s", (name,))


def test_who_switches_a_person_off_is_told_of_the_partys_keys_that_go_on(desk):
    admin = signed_in(desk, "admin")
    assert admin.post(f"/users/{number_of('merchant1')}/deactivate").status_code == 302
    page = admin.get("/users/").text
    assert "1 API key of its party goes on working" in page
    assert keys.authenticate(desk.key).party_id
    admin.post(f"/users/{number_of('agent1')}/deactivate")
    assert "goes on working" not in admin.get("/users/").text, "an agent's party has no key"


def test_the_terminal_says_it_too_and_lists_what_there_is(desk):
    assert "go on working: 1;" in told(user.command, "deactivate", "merchant1")
    listed = told(key.command, "list")
    assert desk.ref in listed
    assert "in use  the shop" in listed
    assert desk.key not in listed
    told(key.command, "end", desk.ref, "--why", "no longer needed")
    with pytest.raises(WrongState, match="merchant1 is switched off"):
        told(key.command, "new", "--user", "merchant1")
    told(user.command, "activate", "merchant1")
    assert "go on working" not in told(user.command, "deactivate", "merchant1")
    assert "  ended 20" in told(key.command, "list", "--party", desk.trade.merchant_ref)
    acceptor = desk.acceptor.ref
    keys.create(system(), acceptor, "the till")
    standing.bar(system(), acceptor, "a court's order")
    assert "  barred  the till" in told(key.command, "list", "--party", acceptor)
    assert "go on working" not in told(user.command, "deactivate", "acceptor1"), "a barred party's key lets nobody in"
    with pytest.raises(Refusal):
        told(key.command, "list", "--party", "nobody")


def test_the_list_of_users_says_how_a_user_and_a_key_are_made_in_commands_that_exist(desk):
    page = signed_in(desk, "admin").get("/users/").text
    said = [each.split() for each in re.findall(r"<code>desk ([^<]+)</code>", page)]
    assert {tuple(each[:2]) for each in said} == {
        ("user", "new"), ("user", "role"), ("key", "new"), ("key", "list"), ("key", "end"),
    }  # fmt: skip
    for group, name, *rest in said:
        known = {"user": user, "key": key}[group].command.commands[name]
        options = {each for made in known.params for each in made.opts}
        assert {each for each in rest if each.startswith("--")} <= options, name
    for name in ROLES:
        assert f"<code>{name}</code>" in page
