"""The benchmark's reckoning: its ratios are taken round by round, each against its neighbour."""

from __future__ import annotations

import pytest

from bench import lifecycle


def _rounds(pgbench, ours, late):
    """A run of some rounds: pgbench's rate, our rate, and the 99th percentiles (ms) of open, claim and release."""
    steps = zip(lifecycle.STEPS, zip(*late, strict=True), strict=True)
    waits = {f"{step}_p99_ms_8": list(values) for step, values in steps}
    return lifecycle.Measured({"pgbench_8": pgbench, "lifecycle_8": ours}, waits)


def test_a_late_step_is_told_in_transactions_of_pgbench_by_the_slowest_step_of_each_round():
    measured = _rounds([10_000, 5_000, 8_000], [1, 1, 1], [(8, 4, 9), (16, 9, 14), (12, 6, 11)])
    assert lifecycle._late_in_pgbench(measured, 8) == pytest.approx(90)  # of 90, 80 and 96


def test_a_machine_half_as_fast_has_twice_the_milliseconds_and_the_same_figure():
    fast, slow = _rounds([10_000], [1], [(8, 4, 7)]), _rounds([5_000], [1], [(16, 8, 14)])
    assert lifecycle._late_in_pgbench(fast, 8) == lifecycle._late_in_pgbench(slow, 8)


def test_a_ratio_is_the_median_of_each_round_against_its_own_neighbour():
    measured = _rounds([9_000, 3_000, 6_000], [900, 200, 500], [(1, 1, 1)] * 3)
    assert lifecycle._ratio(measured, "lifecycle_8", "pgbench_8", times=3) == pytest.approx(0.25)
