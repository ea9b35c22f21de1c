"""How refusals and faults are told: our page in the portal, problem+json in the API; status and code kept."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import psycopg
from flask import g, jsonify, make_response, render_template, request
from flask.globals import request_ctx
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from gunicorn.http.errors import ParseException
from markupsafe import escape
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException, SecurityError

from core.errors import Refusal
from portal import refusals
from portal.logs import log
from portal.security.sessions import API

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

_PROBLEM = "application/problem+json"
SERVER_FAULT = 500
NOT_ALLOWED = 405
UNAVAILABLE = 503
RETRY_SECONDS = "5"
NAMES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media",
}


def wants_problem() -> bool:
    """Return whether the answer goes to a program: a path of the API, or a caller that asks for JSON only."""
    if request.path.startswith(API):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def answer(status: int, code: str, detail: str, facts: dict[str, Any] | None = None) -> Response:
    """Return the page or the problem document for one fault, with the request's trace id."""
    trace = g.get("trace_id") or uuid.uuid4().hex
    if wants_problem():
        body = {
            "type": f"/docs/errors#{code}",
            "title": code.replace("_", " "),
            "status": status,
            "code": code,
            "detail": detail,
            "facts": {name: _plain(value) for name, value in (facts or {}).items()},
            "request_id": trace,
        }
        response = jsonify(body)
        response.mimetype = _PROBLEM
    else:
        response = make_response(_page(status, code, detail, trace))
    response.status_code = status
    if status == UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response


def _page(status: int, code: str, detail: str, trace: str) -> str:
    bare = f"<!doctype html><html lang=en><title>{status}</title><p>{escape(detail)}</p><p>{trace}"
    if request_ctx.url_adapter is None:  # called by a name we do not answer to: no link of ours would lead anywhere
        return bare
    try:
        return render_template("fault.html", status=status, code=code, detail=detail, trace=trace)
    except Exception:  # noqa: BLE001 - the page about a fault must come even when the database is gone
        log.warning("plain fault page", exc_info=True)
        return bare


def unknown_page() -> Response:
    """Return the answer to an address that leads nowhere, or nowhere the caller may see."""
    return answer(404, NAMES[404], _("There is no such page, or it is not one you may see."))


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | str | list | dict) else str(value)


def install(app: Flask) -> None:
    """Register the handlers; an unknown exception stays a 500 with a trace id and a log line."""

    def refused(refusal: Refusal) -> Response:
        said = refusal.detail if wants_problem() else refusals.words(refusal)
        response = answer(refusal.status, refusal.code, said, refusal.facts)
        if "retry_after" in refusal.facts:
            response.headers["Retry-After"] = str(refusal.facts["retry_after"])
        return response

    def forged(_error: CSRFError) -> Response:
        return answer(400, "form_expired", _("This form is no longer valid. Reload the page and send it again."))

    def http(error: HTTPException) -> Response:
        status = error.code or SERVER_FAULT
        if error.response is not None or status < 400:  # noqa: PLR2004 - redirects and prepared answers pass
            return error.get_response()  # type: ignore[return-value]
        unnamed = isinstance(error, SecurityError)
        said = {
            400: _("We do not answer to this name.") if unnamed else _("The request cannot be read."),
            403: _("You may not do this."),
            404: _("There is no such page, or it is not one you may see."),
            405: _("This address does not take that method."),
            413: _("That is too large."),
        }
        response = answer(status, NAMES.get(status, f"http_{status}"), said.get(status, error.description or ""))
        if status == NOT_ALLOWED and getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return response

    def unreadable(error: Exception) -> Response:
        """Answer 400: a value the database cannot read came from the address or a form."""
        original = getattr(error, "orig", error)
        if isinstance(original, psycopg.DataError):
            log.warning("unreadable value", error=str(original)[:200])
            return answer(400, "bad_request", _("A value in the address or form cannot be read."))
        return broken(error)

    def garbled(error: ParseException) -> Response:
        """Answer 400: the parts of a body sent in chunks do not add up, which is seen only while it is read."""
        log.warning("unreadable body", why=type(error).__name__)
        return answer(400, "bad_request", _("The request cannot be read."))

    def broken(error: Exception) -> Response:
        log.error("fault", exc_info=error, path=request.path, method=request.method)
        return answer(SERVER_FAULT, "fault", _("Something broke on our side. It has been written down."))

    app.jinja_env.globals["words_of_refusal"] = refusals.words
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(CSRFError, forged)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(ParseException, garbled)
    app.register_error_handler(psycopg.DataError, unreadable)
    app.register_error_handler(DataError, unreadable)
    if not app.config["DEBUG"]:
        app.register_error_handler(Exception, broken)
