"""The OpenAPI document is true: every route is in it, and what is sent by it is answered by it."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.settings import settings as known
from tests.portal import api_client

EXAMPLES = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def desk(module_database, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK_HOME", str(tmp_path_factory.mktemp("home")))
        known.cache_clear()
        return api_client.portal()


@pytest.fixture(autouse=True)
def same_home(own_home, desk, monkeypatch):
    """Every test of this module opens what the first one sealed."""
    monkeypatch.setenv("DESK_HOME", desk.home)
    known.cache_clear()


@pytest.fixture
def document(desk):
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", desk.app)


def test_what_is_sent_by_the_document_is_answered_by_it(desk, document):
    programs = [desk.shop, next(iter(desk.acceptors.values()))]
    for found in document.get_all_operations():
        operation = found.ok()

        @EXAMPLES
        @given(case=operation.as_strategy())
        def answers(case):
            for program in programs:
                answer = case.call(headers={"Authorization": f"Bearer {program.key}"})
                case.validate_response(answer, checks=CHECKS)

        answers()


def test_every_route_is_in_the_document_and_nothing_else(desk):
    told = {
        (method.upper(), f"/api/v1{path}".replace("{", "<").replace("}", ">"))
        for path, methods in desk.nobody.get("/openapi.json").json["paths"].items()
        for method in methods
    }
    routes = {
        (method, rule.rule)
        for rule in desk.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert told == routes


def test_the_document_is_for_everybody_and_names_the_key(desk):
    answer = desk.nobody.get("/openapi.json")
    assert (answer.status_code, answer.json["openapi"]) == (200, "3.1.0")
    assert answer.json["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
