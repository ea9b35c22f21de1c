"""docs/errors.md lists every refusal the product can give, as the code has it."""

from __future__ import annotations

import importlib
import pkgutil

import core
import portal
from core.errors import Refusal
from portal import faults, wire
from portal.problem_words import CODES, entries
from portal.problems import marked_up
from tests.docs.pages import page, writing

OTHERS = {"form_expired", "method_not_allowed", "address_too_long", "headers_too_large", "fault"}
"""Codes of answers that no refusal makes."""
ERRORS = page("docs/errors.md")
STATIC = page("portal/static/docs/errors.html")
SERVED = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Errors · Escrow Desk</title>
<link rel="icon" href="../icons/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="../css/tokens.css">
<link rel="stylesheet" href="errors.css">
</head>
<body>
<main>
<h1>Errors: every refusal, and what to do</h1>
<p>A refused request has changed nothing. Programs decide by <code>code</code> and <code>status</code>.</p>
{sections}</main>
</body>
</html>
"""
HEAD = """# Errors: every refusal, and what to do

A refused request has changed nothing. Over the API a refusal is `application/problem+json`:

```json
{
  "type": "/docs/errors#wrong_state",
  "title": "wrong state",
  "status": 409,
  "code": "wrong_state",
  "detail": "the sentence for people: what, for whom, what to do",
  "facts": {"state": "completed"},
  "request_id": "5b2f0c1d9a7e4c338f10aa27"
}
```

Programs decide by `code` and `status`, never by the words of `detail`, which may change. `request_id` is also in the
header `X-Request-Id` and in the log. In the portal the same sentence is shown with its code; on the command line it is
one line on stderr, `desk: sentence [code]`, and the exit status is 1.

About repeating a POST: refusals for the form of a request (`bad_…`, `too_large`, `unsupported_media`) and passing ones
(`changed`, `still_running`, `too_many`, `unavailable`) are not stored, so the same `Idempotency-Key` may be used again.
After a 5xx or an answer that was lost it may be used for the same body alone, whose change may have been stored: it
takes effect once, and the answer shows the order as it stands by then; another body is refused
(`idempotency_key_reused`).
A refusal by state or right is stored like a success: the same key gives the same answer for at least 24 hours.

This page is made from the code by `tests/docs/test_errors.py` (`make golden`).
"""


def refusals() -> dict[str, type[Refusal]]:
    """Every kind of refusal in the product, by code."""
    for package in (core, portal):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith("core.migrations.") and module.name != "portal.gunicorn":
                importlib.import_module(module.name)
    kinds, todo = {Refusal.code: Refusal}, [Refusal]
    while todo:
        for kind in todo.pop().__subclasses__():
            if kind.__module__.partition(".")[0] in {"core", "portal", "jobs", "dashboards"}:
                kinds.setdefault(kind.code, kind)
                todo.append(kind)
    return kinds


def written() -> str:
    """The whole page."""
    table = "| status | code |\n|---|---|\n" + "".join(
        f"| {each[0]} | [{each[1]}](#{each[1]}) |\n" for each in entries()
    )
    parts = [f"## {code}\n{status}. {meaning}\n\n{advice}\n" for status, code, meaning, advice in entries()]
    return "\n".join([HEAD, table, *parts])


def served() -> str:
    """The page as a running desk serves it, for programs that follow the `type` of a problem."""
    lines = "".join(
        f'<section id="{code}">\n<h2>{code}</h2>\n<p>{status}. {marked_up(meaning)}</p>\n'
        f"<p>{marked_up(advice)}</p>\n</section>\n"
        for status, code, meaning, advice in entries()
    )
    return SERVED.format(sections=lines)


def test_every_refusal_has_its_words_and_they_are_those_of_its_class():
    kinds = refusals()
    told = {code: (each.status, str(each.meaning)) for code, each in CODES.items() if code in kinds}
    assert told == {code: (kind.status, (kind.__doc__ or "").splitlines()[0]) for code, kind in kinds.items()}
    assert set(CODES) - set(kinds) == OTHERS


def test_codes_of_web_faults_are_listed():
    listed = {code: status for status, code, _meaning, _advice in entries()}
    assert set(faults.NAMES.values()) <= set(listed)
    for told in [*wire.REFUSED.values(), wire.FAULT]:
        assert listed[told.code] == told.status, told.code


def test_golden_page_of_errors():
    if writing():
        ERRORS.write_text(written(), encoding="utf-8")
        STATIC.write_text(served(), encoding="utf-8")
    assert ERRORS.read_text(encoding="utf-8") == written()
    assert STATIC.read_text(encoding="utf-8") == served()
