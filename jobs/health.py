"""Housekeeping: old answers, old runs, silent processes; and the figures that machines watch."""

from __future__ import annotations

from contextlib import suppress

from rq import Queue

from core import health, idempotency
from core.analytics import gauges
from core.settings import settings
from jobs import catalog, queues


def clean() -> dict[str, object]:
    """Remove what is past its time."""
    return {"keys": idempotency.clean(), "rows": health.clean(), "tries": health.forget_tries()}


def measure() -> dict[str, object]:
    """Measure what /metrics shows; without Redis the queues' lengths are left out."""
    queued: dict[str, int] = {}
    url = settings().redis_url
    with suppress(*queues.AWAY):
        if url:
            client = queues.connect(url)
            queued = {name: Queue(name, connection=client).count for name in queues.QUEUES}
    return gauges.measure(queued, [name for name, entry in catalog.CATALOG.items() if entry.every])
