"""Composition root: settings, engine, portal, and the dashboards behind their gate."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from dash.exceptions import DependencyException

from core.db import connect
from core.settings import settings
from dashboards.app import mount
from jobs.catalog import CATALOG
from portal import faults
from portal.app import create_app
from portal.frame import page_frame
from portal.roles import actor_or_none
from portal.security.headers import nonce

if TYPE_CHECKING:
    from flask import Flask

    from core.settings import Settings


def compose(chosen: Settings) -> Flask:
    """Return the whole product as one WSGI app; core.db is bound already."""
    portal = create_app(chosen)
    portal.extensions["desk_schedule"] = {name: entry.every for name, entry in CATALOG.items()}
    mount(portal, actor_of=actor_or_none, page_frame=page_frame, nonce=nonce)
    # A hand-edited address of a script that Dash does not have is an address that does not exist.
    portal.register_error_handler(DependencyException, lambda _error: faults.unknown_page())
    return portal


@cache
def _start() -> Flask:
    chosen = settings()
    if chosen.database_url:
        connect(chosen.database_url)
    return compose(chosen)


def __getattr__(name: str) -> object:
    """Give servers their `wsgi:app`, made when it is first asked for and not when this module is read."""
    if name == "app":
        return _start()
    raise AttributeError(name)
