"""Past orders from a file: constant memory, one transaction a batch, and the second time nothing doubles."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from core import clock, ids, vault
from core.commissions import path as commission_path
from core.db import transaction
from core.simulator.patience import patiently
from core.simulator.rejects import RejectFile
from core.simulator.rows import Reject, Row, opened, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from core.db import Transaction

BATCH_ROWS: Final = 5_000
PAY_WINDOW: Final = timedelta(minutes=15)
"""When an order that expired ended, if the file does not say: after the usual time to pay."""
_ACTOR: Final = "import"
_LOCK: Final = 0x415703  # pg_advisory_xact_lock key: one batch at a time, so that two imports never double
_PREFIX: Final = {"agent": "agt", "merchant": "mer", "acceptor": "acc", "pool": "pol"}
_STAGE_ROW: Final = (
    "copy history_row (line, external_ref, kind, merchant, acceptor, agent, customer, customer_name, country,"
    " payer_name, blind, note, currency, fiat_units, usdt_units, fee_units, price, state, created_at,"
    " claimed_at, completed_at, ended_at, print, order_ref, entry_ref, customer_ref) from stdin"
)
_STAGE_SHARE: Final = (
    "copy history_share (line, ref, agent_id, account_id, agent_ref, level, plan_version_id, plan_version, own_bps,"
    " below_bps, rate_bps, base_units, units) from stdin"
)


@dataclass(slots=True)
class Counts:
    """What became of the lines: read = added + known + rejected."""

    read: int = 0
    added: int = 0
    known: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


def import_history(
    path: Path,
    *,
    rejects: Path | None = None,
    batch_rows: int = BATCH_ROWS,
    told: Callable[[Counts], None] | None = None,
) -> Counts:
    """Bring the past orders of a CSV file (gzip or not) in; return what became of its lines.

    Lines that cannot go in are written to `rejects` (beside the file by default) and the others go in.
    Orders already there are known by merchant and ref and passed over, so an import that was cut off is
    continued by running it again. `told` is called after each batch. Refuses with `bad_input` when nothing
    can be read, and with `unavailable` when the database stays away for a minute.
    """
    counts = Counts()
    digest = _digest(path)
    out_path = rejects or path.parent / f"{path.name}.rejects.csv"
    with opened(path) as file, RejectFile(out_path, beside=path) as out:
        lines = read(file)
        while batch := list(islice(lines, batch_rows)):
            rows = [each for each in batch if isinstance(each, Row)]
            bad = [each for each in batch if isinstance(each, Reject)]
            added, known, refused = _carried(rows, digest)
            for reject in sorted(bad + refused):
                out.add(reject)
                counts.reasons[reject.code] = counts.reasons.get(reject.code, 0) + 1
            counts.read += len(batch)
            counts.added += added
            counts.known += known
            counts.rejected += len(bad) + len(refused)
            if told:
                told(counts)
    _remember(digest, counts)
    return counts


def _digest(path: Path) -> str:
    with opened(path):  # refuses what cannot be read with our own words
        pass
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _carried(rows: list[Row], digest: str) -> tuple[int, int, list[Reject]]:
    """Bring one batch in; a database that restarts meanwhile, or a busy row, is waited for."""
    if not rows:
        return 0, 0, []
    return patiently(lambda: _batch(rows, digest))


def _batch(rows: list[Row], digest: str) -> tuple[int, int, list[Reject]]:
    """Bring the rows in within one transaction; return how many were added, known, and the refused ones."""
    with transaction() as tx:
        tx.run("set local statement_timeout = '10min'")
        tx.call("select pg_advisory_xact_lock(%s)", (_LOCK,))
        tx.call("select history_stage()")
        _copy(tx, _STAGE_ROW, map(_staged, rows))
        there = dict(tx.rows("select line, same from history_known()"))
        locked = {line for (line,) in tx.rows("select history_locked()")}
        fresh, known, refused = _judged(rows, there, locked)
        if not fresh:
            return 0, known, refused
        gone = [row.line for row in rows if row.line not in fresh]
        if gone:
            tx.run("delete from history_row where line = any(%s)", (gone,))
        _book(tx, fresh, digest)
    return len(fresh), known, refused


def _judged(rows: list[Row], there: dict[int, bool], locked: set[int]) -> tuple[dict[int, Row], int, list[Reject]]:
    """Return the rows that go in by line, how many are known, and the refused ones.

    `there` tells of the lines whose order is in the database whether they say the same. Only a line that goes in
    keeps its ref from later ones: one that is refused stands in nobody's way.
    """
    first: dict[tuple[str, str], Row] = {}
    known, refused = 0, []
    for row in rows:
        if row.line in there:
            if there[row.line]:
                known += 1
            else:
                refused.append(_refused(row, "duplicate_ref", "this merchant has another order of that ref"))
        elif row.line in locked:
            refused.append(_refused(row, "period_locked", "completed_at lies in a locked period"))
        elif (other := first.setdefault((row.merchant, row.ref), row)) is not row:
            if other.said == row.said:
                known += 1
            else:
                refused.append(_refused(row, "duplicate_ref", f"line {other.line} has another order of that ref"))
    return {row.line: row for row in first.values()}, known, refused


def _refused(row: Row, code: str, reason: str) -> Reject:
    return Reject(row.line, code, f"ref {row.ref}: {reason}", row.text)


def _staged(row: Row) -> tuple[Any, ...]:
    blind = vault.blind(row.payer_account)
    created = row.created_at
    # Files tell seconds: random milliseconds keep the references of one busy second apart.
    named = created if created.microsecond else created + timedelta(milliseconds=secrets.randbelow(1000))
    return (
        row.line, row.ref, row.kind, row.merchant, row.acceptor, row.agent, row.customer, row.customer_name,
        row.payer_country, row.payer_name, blind, _note(row), row.currency, row.fiat_units, row.usdt_units,
        row.fee_units, row.price, row.state, created, row.claimed_at, row.completed_at, _ended(row),
        _print(row, blind), ids.new("ord", named), ids.new("jrn", row.completed_at), ids.new("cus", created),
    )  # fmt: skip


def _ended(row: Row) -> datetime:
    """Return when the order ended; an expired one without a time ended with the usual time to pay."""
    if row.completed_at is None and row.claimed_at is None and row.state == "expired":
        return min(row.created_at + PAY_WINDOW, clock.now())
    return row.completed_at or row.claimed_at or row.created_at


def _note(row: Row) -> str:
    """Return what the rules may ask about the payer and is no column of the order."""
    told = {
        "customer_name": row.customer_name, "payer_country": row.payer_country, "ip_country": row.ip_country,
        "device": row.device, "wallet": row.wallet,
    }  # fmt: skip
    return json.dumps({name: value for name, value in told.items() if value}, ensure_ascii=False)


def _print(row: Row, blind: bytes) -> str:
    """Return a short digest of all that a line says, its account number only as the blind index."""
    said = repr((row[1:8], blind, row[9:-1])).encode()
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def _copy(tx: Transaction, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with tx.raw.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)


def _book(tx: Transaction, rows: dict[int, Row], digest: str) -> None:
    """Enrol who is new, then orders, postings, commission lines, and what the other rooms are told."""
    now = clock.now()
    strangers = tx.rows("select kind, code from history_strangers()")
    if strangers:
        kinds, codes = [kind for kind, _ in strangers], [code for _, code in strangers]
        refs = [ids.new(_PREFIX[kind]) for kind in kinds]
        tx.call("select history_enrol(%s, %s, %s, %s, %s)", (now, _ACTOR, kinds, codes, refs))
    _payers(tx, rows.values())
    _copy(tx, _STAGE_SHARE, _shares(tx, rows))
    tx.call("select history_customers()")
    tx.call("select history_orders()")
    tx.call("select history_legs()")
    key = f"import:{digest}:{min(rows)}"
    tx.call("select history_post(%s, %s, %s)", (key, ids.new("jrn"), _ACTOR))
    tx.call("select history_tell(%s, %s, %s)", (now, _ACTOR, digest[:12]))


def _payers(tx: Transaction, rows: Iterable[Row]) -> None:
    """Store the payer accounts nobody has seen before, sealed."""
    seen: dict[bytes, Row] = {}
    for row in rows:
        blind = vault.blind(row.payer_account)
        if blind not in seen or row.created_at < seen[blind].created_at:
            seen[blind] = row
    have = {bytes(b) for (b,) in tx.rows("select blind from payer_account where blind = any(%s)", (list(seen),))}
    fresh = {blind: row for blind, row in seen.items() if blind not in have}
    if not fresh:
        return
    accounts = [row.payer_account for row in fresh.values()]
    tx.run(
        "insert into payer_account (ref, blind, sealed, masked, first_seen_at)"
        " select * from unnest(%s::text[], %s::bytea[], %s::bytea[], %s::text[], %s::timestamptz[])"
        " on conflict on constraint payer_account_once do nothing",
        (
            [ids.new("pay", row.created_at) for row in fresh.values()],
            list(fresh),
            [vault.seal(account) for account in accounts],
            [vault.mask_account(account) for account in accounts],
            [row.created_at for row in fresh.values()],
        ),
    )


def _shares(tx: Transaction, rows: dict[int, Row]) -> Iterator[tuple[Any, ...]]:
    """Give the commission shares of each row's agent and those above it, as frozen for any other order."""
    columns = (
        "agent_id", "account_id", "agent_ref", "level", "plan_version_id", "plan_version", "own_bps", "below_bps",
        "rate_bps", "base_units", "units",
    )  # fmt: skip
    found: list[tuple[Any, ...]] = []
    for line, path, codes in tx.rows("select line, path, codes from history_paths()"):
        row = rows[line]
        # A file tells one fee and no parts of it: all of it is the platform's.
        amounts = {"usdt_units": row.usdt_units, "margin_units": row.fee_units}
        shares = commission_path.frozen(path, codes, row.kind, **amounts)
        earned = row.completed_at or row.created_at
        found += [(line, ids.new("com", earned), *(share[name] for name in columns)) for share in shares]
    return iter(found)


def _remember(digest: str, counts: Counts) -> None:
    """Keep what became of the file, by its digest; the counts of its last run stand."""
    now = clock.now()
    with transaction() as tx:
        tx.run(
            "insert into import_file"
            " (kind, sha256, rows_read, rows_added, rows_known, rows_bad, started_at, done_at)"
            " values ('history', %s, %s, %s, %s, %s, %s, %s)"
            " on conflict on constraint import_file_once do update set rows_read = excluded.rows_read,"
            " rows_added = import_file.rows_added + excluded.rows_added, rows_known = excluded.rows_known,"
            " rows_bad = excluded.rows_bad, done_at = excluded.done_at",
            (digest, counts.read, counts.added, counts.known, counts.rejected, now, now),
        )
