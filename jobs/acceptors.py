"""Acceptors: who has been silent for too long is not matched until it is heard again."""

from __future__ import annotations

from core.parties import presence


def hush() -> dict[str, object]:
    """Take the silent out of matching."""
    return {"acceptors": presence.hush()}
