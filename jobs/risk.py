"""Risk: what the gates compare with, reckoned from the facts."""

from __future__ import annotations

from core.risk import cohorts


def usual() -> dict[str, object]:
    """Reckon what first orders usually are, by country."""
    return {"countries": cohorts.reckon()}
