"""Seals: what a superuser changes, removes, swaps, slips in or cuts off afterwards is named."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock
from core.actor import system
from core.audit import write
from core.db import reading, transaction
from core.embedded.places import write_record
from core.errors import Unavailable
from core.ledger import seal
from core.settings import settings
from core.verify.seals import heads, seals
from tests import make
from tests.core import lives


@pytest.fixture
def market(database):
    made = make.market(1, levels=1)
    lives.completed(made)
    lives.sealed()
    return made


def found() -> list[str]:
    with reading() as tx:
        return seals(tx).breaks


def tamper(*statements: str) -> None:
    """What a superuser can do: triggers and foreign keys look away."""
    with transaction() as tx:
        tx.run("set local session_replication_role = replica")
        for statement in statements:
            assert tx.run(statement) > 0


def note(subject: str) -> None:
    with transaction() as tx:
        write(tx, system(), "note.write", subject)


def test_everything_committed_is_sealed_once_in_dense_positions(market):
    with reading() as tx:
        for chain, table in (("journal", "journal_entry"), ("audit", "audit")):
            rows = tx.call(f"select count(*) from {table}")
            assert tx.rows("select min(pos), max(pos), count(*) from seal_row where chain = %s", (chain,)) == [
                (1, rows, rows)
            ]
    assert found() == []
    assert seal.advance() == 0
    assert len(list(seal.anchored())) == len(seal.CHAINS)


def test_the_chain_can_be_recomputed_without_the_database(market):
    with reading() as tx:
        entries = tx.rows(
            "select e.id, e.ref, e.key, e.reason, e.order_id, e.actor, e.happened_at, e.booked_at from"
            " journal_entry e"
            " join seal_row r on r.chain = 'journal' and r.row_id = e.id order by r.pos",
        )
        legs = tx.rows("select entry_id, id, account_id, pocket, asset, units from journal_leg order by id")
        blocks = tx.rows("select no, first_pos, last_pos, hash from seal_block where chain = 'journal' order by no")
    hashes = [
        hashlib.sha256(
            json.dumps(
                [
                    *entry[:6],
                    _micro(entry[6]),
                    _micro(entry[7]),
                    [list(leg[1:]) for leg in legs if leg[0] == entry[0]],
                ],
                ensure_ascii=False,
            ).encode(),
        ).digest()
        for entry in entries
    ]
    previous = bytes(32)
    for no, first, last, stored in blocks:
        head = f"journal:{no}:{first}:{last}:".encode()
        previous = hashlib.sha256(previous + head + b"".join(hashes[first - 1 : last])).digest()
        assert previous == bytes(stored)
    assert previous.hex() == seal.Head(*_head()).hash


def _micro(moment):
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _head():
    with reading() as tx:
        return seal.head(tx)


def test_a_changed_entry_is_named(market):
    with reading() as tx:
        ref = tx.call("select ref from journal_entry where reason = 'escrow_release'")
    tamper("update journal_entry set happened_at = happened_at - interval '1 day' where reason = 'escrow_release'")
    assert [each for each in found() if ref in each and "not what was sealed" in each]


def test_a_changed_leg_is_named_by_its_entry(market):
    with reading() as tx:
        ref = tx.call("select ref from journal_entry where reason = 'escrow_release'")
    tamper(
        "update journal_leg set account_id = (select id from ledger_account where name = 'house:rounding')"
        " where account_id ="
        " (select id from ledger_account where name = 'house:fees')",
    )
    assert [each for each in found() if ref in each]


def test_a_changed_audit_row_is_named(market):
    tamper("update audit set reason = 'nothing to see' where action = 'order.confirm'")
    assert [each for each in found() if "order.confirm" in each and "not what was sealed" in each]


def test_a_removed_row_is_named(market):
    with reading() as tx:
        number = tx.call("select id from audit where action = 'order.confirm'")
    tamper("delete from audit where action = 'order.confirm'")
    assert [each for each in found() if f"#{number}" in each and "was removed" in each]


def test_two_swapped_rows_are_named(market):
    with reading() as tx:
        numbers = [row[0] for row in tx.rows("select id from audit where action like 'order.%%' order by id limit 2")]
    low, high = numbers
    swapped = "reason, subject, action, at"
    tamper(
        f"update audit a set ({swapped}) = (select {swapped} from audit b where b.id = {low} + {high} - a.id)"
        f" where a.id in ({low}, {high})",
    )
    assert all(any(f"#{number} " in each for each in found()) for number in numbers)


def test_swapped_seals_are_named(market):
    with reading() as tx:
        first, second = tx.rows("select row_id, hash from seal_row where chain = 'journal' and pos <= 2 order by pos")
    with transaction() as tx:
        tx.run("set local session_replication_role = replica")
        tx.run("update seal_row set row_id = -1 where chain = 'journal' and pos = 1")
        tx.run("update seal_row set row_id = %s, hash = %s where chain = 'journal' and pos = 2", first)
        tx.run("update seal_row set row_id = %s, hash = %s where chain = 'journal' and pos = 1", second)
    assert [each for each in found() if "does not have the hash of its rows" in each]


def test_a_row_slipped_in_behind_the_seal_is_named(market):
    note("honest")
    lives.sealed()
    with transaction() as tx:
        tx.run(
            "insert into audit (at, actor, role, action, subject, xid) values (now(), 'x', 'x',"
            " 'note.write', 'slipped', '5')",
        )
    assert [each for each in found() if "slipped" in each and "behind the seal" in each]


def test_a_tail_cut_off_with_its_seals_is_known_by_the_anchor(market):
    note("last words")
    lives.sealed()
    with reading() as tx:
        start = tx.call("select last_pos from seal_block where chain = 'audit' order by no desc offset 1 limit 1")
    tamper(
        f"delete from audit where id in (select row_id from seal_row where chain = 'audit' and pos > {start})",
        f"delete from seal_row where chain = 'audit' and pos > {start}",
        f"delete from seal_block where chain = 'audit' and first_pos > {start}",
    )
    assert [each for each in found() if "last words" in each and "the tail was cut off" in each]


def test_a_chain_rewritten_from_the_start_is_known_by_the_anchor(market):
    with reading() as tx:
        blocks = tx.call("select count(*) from seal_block where chain = 'audit'")
    tamper(
        "update audit set reason = 'rewritten' where action = 'order.confirm'",
        "update seal_row r set hash = sha256(convert_to(s.text, 'UTF8')) from seal_source_audit s"
        " where r.chain = 'audit' and s.row_id = r.row_id",
        *(
            "update seal_block b set prev_hash = p.hash, hash = seal_block_hash(b.chain, b.no, b.first_pos,"
            " b.last_pos, p.hash)"
            " from (select coalesce((select hash from seal_block where chain = 'audit' and no ="
            f" {no} - 1), decode(repeat('00', 32), 'hex')) as hash) p where b.chain = 'audit' and b.no = {no}"
            for no in range(1, blocks + 1)
        ),
    )
    assert found()
    assert all("the chain was rewritten" in each for each in found())


def test_more_rows_than_a_block_holds_make_several_blocks(database, monkeypatch):
    monkeypatch.setattr(seal, "BLOCK_ROWS", 3)
    monkeypatch.setattr(seal, "ROWS_AT_ONCE", 7)
    for n in range(17):
        note(f"n{n}")
    assert lives.sealed() == 17
    with reading() as tx:
        ranges = tx.rows("select first_pos, last_pos from seal_block where chain = 'audit' order by no")
        order = [
            row[0] for row in tx.rows("select a.subject from audit a join seal_row r on r.row_id = a.id order by r.pos")
        ]
    assert ranges[0][0] == 1
    assert ranges[-1][1] == 17
    assert all(last - first < 3 for first, last in ranges)
    assert order == [f"n{n}" for n in range(17)]
    assert found() == []


def test_a_transaction_still_open_is_not_sealed_and_not_forgotten(database):
    note("before")
    with transaction() as tx:
        write(tx, system(), "note.write", "open")
        note("younger, but ended first")
        seal.advance()
        with reading() as seen:
            assert seen.call("select count(*) from seal_row where chain = 'audit'") <= 1
    lives.sealed()
    with reading() as tx:
        assert tx.call("select count(*) from seal_row where chain = 'audit'") == 3
    assert found() == []


def test_a_damaged_anchor_file_is_said(market):
    path = seal.anchor_file()
    good = path.read_text()
    path.write_text(good + "{half a li")
    with pytest.raises(Unavailable, match=f"line {good.count(chr(10)) + 1} "):
        list(seal.anchored())
    assert [each for each in found() if "damaged" in each]


def test_an_anchor_that_was_not_written_in_time_is_written_next_time(market):
    seal.anchor_file().unlink()
    assert found() == []
    seal.advance()
    assert len(list(seal.anchored())) == len(seal.CHAINS)


def test_a_head_says_when_and_how_far(market):
    with clock.at(lives.DAYS + timedelta(days=1)):
        head = _head()
    assert head.chain == "journal"
    assert head.last_row.startswith("jrn_")
    assert head.hash in head.words()


def numbers(view, time):
    """The rows of a view as an outside reader counts them: each number with the time it was booked at."""
    with reading() as tx:
        return tx.rows(f"select distinct v.seq, b.booked_at from {view} v {time} order by 1")


AUDIT = ("v_audit", "join audit b on (b.at, b.actor, b.action, b.subject) = (v.at, v.actor, v.action, v.subject)")
JOURNAL = ("v_journal", "join journal_entry b on b.ref = v.entry_ref")


def interleaved(count):
    """Notes written in turn by two connections, each of which takes its ids from a heap of its own."""
    for number in range(count):
        with transaction() as first, transaction() as second:
            write(second, system(), "note.write", f"second {number}")
            write(first, system(), "note.write", f"first {number}")


@pytest.mark.parametrize("view", [AUDIT, JOURNAL], ids=["audit", "journal"])
def test_what_readers_count_by_has_no_gap_and_follows_time_sealed_or_not(market, view):
    for seals_now in (False, True):
        lives.completed(market)
        interleaved(5)
        before = numbers(*view)
        assert [seq for seq, _at in before] == list(range(1, len(before) + 1))
        assert [at for _seq, at in before] == sorted(at for _seq, at in before)
        if seals_now:
            lives.sealed()
            assert numbers(*view) == before, "a number that was given stays"
    assert found() == []


def test_ids_do_not_follow_time_but_numbers_do(market):
    interleaved(3)
    with reading() as tx:
        ids = [row[0] for row in tx.rows("select id from audit order by booked_at")]
        told = [row[0] for row in tx.rows("select subject from v_audit where action = 'note.write' order by seq")]
    assert ids != sorted(ids)
    assert told == [f"{who} {number}" for number in range(3) for who in ("second", "first")]


@pytest.mark.parametrize("view", ["v_audit", "v_journal"])
def test_who_does_not_read_the_number_does_not_pay_for_it(market, view):
    with reading() as tx:
        plain = "\n".join(row[0] for row in tx.rows(f"explain select reason from {view} where reason = 'x'"))
        counted = "\n".join(row[0] for row in tx.rows(f"explain select seq from {view} where reason = 'x'"))
    assert "seal" not in plain
    assert "seal_waiting" in counted


def test_what_is_sealed_while_the_verifier_reads_is_no_break(market):
    known = heads()
    with reading() as tx:
        tx.call("select count(*) from seal_block")  # from here on this transaction sees nothing new
        with transaction() as other:
            write(other, system(), "note.write", "s")
        lives.sealed()
        assert seals(tx, known).holds
    assert found() == []


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://desk@/desk?host={run}", "local/desk"),
        ("postgresql:///books", "local/books"),
        ("postgresql://desk@/desk?host=/run/other", "/run/other/desk"),
        ("postgresql://desk:secret@db.example:6432/books", "db.example:6432/books"),
        ("postgresql://desk@db.example/books", "db.example:5432/books"),
    ],
)
def test_each_server_has_its_own_anchors(url, name, monkeypatch):
    home = settings().home
    write_record(home, home, Path("/run/ours"))
    monkeypatch.setenv("DATABASE_URL", url.format(run="/run/ours"))
    settings.cache_clear()
    try:
        assert seal.ledger_name() == name
    finally:
        settings.cache_clear()
