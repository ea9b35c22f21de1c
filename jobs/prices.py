"""Exchange rates: in the sandbox three pretend sources speak every minute."""

from __future__ import annotations

from core.pricing import sandbox


def observe() -> dict[str, object]:
    """Let the sandbox's sources speak; in production nobody does."""
    return {"rates": sandbox.observe_all()}
