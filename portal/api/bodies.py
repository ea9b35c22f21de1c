"""Reading bodies and queries: strict JSON objects within a limit, just the fields of a schema, no guesses."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, ClassVar, NoReturn

from flask import request

from core.errors import BadInput, Refusal
from portal.api.schemas import ASKED, Schema

LARGEST = 64 * 1024
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_HALF = re.compile("[\ud800-\udfff]")


class BadRequest(BadInput):
    """The request cannot be read at all: its body is no JSON object, or it is not HTTP."""

    code: ClassVar[str] = "bad_request"
    status: ClassVar[int] = 400


class TooLarge(Refusal):
    """The body is longer than the API reads."""

    code: ClassVar[str] = "too_large"
    status: ClassVar[int] = 413


class UnsupportedMedia(Refusal):
    """The body is not JSON in UTF-8 by its own account."""

    code: ClassVar[str] = "unsupported_media"
    status: ClassVar[int] = 415


def read(name: str, *, may_be_empty: bool = False) -> dict[str, Any]:
    """Return the body as the schema `name` asks. Raises BadRequest, BadInput, TooLarge, UnsupportedMedia."""
    if request.content_length is not None and request.content_length > LARGEST:
        raise TooLarge(f"the body is longer than {LARGEST} bytes", limit=LARGEST)
    raw = request.stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise TooLarge(f"the body is longer than {LARGEST} bytes", limit=LARGEST)
    if not raw and may_be_empty:
        return {}
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in {"utf-8", "utf8"}:
        raise UnsupportedMedia("send application/json in UTF-8")
    found = _parsed(raw)
    if not isinstance(found, dict):
        raise BadRequest("the body must be a JSON object")
    return _checked(found, ASKED[name], "")


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_twice)
    except BadRequest:
        raise
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error.msg} at byte {error.pos}") from None
    except (ValueError, RecursionError):
        raise BadRequest("the body holds a number too long or nests too deep") from None


def _no_constant(word: str) -> NoReturn:
    raise BadRequest(f'{word} is not JSON; amounts are strings such as "250.00"')


def _no_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRequest(f"the field {twice[:40]!r} comes twice")
    return found


def _checked(value: Any, schema: Schema, path: str) -> Any:
    """Return the value if it is what the schema says, else refuse and name the field."""
    if schema["type"] == "object":
        return _object(value, schema, path)
    if not isinstance(value, str):
        raise BadInput(f"{path} must be a string", field=path)
    if _HALF.search(value) or "\0" in value:
        raise BadInput(f"{path} has characters that cannot be stored", field=path)
    if schema.get("format") == "date-time":
        return moment(value, path)
    if not value:
        raise BadInput(f"{path} is missing", field=path)
    if len(value) < schema["minLength"]:
        raise BadInput(f"{path} has {len(value)} characters; at least {schema['minLength']}", field=path)
    if len(value) > schema["maxLength"]:
        raise BadInput(f"{path} has {len(value)} characters; at most {schema['maxLength']}", field=path)
    return value


def _object(value: Any, schema: Schema, path: str) -> dict[str, Any]:
    where = f"{path}." if path else ""
    if not isinstance(value, dict):
        raise BadInput(f"{path or 'the body'} must be an object", field=path)
    known: dict[str, Schema] = schema["properties"]
    for name in value:
        if name not in known:
            field = f"{where}{name}"[:80].encode("ascii", "backslashreplace").decode()
            raise BadInput(f"there is no field {field!r}; known: {', '.join(known)}", field=field)
    for name in schema["required"]:
        if name not in value:
            raise BadInput(f"{where}{name} is missing", field=f"{where}{name}")
    return {name: _checked(each, known[name], f"{where}{name}") for name, each in value.items()}


def moment(text: str, field: str) -> datetime:
    """Return the moment an RFC 3339 time with its zone says. Raises BadInput for anything else."""
    if len(text) <= len("2026-11-20T10:00:00.123456789+00:00") and _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(_six_decimals(text.upper()))
        except (ValueError, OverflowError):
            pass  # no such day, hour or zone: told below
    raise BadInput(f"{field} is not a time such as 2026-11-20T10:00:00Z (RFC 3339, with its zone)", field=field)


def _six_decimals(text: str) -> str:
    return re.sub(r"([.][0-9]{6})[0-9]+", r"\1", text)


def query(**limits: int) -> dict[str, str]:
    """Return the query's fields, each named at most once and known. Raises BadInput for others."""
    found: dict[str, str] = {}
    for name, values in request.args.lists():
        if name not in limits:
            shown = name[:40].encode("ascii", "backslashreplace").decode()
            raise BadInput(f"there is no query field {shown!r}; known: {', '.join(limits)}", field=shown)
        if len(values) != 1 or len(values[0]) > limits[name] or "\0" in values[0] or _HALF.search(values[0]):
            raise BadInput(f"{name} cannot be read", field=name)
        found[name] = values[0]
    return found


def page_size(text: str, *, usual: int = 50, most: int = 200) -> int:
    """Return how many rows a page shall have. Raises BadInput unless it is 1 to `most`."""
    if not text:
        return usual
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= most:
        raise BadInput(f"limit is a whole number from 1 to {most}", field="limit")
    return int(text)
