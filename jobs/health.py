"""Housekeeping: old answers, old runs, silent processes."""

from __future__ import annotations

from core import health, idempotency


def clean() -> dict[str, object]:
    """Remove what is past its time."""
    return {"keys": idempotency.clean(), "rows": health.clean()}
