"""What the tiles say is what the rollups hold, for the actor's own rows, and one tile's fault stays its own."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.actor import system
from core.analytics.boards import volume
from core.db import reading, transaction
from core.errors import Forbidden
from dashboards import asked, board, files, freshness, links, means
from dashboards.pages import BOARDS
from tests import make
from tests.dashboards.conftest import DAYS, NOW, party, text_of


@pytest.fixture(autouse=True)
def the_day_after():
    with clock.at(NOW):
        yield


def drawn(boards, page, tile, actor=None, search=DAYS):
    found = next(each for each in (*BOARDS[page].numbers, *BOARDS[page].charts) if each.name == tile)
    with boards.app.test_request_context():
        return found.draw(actor or system(), asked.read(search))


def own(boards, kind):
    right_holder = make.person(kind)
    scope = make.Scope(kind)
    return right_holder.__class__(
        name=kind, role=kind, scope=scope, party_id=boards.owners[kind], rights=frozenset(make.Right)
    )


def counted(condition, *args):
    with reading() as tx:
        return tx.rows(
            "select count(*), count(*) filter (where state = 'completed'),"
            f" coalesce(sum(usdt_units) filter (where state = 'completed'), 0)::bigint from orders where {condition}",
            args,
        )[0]


@pytest.mark.parametrize("kind", ["merchant", "acceptor"])
def test_a_party_sees_its_own_orders_and_no_other(boards, kind):
    actor = own(boards, kind)
    with boards.app.test_request_context():
        totals = volume.totals(actor, asked.read(DAYS).span(), asked.read(DAYS).narrowed())
    created, completed, usdt = counted(f"{kind}_id = %s", actor.party_id)
    assert (totals.created, totals.completed, totals.usdt_units) == (created, completed, usdt)
    assert 0 < created < counted("true")[0]


def test_an_agent_sees_its_subtree_and_nothing_of_the_platforms_fees(boards):
    actor = own(boards, "agent")
    with boards.app.test_request_context():
        totals = volume.totals(actor, asked.read(DAYS).span(), asked.read(DAYS).narrowed())
    under = "agent_id in (select descendant_id from agent_closure where ancestor_id = %s)"
    assert totals.created == counted(under, actor.party_id)[0] > 0
    rows = drawn(boards, "commissions", "agents", actor).table.rows
    with reading() as tx:
        codes = {
            code
            for (code,) in tx.rows(
                "select p.code from agent_closure c join party p on p.id = c.descendant_id where c.ancestor_id = %s",
                (actor.party_id,),
            )
        }
    assert rows
    assert {row[0].value for row in rows} <= codes
    with pytest.raises(Forbidden):
        drawn(boards, "commissions", "cost", actor)


def test_an_agents_own_commission_stands_apart_from_that_of_the_agents_below_it(boards):
    root = replace(own(boards, "agent"), party_id=party(boards.first.agents[-1]))

    def lines(condition):
        with reading() as tx:
            return tx.rows(
                "select coalesce(sum(c.units), 0)::bigint, count(*) from commission_line c join agent_closure d"
                f" on d.descendant_id = c.agent_id where d.ancestor_id = %s and {condition}",
                (root.party_id,),
            )[0]

    mine, below = lines("d.distance = 0"), lines("d.distance > 0")
    assert mine[0] != below[0]
    assert mine[1] == below[1] > 0
    for search, counted_ in ((DAYS, mine), (f"{DAYS}&whose=below", below), (f"{DAYS}&whose=all", None)):
        assert drawn(boards, "commissions", "own", root, search).value == amount_of(mine[0])
        assert drawn(boards, "commissions", "below", root, search).value == amount_of(below[0])
        units = mine[0] + below[0] if counted_ is None else counted_[0]
        total = drawn(boards, "commissions", "days", root, search).table.total
        assert total[-1].value == f"{units // 10**6}.{units % 10**6:06d}"
    assert "your own" in drawn(boards, "commissions", "days", root).note
    assert "agents below you" in drawn(boards, "commissions", "days", root, f"{DAYS}&whose=below").note


def amount_of(units):
    return f"{Decimal(units).scaleb(-6).quantize(Decimal('0.01')):,}"


def test_the_mean_rate_is_earned_over_the_orders_each_counted_once(boards):
    with reading() as tx:
        units = tx.call("select sum(units)::bigint from commission_line")
        gross = tx.call("select sum(usdt_units)::bigint from orders where id in (select order_id from commission_line)")
    found = drawn(boards, "commissions", "rate")
    assert found.value == str((10_000 * Decimal(units) / gross).quantize(Decimal("0.1")))
    assert amount_of(gross) in found.foot


def test_figures_are_those_of_the_orders(boards):
    created, completed, usdt = counted("true")
    assert drawn(boards, "volume", "opened").value == str(created)
    total = drawn(boards, "volume", "amounts").table.total
    assert total[-1].value == f"{usdt // 10**6}.{usdt % 10**6:06d}"
    ended = counted("state not in ('created', 'matching', 'offered', 'awaiting_payment', 'paid_claimed')")[0]
    assert f"{completed} of {ended} ended" in drawn(boards, "volume", "conversion").foot


def test_each_mark_leads_to_as_many_rows_as_it_counts(boards):
    found = drawn(boards, "volume", "orders", search=DAYS + "&by=currency")
    for trace in found.figure.data:
        for count, href in zip(trace.y, trace.customdata, strict=True):
            start, end = (re.search(rf"{name}=([^&]+)", href).group(1).replace("%3A", ":") for name in ("from", "to"))
            rows = counted("created_at >= %s and created_at < %s and currency = %s", start, end, trace.name)
            assert rows[0] == count


@pytest.mark.parametrize("bucket", ["hour", "day", "week", "month"])
def test_a_table_sums_to_the_same_total_in_every_bucket(boards, bucket):
    total = drawn(boards, "volume", "amounts", search=f"{DAYS}&bucket={bucket}").table.total
    assert total[-1].value == drawn(boards, "volume", "amounts").table.total[-1].value


def test_a_filter_narrows_every_figure_of_the_page(boards):
    search = f"{DAYS}&merchant={boards.second.merchant_code}"
    assert drawn(boards, "volume", "opened", search=search).value == str(counted("currency = 'EUR'")[0])
    for tile in BOARDS["volume"].charts:
        rows = drawn(boards, "volume", tile.name, search=search).table.rows
        assert boards.first.merchant_code not in text_of([[cell.text for cell in row] for row in rows])


def test_an_unknown_code_matches_nothing(boards):
    assert drawn(boards, "volume", "opened", search=f"{DAYS}&merchant=nobody").value == "0"
    assert drawn(boards, "volume", "orders", search=f"{DAYS}&merchant=nobody").table.rows == ()


def test_precision_counts_decided_alerts_only(boards):
    found = drawn(boards, "risk", "precision")
    assert found.value == "50.0 %"
    assert "1 of 2 decided" in found.foot
    days = drawn(boards, "risk", "days").table
    assert [cell.value for cell in days.total] == ["Together", "1", "1", "1", "3"]


def test_each_fate_of_an_alert_leads_to_the_alerts_that_met_it(boards):
    day = next(row for row in drawn(boards, "risk", "days").table.rows if row[0].value == "2026-10-05")
    false, confirmed, waiting = (cell.href for cell in day[1:4])
    assert "disposition=false_positive&disposition=explained" in false
    assert "disposition=confirmed_no_report&disposition=confirmed_reported" in confirmed
    assert "stage=waiting" in waiting
    assert all("from=2026-10-05T00%3A00%3A00Z&to=2026-10-06T00%3A00%3A00Z" in each for each in (false, confirmed))


def test_the_portals_lists_take_every_link_of_the_pages(boards, visit):
    visitor = visit("admin")
    known = {rule.rule for rule in boards.app.url_map.iter_rules()}
    hrefs = {links.orders(NOW, NOW), links.alerts(NOW.date(), NOW.date())}
    for page in BOARDS.values():
        for tile in page.charts:
            hrefs |= {
                cell.href for row in drawn(boards, page.name, tile.name).table.rows[:3] for cell in row if cell.href
            }
        hrefs |= {href for tile in page.numbers if (href := drawn(boards, page.name, tile.name).href)}
    tried = [href for href in sorted(hrefs) if href.partition("?")[0] in known]
    assert tried
    for href in tried:
        assert visitor.get(href).status_code == 200, href


def test_held_value_is_set_against_the_ledger(boards):
    assert "difference 0.00" in drawn(boards, "risk", "held").foot


def test_the_forecast_says_it_is_a_run_rate(boards):
    assert "run-rate" in drawn(boards, "commissions", "forecast").foot
    steps = drawn(boards, "commissions", "pace").table.rows
    assert len(steps) == 31
    assert steps[-1][1].text == "–"


def test_every_tile_of_every_page_draws_with_and_without_rows(boards):
    for page in BOARDS.values():
        for tile in (*page.numbers, *page.charts):
            for search in (DAYS, "?range=custom&from=2024-01-01&to=2024-01-02&tz=UTC"):
                assert drawn(boards, page.name, tile.name, search=search)


def test_a_tile_that_breaks_says_so_and_takes_nothing_with_it(boards, visit, monkeypatch):
    visitor = visit("admin")
    visitor.page("volume")
    monkeypatch.setattr(volume, "by_party", lambda *_args: 1 / 0)
    output = next(each for each in boards.dash.callback_map if each.startswith("..volume-merchants-said"))
    said = visitor.said(boards.dash, output)
    assert "could not be drawn" in text_of(said["volume-merchants-said"])
    assert said["volume-merchants-figure"]["data"] is None
    assert "ZeroDivision" not in text_of(said)
    fine = visitor.said(boards.dash, "volume-opened.children")
    assert str(counted("true")[0]) in text_of(fine)


def test_a_wrong_address_is_told_inside_the_tile(boards, visit):
    visitor = visit("admin")
    visitor.page("volume")
    said = visitor.said(boards.dash, "volume-opened.children", search="?range=forever")
    assert "forever" in text_of(said)


def test_an_empty_tile_says_what_would_be_there(boards, visit):
    visitor = visit("admin")
    visitor.page("volume")
    output = next(each for each in boards.dash.callback_map if each.startswith("..volume-failures-said"))
    said = visitor.said(boards.dash, output, search="?range=custom&from=2024-01-01&to=2024-01-02&tz=UTC")
    assert "No order failed" in text_of(said)


def test_a_file_is_the_table_with_a_digest_and_is_written_to_the_trail(boards, visit):
    visitor = visit("finance")
    visitor.page("volume")
    said = visitor.said(boards.dash, "volume-merchants-file.data", n_clicks=1)
    content = said["volume-merchants-file"]["data"]["content"].removeprefix("\ufeff")
    body, _mark, last = content.rpartition("# sha256,")
    assert last.strip() == hashlib.sha256(body.encode()).hexdigest()
    rows = list(csv.reader(io.StringIO(body)))
    table = drawn(boards, "volume", "merchants").table
    assert rows[1] == [cell.value for cell in table.rows[0]]
    with reading() as tx:
        trail = tx.rows("select actor, subject from audit where action = 'dashboard.exported' order by id desc limit 1")
    assert trail == [("finance", "volume-merchants")]


def test_without_the_trail_there_is_no_file(boards, monkeypatch):
    def refuse(*_args, **_more):
        raise Forbidden("the trail cannot be written")

    monkeypatch.setattr(files.audit, "write", refuse)
    with boards.app.test_request_context(), pytest.raises(Forbidden):
        files.csv_of(system(), "x", "x", asked.read(DAYS), drawn(boards, "volume", "merchants"))


@pytest.mark.parametrize(
    ("text", "file"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5.20", "-5.20"), ("-cmd", "'-cmd"), ("+44", "+44"), ("shop", "shop")],
)
def test_a_cell_is_never_a_formula(text, file):
    assert files.defused(text) == file


def test_stale_figures_are_told_and_fresh_ones_are_not(boards):
    with boards.app.test_request_context():
        fresh = freshness.line(freshness.rollup.Mark(NOW, 0), NOW, asked.ZoneInfo("UTC"))
        stale = freshness.line(freshness.rollup.Mark(NOW, 0), NOW + timedelta(minutes=5), asked.ZoneInfo("UTC"))
    assert len(fresh) == 1
    assert "5 minutes old" in stale[0].children


def test_a_tile_asks_nothing_of_the_database_it_may_not_write(boards):
    with reading() as tx:
        before = tx.call("select count(*) from audit")
    drawn(boards, "volume", "orders")
    with reading() as tx:
        assert tx.call("select count(*) from audit") == before


def test_refusals_reach_the_reader_and_faults_do_not(boards):
    def broken(_actor, _question):
        raise RuntimeError("password=hunter2")

    with boards.app.test_request_context(), transaction():
        found, fault = board.attempt(broken, system(), DAYS, "x")
    assert found is None
    assert "hunter2" not in repr(fault)


@pytest.mark.parametrize(
    ("language", "title", "said"),
    [
        ("en", "This cannot be shown", "'moon' is nothing to sum by"),
        ("es", "Esto no se puede mostrar", "no se puede sumar por «moon»"),
        ("zh", "", "不能按“moon”汇总"),
    ],
)
def test_a_refusal_inside_a_tile_speaks_the_language_of_its_reader(boards, language, title, said):
    def refused(actor, question):
        return volume.by_party(actor, question.span(), question.narrowed(), "moon")

    with boards.app.test_request_context(f"/?lang={language}"):
        _found, fault = board.attempt(refused, system(), DAYS, "x")
    told = repr(fault)
    assert said in told
    assert title in told


def test_every_figure_says_what_it_counts():
    for page in BOARDS.values():
        assert set(means.OF[page.name]) == {tile.name for tile in (*page.numbers, *page.charts)}
