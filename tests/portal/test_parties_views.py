"""Parties on screen: whose they are, what they hold and may know, and what may be done about acceptors."""

from __future__ import annotations

import csv
import html
import re
from datetime import timedelta

import pytest

from core import clock
from core.analytics import rollup
from core.db import reading, transaction
from core.money import Money, fiat
from core.orders import release
from portal.security.setup import ensure_user
from tests.portal import market
from tests.portal.conftest import PASSWORD
from tests.portal.market import claimed, signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.done = claimed(made.trade, number="SHOP-1", customer="c-1")
    received = Money.parse("542.00", fiat("BRL"))
    release.confirm(made.acceptor.actor, made.done, received=received, payer_name="Joao Santos")
    rollup.advance()
    with reading() as tx:
        made.far = tx.call("select ref from party where code = 'shop-far'")
    return made


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def party(ref):
    with reading() as tx:
        return tx.rows(
            "select a.paused, l.available from party p join acceptor a on a.party_id = p.id"
            " join ledger_account l on l.party_id = p.id where p.ref = %s",
            (ref,),
        )[0]


def test_each_sees_the_merchants_that_are_its_own(desk):
    mine, far = desk.trade.merchant_ref, desk.far
    for name, sees in (("admin", {mine, far}), ("merchant1", {mine}), ("merchant2", {far}), ("agent1", {mine})):
        browser = signed_in(desk, name)
        listed = browser.get("/merchants/list/").text
        for ref in (mine, far):
            assert (f"/merchants/show/{ref}" in listed) is (ref in sees), f"{name} {ref}"
            assert browser.get(f"/merchants/show/{ref}").status_code == (200 if ref in sees else 404)
        assert (desk.trade.merchant_code in browser.get("/merchants/export.csv").text) is (mine in sees)


def test_a_merchants_balance_is_the_ledgers_and_an_agent_does_not_see_it(desk):
    with reading() as tx:
        units = tx.call("select units from v_balances where account = %s", (f"merchant:{desk.trade.merchant_code}",))
    shown = f"{units // 10**6:,}.{units % 10**6:06d}"
    for name in ("admin", "finance", "auditor", "merchant1"):
        browser = signed_in(desk, name)
        assert shown in browser.get("/merchants/list/").text
        page = text(browser.get(f"/merchants/show/{desk.trade.merchant_ref}"))
        assert "ties to the ledger" in page
        assert "difference 0.000000" in page
    agent = signed_in(desk, "agent1")
    for path in ("/merchants/list/", f"/merchants/show/{desk.trade.merchant_ref}", "/merchants/export.csv"):
        assert shown not in agent.get(path).text
    assert agent.get("/merchants/list/?sort=-balance_units").status_code == 400


def test_a_statement_is_shown_as_of_a_day(desk):
    browser = signed_in(desk, "finance")
    href = f"/merchants/show/{desk.trade.merchant_ref}"
    before = (clock.now() - timedelta(days=3)).date().isoformat()
    assert "Nothing was booked up to then" in browser.get(f"{href}?as_of={before}").text
    assert desk.done in browser.get(f"{href}?as_of={clock.now().date().isoformat()}").text
    assert browser.get(f"{href}?as_of=yesterday").status_code == 400


def test_an_agent_sees_its_own_subtree_and_not_who_stands_above(desk):
    lower, root = desk.trade.agents
    browser = signed_in(desk, "agent1")
    tree = browser.get("/agents/list/").text
    assert f"/agents/show/{lower}" in tree
    assert root not in tree
    page = browser.get(f"/agents/show/{lower}").text
    assert root not in page
    assert desk.trade.merchant_ref in page
    assert browser.get(f"/agents/show/{root}").status_code == 404
    whole = signed_in(desk, "auditor").get("/agents/list/").text
    assert whole.index(root) < whole.index(lower), "each agent stands below its parent"


