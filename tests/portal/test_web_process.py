"""The real web process: its sign of life comes and goes, and it tells machines that it is well by any name."""

from __future__ import annotations

import base64
import contextlib
import http.client
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
