"""Past orders for the import's tests: a file's lines made by numbers, each field replaceable."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

from core.simulator.rows import COLUMNS

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def order(number: int, **other: str) -> dict[str, str]:
    """A completed deposit of 100 + number/100 USDT in BRL; every seventh is a withdrawal, other fields as given."""
    created = START + timedelta(minutes=7 * (number % 9000))
    units = 100_000_000 + 10_000 * (number % 1000)
    row = {
        "ref": f"past-{number:06d}",
        "kind": "withdrawal" if number % 7 == 6 else "deposit",
        "merchant": f"shop-{number % 3}",
        "acceptor": f"acceptor-{number % 5}",
        "agent": f"agent-{number % 3}",
        "customer": f"cust-{number % 40}",
        "customer_name": "Maria Souza",
        "payer_account": f"BR{number % 40:010d}",
        "payer_name": "Maria Souza",
        "payer_country": "BR",
        "ip_country": "BR",
        "device": f"dev-{number % 40}",
        "wallet": "",
        "currency": "BRL",
        "fiat_amount": f"{542 + number % 100}.50",
        "usdt_amount": f"{units // 10**6}.{units % 10**6:06d}",
        "fee_usdt": "0.600000",
        "state": "completed",
        "created_at": stamp(created),
        "claimed_at": stamp(created + timedelta(minutes=3)),
        "completed_at": stamp(created + timedelta(minutes=5)),
    }
    return row | other


def unpaid(number: int, state: str, **other: str) -> dict[str, str]:
    """An order that nobody paid."""
    return order(number, state=state, claimed_at="", completed_at="", **other)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def write(path, rows, *, header=COLUMNS):
    """Write the rows as a history file; returns its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
