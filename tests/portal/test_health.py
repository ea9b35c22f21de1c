"""Alive, ready, measured: what machines ask."""

from __future__ import annotations

import json

import pytest

from core import db
from core.analytics import gauges
from core.db import transaction
from core.risk import rulesets
from core.settings import settings
from jobs import catalog
from portal.health import MEASURED
from tests import make
from tests.core import lives


def test_alive_asks_nobody_and_ready_asks_the_database(fresh):
    client = fresh.app.test_client()
    assert client.get("/healthz").json == {"status": "alive"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["checks"]["database"] == "ok"
    assert ready.json["checks"]["schema"] == "ok"
    assert ready.json["status"] == "degraded"


def test_ready_knows_the_other_processes_by_their_signs_of_life(fresh):
    with transaction() as tx:
        tx.run(
            "insert into heartbeat values ('worker:1', now(), null), ('cron', now() - interval '1 hour', null)",
        )
    checks = fresh.app.test_client().get("/readyz").json["checks"]
    assert checks["worker"] == "ok"
    assert checks["cron"] == "late"


@pytest.mark.parametrize(
    ("said", "status", "redis", "jobs"),
    [
        ({"leads": True, "redis": "ok", "late": {}}, "ready", "ok", "ok"),
        ({"leads": True, "redis": "away", "late": {}}, "degraded", "away", "ok"),
        (
            {"leads": True, "redis": "ok", "late": {"orders.match": 41, "orders.expire": 62}},
            "degraded", "ok", "late: orders.expire 62 s, orders.match 41 s",
        ),
        ({"leads": False, "redis": "away", "late": {}}, "ready", "unknown", "unknown"),
    ],
)  # fmt: skip
def test_ready_tells_of_redis_and_of_late_jobs_what_the_schedule_has_seen(fresh, said, status, redis, jobs):
    with transaction() as tx:
        rulesets.ensure_default(tx)
        tx.run("insert into heartbeat values ('worker:1', now(), null), ('cron:1', now(), %s)", (json.dumps(said),))
        tx.run("insert into heartbeat values ('cron:old', now() - interval '5 minutes', '{\"leads\": true}')")
    answer = fresh.app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, status)
    assert (answer.json["checks"]["redis"], answer.json["checks"]["jobs"]) == (redis, jobs)


def test_without_risk_rules_the_desk_is_ready_but_less(fresh):
    client = fresh.app.test_client()
    with transaction() as tx:
        tx.run("insert into heartbeat values ('worker:1', now(), null), ('cron:1', now(), null)")
        rulesets.ensure_default(tx)
    assert client.get("/readyz").json["status"] == "ready"
    with transaction() as tx:
        tx.run("update ruleset set state = 'retired'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert "every release is held" in answer.json["checks"]["rules"]


def test_without_the_database_nothing_is_ready_and_pages_say_so(fresh):
    browser = fresh.browser()
    browser.sign_in("auditor")
    url = db.engine().url
    db.connect("postgresql://nobody@/nothing?host=/nonexistent")
    try:
        client = fresh.app.test_client()
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        page = browser.get("/parcels/list/")
        assert page.status_code == 503
        assert page.headers["Retry-After"]
    finally:
        db.connect(url.render_as_string(hide_password=False))


def test_a_database_of_another_schema_is_not_ready(fresh):
    with transaction() as tx:
        tx.run("update alembic_version set version_num = '0000'")
    assert fresh.app.test_client().get("/readyz").status_code == 503


def test_a_database_restored_from_a_dump_is_not_ready(fresh):
    with transaction() as tx:
        tx.run("update watermark set done_to = '99999999999' where name = 'relay'")
    answer = fresh.app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "desk renumber" in answer.json["checks"]["restore"]


def test_metrics_are_for_this_machine_or_the_token(fresh):
    client = fresh.app.test_client()
    here = client.get("/metrics")
    assert here.status_code == 200
    assert "desk_http_answers_total" in here.text
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 404
    fresh.app.config["METRICS_TOKEN"] = "a token of some length"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer a token of some length"}).status_code == 200


def test_metrics_tell_backlogs_ages_money_and_the_last_check(fresh, redis_url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_url)
    settings.cache_clear()
    client = fresh.app.test_client()
    assert "desk_orders_open" not in client.get("/metrics").text
    lives.claimed(make.market(1))
    catalog.run("ledger.verify")
    catalog.run("health.measure")
    text = client.get("/metrics").text
    for line in (
        'desk_orders_open{state="paid_claimed"} 1.0',
        'desk_usdt_units{pocket="escrow"} 4.6125461e+07',
        'desk_queue_jobs{queue="desk"} 0.0',
        "desk_verify_holds 1.0",
        "desk_rules_version 1.0",
        "desk_outbox_waiting",
        "desk_fold_lag_seconds",
        'desk_job_age_seconds{job="ledger.verify"}',
        "desk_measured_age_seconds",
    ):
        assert line in text, line
    assert "@" not in text


def test_metrics_are_answered_without_the_database(fresh):
    url = db.engine().url
    db.connect("postgresql://nobody@/nothing?host=/nonexistent")
    try:
        answer = fresh.app.test_client().get("/metrics")
        assert answer.status_code == 200
        assert "desk_http_answers_total" in answer.text
    finally:
        db.connect(url.render_as_string(hide_password=False))


def test_every_figure_measured_is_shown_and_no_other():
    beside = {"queue_jobs", "job_age_seconds", "verify_holds", "verify_age_seconds"}
    assert set(MEASURED) == {*gauges._ONE, *gauges._MANY, *beside}


def test_the_type_of_a_problem_leads_to_its_words(fresh):
    client = fresh.app.test_client()
    problem = client.get("/api/v1/balances").json
    address, _, code = problem["type"].partition("#")
    answer = client.get(address)
    assert answer.status_code == 302
    words = client.get(answer.headers["Location"])
    assert words.status_code == 200
    assert f'id="{code}"' in words.text
