"""What the web server refuses before the product sees it: told as a problem with a code, like every other refusal."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from portal.logs import log

if TYPE_CHECKING:
    import socket


class Told(NamedTuple):
    """How a refusal of the wire is told: status, reason phrase, code, and the sentence."""

    status: int
    reason: str
    code: str
    detail: str


_UNREADABLE: Final = Told(400, "Bad Request", "bad_request", "the request is not HTTP that can be read")
FAULT: Final = Told(500, "Internal Server Error", "fault", "Something broke on our side. It has been written down.")
REFUSED: Final[dict[type[Exception], Told]] = {
    errors.LimitRequestLine: Told(
        414, "URI Too Long", "address_too_long", "the first line of the request has more than 4094 bytes"
    ),
    errors.LimitRequestHeaders: Told(
        431,
        "Request Header Fields Too Large",
        "headers_too_large",
        "a header has more than 8190 bytes, or there are more than 100 headers",
    ),
    errors.InvalidRequestMethod: _UNREADABLE._replace(detail="the method is none: write it in capitals, such as POST"),
    errors.InvalidHTTPVersion: _UNREADABLE._replace(detail="the version is none that is spoken here: use HTTP/1.1"),
    errors.InvalidHeaderName: _UNREADABLE._replace(detail="the name of a header has characters that HTTP forbids"),
    errors.InvalidHeader: _UNREADABLE._replace(detail="a header has a value that HTTP does not take"),
    errors.UnsupportedTransferCoding: _UNREADABLE._replace(detail="the only Transfer-Encoding taken is chunked"),
    errors.ExpectationFailed: _UNREADABLE._replace(detail="the only expectation met is 100-continue"),
    errors.ParseException: _UNREADABLE,
}
"""The first that fits counts. Limits are gunicorn's own; `test_web_process.py` holds them against it."""
_OURS: Final = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)


def told(error: BaseException) -> Told:
    """Return how an error of the web server is told; one that the caller did not cause is a fault."""
    if isinstance(error, _OURS):
        return FAULT
    return next((each for kind, each in REFUSED.items() if isinstance(error, kind)), FAULT)


class Worker(ThreadWorker):
    """Gunicorn's threads, with its own refusals in our form; what was sent is neither repeated nor logged."""

    def handle_error(self, req: object, client: socket.socket, addr: object, exc: BaseException) -> None:  # noqa: ARG002
        """Answer a request that failed before or beside the product; gunicorn closes the connection afterwards."""
        said, trace = told(exc), secrets.token_hex(12)
        if said is FAULT:
            log.error("fault", exc_info=exc, trace_id=trace)
        else:
            log.warning("request refused", status=said.status, code=said.code, why=type(exc).__name__, trace_id=trace)
        with suppress(Exception):  # whoever sent it may be gone
            util.write_nonblock(client, answer(said, trace))


def answer(said: Told, trace: str) -> bytes:
    """Return the whole answer as it goes over the wire: problem+json, as the API's refusals."""
    body = json.dumps(
        {
            "type": f"/docs/errors#{said.code}",
            "title": said.code.replace("_", " "),
            "status": said.status,
            "code": said.code,
            "detail": said.detail,
            "facts": {},
            "request_id": trace,
        }
    ).encode()
    head = (
        f"HTTP/1.1 {said.status} {said.reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nX-Request-Id: {trace}\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n\r\n"
    )
    return head.encode("ascii") + body
