"""The OpenAPI document is true: every route is in it, and what is sent by it is answered by it."""

from __future__ import annotations

import re

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
from tests.portal.api_client import order

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


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *[("payer.account", text) for text in (
            "abc", "abcd", "a-b c.d/", "1.2.3", "1" * 40, "1" * 41, "1-" * 32, "1" + "-" * 63, "12é45", "12 34\t5",
        )],
        *[("payer.name", "n" * length) for length in (1, 140, 141)],
        *[("customer.id", "n" * length) for length in (1, 64, 65)],
        *[("customer.name", "n" * length) for length in (1, 140, 141)],
        *[("merchant_order_id", "n" * length) for length in (64, 65)],
        *[("customer.country", text) for text in ("B", "BR", "BRA")],
    ],
)  # fmt: skip
def test_the_document_says_of_a_field_what_the_server_takes(desk, field, text):
    shapes = desk.nobody.get("/openapi.json").json["components"]["schemas"]
    schema, body = shapes["DepositRequest"], order(desk.shop.quote())
    told = body
    *above, last = field.split(".")
    for name in above:
        schema, told = schema["properties"][name], told[name]
    told[last] = text
    schema = schema["properties"][last]
    fits = schema["minLength"] <= len(text) <= schema["maxLength"] and re.search(schema.get("pattern", ""), text)
    answer = desk.shop.post("/deposits", body)
    assert answer.status_code in ({201} if fits else {422}), answer.text
    assert fits or answer.json["facts"]["field"].endswith(field)


def test_the_document_names_the_kinds_and_the_currencies_as_they_are_taken(desk):
    asked = desk.nobody.get("/openapi.json").json["components"]["schemas"]["QuoteRequest"]["properties"]
    assert asked["kind"]["enum"] == ["deposit"]
    assert (asked["currency"]["minLength"], asked["currency"]["maxLength"]) == (3, 3)
