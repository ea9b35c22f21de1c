"""Analytics: rollups brought up to the present, merchants' volumes for the fee tiers."""

from __future__ import annotations

from core.analytics import agent_volume, merchant_volume
from core.analytics import rollup as rollups


def rollup() -> dict[str, object]:
    """Add what is new to the rollups."""
    return {"facts": rollups.advance()}


def volume() -> dict[str, object]:
    """Bring each merchant's 30-day volume up to the present."""
    return {"merchants": merchant_volume.refresh()}


def tiers() -> dict[str, object]:
    """Bring each agent's volume of its plan's window up to the present."""
    return {"agents": agent_volume.refresh()}
