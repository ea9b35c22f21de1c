"""`desk party`: parties enrolled and equipped from the terminal, audited, and refused without a trace."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from core.actor import system
from core.db import reading
from core.errors import Refusal
from core.money import USDT, Money
from core.parties import naming
from portal.commands.party import command
from tests import make
from tests.portal.market import opened


def desk(*arguments: str, typed: str = "") -> str:
    done = CliRunner().invoke(command, list(arguments), input=typed)
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def count(sql: str) -> int:
    with reading() as tx:
        return tx.call(f"select count(*) from {sql}")


def test_a_tree_of_agents_with_a_merchant_and_a_funded_acceptor(database):
    desk("new", "agent", "top", "--name", "Top", "--plan", "country")
    below = json.loads(desk("new", "agent", "low", "--name", "Low", "--plan", "direct", "--agent", "top", "--json"))
    desk("new", "merchant", "shop", "--name", "Shop", "--country", "br", "--agent", "low")
    desk("new", "acceptor", "taker", "--name", "Joao Silva", "--country", "BR", "--agent", below["ref"], "--level", "2")
    said = desk("account", "taker", "--bank", "Banco", "--currency", "BRL", "--method", "pix", typed="12345678\n")
    assert "bnk_" in said
    assert "12345678" not in said
    make.top_up(naming.party(system(), "taker", "acceptor"), Money.parse("1500.5", USDT), "0xabc")
    desk("online", "taker")
    with reading() as tx:
        rows = tx.rows(
            "select a.online, l.available, g.code from party p join acceptor a on a.party_id = p.id join party g on"
            " g.id = a.agent_id join ledger_account l on l.party_id = p.id where p.code = 'taker'"
        )
    assert rows == [(True, 1_500_500_000, "low")]
    listed = [json.loads(line) for line in desk("list", "--json").splitlines()]
    assert [(each["kind"], each["code"]) for each in listed] == [
        ("acceptor", "taker"), ("agent", "low"), ("agent", "top"), ("merchant", "shop"),
    ]  # fmt: skip
    assert count("audit where actor = 'terminal'") == 6


def test_an_agent_is_moved_with_a_reason(database):
    for code in ("one", "two"):
        desk("new", "agent", code, "--name", code, "--plan", "country")
    with pytest.raises(Refusal) as caught:
        desk("move", "two", "--why", "as agreed")
    assert caught.value.code == "bad_input"
    desk("move", "two", "--under", "one", "--why", "they work together now")
    with pytest.raises(Refusal, match="below itself"):
        desk("move", "one", "--under", "two", "--why", "the other way round")
    desk("move", "two", "--top", "--why", "they do not")
    assert count("agent where parent_id is not null") == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("new", "merchant", "shop", "--name", "Shop"), "bad_input"),
        (("new", "merchant", "shop", "--name", "Shop", "--country", "XX"), "bad_input"),
        (("new", "merchant", "shop", "--name", "Shop", "--country", "BR", "--plan", "direct"), "bad_input"),
        (("new", "merchant", "shop", "--name", "Shop", "--country", "BR", "--agent", "none"), "not_found"),
        (("new", "merchant", "a b", "--name", "Shop", "--country", "BR"), "bad_input"),
        (("new", "merchant", "shop", "--name", "Shop", "--country", "BR", "--level", "7"), "bad_input"),
        (("new", "agent", "shop", "--name", "Shop"), "bad_input"),
        (("account", "nobody", "--bank", "B", "--currency", "BRL", "--method", "pix"), "not_found"),
    ],
)
def test_what_is_wrong_changes_nothing(module_database, arguments, code):
    before = count("party"), count("audit"), count("outbox")
    with pytest.raises(Refusal) as caught:
        desk(*arguments)
    assert caught.value.code == code
    assert (count("party"), count("audit"), count("outbox")) == before


def test_who_bars_a_merchant_is_told_how_many_of_its_orders_are_open(database):
    trade = make.market(1, levels=1)
    assert "still open" not in desk("bar", trade.agents[0], "--why", "left for good")
    opened(trade)
    opened(trade)
    assert "2 orders of it still open" in desk("bar", trade.merchant_ref, "--why", "papers were forged")
