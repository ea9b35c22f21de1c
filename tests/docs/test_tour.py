"""The tour is true: its commands run against a real portal, and what they print is what the page shows."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from core import embedded
from core.embedded import postgres
from core.settings import ROOT, settings
from portal.app import create_app
from tests.conftest import servers_home
from tests.docs import story
from tests.docs.pages import Block, alike, blocks, page, writing

if TYPE_CHECKING:
    from pathlib import Path

TOUR = page("docs/tour.md")
PORT = "8080"
END = "--- end of a block ---"


@pytest.fixture
def address(database, redis_url, monkeypatch):
    """A portal that answers on loopback, with the market of the tour behind it."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    settings.cache_clear()
    story.tell()
    server = make_server("127.0.0.1", 0, create_app(settings()), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def programs(tmp_path):
    """A folder to stand in, with `./desk` and, where the machine has none, psql and curl."""
    bundled = postgres.binaries(embedded.place(servers_home()))
    library = shlex.quote(str(bundled.parent / "lib"))
    ours = {
        tmp_path / "desk": f'cd {shlex.quote(str(ROOT))} && exec {shlex.quote(sys.executable)} -m portal.cli "$@"',
        tmp_path / "bin/psql": f'LD_LIBRARY_PATH={library} exec {shlex.quote(str(bundled / "psql"))} "$@"',
        tmp_path / "bin/python3": f'exec {shlex.quote(sys.executable)} "$@"',
    }
    if shutil.which("curl") is None:
        ours[tmp_path / "bin/curl"] = f'exec {shlex.quote(sys.executable)} {ROOT}/tests/docs/curl.py "$@"'
    (tmp_path / "bin").mkdir()
    for path, command in ours.items():
        path.write_text(f"#!/bin/sh\n{command}\n")
        path.chmod(0o755)
    return tmp_path


def run(commands: list[str], folder: Path, address: str) -> list[str]:
    """What each command printed; they share one shell, as a reader's do."""
    script = "".join(f"{command}\necho; echo '{END}'\n" for command in commands)
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["/bin/sh", "-u"],
        input=script.replace(f"127.0.0.1:{PORT}", address),
        cwd=folder, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
    return [said.strip("\n") for said in done.stdout.split(END)][: len(commands)]


def shown_behind(found: list[Block]) -> list[tuple[str, Block | None]]:
    """Each command with the block of output that follows it, if one does."""
    pairs: list[tuple[str, Block | None]] = []
    for at, block in enumerate(found):
        if block.language == "sh":
            after = found[at + 1] if at + 1 < len(found) else None
            pairs.append((block.text, after if after and after.language != "sh" else None))
    return pairs


def test_the_tour_prints_what_its_golden_blocks_show(address, programs):
    text = TOUR.read_text(encoding="utf-8")
    story_of = shown_behind(blocks(text))
    assert len(story_of) > 8
    said = run([command for command, _ in story_of], programs, address)
    pairs = [(shown, answer) for (_, shown), answer in zip(story_of, said, strict=True) if shown]
    if writing():
        for shown, answer in reversed(pairs):
            text = text[: shown.start] + answer + "\n" + text[shown.end :]
        TOUR.write_text(text, encoding="utf-8")
        return
    for shown, answer in pairs:
        assert alike(answer) == alike(shown.text)


def test_the_tour_says_where_the_port_of_its_address_comes_from():
    before, _, _ = TOUR.read_text(encoding="utf-8").partition(f"API=http://127.0.0.1:{PORT}")
    assert f"`{PORT}` is the port" in before
    assert "`./desk up --port`" in before
