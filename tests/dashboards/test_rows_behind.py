"""A figure and the rows it opens are the same: as many of them, and the same sum, read off the portal's own list."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from core import clock
from core.actor import system
from core.analytics import rollup
from core.db import transaction
from dashboards import asked, links
from dashboards.pages import BOARDS
from dashboards.pages.risk import ENDS
from tests.core import lives
from tests.dashboards.conftest import DAYS, NOW

RAISE = """
insert into alert (ref, order_id, gate, rule, ruleset_id, verdict, score, reason, raised_at, due_at)
select %s, o.id, %s, %s, r.id, 'review', 900, '{}', %s, %s
  from (select id from orders where state = 'completed' order by id offset %s limit 1) o,
       (select id from ruleset limit 1) r
"""


@pytest.fixture(autouse=True)
def the_day_after():
    with clock.at(NOW):
        yield


@pytest.fixture(scope="module")
def alerted(boards):
    """Alerts as gates raise them: the first order's at its opening and at its release, the others' at one of these."""
    with transaction() as tx:
        tx.run("delete from rollup_alert_day")
        tx.run("delete from rollup_alert_order")
        for number, (gate, rule, order) in enumerate(
            [("G1", "GEO", 0), ("G3", "NAME_MISMATCH", 0), ("G1", "GEO", 1), ("G3", "M_CONFIRM", 2)]
        ):
            tx.run(RAISE, (f"alr_{number}", gate, rule, lives.DAYS, lives.DAYS, order))
    lives.rolled_up()
    return boards


def drawn(boards, page, tile, search=DAYS):
    found = next(each for each in (*BOARDS[page].numbers, *BOARDS[page].charts) if each.name == tile)
    with boards.app.test_request_context():
        return found.draw(system(), asked.read(search))


def opened(visitor, href, summed):
    """How many rows the list shows, and the sum below them."""
    text = visitor.get(href).text
    total = re.search(summed + r"\D*?([\d,]+\.\d+)", re.sub(r"<[^>]+>", " ", text))
    return text.count("<tr data-href"), Decimal(total.group(1).replace(",", ""))


@pytest.mark.parametrize("tile", ["merchants", "acceptors"])
def test_a_partys_alerts_are_the_rows_they_open_and_their_orders_add_up_once(alerted, visit, tile):
    visitor = visit("admin")
    rows = drawn(alerted, "risk", tile).table.rows
    assert sum(int(row[1].value) for row in rows) == 4
    for row in rows:
        assert opened(visitor, row[0].href, "Sum USDT") == (int(row[1].value), Decimal(row[3].value))


def test_whoever_chooses_an_acceptor_counts_the_alerts_of_the_orders_it_serves(alerted):
    for row in drawn(alerted, "risk", "acceptors").table.rows:
        search = f"{DAYS}&acceptor={row[0].value}"
        for tile, place in (("days", -1), ("kinds", -1)):
            assert drawn(alerted, "risk", tile, search).table.total[place].value == row[1].value
        for tile in ("rules", "verdicts"):
            assert sum(int(each[1].value) for each in drawn(alerted, "risk", tile, search).table.rows) == int(
                row[1].value
            )
        assert drawn(alerted, "risk", "alerts", search).value == row[1].value


def test_what_became_of_alerts_opens_as_many_and_what_is_only_proposed_is_open(alerted, visit):
    with transaction() as tx:
        tx.run(
            "update alert set state = 'pending_second', disposition = 'confirmed_reported', proposed_by = 'ada',"
            " proposed_at = now() where ref = 'alr_2'"
        )
    question, visitor = asked.read(DAYS), visit("admin")
    table = drawn(alerted, "risk", "days").table
    figures = {
        str(head.label): int(total.value) for head, total in list(zip(table.heads, table.total, strict=True))[1:]
    }
    for end in ENDS:
        href = links.alerts(question.first, question.last, **end.rows)
        figure = figures.get(str(end.label), 0)  # what no alert came to has no column
        assert visitor.get(href).text.count("<tr data-href") == figure == (4 if end.name == "waiting" else 0), end.name


def test_a_plans_version_opens_the_lines_it_paid_and_no_others(boards, visit):
    with transaction() as tx:  # the same plan a second time, with a third of the lines its own
        tx.run("alter table plan_version disable trigger user")
        tx.run("alter table commission_line disable trigger user")
        tx.run(
            "insert into plan_version (plan_id, version, terms, effective_from, created_at)"
            " select plan_id, 2, terms, effective_from + interval '1 second', created_at from plan_version"
        )
        tx.run(
            "update commission_line c set plan_version_id = n.id from plan_version o join plan_version n"
            " on n.plan_id = o.plan_id and n.version = 2 where o.id = c.plan_version_id and c.id %% 3 = 0",
            (),
        )
        tx.run("alter table commission_line enable trigger user")
        tx.run("alter table plan_version enable trigger user")
    rollup.rebuild()
    visitor = visit("admin")
    rows = drawn(boards, "commissions", "plans").table.rows
    assert len({row[0].value for row in rows}) == len(rows) > 1
    for row in rows:
        text = visitor.get(row[0].href).text
        assert opened(visitor, row[0].href, "Sum Commission") == (int(row[1].value), Decimal(row[4].value))
        version = row[0].value.rpartition(" v")[2]
        assert f"Plan version: {version}" in text, "the filter can be seen and taken off"
