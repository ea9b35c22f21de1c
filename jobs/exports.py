"""Exports: written by whoever holds the lease; what waits or was left by a dead writer is queued again."""

from __future__ import annotations

import contextlib

from core.errors import Refusal, WrongState
from core.reports import requests, writing
from core.settings import settings
from jobs import queues
from jobs.logs import log


def run(ref: str) -> dict[str, object]:
    """Write one export; run again after a crash it begins anew, run twice at once the second does nothing."""
    work = requests.claim(ref)
    if work is None:
        return {"export": ref, "rows": None}
    try:
        written = writing.write(work)
        requests.done(work, written.path, sha256=written.sha256, rows=written.rows)
    except WrongState as refusal:
        log.info("export left", ref=ref, why=refusal.detail)
        return {"export": ref, "rows": None}
    except Refusal as refusal:
        with contextlib.suppress(WrongState):  # somebody else writes it by now: it fails, or does not, by its own try
            requests.failed(work, refusal.detail)
        raise
    return {"export": ref, "rows": written.rows}


def sweep() -> dict[str, object]:
    """Queue what waits, and remove files past their time."""
    due = requests.due()
    queued = 0
    with contextlib.suppress(*queues.AWAY):
        if not due:
            return {"due": 0, "removed": requests.remove_expired()}
        client = queues.connect(settings().redis_url)
        queued = sum(queues.enqueue(client, "exports.run", ref) for ref in due)
    return {"due": len(due), "queued": queued, "removed": requests.remove_expired()}
