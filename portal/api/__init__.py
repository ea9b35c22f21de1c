"""The open API (/api/v1): quotes, deposits, confirmations, balances and events, by key only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Blueprint


def blueprint() -> Blueprint:
    """Return the API, to be registered once on the portal's app."""
    from portal.api.routes import build

    return build()
