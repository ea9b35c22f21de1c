"""Commission lines and reports: each actor sees its own, every line explains itself, every sum ties to the ledger."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from core import clock
from core.actor import Actor, Right, Scope, system
from core.commissions import periods, queries
from core.commissions.queries import Filters
from core.db import reading, transaction
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.ledger import accounts, statements
from core.money import USDT, Money
from core.reports import commission, files, orders, tie_out
from portal.commands.export import command as export
from tests import make
from tests.core import lives

OCTOBER = periods.read("2026-10")


@pytest.fixture(scope="module")
def lived(module_database):
    """Two merchants, each with its own line of agents, and a past in October 2026."""
    markets = [make.market(2, levels=3), make.market(1, levels=1)]
    for market in markets:
        lives.some_days(market, rounds=2)
    lives.rolled_up()
    return markets


def agent(ref: str) -> Actor:
    """An agent's own actor."""
    with reading() as tx:
        number = tx.call("select id from party where ref = %s", (ref,))
    rights = frozenset({Right.SEE_COMMISSIONS, Right.SEE_ORDERS, Right.EXPORT})
    return Actor(name=ref, role="agent", scope=Scope.AGENT, party_id=number, rights=rights)


def test_a_period_is_a_month_and_every_moment_has_one():
    assert OCTOBER.starts_at == datetime(2026, 10, 1, tzinfo=UTC)
    assert OCTOBER.ends_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert periods.of(OCTOBER.ends_at - timedelta(microseconds=1)) == OCTOBER
    assert periods.of(OCTOBER.ends_at).name == "2026-11"
    assert OCTOBER.previous().name == "2026-09"
    assert periods.read("2026-01").previous().name == "2025-12"


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "2026-1", "1999-01", "2026-10-01", "２０２６-10", "x" * 999]
)
def test_what_is_no_period_is_refused(text):
    with pytest.raises(BadInput, match="is not a period"):
        periods.read(text)


def test_a_month_that_has_not_begun_has_no_report():
    with clock.at(OCTOBER.ends_at - timedelta(seconds=1)), pytest.raises(BadInput, match="2026-11 has not begun"):
        periods.read("2026-11")
    with clock.at(OCTOBER.ends_at):
        assert periods.read("2026-11").name == "2026-11"


def test_an_agent_sees_its_subtree_and_nobody_elses(lived):
    everything = queries.lines(system(), limit=1000)
    lowest, middle, root = lived[0].agents
    seen = {ref: {line.agent_ref for line in queries.lines(agent(ref), limit=1000)} for ref in (lowest, middle, root)}
    assert seen == {lowest: {lowest}, middle: {lowest, middle}, root: {lowest, middle, root}}
    assert {line.agent_ref for line in everything} == {*lived[0].agents, *lived[1].agents}
    assert queries.sums(agent(root)).units == sum(line.units for line in everything if line.agent_ref in seen[root])


def test_the_base_of_lines_is_that_of_their_orders_each_counted_once(lived):
    with reading() as tx:
        gross = dict(
            tx.rows(
                "select m.ref, sum(o.usdt_units)::bigint from orders o join party m on m.id = o.merchant_id"
                " where o.state = 'completed' group by 1"
            )
        )
    lowest, _middle, root = lived[0].agents
    mine = gross[lived[0].merchant_ref]
    everything = queries.sums(system())
    assert everything.base_units == sum(gross.values())
    assert everything.lines > everything.orders == 8
    for actor, filters in ((agent(root), Filters()), (agent(lowest), Filters()), (system(), Filters(agent=root))):
        assert queries.sums(actor, filters).base_units == mine
    for actor, filters in ((system(), Filters()), (agent(root), Filters()), (agent(root), Filters(agent=lowest))):
        with reading() as tx:
            _lines, tie = tie_out.commissions(tx, actor, filters)
        assert tie.figure == Money(queries.sums(actor, filters).base_units, USDT)
        assert tie.difference == Money(0, USDT)


