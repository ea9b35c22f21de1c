"""Every route of the product and who may use it; a route without a row here fails test_route_roles."""

from __future__ import annotations

from typing import NamedTuple

ROLES = ("admin", "compliance", "finance", "auditor", "agent", "acceptor", "merchant")
EVERYBODY = frozenset({"anonymous", *ROLES})
SIGNED_IN = frozenset(ROLES)
BY_KEY = frozenset({"key"})
"""The API: no role gets in by its cookie, keys are tested with the API."""
ADMIN = frozenset({"admin"})
ACCEPTOR = frozenset({"acceptor"})
OFFICES = frozenset({"admin", "compliance", "auditor"})
PARTIES = frozenset({"agent", "acceptor", "merchant"})
COUNTS = frozenset({"admin", "finance", "auditor", "agent"})


class Row(NamedTuple):
    """One route: its method, its rule, who may use it, and the form to send."""

    method: str
    rule: str
    who: frozenset[str]
    form: dict[str, str] | None = None
    """Sent by the test; chosen so that it changes nothing even when it is let in."""
    path: str = ""
    """The address to try instead of one made from the rule."""


def desk(base: str, who: frozenset[str], deeds: frozenset[str] = frozenset()) -> list[Row]:
    """Return a desk's rows: list, page, file for `who`, names in full for officers, deeds for `deeds` (or `who`)."""
    return [
        Row("GET", f"{base}/list/", who),
        Row("GET", f"{base}/show/<key>", who),
        Row("GET", f"{base}/export.csv", who),
        Row("POST", f"{base}/export.csv", who & {"compliance"}, {"reason": ""}),
        Row("POST", f"{base}/action/<string:name>/<key>", deeds or who),
        Row("POST", f"{base}/action_post", deeds or who, {"action": "none", "rowid": "none"}),
    ]


SHELL = [
    Row("GET", "/static/<path:filename>", EVERYBODY),
    Row("GET", "/healthz", EVERYBODY),
    Row("GET", "/readyz", EVERYBODY),
    Row("GET", "/metrics", EVERYBODY),
    Row("GET", "/docs/errors", EVERYBODY),
    Row("GET", "/login/", EVERYBODY),
    Row("POST", "/login/", EVERYBODY, {"username": "", "password": ""}),
    Row("POST", "/logout/", SIGNED_IN),
    Row("GET", "/", SIGNED_IN),
    Row("GET", "/account/", SIGNED_IN),
    Row("GET", "/account/password", SIGNED_IN),
    Row("POST", "/account/password", SIGNED_IN, {"current": "x", "fresh": "one", "again": "two"}),
    Row("POST", "/account/taste", SIGNED_IN, {"theme": "none"}),
    Row("GET", "/users/", ADMIN),
    Row("POST", "/users/<int:user_id>/activate", ADMIN),
    Row("POST", "/users/<int:user_id>/deactivate", ADMIN),
    Row("POST", "/users/<int:user_id>/password", ADMIN),
    Row("POST", "/users/<int:user_id>/unlock", ADMIN),
]

API = [
    Row("POST", "/api/v1/quotes", BY_KEY),
    Row("POST", "/api/v1/deposits", BY_KEY),
    Row("GET", "/api/v1/deposits", BY_KEY),
    Row("GET", "/api/v1/deposits/<ref>", BY_KEY),
    Row("POST", "/api/v1/deposits/<ref>/claim", BY_KEY),
    Row("POST", "/api/v1/deposits/<ref>/cancel", BY_KEY),
    Row("POST", "/api/v1/orders/<ref>/confirm", BY_KEY),
    Row("GET", "/api/v1/balances", BY_KEY),
    Row("GET", "/api/v1/events", BY_KEY),
    Row("GET", "/api/v1/openapi.json", EVERYBODY),
]

SUITE = "/dashboards/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"
BOARDS = [
    Row("GET", "/dashboards/", SIGNED_IN),
    Row("GET", "/dashboards/<path:path>", SIGNED_IN, path="/dashboards/volume"),
    Row(
        "GET",
        "/dashboards/<path:path>",
        SIGNED_IN - {"finance", "agent", "acceptor", "merchant"},
        path="/dashboards/risk",
    ),
    Row(
        "GET",
        "/dashboards/<path:path>",
        frozenset({"admin", "finance", "auditor", "agent"}),
        path="/dashboards/commissions",
    ),
    Row("GET", "/dashboards/_dash-layout", SIGNED_IN),
    Row("GET", "/dashboards/_dash-dependencies", SIGNED_IN),
    Row("POST", "/dashboards/_dash-update-component", SIGNED_IN),
    Row("GET", "/dashboards/_reload-hash", SIGNED_IN),
    Row("GET", "/dashboards/_favicon.ico", SIGNED_IN),
    Row("GET", "/dashboards/assets/<path:filename>", SIGNED_IN),
    Row("GET", SUITE, SIGNED_IN, path="/dashboards/_dash-component-suites/dash/deps/none.js"),
]

