"""Composition root: settings, engine, portal, and the other rooms behind their gates."""

from __future__ import annotations

from core.db import connect
from core.settings import settings
from portal.app import create_app


def compose() -> object:
    """Return the whole product as one WSGI app."""
    chosen = settings()
    connect(chosen.database_url)
    return create_app(chosen)


app = compose()
