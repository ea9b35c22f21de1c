"""Where the `type` of a problem leads: /docs/errors#code, the page that says what each code means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Blueprint, make_response, redirect, render_template, url_for
from flask_babel import get_locale
from markupsafe import Markup, escape

from portal.problem_words import entries
from portal.security.gate import PUBLIC, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

problems = Blueprint("problems", __name__)

_FILE = "docs/errors.html"
_TYPED = re.compile(r"`([^`]+)`")


@problems.get("/docs/errors")
@needs(PUBLIC)
def errors() -> ResponseReturnValue:
    """Send to the page itself, a file like the style sheets: it says the same to everybody and holds no secret.

    Who reads another language than English gets the same codes, with all that is said of them in theirs.
    """
    language = getattr(get_locale(), "language", "en")
    if language == "en":
        return redirect(url_for("static", filename=_FILE))
    codes = [(status, code, marked_up(said), marked_up(advice)) for status, code, said, advice in entries()]
    answer = make_response(render_template("errors.html", language=language, codes=codes))
    answer.headers["Content-Language"] = language
    answer.vary.update({"Accept-Language", "Cookie"})
    return answer


def marked_up(text: str) -> Markup:
    """Return what stands in backticks as code, everything else escaped."""
    return Markup(_TYPED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before