DESKS: list[Row] = [
    *desk("/orders", SIGNED_IN),
    *desk("/alerts", OFFICES),
    Row("POST", "/alerts/next", frozenset({"compliance"})),
    Row("POST", "/alerts/reading/<ref>", frozenset({"compliance"})),
    Row("POST", "/alerts/left/<ref>", frozenset({"compliance"})),
    Row("GET", "/alerts/alike/<ref>", frozenset({"compliance"})),
    Row("POST", "/alerts/alike/<ref>", frozenset({"compliance"})),
    Row("GET", "/desk/", ACCEPTOR),
    Row("GET", "/desk/live.json", ACCEPTOR),
    Row("POST", "/desk/online", ACCEPTOR),
    Row("POST", "/desk/confirm/<ref>", ACCEPTOR),
    Row("GET", "/desk/of/<ref>", ADMIN),
    Row("GET", "/desk/of/<ref>/live.json", ADMIN),
    *desk("/merchants", SIGNED_IN - {"acceptor"}),
    *desk("/acceptors", SIGNED_IN - {"merchant"}),
    Row("GET", "/agents/list/", SIGNED_IN - {"acceptor", "merchant"}),
    Row("GET", "/agents/export.csv", SIGNED_IN - {"acceptor", "merchant"}),
    Row("GET", "/agents/show/<ref>", SIGNED_IN - {"acceptor", "merchant"}),
    Row("POST", "/agents/action/<string:name>/<ref>", SIGNED_IN - {"acceptor", "merchant"}),
    *(Row("GET", f"/{each}/new", ADMIN) for each in ("merchants", "acceptors", "agents")),
    *(Row("POST", f"/{each}/new", ADMIN) for each in ("merchants", "acceptors", "agents")),
    Row("GET", "/statements/<ref>.csv", SIGNED_IN),
    *desk("/bank-accounts", SIGNED_IN - {"agent"}),
    Row("GET", "/bank-accounts/new", frozenset({"admin", "acceptor", "merchant"})),
    Row("POST", "/bank-accounts/new", frozenset({"admin", "acceptor", "merchant"})),
    *desk("/pools", SIGNED_IN - PARTIES),
    Row("GET", "/pools/new", ADMIN),
    Row("POST", "/pools/new", ADMIN),
    *desk("/approvals", frozenset({"admin", "compliance", "finance", "auditor"})),
    Row("GET", "/versions/", frozenset({"admin", "finance", "auditor"})),
    Row(
        "GET",
        "/versions/<word>/show/<code>",
        frozenset({"admin", "finance", "auditor"}),
        path="/versions/fees/show/standard",
    ),
    Row(
        "POST",
        "/versions/<word>/show/<code>/withdraw",
        frozenset({"admin", "finance"}),
        {"version": "1", "reason": ""},
        path="/versions/fees/show/standard/withdraw",
    ),
    Row("GET", "/versions/<word>/new", frozenset({"admin", "finance"}), path="/versions/fees/new"),
    Row("POST", "/versions/<word>/new", frozenset({"admin", "finance"}), path="/versions/fees/new"),
    *desk("/commissions", COUNTS),
    Row("GET", "/commissions/report", COUNTS),
    Row("GET", "/commissions/report/<form>", COUNTS),
    *desk("/audit", SIGNED_IN - PARTIES),
    Row("GET", "/jobs/list/", frozenset({"admin", "auditor"})),
    Row("GET", "/jobs/export.csv", frozenset({"admin", "auditor"})),
    Row("GET", "/exports/", SIGNED_IN),
    Row("GET", "/exports/file/<ref>", SIGNED_IN),
    Row("POST", "/exports/cancel/<ref>", SIGNED_IN),
    Row("GET", "/search/", SIGNED_IN),
]
"""The desks' rows: `*desk("/orders", …)` and what they have besides."""

ROWS = [*SHELL, *API, *BOARDS, *DESKS]
