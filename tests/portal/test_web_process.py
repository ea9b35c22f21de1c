"""The real web process: its sign of life comes and goes, and it tells machines that it is well by any name."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from core import health
from core.actor import system
from core.settings import ROOT
from tests.portal.conftest import people
from tests.ports import unclaimed

PATIENCE_SECONDS = 240
"""How long a step may take on a busy machine; none is timed. Two web processes have been seen to boot for 38 s."""
PRODUCTION = {
    "DESK_ENV": "production",
    "DESK_SECRET_KEY": "5e8912c19f332b9b822b6ee2f7d04a61",
    "DESK_FIELD_KEY": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    "DESK_ADMIN_PASSWORD": "a password of some length",
    "DESK_TRUSTED_HOSTS": "desk.example.com",
    "DESK_WORKERS": "2",
}


def asked(port, path, host):
    """The answer to a request that calls us by that name: status, text, headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host, "Accept": "text/html"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def until(true):
    ends = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < ends, "it never came true"
        time.sleep(0.1)


def beating():
    return [beat.process for beat in health.beats(system()) if beat.process.startswith("web:")]


@contextlib.contextmanager
def serving(log):
    """The web server in production's settings; ended at the end, however."""
    port = unclaimed()
    child = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:portal.gunicorn", "wsgi:app"],
        cwd=ROOT,
        env=os.environ | PRODUCTION | {"DESK_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=log.open("w"),
    )
    try:
        yield child, port
    finally:
        child.kill()
        child.wait()


@pytest.fixture
def web(database, tmp_path):
    people()
    with serving(tmp_path / "log") as (child, port):
        until(lambda: len(beating()) == 2)
        yield child, port, tmp_path / "log"


def test_each_web_process_shows_that_it_lives_and_takes_it_back_when_it_ends(web):
    child, _port, _log = web
    assert all(re.fullmatch(rf"web:{re.escape(socket.gethostname())}:\d+", name) for name in beating())
    child.send_signal(signal.SIGTERM)
    child.wait(timeout=PATIENCE_SECONDS)
    assert beating() == []


def test_signs_of_life_answer_to_every_name_and_nothing_else_does(web):
    _child, port, log = web
    for host in ("desk.example.com", f"10.1.2.3:{port}", "[::1]", "evil.example"):
        assert asked(port, "/healthz", host)[0] == 200
        status, told, _headers = asked(port, "/readyz", host)
        assert status == 200
        assert '"database"' in told
        assert "http" not in told
        assert asked(port, "/metrics", host)[0] == 200, "from this machine itself"
    assert asked(port, "/login/", "desk.example.com")[0] == 200
    for path in ("/login/", "/", "/healthz/", "/api/v1/openapi.json", "/static/css/shell.css", "/readyz/../login/"):
        status, told, headers = asked(port, path, "evil.example")
        assert status == 400, path
        assert "evil.example" not in told + str(headers)
    written = log.read_text()
    assert "NoneType" not in written
    assert "Traceback" not in written


HEAD = b"Host: desk.example.com\r\nConnection: close\r\n"
CHUNKED = HEAD + b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
QUOTES = b"/api/v1/quotes HTTP/1.1\r\n"
UNREAD = [
    (b"GET /api/v1/" + b"a" * (4094 - 21) + b" HTTP/1.1\r\n" + HEAD, 404, "not_found"),
    (b"GET /api/v1/" + b"a" * (4095 - 21) + b" HTTP/1.1\r\n" + HEAD, 414, "address_too_long"),
    (b"GET /api/v1/balances HTTP/1.1\r\n" + HEAD + b"X-A: " + b"a" * 8000 + b"\r\n", 401, "not_signed_in"),
    (b"GET /api/v1/balances HTTP/1.1\r\n" + HEAD + b"X-A: " + b"a" * 9000 + b"\r\n", 431, "headers_too_large"),
    (b"GET /api/v1/balances HTTP/1.1\r\n" + HEAD + b"X-A: a\r\n" * 99, 431, "headers_too_large"),
    (b"post " + QUOTES + HEAD, 400, "bad_request"),
    (b"POST " + QUOTES + HEAD + b"X-A: hush\x01hush\r\n", 400, "bad_request"),
    (b"POST " + QUOTES + HEAD + b"X A: b\r\n", 400, "bad_request"),
    (b"POST " + QUOTES + HEAD + b"Content-Length: ten\r\n", 400, "bad_request"),
    (b"POST " + QUOTES + HEAD + b"Expect: miracles\r\n", 400, "bad_request"),
    (b"hush\r\n", 400, "bad_request"),
]


def sent(port, raw):
    """The whole answer to raw bytes: status, headers, body."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as wire:
        wire.sendall(raw)
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        return answer.status, answer.headers, answer.read()


def test_what_the_web_server_itself_refuses_is_a_problem_with_a_code_like_every_other_refusal(web):
    _child, port, log = web
    for raw, status, code in UNREAD:
        found, headers, body = sent(port, raw + b"\r\n")
        told = json.loads(body)
        assert (found, told["status"], told["code"]) == (status, status, code), raw[:60]
        assert headers["Content-Type"] == "application/problem+json"
        assert headers["X-Request-Id"] == told["request_id"]
        assert told["request_id"] in log.read_text()
        assert b"hush" not in body
    assert sent(port, b"POST /login/ HTTP/1.1\r\n" + CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n")[0] == 400
    assert "hush" not in log.read_text()
    assert "Traceback" not in log.read_text()
