"""Keeps child processes alive: starts and restarts them, heads their lines, ends them cleanly."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from core.embedded.places import try_lock
from core.embedded.processes import lives, wait_until
from core.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
PATIENCE_SECONDS = 6.0
PORT = "up.port"
"""Where the port given to `up` stands while it runs, for `desk env`."""
writing = threading.Lock()


def say(name: str, line: str) -> None:
    """One line on stdout, headed by the name of the process that said it.

    What cannot be written (a full disk, a reader that has gone) is lost: whoever waited for it would wait for good, and
    so would the process whose pipe is no longer read.
    """
    with writing, contextlib.suppress(OSError):
        sys.stdout.write(f"{name:<7}| {line}\n")
        sys.stdout.flush()


@dataclass
class Child:
    """One process we keep alive, in a process group of its own, with a note of it under `notes`."""

    name: str
    argv: list[str]
    notes: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    pause_seconds: float = FIRST_PAUSE_SECONDS
    started_at: float = 0.0
    due_at: float = 0.0
    reader: threading.Thread | None = None

    @property
    def note(self) -> Path:
        """The file that lets a later supervisor recognise this process as ours."""
        return self.notes / f"{self.name}.json"

    def start(self) -> None:
        """Start the process and pass on what it says, line by line."""
        self.process = subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | self.environment,
        )
        self.started_at = time.monotonic()
        remember(self.note, self.process.pid)
        self.reader = threading.Thread(target=self._pass_on, args=(self.process,), daemon=True)
        self.reader.start()

    def _pass_on(self, process: subprocess.Popen[str]) -> None:
        """Print what the process says until it closes its output."""
        with contextlib.suppress(ValueError):
            for line in process.stdout or ():
                say(self.name, line.rstrip("\n"))

    def lives(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def tend(self, now: float) -> None:
        """Start the process when it is dead and its pause is over; the pause doubles while it keeps dying."""
        if self.lives():
            return
        if self.process is not None and not self.due_at:
            if now - self.started_at > STEADY_SECONDS:
                self.pause_seconds = FIRST_PAUSE_SECONDS
            say(
                "desk",
                f"{self.name} ended ({ending(self.process.returncode)}); again in {self.pause_seconds:g} s",
            )
            signal_group(self.process.pid, signal.SIGKILL)  # what it forked must not hold the port
            self.due_at = now + self.pause_seconds
            self.pause_seconds = min(self.pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        if now >= self.due_at:
            self.due_at = 0.0
            self.start()


def ending(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit status {code}"
    return f"killed by {signal.Signals(-code).name}"


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send the signal to the whole process group, if there is one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def end_all(children: list[Child]) -> None:
    """Ask every child to end, together; kill the groups of those that take longer than the patience."""
    for child in children:
        if child.process is not None and child.lives():
            signal_group(child.process.pid, signal.SIGTERM)
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends and any(child.lives() for child in children):
        time.sleep(0.05)
    for child in children:
        if child.process is not None:
            signal_group(child.process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=5)
            child.note.unlink(missing_ok=True)
        if child.reader is not None:
            child.reader.join(timeout=1)


def remember(note: Path, pid: int) -> None:
    """Write down which process we started: its number and the moment it was born."""
    note.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(psutil.NoSuchProcess):
        note.write_text(json.dumps({"pid": pid, "born": psutil.Process(pid).create_time()}))


def end_orphans(notes: Path) -> int:
    """End what a killed supervisor left running; how many there were.

    A process is ended only when number and birth agree with our note: numbers are given again.
    """
    ended = 0
    for note in sorted(notes.glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, psutil.NoSuchProcess):
            known = json.loads(note.read_text())
            process = psutil.Process(known["pid"])
            if abs(process.create_time() - known["born"]) < 1:
                family = [process, *process.children(recursive=True)]
                signal_group(process.pid, signal.SIGTERM)
                wait_gone(family, PATIENCE_SECONDS)
                signal_group(process.pid, signal.SIGKILL)
                wait_gone(family, 5)
                ended += 1
        note.unlink(missing_ok=True)
    return ended


def wait_gone(family: list[psutil.Process], seconds: float) -> None:
    """Wait until none of the processes runs, at most that long."""
    wait_until(lambda: not any(map(lives, family)), seconds=seconds)


def port_in_use(home: Path) -> int | None:
    """The port that `desk up` serves on over this home; None when none runs."""
    try:
        with (home / "up.lock").open() as lock:
            if try_lock(lock, fcntl.LOCK_SH):
                return None
        return int((home / PORT).read_text())
    except (OSError, ValueError):
        return None


def must_be_free(host: str, port: int) -> None:
    """Raise Unavailable when something else listens on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(
                f"{host}:{port} cannot be used ({error.strerror}). Another program may have it: "
                "stop that one, or choose another port with `desk up --port N`.",
            ) from error