def test_agents_are_found_by_state_plan_and_words_and_their_file_holds_the_same(desk):
    lower, root = desk.trade.agents
    finance = signed_in(desk, "finance")
    with reading() as tx:
        codes = dict(tx.rows("select ref, code from party where ref = any(%s)", ([lower, root],)))
        plan = tx.call("select l.code from agent g join plan l on l.id = g.plan_id where g.party_id ="
                       " (select id from party where ref = %s)", (lower,))  # fmt: skip
    page = finance.get("/agents/list/", query_string={"q": codes[lower].upper(), "plan": plan, "state": "active"}).text
    assert f"/agents/show/{lower}" in page
    assert root not in page
    file = finance.get("/agents/export.csv", query_string={"q": codes[lower], "state": "active"}).text
    assert f"\r\n{codes[lower]}," in file
    assert codes[root] + "," not in file
    assert f"# filter,Code or name: {codes[lower]}; State: Active" in file
    assert "# rows,1" in file
    all_of_its = signed_in(desk, "agent1").get("/agents/export.csv").text
    assert root not in all_of_its
    assert "# filter,all rows" in all_of_its
    assert "No rows match" in finance.get("/agents/list/?state=barred").text
    assert finance.get("/agents/list/?state=odd").status_code == 422
    with reading() as tx:
        assert tx.call("select count(*) from audit where action = 'list.exported' and subject = 'agents'") == 2


def test_figures_of_agents_say_whether_they_are_its_own_or_with_those_below(desk):
    _, root = desk.trade.agents
    with reading() as tx:
        above = tx.call("select id from party where ref = %s", (root,))
    ensure_user("agent-above", "agent", PASSWORD, last_name="Above", party_id=above)
    browser = signed_in(desk, "agent-above")
    tree = browser.get("/agents/list/").text
    assert '<th scope="col" class="num">Own volume, 30 days to now</th>' in tree
    assert '<th scope="col" class="num">Own commission' in tree
    heads, first, *_ = csv.reader(browser.get("/agents/export.csv").text.lstrip("\ufeff").splitlines())
    file = dict(zip(heads, first, strict=True))
    for each in ("Own volume, 30 days to now", "Own commission this month"):
        assert file[f"{each} (currency)"] == "USDT"
    page = browser.get(f"/agents/show/{root}").text
    assert (
        '<th scope="col" class="num">Volume, 30 days to now<br><span class="sub">with agents below</span></th>' in page
    )
    assert (
        '<th scope="col" class="num">Commission this month<br><span class="sub">with agents below</span></th>' in page
    )
    assert 'Agent<span class="sub">with agents below</span>' in browser.get("/").text


def test_an_acceptor_sees_itself_only_and_no_share_of_the_whole(desk):
    browser = signed_in(desk, "acceptor1")
    listed = browser.get("/acceptors/list/").text
    assert desk.acceptor.ref in listed
    assert desk.other.ref not in listed
    assert browser.get(f"/acceptors/show/{desk.other.ref}").status_code == 404
    assert "Share of dispatches" not in browser.get(f"/acceptors/show/{desk.acceptor.ref}").text
    assert browser.get("/acceptors/list/?sort=share_bps").status_code == 400
    assert "Share of dispatches" in signed_in(desk, "admin").get(f"/acceptors/show/{desk.acceptor.ref}").text


def test_an_acceptors_page_says_what_is_left_of_its_limits(desk):
    page = text(signed_in(desk, "acceptor1").get(f"/acceptors/show/{desk.acceptor.ref}"))
    assert "0 / 20" in page
    assert "99,999,458.00 BRL of 100,000,000.00 BRL left today" in page.replace("  ", " ")


def test_an_administrator_pauses_and_resumes_an_acceptor_and_says_why(desk):
    browser, ref = signed_in(desk, "admin"), desk.other.ref
    browser.get(f"/acceptors/show/{ref}")
    refused = browser.post(f"/acceptors/action/pause/{ref}", {"why": ""})
    assert refused.status_code == 422
    assert "bad_input" in refused.text
    assert party(ref)[0] == ""
    assert browser.post(f"/acceptors/action/pause/{ref}", {"why": "bank asks questions"}).status_code == 302
    assert party(ref)[0] == "bank asks questions"
    assert browser.post(f"/acceptors/action/pause/{ref}", {"why": "again"}).status_code == 409
    assert browser.post(f"/acceptors/action/resume/{ref}", {"why": "answered"}).status_code == 302
    assert party(ref)[0] == ""


