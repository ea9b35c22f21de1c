"""Commissions on screen: an agent sees its subtree's lines, each explains itself, the report ties to the ledger."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest

from core import clock
from core.analytics import rollup
from core.db import reading, transaction
from core.money import Money, fiat
from core.orders import release
from core.reports import overview
from portal.security.setup import ensure_user
from tests.portal import market
from tests.portal.conftest import PASSWORD
from tests.portal.market import claimed, signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.orders = []
    for amount in ("542.00", "1084.00"):
        ref = claimed(made.trade, amount=amount, customer="c-secret")
        received = Money.parse(amount, fiat("BRL"))
        release.confirm(made.acceptor.actor, ref, received=received, payer_name="Joao Santos")
        made.orders.append(ref)
    rollup.advance()
    made.month = f"{clock.now():%Y-%m}"
    with reading() as tx:
        made.lines = tx.rows(
            "select c.ref, p.ref, p.code, c.units, o.ref from commission_line c join party p on p.id = c.agent_id"
            " join orders o on o.id = c.order_id order by c.id"
        )
    return made


def party(ref):
    with reading() as tx:
        return tx.call("select id from party where ref = %s", (ref,))


def of(desk, agent):
    return [line for line in desk.lines if line[1] == agent]


def test_an_agent_sees_the_lines_of_its_subtree_only(desk):
    lower, root = desk.trade.agents
    assert of(desk, lower)
    assert of(desk, root)
    browser = signed_in(desk, "agent1")
    listed, file = browser.get("/commissions/list/").text, browser.get("/commissions/export.csv").text
    for line in of(desk, lower):
        assert line[0] in listed
        assert line[0] in file
    for line in of(desk, root):
        assert line[0] not in listed + file
        assert browser.get(f"/commissions/show/{line[0]}").status_code == 404
    everybody = signed_in(desk, "finance").get("/commissions/list/").text
    assert all(line[0] in everybody for line in desk.lines)
    for name in ("acceptor1", "merchant1", "compliance"):
        assert signed_in(desk, name).get("/commissions/list/").status_code == 403


def test_the_sums_below_a_list_are_those_of_its_rows(desk):
    lower = desk.trade.agents[0]
    code, units = of(desk, lower)[0][2], sum(line[3] for line in of(desk, lower))
    page = signed_in(desk, "finance").get(f"/commissions/list/?agent={code}&period={desk.month}").text
    assert f"{units // 10**6:,}.{units % 10**6:06d}" in page
    assert page.count("<tr data-href") == len(of(desk, lower))
    for wrong in ("?level=x", "?state=none", "?from=soon", "?customer=1"):
        assert signed_in(desk, "finance").get(f"/commissions/list/{wrong}").status_code == 400, wrong


def test_an_agent_tells_its_own_lines_from_those_of_the_agents_below_it(desk):
    lower, root = desk.trade.agents
    ensure_user("agent-root", "agent", PASSWORD, party_id=party(root))
    browser = signed_in(desk, "agent-root")
    for whose, mine, other in (("own", root, lower), ("below", lower, root)):
        page = browser.get(f"/commissions/list/?whose={whose}").text
        assert all(line[0] in page for line in of(desk, mine))
        assert not any(line[0] in page for line in of(desk, other))
    assert browser.get("/commissions/list/?whose=others").status_code == 400
    assert signed_in(desk, "finance").get("/commissions/list/?whose=own").status_code == 400
    report = browser.get(f"/commissions/report?period={desk.month}").text
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", report))
    assert re.search(r"Your lines and those of the agents below you [\d,.]+ USDT · \d+ lines", told)
    own, below = report.index(">Your own<"), report.index(">Agents below you<")
    codes = {ref: of(desk, ref)[0][2] for ref in (lower, root)}
    assert own < report.index(f">{codes[root]}</a>") < below < report.index(f">{codes[lower]}</a>")
    home = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.get("/").text))
    for label, ref in (("Your commission this month", root), ("Agents below you", lower)):
        units = sum(line[3] for line in of(desk, ref))
        assert re.search(rf"{label} {desk.month} {units // 10**6:,}\.{units % 10**6 // 10**4:02d}", home), home
    alone = signed_in(desk, "agent1").get(f"/commissions/report?period={desk.month}").text
    assert "Agents below you" not in alone


def test_an_order_that_pays_two_levels_counts_once_in_the_sum_of_what_was_earned_on(desk):
    with reading() as tx:
        gross = tx.call("select sum(usdt_units)::bigint from orders where ref = any(%s)", (desk.orders,))
    said = f"{gross // 10**6:,}.{gross % 10**6:06d}"
    finance = signed_in(desk, "finance")
    assert said in finance.get("/commissions/list/").text
    assert said.replace(",", "") in finance.get("/commissions/export.csv").text.partition("# rows")[2]
    assert said in finance.get(f"/commissions/report?period={desk.month}").text


def test_a_line_explains_itself_without_the_customers_data(desk):
    lower, root = desk.trade.agents
    line = of(desk, lower)[0]
    page = signed_in(desk, "agent1").get(f"/commissions/show/{line[0]}").text
    assert line[4] in page
    assert "The formula" in page
    assert "USDT =" in page
    with reading() as tx:
        above = tx.call("select code from party where ref = %s", (root,))
    for secret in ("c-secret", "Joao", "Santos", above):
        assert secret not in page
    assert above in signed_in(desk, "finance").get(f"/commissions/show/{line[0]}").text


def test_the_report_ties_to_the_ledger(desk):
    page = signed_in(desk, "finance").get(f"/commissions/report?period={desk.month}").text
    total = sum(line[3] for line in desk.lines)
    assert f"{total // 10**6:,}.{total % 10**6:06d}" in page
    with reading() as tx:
        agents = tx.call("select sum(units) from v_balances where account like 'agent:%%'")
    assert agents == total
    assert page.count("0.000000") >= 2
    code = of(desk, desk.trade.agents[1])[0][2]
    own = signed_in(desk, "agent1")
    assert code not in own.get(f"/commissions/report?period={desk.month}").text
    assert own.get(f"/commissions/report?period={desk.month}&agent={code}").status_code == 404
    assert own.get("/commissions/report?period=2026-13").status_code == 422


def test_a_rate_in_the_file_of_the_lines_names_its_unit(desk):
    rows = csv.reader(io.StringIO(signed_in(desk, "finance").get("/commissions/export.csv").text.lstrip("\ufeff")))
    heads, first = next(rows), next(rows)
    assert "Rate" not in heads
    with reading() as tx:
        bps = tx.call("select rate_bps from commission_line where ref = %s", (first[0],))
    assert first[heads.index("Rate (bps)")] == str(bps)


def test_the_report_says_in_which_zone_its_period_is_told(desk):
    browser = signed_in(desk, "finance")
    page = f"/commissions/report?period={desk.month}"
    for zone, hour in (("Asia/Shanghai", "08:00:00"), ("UTC", "00:00:00")):
        browser.get("/account/")
        browser.post("/account/taste", {"language": "en", "zone": zone})
        said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", browser.get(page).text))
        assert re.search(rf"-01 {hour} – \d{{4}}-\d\d-01 {hour} {zone}", said), zone


def test_the_report_comes_as_csv_xlsx_and_pdf_with_the_figures_of_the_screen(desk):
    browser = signed_in(desk, "finance")
    total = sum(line[3] for line in desk.lines)
    written = Money(total, overview.USDT).text()
    answer = browser.get(f"/commissions/report/csv?period={desk.month}")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    assert next(row for row in rows if row and row[0] == "# sum commission_usdt")[1] == written
    assert next(row for row in rows if row and row[0] == "# lines less ledger")[1] == "0.000000"
    book = browser.client.get(f"/commissions/report/xlsx?period={desk.month}")
    assert zipfile.is_zipfile(io.BytesIO(book.data))
    assert browser.client.get(f"/commissions/report/pdf?period={desk.month}").data.startswith(b"%PDF-")
    assert browser.get(f"/commissions/report/exe?period={desk.month}").status_code == 422
    with reading() as tx:
        assert tx.call("select count(*) from audit where action = 'report.export'") == 3


def test_an_agents_file_holds_its_own_subtree_only(desk):
    lower, root = desk.trade.agents
    file = signed_in(desk, "agent1").get(f"/commissions/report/csv?period={desk.month}").get_data(as_text=True)
    assert all(line[0] in file for line in of(desk, lower))
    assert not [line for line in of(desk, root) if line[0] in file]


def test_a_long_report_is_written_by_a_job_and_is_its_owners_alone(desk, monkeypatch):
    monkeypatch.setattr(overview, "AT_ONCE", 1)
    browser = signed_in(desk, "finance")
    answer = browser.get(f"/commissions/report/csv?period={desk.month}")
    assert answer.headers["Location"].endswith("/exports/")
    page = browser.get("/exports/").text
    with reading() as tx:
        ref = tx.call("select ref from export_file order by id desc limit 1")
    assert ref in page
    assert ref not in signed_in(desk, "auditor").get("/exports/").text
    assert browser.get(f"/exports/file/{ref}").status_code == 409

    from jobs import exports

    exports.run(ref)
    fetched = browser.get(f"/exports/file/{ref}")
    assert fetched.status_code == 200
    assert f"filename=commission-{desk.month}-{ref}.csv" in fetched.headers["Content-Disposition"]
    assert signed_in(desk, "auditor").get(f"/exports/file/{ref}").status_code == 404
    assert browser.post(f"/exports/cancel/{ref}").status_code == 409


def test_a_line_names_the_tier_its_order_took_and_the_volume_that_gave_it(desk):
    lower, _root = desk.trade.agents
    with transaction() as tx:
        own = tx.call("insert into plan (code) values ('stepped') returning id")
        tx.run(
            "insert into plan_version (plan_id, version, terms, effective_from, created_at) values (%s, 1, %s, %s, %s)",
            (own, '{"rates": {"deposit": 10}, "tiers": [[50000000, 14]]}', "2026-01-01", "2026-01-01"),
        )
        tx.run("update agent set plan_id = %s from party p where p.id = party_id and p.ref = %s", (own, lower))
    ref = claimed(desk.trade, amount="542.00")
    release.confirm(desk.acceptor.actor, ref, received=Money.parse("542.00", fiat("BRL")), payer_name="Joao Santos")
    line = "select c.ref from commission_line c join orders o on o.id = c.order_id where o.ref = %s and c.agent_id = %s"
    with reading() as tx:
        stepped = tx.call(line, (ref, party(lower)))
    page = signed_in(desk, "agent1").get(f"/commissions/show/{stepped}").text
    assert (
        "Tier 1 of 1, from 50.000000 USDT on, at 0.14 %. Volume of the window: 0.000000 USDT before this order" in page
    )
    plain = of(desk, lower)[0][0]
    assert "The tier" not in signed_in(desk, "agent1").get(f"/commissions/show/{plain}").text, "a plan without tiers"
