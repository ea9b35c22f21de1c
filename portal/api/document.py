"""The OpenAPI 3.1 document: every route with what it takes, gives and refuses."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from portal.api.bodies import LARGEST
from portal.api.schemas import ASKED, GIVEN, REF, use

Part = dict[str, Any]
PROBLEM: Final = "application/problem+json"

_WHY: Final = {
    400: "The request cannot be read.",
    401: "No key, or one that is unknown or has ended.",
    403: "This key may not do this.",
    404: "No such order among yours.",
    409: "The present state does not allow it; `code` says which.",
    413: f"The body is longer than {LARGEST} bytes.",
    415: "The body is not application/json in UTF-8.",
    422: "A field or amount is not what it must be, or the Idempotency-Key came with another body.",
    429: "Too many requests with this key; Retry-After says when to come again.",
    503: "A part we depend on does not answer; try again with the same key.",
}
_READING: Final = (401, 403, 422, 429, 503)
_WRITING: Final = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)


class Operation(NamedTuple):
    """One route as the document tells it; `asks` names the body, `pages` says that it takes a cursor."""

    method: str
    path: str
    name: str
    summary: str
    gives: str
    asks: str = ""
    status: int = 200
    pages: bool = False
    empty: bool = False


OPERATIONS: Final = (
    Operation("post", "/quotes", "quote", "Freeze a price for some minutes", "Quote", "QuoteRequest", 201),
    Operation("post", "/deposits", "deposit", "Open a deposit from a quote", "Order", "DepositRequest", 201),
    Operation("get", "/deposits", "listDeposits", "List your deposits, newest first", "Orders", pages=True),
    Operation("get", "/deposits/{ref}", "showDeposit", "Show one of your deposits", "Order"),
    Operation("post", "/deposits/{ref}/claim", "claim", "Say the customer has paid", "Order", "ClaimRequest"),
    Operation("post", "/deposits/{ref}/cancel", "cancel", "Call it off", "Order", "CancelRequest", empty=True),
    Operation("post", "/orders/{ref}/confirm", "confirm", "Say the fiat has come", "Order", "ConfirmRequest"),
    Operation("get", "/balances", "listBalances", "Show what you hold", "Balances"),
    Operation("get", "/events", "listEvents", "Your orders' events, oldest first", "Events", pages=True),
)


def document() -> Part:
    """Return the whole document."""
    paths: dict[str, Part] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _told(operation)
    paths["/openapi.json"] = {
        "get": {
            "operationId": "getDocument",
            "summary": "This document",
            "security": [],
            "responses": {"200": _given("The document.", {"type": "object"})},
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Escrow Desk",
            "version": "1",
            "description": "Amounts are plain decimal strings. A cursor is opaque. Every POST takes an "
            "Idempotency-Key: its first answer is given again for at least 24 hours, with the header "
            "Idempotency-Replayed; refusals of the form are not kept, so a mended body may "
            "use the key again. After a 5xx, or an answer that was lost, send the same body with the same key: "
            "it takes effect once, and the answer shows the order as it stands by then; another body is refused.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": ASKED | GIVEN,
            "responses": {str(status): _given(why, use("Problem"), PROBLEM) for status, why in _WHY.items()},
        },
    }


def _told(operation: Operation) -> Part:
    writes = operation.method == "post"
    refusals = _WRITING if writes else _READING
    if "{ref}" in operation.path and not writes:
        refusals = (*refusals, 404)
    told: Part = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation, writes=writes),
        "responses": {str(operation.status): _given("Done.", use(operation.gives))}
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(refusals)},
    }
    if operation.asks:
        told["requestBody"] = {
            "required": not operation.empty,
            "content": {"application/json": {"schema": use(operation.asks)}},
        }
    return told


def _parameters(operation: Operation, *, writes: bool) -> list[Part]:
    found: list[Part] = []
    if "{ref}" in operation.path:
        ref = {"type": "string", "pattern": f"^{REF}$"}
        found.append({"name": "ref", "in": "path", "required": True, "schema": ref})
    if writes:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    if operation.pages:
        cursor = {"type": "string", "maxLength": 120}
        limit = {"type": "integer", "minimum": 1, "maximum": 200}
        found.append({"name": "cursor", "in": "query", "schema": cursor})
        found.append({"name": "limit", "in": "query", "schema": limit})
    return found


def _given(words: str, schema: Part, kind: str = "application/json") -> Part:
    return {"description": words, "content": {kind: {"schema": schema}}}
