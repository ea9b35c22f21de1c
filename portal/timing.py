"""Each request runs at the product's time: in the sandbox that may be ahead of the real one."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from flask import g, request

from core import clock, timeshift
from core.errors import Refusal

if TYPE_CHECKING:
    from flask import Flask

LOOK_SECONDS = 1.0
"""How long a process remembers how far ahead the time is."""


class Ahead:
    """How far the product's time is ahead, asked at most once a second."""

    def __init__(self) -> None:
        """Begin with the real time."""
        self.by = timedelta()
        self.until = float("-inf")

    def ask(self) -> timedelta:
        """Return how far the product's time is ahead, as it was a second ago at the earliest."""
        if time.monotonic() >= self.until:
            self.until = time.monotonic() + LOOK_SECONDS
            with contextlib.suppress(Refusal, psycopg.Error):  # away or empty: the request itself will tell
                self.by = timeshift.offset()
        return self.by


def install(app: Flask) -> None:
    """Let every request but the signs of life follow the sandbox's clock; production pays nothing for it."""
    if app.config["PRODUCTION"]:
        return
    ahead = Ahead()

    def follow() -> None:
        if request.blueprint == "health" or request.endpoint == "static" or clock.controlled():
            return
        by = ahead.ask()
        if by:
            clock.set_ahead(by)
            g.shifted = True

    def back(_error: BaseException | None) -> None:
        if g.pop("shifted", False):
            clock.set_to(None)

    app.before_request(follow)
    app.teardown_request(back)
