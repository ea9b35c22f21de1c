"""Random bits in batches: as many as were asked for, and another process's are its own."""

from __future__ import annotations

import os

from core import chance


def test_numbers_have_the_bits_asked_for_and_hardly_repeat():
    drawn = [chance.bits(31) for _ in range(2000)]
    assert all(0 <= each < 1 << 31 for each in drawn)
    assert max(drawn) > 1 << 30
    assert len(set(drawn)) > 1990


def test_a_forked_process_draws_its_own():
    chance.bits(64)  # so that there is a stock to inherit
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, chance.bits(64).to_bytes(8, "big"))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = int.from_bytes(os.read(reading, 8), "big")
    os.close(reading)
    os.close(writing)
    assert theirs not in {chance.bits(64) for _ in range(300)}