def test_an_agent_reads_what_is_missing_to_the_next_tier(desk):
    lower, _ = desk.trade.agents
    assert "To the next tier" not in signed_in(desk, "agent1").get(f"/agents/show/{lower}").text
    with transaction() as tx:
        before = tx.call("select g.plan_id from agent g join party p on p.id = g.party_id where p.ref = %s", (lower,))
        own = tx.call("insert into plan (code) values ('tiered') returning id")
        tx.run(
            "insert into plan_version (plan_id, version, terms, effective_from, created_at) values (%s, 1, %s, %s, %s)",
            (own, '{"rates": {"deposit": 10}, "tiers": [[5000000000, 14]]}', "2026-01-01", "2026-01-01"),
        )
        tx.run("update agent set plan_id = %s from party p where p.id = party_id and p.ref = %s", (own, lower))
    try:
        page = signed_in(desk, "agent1").get(f"/agents/show/{lower}").text
        assert "To the next tier" in page
        assert "5,000" in page
        assert "then 0.14 %" in page
        assert "To the next tier" in signed_in(desk, "finance").get(f"/agents/show/{lower}").text
    finally:
        with transaction() as tx:
            tx.run("update agent set plan_id = %s from party p where p.id = party_id and p.ref = %s", (before, lower))


@pytest.mark.parametrize("name", ["compliance", "auditor", "acceptor1", "agent1", "finance"])
def test_nobody_else_pauses_an_acceptor(desk, name):
    browser = signed_in(desk, name)
    answer = browser.post(f"/acceptors/action/pause/{desk.acceptor.ref}", {"why": "because"})
    assert answer.status_code in {403, 404}
    assert party(desk.acceptor.ref)[0] == ""


def test_deeds_come_by_post_with_their_token_only(desk):
    browser = signed_in(desk, "admin")
    assert browser.get(f"/acceptors/action/pause/{desk.other.ref}?why=x").status_code == 405
    bare = browser.client.post(f"/acceptors/action/pause/{desk.other.ref}", data={"why": "as agreed"})
    assert bare.status_code == 400
    assert party(desk.other.ref)[0] == ""


def test_a_merchants_completed_orders_of_thirty_days_open_these_and_no_others(desk):
    still = claimed(desk.trade, number="SHOP-2", customer="c-2")
    browser = signed_in(desk, "merchant1")
    page = html.unescape(browser.get(f"/merchants/show/{desk.trade.merchant_ref}").text)
    for label in ("Completed", "Volume"):
        way = re.search(rf'<a class="card figure" href="([^"]+)">\s*<div class="cap"><span>{label}<', page)[1]
        rows = browser.get(way).text
        assert desk.done in rows
        assert still not in rows


def test_foreign_and_broken_addresses_are_not_found(desk):
    browser = signed_in(desk, "admin")
    for path in ("/merchants/show/none", "/acceptors/show/mer_1", "/agents/show/none", "/agents/show/%00"):
        assert browser.get(path).status_code in {400, 404}, path


def test_figures_of_thirty_rolling_days_say_so_as_charts_count_days_with_today(desk):
    bare = re.compile(r"30 days(?! to now)")
    merchant = f"/merchants/show/{desk.trade.merchant_ref}"
    for name, pages in (
        ("finance", ("/merchants/list/", merchant, "/acceptors/list/", f"/acceptors/show/{desk.acceptor.ref}")),
        ("merchant1", ("/", merchant)),
        ("agent1", ("/", "/agents/list/")),
        ("compliance", ("/",)),
    ):
        browser = signed_in(desk, name)
        for page in pages:
            told = browser.get(page).text
            assert "30 days to now" in told, (name, page)
            assert not bare.search(told), (name, page)
