"""Forms that stay on their page: a script sends them, a refusal is told at its field, and nothing typed is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import jsonify, request

from portal import refusals

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as Answer

    from core.errors import Refusal

_AMOUNTS = ("received", "amount")
"""The fields of our forms that hold an amount."""


def wanted() -> bool:
    """Return whether the page's script asks, and not the browser itself by sending a form."""
    return request.accept_mimetypes.best == "application/json"


def refused(refusal: Refusal) -> Response:
    """Tell the script why nothing was done, at which field to say so, and where it leads if it does.

    The status is 200: the form was read and answered, and a browser writes every other one on its console as a fault.
    """
    there = refusals.link(refusal)
    leads = {"link": there._asdict()} if there else {}
    return jsonify(code=refusal.code, detail=refusals.words(refusal), field=field_of(refusal), **leads)


def done(answer: Answer) -> Response:
    """Tell the script where to go now that the form is carried out."""
    return jsonify(to=answer.location)


def fetch() -> Response:
    """Tell the script that the form will do: the browser itself is to send it, since what comes is a file."""
    return jsonify({})


def page(html: str) -> Response:
    """Give the script the page that answers the form, for what is shown once and has no address of its own."""
    return jsonify(page=html)


def field_of(refusal: Refusal) -> str:
    """Return the name of the form's field that a refusal speaks of, "" if it speaks of the whole."""
    named = str(refusal.facts.get("field", "")).replace(".", "_")
    if named in request.form:
        return named
    if named == "reason" and "why" in request.form:  # as most forms ask for it
        return "why"
    if refusal.code in {"bad_amount", "amount_differs"}:
        return next((name for name in _AMOUNTS if name in request.form), "")
    return ""
