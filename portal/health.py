"""Signs of life: /healthz (alive), /readyz (database, schema, processes), /metrics (Prometheus text)."""

from __future__ import annotations

import hmac
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from flask import Blueprint, current_app, g, jsonify, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from werkzeug.exceptions import NotFound

from core import clock
from core.analytics import gauges
from core.db import reading
from core.errors import Refusal
from core.migrations import standing
from core.migrations.runner import head
from core.risk import rulesets
from portal.security.gate import OWN_DOOR, PUBLIC, needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from flask import Flask
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response

LATE = timedelta(seconds=90)
LOOPBACK = frozenset({"127.0.0.1", "::1"})
UNAVAILABLE = 503
health = Blueprint("health", __name__)

MEASURED = {
    "queue_jobs": ("queue", "Jobs that wait in Redis"),
    "job_age_seconds": ("job", "Since a run of the job last ended well"),
    "outbox_waiting": ("", "Facts that the relay has not carried yet"),
    "outbox_oldest_seconds": ("", "Age of the oldest of them"),
    "fold_lag_seconds": ("", "Age of the oldest credit that is not folded into its balance"),
    "alerts_open": ("", "Alerts nobody has decided"),
    "rules_version": ("", "The version of the risk rules in force, 0 while there is none"),
    "orders_open": ("state", "Orders under way"),
    "orders_past_deadline": ("", "Orders whose deadline has passed and nobody has moved"),
    "usdt_units": ("pocket", "USDT of acceptors in units of a millionth: reserve, escrow, held"),
    "watermark_age_seconds": ("name", "Since seals, rollups or relay last moved"),
    "process_age_seconds": ("process", "Since a process of the kind was last heard"),
    "verify_holds": ("", "1 when the last check of every invariant found nothing, else 0"),
    "verify_age_seconds": ("", "Since that check ended"),
}
"""What the job `health.measure` finds: the label of each figure and what it says."""

_answers = Counter("desk_http_answers_total", "Answers by route and status", ["route", "status"])
_seconds = Histogram("desk_http_seconds", "Time to answer, by route", ["route"])


class _Beat(NamedTuple):
    """The last sign of life of one process, and what it said of itself."""

    process: str
    at: datetime
    details: dict[str, Any]

    @property
    def kind(self) -> str:
        """What the process is: a worker, the schedule, a web server."""
        return self.process.partition(":")[0]


def _as_the_schedule_says(beats: list[_Beat]) -> dict[str, str]:
    """Whether Redis takes jobs and urgent jobs are done in time: pages never speak with Redis themselves."""
    leading = [beat for beat in beats if beat.kind == "cron" and beat.details.get("leads")]
    leader = max(leading, key=lambda beat: beat.at, default=None)
    if leader is None or clock.now() - leader.at >= LATE:
        return {"redis": "unknown", "jobs": "unknown"}
    late = leader.details.get("late") or {}
    said = ", ".join(f"{name} {seconds} s" for name, seconds in sorted(late.items()))
    return {"redis": str(leader.details.get("redis", "unknown")), "jobs": f"late: {said}" if late else "ok"}


@health.get("/healthz")
@needs(PUBLIC)
def healthz() -> ResponseReturnValue:
    """Answer that this process is alive; asks nobody."""
    return jsonify(status="alive")


@health.get("/readyz")
@needs(PUBLIC)
def readyz() -> ResponseReturnValue:
    """Answer 200 when the database answers and has our schema, else 503; what is late or missing is told."""
    checks: dict[str, str] = {}
    try:
        with reading() as tx:
            checks["database"] = "ok"
            found = tx.call("select version_num from alembic_version")
            checks["schema"] = "ok" if found == head() else f"at {found}, wants {head()}"
            beats = [_Beat(*row) for row in tx.rows("select process, at, coalesce(details, '{}') from heartbeat")]
            behind = standing.lag(tx)
            judging = tx.call(rulesets.IN_FORCE) is not None
    except Refusal as refusal:
        return jsonify(status="unavailable", checks={"database": refusal.detail}), UNAVAILABLE
    except Exception:  # noqa: BLE001 - an empty database has no such tables: not ready, not broken
        checks["schema"] = "missing: run `desk init`"
        return jsonify(status="unavailable", checks=checks), UNAVAILABLE
    for process in ("worker", "cron"):
        ages = [clock.now() - beat.at for beat in beats if beat.kind == process]
        checks[process] = "missing" if not ages else "ok" if min(ages) < LATE else "late"
    checks |= _as_the_schedule_says(beats)
    checks["rules"] = "ok" if judging else rulesets.NONE_IN_FORCE
    if behind:
        checks["restore"] = standing.BEHIND.format(behind=behind)
    if checks["schema"] != "ok" or behind:
        return jsonify(status="unavailable", checks=checks), UNAVAILABLE
    less = any(checks[name] != "ok" for name in ("worker", "cron", "rules"))
    less = less or any(checks[name] not in {"ok", "unknown"} for name in ("redis", "jobs"))
    return jsonify(status="degraded" if less else "ready", checks=checks)


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
    return text + _measured(), 200, {"Content-Type": CONTENT_TYPE_LATEST}


class _Figures(Collector):
    """The figures of the last measuring, as gauges."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each figure; nothing while the database is away or nobody has measured yet."""
        try:
            found = gauges.last()
        except (Refusal, psycopg.Error):
            found = None
        if found is None:
            return
        figures, age = found
        yield GaugeMetricFamily("desk_measured_age_seconds", "Since these figures were measured", value=age)
        for name, (label, words) in MEASURED.items():
            value = figures.get(name)
            if label and isinstance(value, dict):
                family = GaugeMetricFamily(f"desk_{name}", words, labels=[label])
                for key, each in sorted(value.items()):
                    family.add_metric([key], each)
                yield family
            elif value is not None:
                yield GaugeMetricFamily(f"desk_{name}", words, value=value)


def _measured() -> bytes:
    registry = CollectorRegistry()
    registry.register(_Figures())
    return generate_latest(registry)


def install(app: Flask) -> None:
    """Register the routes and measure every answer."""
    app.register_blueprint(health)

    def measure(answer: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        _answers.labels(route, answer.status_code).inc()
        _seconds.labels(route).observe(time.perf_counter() - g.get("began", time.perf_counter()))
        return answer

    app.after_request(measure)
