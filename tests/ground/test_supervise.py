"""The supervisor: what dies comes back, what is stopped leaves nothing, strangers are never touched."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from core.embedded.processes import lives
from portal import supervise
from portal.supervise import Child, end_all, end_orphans, ending

SLEEPER = "import time; print('here', flush=True)\nwhile True: time.sleep(0.1)"
SILENT = "import time\nwhile True: time.sleep(0.1)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPER
PARENT = (
    "import subprocess, sys, time; "
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print(p.pid, flush=True); time.sleep(600)"
)


def child(tmp_path, code: str = SLEEPER) -> Child:
    return Child("sleeper", [sys.executable, "-c", code], tmp_path)


def wait(answer, seconds: float = 120) -> bool:
    ends = time.monotonic() + seconds
    while not answer() and time.monotonic() < ends:
        time.sleep(0.02)
    return answer()


def test_a_killed_child_comes_back_after_a_pause(tmp_path, capsys):
    kept = child(tmp_path)
    kept.tend(time.monotonic())
    first = kept.process
    first.kill()
    assert wait(lambda: not kept.lives())
    kept.tend(100.0)
    assert not kept.lives()
    kept.tend(100.0 + supervise.FIRST_PAUSE_SECONDS)
    assert kept.lives()
    assert kept.process.pid != first.pid
    end_all([kept])
    assert "sleeper ended (killed by SIGKILL)" in capsys.readouterr().out


def test_a_child_that_keeps_dying_is_given_longer_and_longer_pauses(tmp_path):
    kept = child(tmp_path, "raise SystemExit(3)")
    pauses = []
    now = time.monotonic()
    for _ in range(9):
        kept.tend(now)
        assert wait(lambda: not kept.lives())
        now += 0.001
        kept.tend(now)
        pauses.append(kept.due_at - now)
        now = kept.due_at
    assert pauses[:4] == sorted(pauses[:4])
    assert max(pauses) <= supervise.LONGEST_PAUSE_SECONDS + 0.01
    assert ending(3) == "exit status 3"


def test_lines_of_a_child_are_headed_by_its_name(tmp_path, capsys):
    kept = child(tmp_path, "print('one'); print('two')")
    kept.start()
    kept.process.wait()
    kept.reader.join()
    assert capsys.readouterr().out == "sleeper| one\nsleeper| two\n"


def test_a_child_is_read_on_while_what_it_says_cannot_be_written(tmp_path, monkeypatch):
    """The disk is full: more than a pipe holds is said, and nobody waits for it."""
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closing it fails too
    monkeypatch.setattr(sys, "stdout", full)
    kept = child(tmp_path, "for n in range(5000): print('a line of some length, told again and again', n)")
    kept.start()
    assert wait(lambda: not kept.lives())
    kept.reader.join()
    assert kept.process.returncode == 0
    monkeypatch.undo()
    with contextlib.suppress(OSError):
        full.close()


def test_stopping_ends_the_whole_family_even_a_stubborn_one(tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "PATIENCE_SECONDS", 0.3)
    kept = [child(tmp_path, PARENT), Child("stubborn", [sys.executable, "-c", STUBBORN], tmp_path)]
    for each in kept:
        each.start()
    assert wait(lambda: len(psutil.Process(kept[0].process.pid).children()) == 1)
    grandchild = psutil.Process(kept[0].process.pid).children()[0]
    end_all(kept)
    assert not any(each.lives() for each in kept)
    assert wait(lambda: not lives(grandchild))
    assert list(tmp_path.glob("*.json")) == []


def test_orphans_of_a_killed_supervisor_are_ended(tmp_path):
    code = (
        "import os, sys, pathlib; from portal.supervise import Child; "
        # Silent: who still speaks to a supervisor that is gone ends by its broken pipe.
        f"Child('orphan', [sys.executable, '-c', {SILENT!r}], pathlib.Path({str(tmp_path)!r})).start(); "
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    orphan = psutil.Process(json.loads((tmp_path / "orphan.json").read_text())["pid"])
    assert lives(orphan)
    assert end_orphans(tmp_path) == 1
    assert not lives(orphan)
    assert end_orphans(tmp_path) == 0


def test_a_stranger_who_got_an_old_number_is_left_alone(tmp_path):
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.DEVNULL)
    (tmp_path / "web.json").write_text(json.dumps({"pid": stranger.pid, "born": 1.0}))
    (tmp_path / "broken.json").write_text("{")
    assert end_orphans(tmp_path) == 0
    assert stranger.poll() is None
    os.kill(stranger.pid, signal.SIGKILL)
    stranger.wait()
    assert list(tmp_path.glob("*.json")) == []
