"""Every POST of the API: key, body, one turn per Idempotency-Key, and the first answer given again."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from flask import Response, request

from core import idempotency
from core.errors import BadInput, Changed, Conflict, Forbidden, Refusal, StillRunning
from core.idempotency import Answer
from portal import faults
from portal.api import access, bodies, owed

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.actor import Actor

    Command = Callable[[Actor, dict[str, Any], bool], tuple[int, dict[str, Any]]]

PROBLEM_FROM = 400
FAULTS_FROM = 500
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyMissing(BadInput):
    """A POST came without an Idempotency-Key that can be read."""

    code: ClassVar[str] = "idempotency_key_missing"
    status: ClassVar[int] = 400


def once(schema: str, command: Command, *, may_be_empty: bool = False) -> Response:
    """Run the command at most once per key and body, and answer as the first time for at least 24 hours.

    The command gets the actor, the checked body, and whether the same request began before and died. What
    is refused for its form is not stored, so that a mended body may use the key again; after a fault, or an answer that
    was lost, only the same body may. A command refuses with `unavailable` what is refused behind its change.
    """
    actor = access.caller()
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise KeyMissing("send an Idempotency-Key of 1 to 255 visible ASCII characters with every POST")
    body = bodies.read(schema, may_be_empty=may_be_empty)
    mark = idempotency.fingerprint(f"{request.method} {request.path}", body)
    turn = idempotency.begin(access.party(actor), key, mark)
    if isinstance(turn, Answer):
        return _response(turn, replayed=True)
    try:
        status, shown = command(actor, body, turn.again)
    except Refusal as refusal:
        if not _is_final(refusal):
            # Who asks again may have stored its change the first time: its key stays with its body.
            _undo(turn, broken=turn.again or refusal.status >= FAULTS_FROM)
            raise
        problem = faults.answer(refusal.status, refusal.code, refusal.detail, refusal.facts)
        answer, ref = Answer(refusal.status, problem.get_data()), ""
    except BaseException:
        _undo(turn, broken=True)
        raise
    else:
        answer, ref = Answer(status, written(shown)), str(shown.get("ref", ""))
    try:
        idempotency.finish(turn, answer, ref=ref)
    except Refusal:  # the change stands; without its answer the next request with the key finds it again
        owed.give_back(turn)
    return _response(answer)


def _is_final(refusal: Refusal) -> bool:
    """Return whether the same request would be refused again: a state that forbids it, not a form to mend."""
    return isinstance(refusal, Conflict | Forbidden) and not isinstance(refusal, Changed | StillRunning)


def _undo(turn: idempotency.Turn, *, broken: bool) -> None:
    if broken:
        owed.give_back(turn)
        return
    with suppress(Refusal):  # a key that may be gone already is not asked for twice: it could be another request's
        idempotency.forget(turn)


def written(shown: dict[str, Any]) -> bytes:
    """Return an answer as bytes of JSON."""
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()


def _response(answer: Answer, *, replayed: bool = False) -> Response:
    problem = answer.status >= PROBLEM_FROM
    response = Response(answer.body, answer.status)
    response.content_type = "application/problem+json" if problem else "application/json"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response
