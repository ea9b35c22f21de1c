"""Seals: hash chains over journal and audit, extended by a job, their heads anchored outside the database.

A row's hash is SHA-256 of its canonical JSON text (the view `seal_source_journal` or `seal_source_audit`).
A block's hash covers the block before it and the hashes of its rows, in order. The head of each chain is
appended to a file outside the database, so that even a rewritten chain does not match what was anchored.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from core.db import reading, transaction
from core.embedded.places import read_record
from core.errors import Sentence, Unavailable, sentence
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from core.db import Transaction

CHAINS = ("journal", "audit")
BLOCK_ROWS = 5_000
ROWS_AT_ONCE = 50_000
"""Rows sealed in one transaction; more are sealed in several, each of which stands."""


class Head(NamedTuple):
    """The last block of a chain: how far the chain is sealed, and the hash that says so."""

    chain: str
    no: int
    position: int
    hash: str
    sealed_at: str
    last_row: str

    def words(self) -> Sentence:
        """Return the head in one line for the foot of a report."""
        place = {"no": str(self.no), "position": str(self.position), "hash": self.hash}
        if self.chain == "journal":
            return sentence("journal block %(no)s, position %(position)s, sha256 %(hash)s", **place)
        return sentence("audit block %(no)s, position %(position)s, sha256 %(hash)s", **place)


def advance() -> int:
    """Seal every row whose transaction has ended, anchor the heads, and return how many rows were sealed.

    Safe to run at any time and twice at once: the chain's watermark row is locked.
    """
    sealed = 0
    for chain in CHAINS:
        added = ROWS_AT_ONCE
        while added == ROWS_AT_ONCE:
            with transaction() as tx:
                tx.run("set local statement_timeout = '5min'")
                tx.run("set local lock_timeout = '1min'")
                added = tx.call("select seal_advance(%s, %s, %s)", (chain, ROWS_AT_ONCE, BLOCK_ROWS))
            sealed += added
    with reading() as tx:
        anchor(heads(tx))
    return sealed


def head(tx: Transaction, chain: str = "journal") -> Head | None:
    """Return the head of a chain, or None before its first block."""
    rows = tx.rows(
        "select b.chain, b.no, b.last_pos, encode(b.hash, 'hex'),"
        "       to_char(b.sealed_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        "       coalesce(e.ref, a.action || ' ' || a.subject, '')"
        "  from seal_block b join seal_row r on r.chain = b.chain and r.pos = b.last_pos"
        "  left join journal_entry e on b.chain = 'journal' and e.id = r.row_id"
        "  left join audit a on b.chain = 'audit' and a.id = r.row_id"
        " where b.chain = %s order by b.no desc limit 1",
        (chain,),
    )
    return Head(*rows[0]) if rows else None


def heads(tx: Transaction) -> list[Head]:
    """Return the heads of all chains that have one."""
    return [found for chain in CHAINS if (found := head(tx, chain))]


def anchor_file() -> Path:
    """Return the file of anchored heads, outside the database."""
    return settings().home / "anchors" / "heads.jsonl"


def ledger_name() -> str:
    """Return which database the anchors of this process belong to: server and name, no password.

    A database that was dropped and made anew under the same name contradicts its anchors, as it should; one on another
    server, or behind another socket, has its own. The server that comes along is "local" wherever its socket stands.
    """
    parts = urlsplit(settings().database_url)
    server = parse_qs(parts.query).get("host", [""])[0] or parts.hostname or ""
    if server.startswith("/"):
        own = read_record(settings().home)
        server = "local" if own and own["run"] == server else server
    elif server:
        server = f"{server}:{parts.port or 5432}"
    return f"{server or 'local'}/{parts.path.strip('/') or 'desk'}"


def anchored() -> Iterator[Head]:
    """Yield the anchored heads of this database, oldest first. Raises Unavailable for an unreadable file."""
    path, name = anchor_file(), ledger_name()
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                kept = json.loads(line)
                if kept["ledger"] == name:
                    yield Head(*(kept[field] for field in Head._fields))
            except (ValueError, KeyError, TypeError) as error:
                raise Unavailable(f"line {number} of {path} is no anchored head; it was damaged or edited") from error


def anchor(found: Sequence[Head]) -> int:
    """Append the heads that are not the last anchored ones of their chains; return how many were appended.

    The file is flushed to disk before this returns.
    """
    last = {each.chain: each for each in anchored()}
    fresh = [each for each in found if each.chain not in last or last[each.chain].hash != each.hash]
    if fresh:
        path, name = anchor_file(), ledger_name()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = "".join(json.dumps({"ledger": name, **each._asdict()}) + "\n" for each in fresh)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    return len(fresh)
