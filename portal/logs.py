"""Logs as JSON lines with a trace id per request; no query strings, bodies or cookies are written."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from typing import TYPE_CHECKING

import structlog
from flask import g, request
from structlog.tracebacks import ExceptionDictTransformer

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

_TRACE = re.compile(r"[A-Za-z0-9_.-]{8,64}\Z")
_QUIET = frozenset({"static", "health.healthz", "health.readyz", "health.metrics"})
log = structlog.get_logger("portal")


def configure(level: str) -> None:
    """Send structlog's and the standard library's records to stderr as JSON lines."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            # Never the locals of a frame: a password may be among them.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        ),
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


def install(app: Flask) -> None:
    """Give each request a trace id (the caller's X-Request-Id if well formed) and write one line about it."""

    def begin() -> None:
        asked = request.headers.get("X-Request-Id", "")
        g.trace_id = asked if _TRACE.match(asked) else secrets.token_hex(12)
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace_id=g.trace_id)

    def end(answer: Response) -> Response:
        answer.headers["X-Request-Id"] = g.get("trace_id", "")
        if request.endpoint not in _QUIET:
            person = g.get("person")
            log.info(
                "request",
                method=request.method,
                path=request.path,
                route=request.endpoint,
                status=answer.status_code,
                ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
                user=person.username if person else None,
            )
        return answer

    app.before_request(begin)
    app.after_request(end)
