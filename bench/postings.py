"""What only the postings of a deposit cost when every balance is a row that each posting updates."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from bench.crew import Work

ESCROW, MERCHANT, FEES, BELOW, TOP = 1001, 1002, 1003, 1004, 1005
_CALL = "select pl_transfers(%s::bigint[], %s::bigint[], %s::bigint[])"


def build(url: str) -> None:
    """Make the tables and the function."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(Path(__file__).with_name("postings.sql").read_text(encoding="utf-8"))


def work(url: str, number: int) -> Work:
    """Prepare the two postings of a deposit: into escrow, and out of it to merchant, fees and two agents."""
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=1)
    draw = random.Random(number)

    def one() -> tuple[float, float]:
        acceptor = draw.randint(1, 200)
        begun = time.perf_counter()
        connection.execute(_CALL, ([acceptor], [ESCROW], [44_483_985]))
        frozen = time.perf_counter()
        connection.execute(_CALL, ([ESCROW] * 4, [MERCHANT, FEES, BELOW, TOP], [44_217_082, 177_935, 44_484, 44_484]))
        return frozen - begun, time.perf_counter() - frozen

    return one
