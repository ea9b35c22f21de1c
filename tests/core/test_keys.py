"""API keys: shown once, stored as a hash, good for their own party only, and dead once ended."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from core import db
from core.actor import Right, Scope, system
from core.errors import BadInput, Barred, Forbidden, NotFound, NotSignedIn, WrongState
from core.parties import acceptors, agents, keys, merchants, standing
from portal.commands import init
from portal.commands import key as key_command
from portal.security import setup


@pytest.fixture
def shop(database):
    return merchants.create(system(), "shop", "Shop Ltda", country="BR")


def test_a_key_is_its_merchant_and_nobody_else(shop):
    ref, key = keys.create(system(), shop, "checkout")
    assert re.fullmatch(r"dk_[A-Za-z0-9_-]{40}", key)
    actor = keys.authenticate(key)
    with db.reading() as tx:
        assert actor.party_id == tx.call("select id from party where ref = %s", (shop,))
    assert (actor.role, actor.scope) == ("merchant", Scope.MERCHANT)
    assert ref in actor.name
    assert actor.may(Right.OPEN_ORDER)
    assert not actor.may(Right.CONFIRM_RECEIPT)
    assert not actor.may(Right.TOP_UP_RESERVE)


def test_an_acceptors_key_may_confirm_and_not_open(database):
    ref = acceptors.create(system(), "joao", "Joao Silva", country="BR")
    actor = keys.authenticate(keys.create(system(), ref, "")[1])
    assert actor.scope is Scope.ACCEPTOR
    assert actor.may(Right.CONFIRM_RECEIPT)
    assert not actor.may(Right.OPEN_ORDER)


def test_the_key_itself_is_stored_nowhere(shop):
    _, key = keys.create(system(), shop, "checkout")
    with db.reading() as tx:
        for table in ("api_key", "audit", "outbox"):
            assert not any(key in str(row) for row in tx.rows(f"select t::text from {table} t"))


def test_unknown_and_ended_keys_let_nobody_in(shop):
    ref, key = keys.create(system(), shop, "")
    for wrong in ("", "dk_", key[:-1], key + "x", "dk_" + "a" * 40, "x" * 5_000, "ключ", "\ud800"):
        with pytest.raises(NotSignedIn):
            keys.authenticate(wrong)
    keys.end(system(), ref, "left on a train")
    with pytest.raises(NotSignedIn):
        keys.authenticate(key)
    with pytest.raises(WrongState):
        keys.end(system(), ref, "again")


def test_a_barred_party_is_told_so_and_gets_no_new_key(shop):
    _, key = keys.create(system(), shop, "")
    standing.bar(system(), shop, "forged papers")
    with pytest.raises(Barred):
        keys.authenticate(key)
    with pytest.raises(Barred):
        keys.create(system(), shop, "")


def test_keys_are_made_by_those_who_may_for_those_who_have_some(shop):
    agent = agents.create(system(), "ana", "Ana Costa", plan="direct")
    for party in (agent, "mer_nobody"):
        with pytest.raises(NotFound):
            keys.create(system(), party, "")
    with pytest.raises(Forbidden):
        keys.create(keys.authenticate(keys.create(system(), shop, "")[1]), shop, "")
    with db.reading() as tx:
        assert tx.call("select count(*) from api_key") == 1


def run(*arguments):
    return CliRunner().invoke(key_command.command, ["new", *arguments])


def test_desk_key_new_prints_a_key_that_works(shop):
    told = json.loads(run("--party", shop, "--json").output)
    assert set(told) == {"ref", "key", "party"}
    assert keys.authenticate(told["key"]).party_id
    assert run("--party", shop).output.startswith("dk_")


def test_desk_key_new_finds_the_party_of_a_user(shop):
    setup.set_up()
    with db.reading() as tx:
        party_id = tx.call("select id from party where ref = %s", (shop,))
    setup.ensure_user("merchant1", "merchant", "desk-demo-2026", party_id=party_id)
    assert json.loads(run("--user", "Merchant1", "--json").output)["party"] == shop
    assert isinstance(run("--user", "nobody").exception, NotFound)


def test_desk_key_new_asks_for_one_of_party_and_user(shop):
    assert isinstance(run().exception, BadInput)
    assert isinstance(run("--party", shop, "--user", "merchant1").exception, BadInput)


def test_desk_init_twice_is_desk_init_once(database):
    first = CliRunner().invoke(init.command)
    assert first.exit_code == 0, first.output
    counts = "select (select count(*) from ruleset), (select count(*) from ab_user), (select count(*) from ab_role)"
    with db.reading() as tx:
        before = tx.rows(counts)
    assert before[0][:2] == (1, 1)
    assert CliRunner().invoke(init.command).exit_code == 0
    with db.reading() as tx:
        assert tx.rows(counts) == before
