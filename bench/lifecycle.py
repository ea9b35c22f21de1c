"""Whole deposits per second, beside pgbench -N, a naive ORM and postings alone, on one server in one run.

    python -m bench.lifecycle [--json FILE] [--seconds N] [--rounds N]

Ratios count transactions: three a deposit (open and match and freeze; claim; confirm and release), with gates,
audit, outbox, evaluation, fee and two commission levels. Medians of interleaved rounds.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import crew, market, naive, ours, postings, server

STEPS = ("open", "claim", "release")
CONNECTIONS = (1, 4, 8, 16)
BESIDE = (1, 8, 16)
"""At how many connections pgbench runs too."""
HALF = "8_half"
"""8 connections, to which half as many orders come as they could do."""
CROWDS = (10, 10_000)


class Measured(NamedTuple):
    """All rounds of one run: what each variant reached, by name."""

    rates: dict[str, list[float]]
    waits: dict[str, list[float]]


def _rounds(box: server.Server, rounds: int, seconds: float) -> Measured:
    box.steady()
    plain, own_url = box.fresh("plain", migrated=False), box.fresh("own")
    orm, alone = box.fresh("orm", migrated=False), box.fresh("alone", migrated=False)
    box.pgbench(plain, "-q", "-i", "-s", "10")
    market.build(own_url)
    naive.build(orm)
    postings.build(alone)
    rates: dict[str, list[float]] = {}
    waits: dict[str, list[float]] = {}
    for _ in range(rounds):
        for many in CONNECTIONS:
            if many in BESIDE:
                rates.setdefault(f"pgbench_{many}", []).append(box.simple_writes(plain, many, seconds))
            run = crew.run(ours.lifecycle, own_url, connections=many, seconds=seconds)
            rates.setdefault(f"lifecycle_{many}", []).append(run.orders_per_second)
            _waited(waits, run, str(many))
        half = rates["lifecycle_8"][-1] / 2
        _waited(waits, crew.run(ours.lifecycle, own_url, connections=8, seconds=seconds, rate=half), HALF)
        for name, make, url in (("orm_8", naive.work, orm), ("postings_8", postings.work, alone)):
            run = crew.run(make, url, connections=8, seconds=seconds)
            rates.setdefault(name, []).append(run.orders_per_second)
    return Measured(rates, waits)


def _waited(waits: dict[str, list[float]], run: crew.Run, how: str) -> None:
    for step, half, late in zip((*STEPS, "wait"), run.p50, run.p99, strict=False):
        waits.setdefault(f"{step}_p50_ms_{how}", []).append(half * 1000)
        waits.setdefault(f"{step}_p99_ms_{how}", []).append(late * 1000)


def _dispatch(box: server.Server, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return the median milliseconds of an opening among few and among many acceptors, taken in turns."""
    urls = {size: box.fresh(f"crowd{size}") for size in CROWDS}
    for size, url in urls.items():
        market.build(url, acceptors=size)
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for size, url in urls.items():
            run = crew.run(ours.dispatch, url, connections=1, seconds=seconds / 2)
            found.setdefault(f"dispatch_ms_{size}", []).append(run.p50[0] * 1000)
    return found


def _ratio(measured: Measured, over: str, under: str, *, times: int = 1) -> float:
    """Return the median over the rounds of one rate to another of the same round."""
    pairs = zip(measured.rates[over], measured.rates[under], strict=True)
    return median(times * one / other for one, other in pairs)


def _late_in_pgbench(measured: Measured, connections: int) -> float:
    """Return how many transactions pgbench does in the 99th percentile of our slowest step, median over the rounds."""
    late = zip(*(measured.waits[f"{step}_p99_ms_{connections}"] for step in STEPS), strict=True)
    pairs = zip(late, measured.rates[f"pgbench_{connections}"], strict=True)
    return median(max(steps) / 1000 * rate for steps, rate in pairs)


def measure(rounds: int, seconds: float) -> dict[str, object]:
    """Run everything; return the figures and ratios ready for JSON."""
    with server.own() as box:
        measured = _rounds(box, rounds, seconds)
        crowds = _dispatch(box, rounds, seconds)
    few, many = (crowds[f"dispatch_ms_{size}"] for size in CROWDS)
    ratios = {f"lifecycle_vs_pgbench_{n}": _ratio(measured, f"lifecycle_{n}", f"pgbench_{n}", times=3) for n in BESIDE}
    ratios |= {f"p99_in_pgbench_{n}": _late_in_pgbench(measured, n) for n in BESIDE}
    ratios |= {
        "lifecycle_vs_orm_8": _ratio(measured, "lifecycle_8", "orm_8"),
        "lifecycle_vs_postings_8": _ratio(measured, "lifecycle_8", "postings_8"),
        "fall_8_to_16": 1 - _ratio(measured, "lifecycle_16", "lifecycle_8"),
        "dispatch_10k_vs_10": median(more / less for less, more in zip(few, many, strict=True)),
    }
    figures = {name: median(values) for name, values in (measured.rates | measured.waits | crowds).items()}
    return {
        "name": "lifecycle",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": {name: round(value, 2) for name, value in figures.items()},
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
    }


def _table(told: dict[str, dict[str, float]]) -> str:
    figures, ratios = told["figures"], told["ratios"]
    lines = ["variant".ljust(26) + "".join(f"{n:>5} conn " for n in CONNECTIONS) + "half of 8"]
    lines += [
        f"{title:<26}" + "".join(f"{figures.get(f'{name}_{n}', float('nan')):>10,.0f} " for n in CONNECTIONS)
        for title, name in (
            ("pgbench -N, tx/s", "pgbench"),
            ("whole deposits/s", "lifecycle"),
            ("naive ORM deposits/s", "orm"),
            ("postings alone, orders/s", "postings"),
        )
    ]
    lines += [
        f"p99 of {step}, ms".ljust(26)
        + "".join(f"{figures[f'{step}_p99_ms_{how}']:>10,.1f} " for how in (*CONNECTIONS, HALF))
        for step in STEPS
    ]
    lines.append("p99 of waiting, ms".ljust(70) + f"{figures[f'wait_p99_ms_{HALF}']:>10,.1f}")
    lines += [f"{name:<26}{value:>10.3f}" for name, value in ratios.items()]
    return "\n".join(line.replace("       nan", "         –") for line in lines)


def main() -> None:
    """Measure, print the table, write the JSON file when asked."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", type=Path)
    asked.add_argument("--seconds", type=float, default=2)
    asked.add_argument("--rounds", type=int, default=5)
    given = asked.parse_args()
    told = measure(given.rounds, given.seconds)
    print(_table(told))  # type: ignore[arg-type]
    if given.json:
        given.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
