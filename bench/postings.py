"""What only the postings of a deposit cost in a ledger of the pgledger kind: each balance a row updated every time."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from bench.crew import Work

_FREEZE = "select * from pl_transfers(array[(%s, 'acc_escrow', 44.483985)]::pl_request[])"
_RELEASE = (
    "select * from pl_transfers(array[('acc_escrow', 'acc_merchant', 44.217082), ('acc_escrow', 'acc_fees', 0.177935),"
    " ('acc_escrow', 'acc_below', 0.044484), ('acc_escrow', 'acc_top', 0.044484)]::pl_request[])"
)


def build(url: str) -> None:
    """Make the tables and the functions."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(Path(__file__).with_name("postings.sql").read_text(encoding="utf-8"))


def work(url: str, number: int) -> Work:
    """Prepare the two postings of a deposit: into escrow, and out of it to merchant, fees and two agents."""
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=1)
    draw = random.Random(number)

    def one() -> tuple[float, float]:
        begun = time.perf_counter()
        connection.execute(_FREEZE, (f"acc_{draw.randint(1, 200)}",))
        frozen = time.perf_counter()
        connection.execute(_RELEASE)
        return frozen - begun, time.perf_counter() - frozen

    return one
