"""Importing past orders: they stand in the ledger, the feed and the facts once, whatever the file holds."""

from __future__ import annotations

import csv
import gzip
from datetime import timedelta

import pytest
from click.testing import CliRunner

from core import verify
from core.actor import system
from core.db import reading, transaction
from core.money import Money, fiat
from core.orders import deposit
from core.parties import agents, merchants
from core.pricing import quotes
from core.simulator.history import import_history
from core.simulator.settling import settle
from portal import cli
from portal.commands.imports import command
from tests import make
from tests.core.past_orders import START, order, stamp, unpaid, write


def ask(sql: str, *args):
    with reading() as tx:
        return tx.rows(sql, args)


def rejected(path):
    with path.with_name(f"{path.name}.rejects.csv").open(encoding="utf-8", newline="") as file:
        return [(int(row["line"]), row["code"]) for row in csv.DictReader(file)]


def mixed(n: int = 60) -> list[dict[str, str]]:
    rows = [order(number) for number in range(n)]
    rows += [
        unpaid(n + 1, "expired"),
        unpaid(n + 2, "cancelled", acceptor=""),
        order(n + 3, state="disputed_refunded"),
    ]
    return rows


def test_the_second_import_of_a_file_adds_nothing(database, tmp_path):
    path = write(tmp_path / "past.csv", mixed())
    first = import_history(path, batch_rows=20)
    before = ask(
        "select (select count(*) from journal_leg), (select count(*) from outbox), (select count(*) from risk_fact)"
    )
    again = import_history(path, batch_rows=25)
    assert (first.read, first.added, first.known, first.rejected) == (63, 63, 0, 0)
    assert (again.read, again.added, again.known, again.rejected) == (63, 0, 63, 0)
    after = ask(
        "select (select count(*) from journal_leg), (select count(*) from outbox), (select count(*) from risk_fact)"
    )
    assert after == before


def test_sums_equal_the_file_and_every_invariant_holds(database, tmp_path):
    path = write(tmp_path / "past.csv", mixed(200))
    import_history(path, batch_rows=50)
    settle()
    done = [order(number) for number in range(200)]
    gross = sum((10**6 * 100) + 10_000 * number for number in range(200))
    (found,) = ask("select count(*), sum(usdt_units), sum(fee_units) from v_orders where state = 'completed'")
    assert found == (len(done), gross, 600_000 * len(done))
    assert [finding.breaks for finding in verify.run() if finding.breaks] == []
    assert ask("select sum(completed)::int, sum(refunded)::int from rollup_hour") == [(200, 1)]


def test_a_deposit_pays_merchant_house_and_agent_and_a_withdrawal_mirrors_it(database, tmp_path):
    import_history(write(tmp_path / "past.csv", [order(1), order(6, agent="agent-9")]))
    legs = ask(
        "select o.kind, j.account, j.units, j.happened_at = o.completed_at from v_journal j"
        " join v_orders o on j.key = o.ref || ':release' order by o.kind, j.account",
    )
    assert legs == [
        ("deposit", "acceptor:acceptor-1:reserve", -100_010_000, True),
        ("deposit", "agent:agent-1", 100_010, True),
        ("deposit", "house:fees", 499_990, True),
        ("deposit", "merchant:shop-1", 99_410_000, True),
        ("withdrawal", "acceptor:acceptor-1:reserve", 99_460_000, True),
        ("withdrawal", "agent:agent-9", 100_060, True),
        ("withdrawal", "house:fees", 499_940, True),
        ("withdrawal", "merchant:shop-0", -100_060_000, True),
    ]
    assert ask("select agent, level, plan_version, units, period from v_commission_lines order by agent") == [
        ("agent-1", 1, "direct v1", 100_010, "2026-03"),
        ("agent-9", 1, "direct v1", 100_060, "2026-03"),
    ]


def test_a_commission_is_cut_to_the_fee_and_no_fee_pays_none(database, tmp_path):
    import_history(write(tmp_path / "past.csv", [order(1, fee_usdt="0.05"), order(2, fee_usdt="0")]))
    assert ask("select units from v_commission_lines") == [(50_000,)]
    assert ask("select count(*) from v_journal where account = 'house:fees'") == [(0,)]


