"""Where the `type` of a problem leads: /docs/errors#code, the page that says what each code means."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, make_response, redirect, render_template, url_for
from flask_babel import get_locale
from markupsafe import Markup

from portal.security.gate import PUBLIC, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

problems = Blueprint("problems", __name__)

_FILE = "docs/errors.html"
_CODES = re.compile(r"<section .*</section>", re.DOTALL)


@problems.get("/docs/errors")
@needs(PUBLIC)
def errors() -> ResponseReturnValue:
    """Send to the page itself, a file like the style sheets: it says the same to everybody and holds no secret.

    Who reads another language than English gets the same codes with the words around them in theirs: what a code
    means is told in English, as the API tells it.
    """
    language = getattr(get_locale(), "language", "en")
    if language == "en":
        return redirect(url_for("static", filename=_FILE))
    codes = _codes(Path(current_app.static_folder or "") / _FILE)
    answer = make_response(render_template("errors.html", language=language, codes=codes))
    answer.headers["Content-Language"] = language
    answer.vary.update({"Accept-Language", "Cookie"})
    return answer


@cache
def _codes(file: Path) -> Markup:
    """Return the part of the page that tells the codes, marked as English."""
    found = _CODES.search(file.read_text(encoding="utf-8"))
    return Markup(found[0].replace("<section ", '<section lang="en" ') if found else "")  # noqa: S704 - our own file
