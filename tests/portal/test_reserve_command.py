"""`desk reserve`: one user says what has arrived, reads it back, and another user books it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from core.db import reading
from core.errors import Refusal
from portal import cli
from tests.portal import market
from tests.portal.market import PASSWORD


@pytest.fixture
def desk(database):
    return market.built()


def run(*arguments, password=PASSWORD):
    done = CliRunner().invoke(cli.desk.get_command(None, "reserve"), arguments, input=f"{password}\n")
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done


def refused(code, *arguments):
    with pytest.raises(Refusal) as caught:
        run(*arguments)
    assert caught.value.code == code
    return caught.value


def reserve(ref):
    with reading() as tx:
        return tx.call(
            "select l.available from ledger_account l join party p on p.id = l.party_id where p.ref = %s", (ref,)
        )


def test_a_top_up_at_the_terminal_takes_two_users_who_have_read_it(desk):
    code, before = desk.other.code, reserve(desk.other.ref)
    ask = ("top-up", code, "12000", "--arrival", "0xabc", "--why", "seen on the chain")
    refused("bad_input", *ask, "--as", "finance")
    refused("forbidden", *ask, "--as", "compliance", "--yes")
    refused("not_found", "top-up", "nobody", "5", "--arrival", "x", "--why", "as agreed", "--as", "finance", "--yes")
    done = run(*ask, "--as", "finance", "--yes")
    words = f"12,000.000000 USDT to acceptor {code}, reserve 10,000.000000 -> 22,000.000000"
    assert done.stderr.splitlines()[-1] == words
    request = done.stdout.splitlines()[0]
    assert words in run("list").output
    assert json.loads(run("list", "--json").output)["ref"] == request
    yes = ("approve", request, "--why", "seen in custody", "--yes")
    assert refused("forbidden", *yes, "--as", "finance").facts["rule"] == "four_eyes"
    refused("bad_input", *yes[:-1], "--as", "finance2")
    assert reserve(desk.other.ref) == before
    done = run(*yes, "--as", "finance2")
    assert words in done.stderr
    assert "it is booked: jrn_" in done.stdout
    assert reserve(desk.other.ref) == before + 12_000_000_000


def test_an_arrival_without_a_name_is_told_by_the_options_name(desk):
    ask = ("top-up", desk.other.code, "5", "--arrival", " ", "--why", "seen there", "--as", "finance", "--yes")
    said = refused("bad_input", *ask)
    assert (said.detail, said.facts["field"]) == ("arrival is missing", "arrival")


def test_a_top_up_is_turned_down_or_withdrawn_at_the_terminal(desk):
    before = reserve(desk.other.ref)
    for number, last in (("1", ("approve", "--refuse", "--as", "finance2")), ("2", ("withdraw", "--as", "finance"))):
        ask = ("top-up", desk.other.code, "5", "--arrival", number, "--why", "seen there", "--as", "finance", "--yes")
        request = run(*ask).stdout.splitlines()[0]
        said = run(last[0], request, *last[1:], "--why", "a wrong hash").output
        assert "nothing is booked" in said
    assert reserve(desk.other.ref) == before