def test_strangers_are_enrolled_as_imported_and_known_parties_keep_their_standing(database, tmp_path):
    top = agents.create(system(), "top", "Top Agent", plan="country")
    low = agents.create(system(), "low", "Low Agent", plan="direct", parent_ref=top)
    merchants.create(system(), "known", "Known Shop", country="BR", agent_ref=low)
    rows = [
        order(1, merchant="known", agent="low"),
        order(2, merchant="new", agent="low"),
        order(3, merchant="new", agent="x"),
    ]
    import_history(write(tmp_path / "past.csv", rows))
    assert ask("select code, state from party where kind = 'merchant' order by code") == [
        ("known", "active"),
        ("new", "imported"),
    ]
    assert ask(
        "select p.code, a.code from merchant m join party p on p.id = m.party_id"
        " join party a on a.id = m.agent_id order by 1",
    ) == [("known", "low"), ("new", "low")]
    # The path of a known agent earns as for any order: its own rate, and what the one above has more.
    assert ask("select agent, level, rate_bps from v_commission_lines order by 1, 2 limit 4") == [
        ("low", 1, 10), ("low", 1, 10), ("top", 2, 10), ("top", 2, 10),
    ]  # fmt: skip
    assert ask("select code, state, currency from pool") == [("imported-BRL", "imported", "BRL")]


def test_facts_are_known_when_they_happened_and_account_numbers_are_sealed(database, tmp_path):
    rows = [order(1, payer_name="Jonas Other"), unpaid(2, "expired"), order(3, state="disputed_refunded")]
    import_history(write(tmp_path / "past.csv", rows))
    facts = ask(
        "select o.external_ref, f.kind, f.happened_at = f.known_at"
        " from risk_fact f join orders o on o.ref = f.order_ref order by 1, f.happened_at, f.kind",
    )
    assert facts == [
        ("past-000001", "order_opened", True), ("past-000001", "order_claimed", True),
        ("past-000001", "order_completed", True),
        ("past-000002", "order_opened", True), ("past-000002", "order_expired", True),
        ("past-000003", "order_opened", True), ("past-000003", "order_claimed", True),
        ("past-000003", "order_disputed", True), ("past-000003", "order_refunded", True),
    ]  # fmt: skip
    assert ask("select payer_name from orders where external_ref = 'past-000001'") == [("Jonas Other",)]
    assert ask("select count(*) from payer_account y where position('BR000'::bytea in y.sealed) > 0") == [(0,)]
    assert ask("select distinct state, dispute_state from v_orders where external_ref = 'past-000003'") == [
        ("refunded", "decided")
    ]


def test_a_ref_used_twice_is_rejected_unless_both_lines_say_the_same(database, tmp_path):
    rows = [
        order(1),
        order(1),
        order(1, fiat_amount="999.00"),
        order(2),
        order(3),
        order(2, fee_usdt="0.70"),
        order(3),
    ]
    path = write(tmp_path / "past.csv", rows)
    for _ in range(2):
        counts = import_history(path, batch_rows=4)
        assert (counts.read, counts.rejected) == (7, 2)
        assert rejected(path) == [(4, "duplicate_ref"), (7, "duplicate_ref")]
    assert ask("select count(*) from orders") == [(3,)]


@pytest.mark.parametrize("forged_first", [True, False])
def test_a_refused_line_does_not_stand_in_the_way_of_a_true_one(database, tmp_path, forged_first):
    import_history(write(tmp_path / "before.csv", [order(1)]))
    lines = [order(1, fiat_amount="999.00"), order(1)] if forged_first else [order(1), order(1, fiat_amount="999.00")]
    path = write(tmp_path / "past.csv", lines)
    counts = import_history(path)
    assert (counts.added, counts.known, counts.rejected) == (0, 1, 1)
    assert rejected(path) == [(2 if forged_first else 3, "duplicate_ref")]


def test_good_rows_go_in_and_bad_ones_are_written_aside_with_line_numbers(database, tmp_path):
    rows = [order(1), order(2, fiat_amount="-1"), order(3), order(4, ref="=evil()", state="lost"), order(5)]
    path = write(tmp_path / "past.csv", rows)
    done = CliRunner().invoke(command, ["history", str(path)])
    assert done.exit_code == 0, done.output
    assert "read 5: added 3, known already 0, rejected 2" in done.output
    assert rejected(path) == [(3, "bad_amount"), (5, "bad_value")]
    text = path.with_name("past.csv.rejects.csv").read_text(encoding="utf-8")
    assert ",=evil()" not in text
    assert "'=evil()" in text


def test_a_clean_run_takes_an_older_reject_file_away(database, tmp_path):
    path = write(tmp_path / "past.csv", [order(1, kind="gift"), order(2)])
    import_history(path)
    write(path, [order(1), order(2)])
    counts = import_history(path)
    assert (counts.added, counts.known) == (1, 1)
    assert not path.with_name("past.csv.rejects.csv").exists()


