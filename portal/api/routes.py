"""The API's routes; each reads its key, calls the core once, and answers JSON or problem+json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app

from core.ledger import holdings
from core.orders import feed, queries
from core.settings import settings
from portal.api import bodies, cursors, shapes, steps
from portal.api.access import BUCKETS, caller
from portal.api.document import document
from portal.api.limits import Buckets
from portal.api.once import once, written

if TYPE_CHECKING:
    from flask.blueprints import BlueprintSetupState

UNAUTHORIZED = 401
_CURSOR = 120
_LIMIT = 6


def build() -> Blueprint:
    """Return the blueprint with every route, its limits per key and its errors."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    for rule, method, view in (
        ("/quotes", "POST", quote),
        ("/deposits", "POST", open_deposit),
        ("/deposits", "GET", deposits),
        ("/deposits/<ref>", "GET", deposit),
        ("/deposits/<ref>/claim", "POST", claim),
        ("/deposits/<ref>/cancel", "POST", cancel),
        ("/orders/<ref>/confirm", "POST", confirm),
        ("/balances", "GET", balances),
        ("/events", "GET", events),
        ("/openapi.json", "GET", openapi),
    ):
        api.add_url_rule(rule, view_func=view, methods=[method], strict_slashes=True, provide_automatic_options=False)
    api.record_once(_set_up)
    api.after_request(_finish)
    return api


def _set_up(state: BlueprintSetupState) -> None:
    known = settings()
    state.app.extensions[BUCKETS] = Buckets(known.api_burst, known.api_per_second)


def _finish(answer: Response) -> Response:
    """Say how to sign in, and let nobody keep what a key has shown."""
    if answer.status_code == UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="escrow-desk"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _json(shown: dict[str, object]) -> Response:
    return Response(written(shown), content_type="application/json")


def quote() -> Response:
    """POST /quotes."""
    return once("QuoteRequest", steps.quote)


def open_deposit() -> Response:
    """POST /deposits."""
    return once("DepositRequest", steps.open_deposit)


def claim(ref: str) -> Response:
    """POST /deposits/{ref}/claim."""
    return once("ClaimRequest", steps.claim(ref))


def cancel(ref: str) -> Response:
    """POST /deposits/{ref}/cancel."""
    return once("CancelRequest", steps.cancel(ref), may_be_empty=True)


def confirm(ref: str) -> Response:
    """POST /orders/{ref}/confirm."""
    return once("ConfirmRequest", steps.confirm(ref))


def deposit(ref: str) -> Response:
    """GET /deposits/{ref}."""
    actor = caller()
    bodies.query()
    return _json(shapes.order(actor, steps.one(actor, ref)))


def deposits() -> Response:
    """GET /deposits: newest first, page by page."""
    actor = caller()
    asked = bodies.query(cursor=_CURSOR, limit=_LIMIT)
    size = bodies.page_size(asked.get("limit", ""))
    before = cursors.row_of(asked["cursor"]) if asked.get("cursor") else None
    rows = queries.page(actor, before=before, limit=size + 1)
    shown, more = rows[:size], len(rows) > size
    return _json(
        {
            "items": [shapes.summary(row) for row in shown],
            "next_cursor": cursors.of_row(shown[-1].created_at, shown[-1].id) if more else None,
        }
    )


def balances() -> Response:
    """GET /balances."""
    actor = caller()
    bodies.query()
    return _json({"items": [shapes.balance(row) for row in holdings.own(actor)]})


def events() -> Response:
    """GET /events: oldest first; the cursor of the last page says where to go on, now or later."""
    actor = caller()
    asked = bodies.query(cursor=_CURSOR, limit=_LIMIT)
    size = bodies.page_size(asked.get("limit", ""), usual=100)
    after = cursors.place_of(asked["cursor"]) if asked.get("cursor") else feed.Place()
    page = feed.events(actor, after, limit=size)
    return _json(
        {
            "items": [shapes.event(each) for each in page.events],
            "next_cursor": cursors.of_place(page.next),
            "has_more": page.more,
        }
    )


def openapi() -> Response:
    """GET /openapi.json: the document of this API, for everybody."""
    kept: bytes | None = current_app.extensions.get("desk_openapi")
    if kept is None:
        kept = current_app.extensions["desk_openapi"] = written(document())
    return Response(kept, content_type="application/json")
