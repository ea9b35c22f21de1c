"""Lists of orders by rare ends, by days and by search find what a plain look through all would find."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from core.db import reading, transaction
from core.orders import deadlines, deposit, listing
from core.orders.states import WAITING, State
from tests import make
from tests.core import lives
from tests.portal import market
from tests.portal.market import claimed, held, opened, signed_in

ROW = re.compile(r'<tr data-href="/orders/show/([^"]+)"')


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.age = {}
    for days, name in ((9, "first"), (5, "second"), (2, "third")):
        with clock.at(clock.now() - timedelta(days=days)):
            make.rate("BRL")
            made.age[name] = opened(made.trade, number=f"AGE-{name}")
            deposit.cancel(made.trade.merchant, made.age[name], reason="as agreed")
    made.cancelled = list(made.age.values())
    with clock.at(clock.now() - timedelta(days=1)):
        make.rate("BRL")
        made.expired = opened(made.trade, number="LATE-1")
    deadlines.expire(made.expired)
    made.waiting = opened(made.trade, number="NOW-1")
    made.claimed = claimed(made.trade, number="NOW-2")
    made.held, made.alert = held(made)
    made.completed = lives.completed(made.trade, "542.00")
    return made


def refs(desk, query, who="compliance"):
    answer = signed_in(desk, who).get(f"/orders/list/?{query}")
    assert answer.status_code == 200
    return ROW.findall(answer.text)


def plain(where):
    with reading() as tx:
        return [ref for (ref,) in tx.rows(f"select ref from orders where {where} order by created_at desc, ref desc")]


def test_the_column_of_rare_ends_holds_every_end_but_completed(desk):
    assert {str(state) for state in set(State) - WAITING} - {State.COMPLETED} == listing.APART
    with reading() as tx:
        wrong = tx.rows(
            "select state, apart from orders where apart is distinct from"
            " case when ended_at is not null and state <> 'completed' then state::text end"
        )
        assert wrong == []
        assert tx.call("select count(distinct apart) from orders") > 1


@pytest.mark.parametrize(
    "chosen",
    [("cancelled",), ("expired",), ("expired", "cancelled"), ("refused",), ("expired", "completed"), ("paid_claimed",)],
)
def test_a_filter_by_states_finds_what_is_in_them(desk, chosen):
    query = "&".join(f"state={each}" for each in chosen)
    expected = plain("state in ({})".format(", ".join(f"'{each}'" for each in chosen)))
    assert refs(desk, query) == expected
    with reading() as tx:
        merchant = tx.call("select code from party p join orders o on o.merchant_id = p.id limit 1")
    assert refs(desk, f"{query}&merchant={merchant}") == expected


def test_risk_and_dispute_filters_find_the_few_and_the_many(desk):
    for state in ("clear", "flagged", "held"):
        assert refs(desk, f"risk_state={state}") == plain(f"risk_state = '{state}'")
    assert refs(desk, "dispute_state=open") == plain("dispute_state = 'open'")


def test_newest_first_is_the_order_of_the_references_page_by_page(desk):
    whole = plain("true")
    assert refs(desk, "") == refs(desk, "", who="merchant1") == whole
    assert refs(desk, "sort=created_at") == whole[::-1]
    browser, seen, href = signed_in(desk, "compliance"), [], "?size=2"
    while href:
        answer = browser.get(f"/orders/list/{href}")
        seen += ROW.findall(answer.text)
        found = re.search(r'href="([^"]*after=[^"]+)"', answer.text)
        href = found.group(1).replace("&amp;", "&") if found else ""
    assert seen == whole


def test_days_find_what_was_created_and_ended_on_them(desk):
    day = (clock.now() - timedelta(days=5)).date().isoformat()
    assert refs(desk, f"from={day}&to={day}") == refs(desk, f"ended_from={day}&ended_to={day}") == [desk.age["second"]]
    assert refs(desk, f"to={day}") == [desk.age["second"], desk.age["first"]]
    assert set(refs(desk, f"from={day}")) == set(plain("true")) - {desk.age["first"]}
    assert refs(desk, "from=0001-01-01&to=9998-12-31") == plain("true")


def test_an_order_whose_reference_is_some_hours_off_is_still_found_by_its_day(desk):
    """A web server's clock may be wrong; what counts is when the order was created."""
    moment = datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
    with reading() as tx:
        before = tx.call("select created_at from orders where ref = %s", (desk.waiting,))
    off = ref_at(moment - timedelta(hours=20))
    redated(desk.waiting, off, moment)
    try:
        assert refs(desk, "from=2026-01-05&to=2026-01-05") == [off]
    finally:
        redated(off, desk.waiting, before)


def redated(ref, new, moment):
    with transaction() as tx:
        tx.run("update orders set ref = %s, created_at = %s where ref = %s", (new, moment, ref))


def ref_at(moment):
    return listing._at(moment, timedelta()) + "0000000"


def test_a_search_that_names_too_many_orders_still_finds_all_of_them(desk, monkeypatch):
    few = refs(desk, "q=AGE-"), refs(desk, "q=ord_0")
    monkeypatch.setattr(listing, "_MOST", 2)
    assert (refs(desk, "q=AGE-"), refs(desk, "q=ord_0")) == few
    assert few[1] == plain("true")
    assert refs(desk, "q=AGE-&state=cancelled") == few[0] == plain("external_ref like 'AGE-%%'")


def test_a_payment_code_is_found_when_whole(desk):
    with reading() as tx:
        code = tx.call("select pay_code from orders where ref = %s", (desk.claimed,))
    assert refs(desk, f"q={code[:4].lower()}-{code[4:]}") == [desk.claimed]
    assert refs(desk, f"q={code[:6]}") == []


def test_an_agent_sees_the_orders_of_its_subtree(desk):
    assert refs(desk, "", who="agent1") == plain("agent_id is not null")