def test_the_reject_file_is_there_from_the_first_reject_on_and_replaces_an_older_one(database, tmp_path):
    path = write(
        tmp_path / "past.csv", [order(1, kind="gift"), *(order(n) for n in range(2, 6)), order(6, kind="gift")]
    )
    aside = path.with_name("past.csv.rejects.csv")
    import_history(path)
    assert len(rejected(path)) == 2
    rows = [*(order(n) for n in range(2, 6)), order(7, state="lost")]
    seen = []
    import_history(write(path, rows), batch_rows=2, told=lambda counts: seen.append((counts.read, aside.exists())))
    assert seen == [(2, False), (4, False), (5, True)]
    assert rejected(path) == [(6, "bad_value")]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\x01\x02", "ref\n".encode("utf-16")])
def test_a_file_of_which_nothing_can_be_read_ends_with_one_and_changes_nothing(database, tmp_path, content):
    path = tmp_path / "no.csv"
    path.write_bytes(content)
    done = CliRunner().invoke(command, ["history", str(path)])
    assert done.exit_code == 1
    assert ask("select count(*) from party") == [(0,)]


def test_nothing_is_posted_into_a_locked_period(database, tmp_path):
    with transaction() as tx:
        tx.run(
            "insert into period_lock (starts_at, ends_at, locked_at) values (%s, %s, now())",
            (START, stamp(START)[:8] + "03"),
        )
    later = order(1, completed_at=stamp(START + timedelta(days=2)))
    path = write(tmp_path / "past.csv", [order(1), order(1000), unpaid(2, "expired"), order(1), later])
    counts = import_history(path)
    assert (counts.added, counts.rejected) == (3, 2)
    assert rejected(path) == [(2, "period_locked"), (5, "period_locked")]


def test_an_order_that_came_by_the_api_is_not_taken_for_the_files(database, tmp_path):
    market = make.market(1)
    quote = quotes.quote(market.merchant, "deposit", "BRL", Money.parse("100.00", fiat("BRL")))
    deposit.open_order(
        market.merchant,
        deposit.DepositRequest(quote.ref, "past-000001", "c-1", "Maria Souza", "12345678", "Maria Souza"),
    )
    path = write(tmp_path / "past.csv", [order(1, merchant=market.merchant_code)])
    assert import_history(path).reasons == {"duplicate_ref": 1}
    assert ask("select source from orders") == [("api",)]


def test_gzip_goes_in_as_it_is_and_folded_balances_stay_right(database, tmp_path):
    path = tmp_path / "past.csv.gz"
    plain = write(tmp_path / "past.csv", [order(n) for n in range(40)])
    path.write_bytes(gzip.compress(plain.read_bytes()))
    import_history(path, batch_rows=11)
    settle()
    assert [f.breaks for f in verify.run() if f.breaks] == []


def test_every_reject_holds_the_line_as_it_stands_in_the_file(database, tmp_path):
    rows = [order(1), order(1, fiat_amount="999.00"), order(2, kind="gift"), order(3, customer_name='"Souza, Maria" ')]
    path = write(tmp_path / "past.csv", [*rows, order(3, fee_usdt="0.70")])
    import_history(path)
    raw = path.read_text(encoding="utf-8").splitlines()
    with path.with_name("past.csv.rejects.csv").open(encoding="utf-8", newline="") as file:
        kept = [(int(row["line"]), row["code"], row["row"]) for row in csv.DictReader(file)]
    assert kept == [
        (3, "duplicate_ref", raw[2]), (4, "bad_value", raw[3]), (6, "duplicate_ref", raw[5]),
    ]  # fmt: skip


def test_a_torn_archive_keeps_the_good_rows_says_so_and_ends_with_one(database, tmp_path, monkeypatch, capsys):
    path = tmp_path / "past.csv.gz"
    plain = write(tmp_path / "past.csv", [order(n) for n in range(3000)])
    packed = gzip.compress(plain.read_bytes())
    path.write_bytes(packed[:-4000])
    with pytest.raises(SystemExit) as ended:
        cli.main(["import", "history", str(path)])
    assert ended.value.code == 1
    assert "breaks off" in capsys.readouterr().err
    (before,) = ask("select count(*)::int from orders")
    assert 0 < before[0] < 3000
    path.write_bytes(packed)
    again = import_history(path)
    assert (again.known, again.added, again.rejected) == (before[0], 3000 - before[0], 0)


def test_what_is_piped_in_is_read_like_a_file(database, tmp_path):
    packed = gzip.compress(write(tmp_path / "past.csv", [order(n) for n in range(30)]).read_bytes())
    done = CliRunner().invoke(command, ["history", "-", "--rejects", str(tmp_path / "bad.csv")], input=packed)
    assert done.exit_code == 0, done.output
    assert "read 30: added 30" in done.output
