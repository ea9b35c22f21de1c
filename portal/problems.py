"""Where the `type` of a problem leads: /docs/errors#code, the page that says what each code means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, url_for

from portal.security.gate import PUBLIC, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

problems = Blueprint("problems", __name__)


@problems.get("/docs/errors")
@needs(PUBLIC)
def errors() -> ResponseReturnValue:
    """Send to the page itself, a file like the style sheets: it says the same to everybody and holds no secret."""
    return redirect(url_for("static", filename="docs/errors.html"))
