"""What the browser may send to Dash: a call of a callback there is, in the shape that Dash itself sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from dash import Dash

CALLBACK = "_dash-update-component"
_TEXTS = frozenset({"pathname", "search", "href", "hash"})
"""Properties that are lines of text, or nothing yet."""


def check(boards: Dash) -> None:
    """Refuse a callback's request that no page of ours sends: not_found by another method, else bad_input."""
    if request.method != "POST":
        raise NotFound("callbacks are asked by POST")
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        raise BadInput("a callback is asked with its output and inputs", field="output")
    known: dict[str, Any] = boards.callback_map.get(body["output"], {})
    if "callback" not in known:
        raise BadInput("there is no such callback", output=body["output"][:80])
    _outputs(body.get("outputs"))
    for field in ("inputs", "state"):
        _values(body.get(field, []), known["inputs" if field == "inputs" else "state"], field)
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(each, str) for each in changed):
        raise BadInput("changedPropIds is a list of names", field="changedPropIds")


def _outputs(given: object) -> None:
    for each in given if isinstance(given, list) else [given]:
        if not (isinstance(each, dict) and isinstance(each.get("id"), str) and isinstance(each.get("property"), str)):
            raise BadInput("outputs name an id and a property each", field="outputs")


def _values(given: object, known: list[dict[str, str]], field: str) -> None:
    """Refuse values that are not those of the callback, in its order."""
    wanted = [(each["id"], each["property"]) for each in known]
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise BadInput(f"{field} is a list of values with id and property", field=field)
    if [(each.get("id"), each.get("property")) for each in given] != wanted:
        raise BadInput(f"{field} are not those of the callback", field=field)
    for each in given:
        if each["property"] in _TEXTS and not isinstance(each.get("value"), str | None):
            raise BadInput(f"{each['property']} is text", field=field)
