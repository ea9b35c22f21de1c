"""Signs of life: /healthz (alive), /readyz (database, schema, processes), /metrics (Prometheus text)."""

from __future__ import annotations

import hmac
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, g, jsonify, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from werkzeug.exceptions import NotFound

from core import clock
from core.db import reading
from core.errors import Refusal
from core.migrations import standing
from core.migrations.runner import head
from portal.security.gate import OWN_DOOR, PUBLIC, needs

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response

LATE = timedelta(seconds=90)
LOOPBACK = frozenset({"127.0.0.1", "::1"})
UNAVAILABLE = 503
health = Blueprint("health", __name__)

_answers = Counter("desk_http_answers_total", "Answers by route and status", ["route", "status"])
_seconds = Histogram("desk_http_seconds", "Time to answer, by route", ["route"])


@health.get("/healthz")
@needs(PUBLIC)
def healthz() -> ResponseReturnValue:
    """Answer that this process is alive; asks nobody."""
    return jsonify(status="alive")


@health.get("/readyz")
@needs(PUBLIC)
def readyz() -> ResponseReturnValue:
    """Answer 200 when the database answers and has our schema, else 503; late workers are only told."""
    checks: dict[str, str] = {}
    try:
        with reading() as tx:
            checks["database"] = "ok"
            found = tx.call("select version_num from alembic_version")
            checks["schema"] = "ok" if found == head() else f"at {found}, wants {head()}"
            beats = dict(tx.rows("select process, at from heartbeat"))
            behind = standing.lag(tx)
    except Refusal as refusal:
        return jsonify(status="unavailable", checks={"database": refusal.detail}), UNAVAILABLE
    except Exception:  # noqa: BLE001 - an empty database has no such tables: not ready, not broken
        checks["schema"] = "missing: run `desk init`"
        return jsonify(status="unavailable", checks=checks), UNAVAILABLE
    for process in ("worker", "cron"):
        ages = [clock.now() - at for name, at in beats.items() if name.split(":")[0] == process]
        checks[process] = "missing" if not ages else "ok" if min(ages) < LATE else "late"
    if behind:
        checks["restore"] = standing.BEHIND.format(behind=behind)
    if checks["schema"] != "ok" or behind:
        return jsonify(status="unavailable", checks=checks), UNAVAILABLE
    late = any(checks[name] != "ok" for name in ("worker", "cron"))
    return jsonify(status="degraded" if late else "ready", checks=checks)


@health.get("/metrics")
@needs(OWN_DOOR)
def metrics() -> ResponseReturnValue:
    """Return Prometheus' text to this machine itself or to who has the token; everybody else gets a 404."""
    token = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    by_token = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    # Behind a proxy everybody comes from loopback: then only the token counts.
    direct = request.remote_addr in LOOPBACK and "X-Forwarded-For" not in request.headers and not token
    if not (by_token or direct):
        raise NotFound
    registry = None
    if current_app.config["METRICS_DIR"]:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=current_app.config["METRICS_DIR"])
    text = generate_latest(registry) if registry is not None else generate_latest()
    return text, 200, {"Content-Type": CONTENT_TYPE_LATEST}


def install(app: Flask) -> None:
    """Register the routes and measure every answer."""
    app.register_blueprint(health)

    def measure(answer: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        _answers.labels(route, answer.status_code).inc()
        _seconds.labels(route).observe(time.perf_counter() - g.get("began", time.perf_counter()))
        return answer

    app.after_request(measure)
