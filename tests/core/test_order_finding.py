"""The search box finds orders by amount, by the customer's number and, for who may see names, by words of the name."""

from __future__ import annotations

import pytest

from core.db import reading, transaction
from core.orders import finding
from portal.roles import actor_of
from portal.security.people import Person
from tests.portal import market
from tests.portal.market import opened


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


@pytest.fixture(scope="module")
def orders(desk):
    return {
        "joao": opened(desk.trade, "542.17", customer="c-joao", name="João Carlos Santos"),
        "wei": opened(desk.trade, "1250.00", customer="c-wei", name="王伟"),
    }


def refs(actor, words):
    return {each.ref for each in finding.find(actor, words)}


def how(actor, words):
    return {each.by for each in finding.find(actor, words)}


@pytest.mark.parametrize("words", ["542.17", "542.17 BRL", "542.17 brl", "542.170"])
def test_an_amount_finds_its_orders_with_its_currency_or_without(desk, orders, words):
    expected = set() if words == "542.170" else {orders["joao"]}
    assert refs(desk.trade.merchant, words) == expected


def test_an_amount_is_read_with_thousands_separators_and_belongs_to_its_currency(desk, orders):
    assert refs(desk.trade.merchant, "1,250.00") == refs(desk.trade.merchant, "1250") == {orders["wei"]}
    assert refs(desk.trade.merchant, "1250.00 USD") == set()
    assert refs(desk.trade.merchant, "1,2,50") == set()


def test_the_usdt_of_an_order_finds_it(desk, orders):
    with reading() as tx:
        units = tx.call("select usdt_units from orders where ref = %s", (orders["joao"],))
    assert orders["joao"] in refs(desk.trade.merchant, f"{units / 10**6:.6f} USDT")


def test_a_customers_number_finds_its_orders(desk, orders):
    assert how(desk.trade.merchant, "c-joao") == {"customer"}
    assert refs(desk.acceptor.actor, "c-joao") == {orders["joao"]}


@pytest.mark.parametrize("words", ["joao santos", "Santos", "SANTOS João", "carlos"])
def test_a_name_is_found_by_whole_words_in_any_order_without_accents(desk, orders, words):
    assert refs(desk.trade.merchant, words) == {orders["joao"]}
    assert refs(officer("compliance"), words) == {orders["joao"]}


def test_a_name_in_another_script_is_found_and_half_a_word_is_not(desk, orders):
    assert refs(desk.trade.merchant, "王伟") == {orders["wei"]}
    assert refs(desk.trade.merchant, "sant") == refs(desk.trade.merchant, "joao silva") == set()


def test_who_may_not_see_names_cannot_guess_one(desk, orders):
    for actor in (desk.acceptor.actor, officer("auditor")):
        assert refs(actor, "joao santos") == set()


def test_an_officers_look_by_name_stands_in_the_trail_masked(desk, orders):
    finding.find(officer("compliance"), "joao santos")
    with reading() as tx:
        rows = tx.rows("select actor, subject, details from audit where action = 'name.search' order by at")
    assert rows[-1][0] == "compliance"
    assert "santos" not in str(rows[-1]).lower()


def test_a_name_is_looked_up_by_its_index(desk, orders):
    with transaction() as tx:
        tx.run("set local enable_seqscan = off")
        plan = tx.rows(
            f"explain select c.id from customer c where {finding.NAME_WORDS} @> %s::text[]",
            (["joao"],),
        )
    assert "customer_name_words" in str(plan)


def officer(role):
    return actor_of(Person(1, role, role, "", role))