def test_the_report_sums_the_base_once_an_order(lived, tmp_path):
    with reading() as tx:
        files.write(commission.report(tx, system(), OCTOBER), tmp_path / "b.csv", "csv")
    rows = list(csv.reader((tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()))
    facts = dict(row for row in rows if row[0].startswith("#"))
    base = {row[1]: row[11] for row in rows[1:] if not row[0].startswith("#")}
    assert facts["# orders"] == str(len(base))
    assert Money.parse(facts["# base of these orders"], USDT) == sum(
        (Money.parse(text, USDT) for text in base.values()), Money(0, USDT)
    )
    assert "# sum base_usdt" not in facts


@pytest.mark.parametrize("scope", [Scope.MERCHANT, Scope.ACCEPTOR, Scope.NONE])
def test_others_see_no_line_even_with_the_right(lived, scope):
    stranger = Actor("x", "x", scope, party_id=1, rights=frozenset({Right.SEE_COMMISSIONS}))
    assert queries.lines(stranger) == []
    assert queries.sums(stranger) == (0, 0, 0, 0)


def test_without_the_right_nothing_is_told(lived):
    nobody = Actor("x", "x", Scope.ALL)
    with reading() as tx:
        for ask in (
            lambda: queries.lines(nobody),
            lambda: queries.sums(nobody),
            lambda: queries.explain(nobody, "com_0000000000000000"),
            lambda: commission.statements(tx, nobody, OCTOBER),
            lambda: tie_out.commissions(tx, nobody, Filters()),
            lambda: orders.report(tx, nobody, orders.Filters(OCTOBER.starts_at, OCTOBER.ends_at)),
        ):
            with pytest.raises(Forbidden):
                ask()


def test_pages_follow_each_other_without_gap_or_double(lived):
    whole = queries.lines(system(), limit=1000)
    paged, after = [], None
    while page := queries.lines(system(), after=after, limit=3):
        paged += page
        after = (page[-1].accrued_at, page[-1].id)
    assert paged == whole
    with reading() as tx:
        assert list(queries.stream(tx, system(), Filters())) == whole[::-1]


def test_filters_narrow_and_are_said_in_words(lived):
    code = lived[1].merchant_code
    lines = queries.lines(system(), Filters(merchant=code, period="2026-10", state="pending"))
    assert lines
    assert {line.merchant for line in lines} == {code}
    assert queries.lines(system(), Filters(period="2026-09")) == []
    assert queries.lines(system(), Filters(agent="nobody")) == []
    assert len(queries.lines(system(), Filters(order=lines[0].order_ref))) == 1
    assert Filters(merchant=code, period="2026-10").words() == f"period 2026-10; merchant {code}"
    with pytest.raises(BadInput, match="a commission line is"):
        queries.lines(system(), Filters(state="stolen"))


def test_every_line_explains_itself_to_the_last_unit(lived):
    for line in queries.lines(system(), limit=1000):
        told = queries.explain(system(), line.ref)
        assert told.line == line
        assert line.units == line.base_units * line.rate_bps // 10_000
        assert line.rate_bps == max(0, line.own_bps - line.below_bps)
        assert told.plan_terms["rates"]["deposit"] == line.own_bps
        assert told.plan_effective_from <= told.opened_at <= line.accrued_at
        assert sum(step.units for step in told.path if step.level == line.level) == line.units
        assert Money(line.units, USDT).show() in told.formula
        assert told.entry_ref.startswith("jrn_")


def test_an_agent_is_not_shown_what_stands_above_it(lived):
    lowest, middle, _ = lived[0].agents
    for ref, levels in ((lowest, {1}), (middle, {1, 2})):
        line = queries.lines(agent(ref), Filters(agent=ref))[0]
        assert {step.level for step in queries.explain(agent(ref), line.ref).path} <= levels
    foreign = queries.lines(system(), Filters(agent=lived[1].agents[0]))[0]
    with pytest.raises(NotFound):
        queries.explain(agent(lowest), foreign.ref)


def test_statements_add_up_and_close_on_the_ledgers_balance(lived):
    with reading() as tx:
        for period in (OCTOBER, periods.of(OCTOBER.ends_at)):
            for told in commission.statements(tx, system(), period):
                assert told.difference == Money(0, USDT)
                number = tx.call("select id from party where ref = %s", (told.agent_ref,))
                account = accounts.of_party(tx, number)
                assert statements.closing(tx, account, 0, period.ends_at).balance.available == told.closing.units
        november = commission.statements(tx, system(), periods.of(OCTOBER.ends_at))
        october = commission.statements(tx, system(), OCTOBER)
    assert [each.opening for each in november] == [each.closing for each in october]
    assert all(each.accrued and not each.opening for each in october)
    assert all(each.accrued.units == 0 and each.lines == 0 for each in november)


def test_a_statement_names_a_line_that_has_no_posting(lived):
    with pytest.raises(ZeroDivisionError), transaction() as tx:  # noqa: PT012 - so that nothing of it stays
        tx.run("update commission_line set units = units + 7 where id = (select min(id) from commission_line)")
        told = commission.statements(tx, system(), OCTOBER)
        tie, _base = tie_out.commissions(tx, system(), Filters(period="2026-10"))
        assert sum(each.difference.units for each in told) == 7
        assert tie.difference == Money(7, USDT)
        raise ZeroDivisionError


def test_the_report_ties_to_the_ledger_and_says_so(lived, tmp_path):
    lives.sealed()
    with reading() as tx, clock.at(OCTOBER.ends_at):
        report = commission.report(tx, system("finance"), OCTOBER)
        written = files.write(report, tmp_path / "c.csv", "csv")
        booked = tx.call("select sum(units)::bigint from journal_leg where account_id >= 3e12 and account_id < 4e12")
    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    lines = [row for row in rows[1:] if not row[0].startswith("#")]
    facts = dict(row for row in rows if row[0].startswith("#"))
    assert len(lines) == written.rows == int(facts["# rows"])
    assert sum(Money.parse(row[12], USDT).units for row in lines) == booked == written.sums["commission_usdt"].units
    assert facts["# lines less ledger"] == "0.000000"
    assert facts["# base less ledger"] == "0.000000"
    assert facts["# difference of the statements"] == "0.000000"
    assert facts["# made by"] == "finance (system)"
    assert facts["# made at"] == "2026-11-01T00:00:00Z"
    assert facts["# filter"] == "period 2026-10"
    assert re.fullmatch(r"journal block \d+, position \d+, sha256 [0-9a-f]{64}", facts["# seal"])


def test_one_agents_report_holds_its_lines_only(lived, tmp_path):
    ref = lived[0].agents[1]
    with reading() as tx:
        one = files.write(commission.report(tx, system(), OCTOBER, ref), tmp_path / "one.csv", "csv")
        own = files.write(commission.report(tx, agent(ref), OCTOBER, ref), tmp_path / "own.csv", "csv")
        rows = [written.path.read_bytes().partition(b"# rows,")[0] for written in (one, own)]
        assert rows[0] == rows[1]
        with pytest.raises(NotFound, match="no agent"):
            commission.report(tx, agent(ref), OCTOBER, lived[1].agents[0])
        with pytest.raises(NotFound, match="no agent"):
            commission.report(tx, system(), OCTOBER, "agt_unknown")
    assert one.rows == 4


def test_a_report_made_again_is_the_same_to_the_byte(lived, tmp_path):
    for form in ("csv", "xlsx", "pdf"):
        digests = set()
        for turn in range(2):
            with reading() as tx, clock.at(OCTOBER.ends_at):
                report = commission.report(tx, system(), OCTOBER)
                digests.add(files.write(report, tmp_path / f"{turn}.{form}", form).sha256)
        assert len(digests) == 1


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_desk_export_commission_writes_the_file_and_leaves_a_trace(lived, tmp_path, form):
    done = CliRunner().invoke(export, ["commission", "--period", "2026-10", "--format", form, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / f"commission-2026-10.{form}").stat().st_size > 1000
    assert "lines less ledger: 0.000000" in done.output
    assert (tmp_path / "commission-2026-10-statements.csv").exists() == (form == "csv")
    with reading() as tx:
        details = tx.call("select details from audit where action = 'report.export' order by booked_at desc limit 1")
    assert details["sha256"] in done.output


_LATEST = "(select max(id) from commission_line where period = '2026-10')"
_PAIR = "(select min(order_id) from commission_line where period = '2026-10' and level = 2)"
WRONG = {
    "another month": f"update commission_line set period = '2026-09' where id = {_LATEST}",
    "a line is gone": f"delete from commission_line where id = {_LATEST}",
    "two agents exchanged, all together the same": "update commission_line c set agent_id = (select x.agent_id"
    " from commission_line x where x.order_id = c.order_id and x.level = 3 - c.level)"
    f" where c.level in (1, 2) and c.order_id = {_PAIR}",
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_report_that_does_not_tie_says_so_and_fails(lived, tmp_path, wrong):
    with transaction() as tx:
        tx.run("set local session_replication_role = replica")
        tx.run("create table kept as select * from commission_line")
        tx.run("alter table commission_line drop constraint commission_line_once")
        assert tx.run(wrong) != 0
    try:
        done = CliRunner().invoke(export, ["commission", "--period", "2026-10", "--out", str(tmp_path)])
        assert isinstance(done.exception, Conflict)
        assert "difference of the statements" in str(done.exception)
        assert "difference of the statements: 0.000000" not in done.output
        assert (tmp_path / "commission-2026-10.csv").exists()
    finally:
        with transaction() as tx:
            tx.run("set local session_replication_role = replica")
            tx.run("delete from commission_line")
            tx.run("insert into commission_line overriding system value select * from kept")
            tx.run("drop table kept")
            tx.run("alter table commission_line add constraint commission_line_once unique (order_id, agent_id, level)")


def test_one_agents_csv_is_one_file_with_the_statement_at_its_foot(lived, tmp_path):
    ref = lived[0].agents[0]
    done = CliRunner().invoke(export, ["commission", "--period", "2026-10", "--agent", ref, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    (path,) = tmp_path.iterdir()
    foot = dict(line.split(",", 1) for line in path.read_text(encoding="utf-8").splitlines() if line.count(",") == 1)
    with reading() as tx:
        (statement,) = commission.statements(tx, system(), OCTOBER, ref)
    for name in ("opening", "accrued", "reversed", "adjustments", "paid", "closing"):
        assert foot[f"# {name}"] == getattr(statement, name).text()


def test_desk_export_refuses_what_it_cannot_do(lived, tmp_path):
    for words in (["--period", "October"], ["--period", "2026-10", "--agent", "nobody"]):
        done = CliRunner().invoke(export, ["commission", *words, "--out", str(tmp_path)])
        assert isinstance(done.exception, (BadInput, NotFound))
    assert list(tmp_path.iterdir()) == []


def test_an_export_asked_for_in_the_portal_is_written_by_the_same_hand(lived, tmp_path):
    told = []
    asked = {"period": "2026-10", "format": "csv"}
    assert commission.write_export(system(), asked, tmp_path / "a.part", told.append) > 0
    span = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z", "state": "completed"}
    assert orders.write_export(system(), span, tmp_path / "b.part", told.append) == 8
    assert orders.write_export(agent(lived[1].agents[0]), span, tmp_path / "c.part", told.append) == 4
    with pytest.raises(BadInput, match="time with a zone"):
        orders.write_export(system(), {"from": "2026-10-01"}, tmp_path / "d.part", told.append)
    with pytest.raises(BadInput, match="no state"):
        orders.write_export(system(), {**span, "state": "lost"}, tmp_path / "d.part", told.append)


def test_the_orders_report_sums_each_currency_for_itself(lived, tmp_path):
    with reading() as tx:
        asked = orders.Filters(OCTOBER.starts_at, OCTOBER.ends_at)
        written = files.write(orders.report(tx, system(), asked), tmp_path / "o.csv", "csv")
        orders_, usdt, fiat_ = tx.rows("select count(*), sum(usdt_units), sum(fiat_units)::bigint from orders")[0]
    assert written.rows == orders_
    assert written.sums["usdt"].units == usdt
    text = (tmp_path / "o.csv").read_text(encoding="utf-8")
    assert f"# sum fiat BRL of {orders_} orders,{fiat_ // 100}.{fiat_ % 100:02d}" in text


def test_completed_volume_ties_to_the_ledger(lived):
    with reading() as tx:
        tie = tie_out.completed(tx, OCTOBER.starts_at, OCTOBER.ends_at)
    assert tie.rows == 8
    assert tie.difference == Money(0, USDT)
    assert json.loads(json.dumps(tie.seal))
