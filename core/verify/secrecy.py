"""Invariant of secrecy: no account number or API key stands in the clear outside the table that seals it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from core import vault
from core.verify.finding import Check, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.db import Transaction

# Where free text or JSON is kept: (table, how a row is named, the text). Orders' own audit rows are by far the
# most: of those the reason is read, and what their details say as the payload of the outbox, where there is any.
_TEXTS = (
    ("audit", "'audit #' || id || ' (' || action || ')'",
     "reason || ' ' || case when action like 'order.%' then '' else coalesce(details::text, '') end"),
    ("outbox", "'outbox #' || id || ' (' || topic || ')'", "payload::text"),
    ("idempotency_key", "'stored answer of key ' || key", "body::text"),
    ("orders", "'order ' || ref", "payer_name || ' ' || coalesce(declared_payer_name, '')"),
    ("alert", "'alert ' || ref", "narrative || ' ' || reason::text"),
    ("evaluation", "'evaluation #' || id", "reasons::text"),
    ("risk_fact", "'risk fact #' || id", "note::text"),
    ("approval", "'approval ' || ref", "payload::text || ' ' || reason || ' ' || decided_why"),
    ("export_file", "'export ' || ref", "filters::text || ' ' || error"),
    ("job_run", "'job run #' || id", "details::text"),
    ("party", "kind || ' ' || code", "name"),
    ("customer", "'customer ' || ref", "verified_name"),
)  # fmt: skip

# An account number has six digits or more in a row, as banks write them; an API key has its own shape.
_SUSPECT = "[0-9]{6}|dk_[A-Za-z0-9_-]{30}"
_TOKEN = re.compile(r"[A-Za-z0-9]{6,34}")
_KEY = re.compile(r"dk_[A-Za-z0-9_-]{40}")


def secrets_stay(tx: Transaction) -> Finding:
    """I18: what is sealed or hashed in one table is nowhere else in the clear.

    Every word that could be an account number is put through the blind index and looked up among the
    accounts we know; every word shaped like an API key through the keys' hash.
    """
    check = Check(tx, "I18", "no secret outside its table")
    suspects: list[tuple[str, str]] = []
    for table, name, text in _TEXTS:
        check.counted(f"select count(*) from {table}")  # noqa: S608 - our own words
        suspects += _suspects(tx, table, name, text)
    blinded = {word: vault.blind(word) for word in {word for _, word in suspects}}
    hashed = {word: _hashed(word) for _, word in suspects if _KEY.fullmatch(word)}
    accounts = {
        each for table in ("bank_account", "payer_account") for each in _known(tx, blinded.values(), "blind", table)
    }
    keys = _known(tx, hashed.values(), "hash", "api_key")
    return check.broken(
        [f"{row} holds an account number in the clear" for row, word in suspects if blinded[word] in accounts]
        + [f"{row} holds an API key in the clear" for row, word in suspects if hashed.get(word) in keys],
    ).finding()


def _suspects(tx: Transaction, table: str, name: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield (row, word) of every word in the text that could be a secret."""
    found = tx.raw.execute(
        f"select {name}, {text} from {table} where {text} ~ '{_SUSPECT}'".encode().replace(b"%", b"%%"),  # noqa: S608 - our own words
        (),
    )
    for row, words in found:
        for word in {*_TOKEN.findall(words), *_KEY.findall(words)}:
            if _KEY.fullmatch(word) or re.search("[0-9]{6}", word):
                yield row, word


def _known(tx: Transaction, wanted: Iterable[bytes], column: str, table: str) -> set[bytes]:
    """Return which of the wanted hashes the table knows."""
    rows = tx.rows(f"select {column} from {table} where {column} = any(%s)", (list(wanted),))  # noqa: S608 - our own words
    return {bytes(row[0]) for row in rows}


def _hashed(word: str) -> bytes:
    """Return the hash an API key is stored by."""
    return hashlib.sha256(word.encode()).digest()
