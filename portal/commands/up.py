"""`desk up`: the whole desk with one command, and all of it gone with one Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import click

from core import db
from core.embedded.places import made, opened, try_lock
from core.errors import Unavailable
from core.settings import ROOT, Settings, settings
from core.simulator import progress
from portal.commands.init import DEMO_USERS
from portal.servers import addressed
from portal.supervise import PORT, Child, end_all, end_orphans, ending, must_be_free, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

DEMO_ORDERS = 4000


class Stopped(Exception):  # noqa: N818 - asked to stop is no error
    """Somebody asked us to stop."""


class Up:
    """The supervisor: what it keeps alive, and whether it was asked to stop."""

    def __init__(self, known: Settings, port: int) -> None:
        """Take the settings and the port; nothing starts yet."""
        self.known = known
        self.port = port
        self.notes = known.home / "processes"
        self.asked_to_stop = False
        self.children: list[Child] = []
        self.began = time.monotonic()

    def stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's signature
        """Remember that we were asked to stop; the loops see it within a moment."""
        self.asked_to_stop = True

    def once(self, name: str, *arguments: str) -> None:
        """Run one `desk` command to its end. Raises Unavailable when it fails, Stopped when asked to stop."""
        child = self.child(name, *arguments)
        child.start()
        while child.lives():
            if self.asked_to_stop:
                raise Stopped
            time.sleep(0.05)
        self.children.remove(child)
        child.note.unlink(missing_ok=True)
        if child.reader is not None:
            child.reader.join(timeout=2)
        if child.process is not None and child.process.returncode != 0:
            raise Unavailable(f"`desk {name}` failed ({ending(child.process.returncode)}); its lines above say why")

    def child(self, name: str, *arguments: str) -> Child:
        """A `desk` command as a child of ours, not yet started."""
        argv = [sys.executable, "-m", "portal.cli", name, *arguments]
        child = Child(name, argv, self.notes, {"PYTHONPATH": str(ROOT), "DESK_PORT": str(self.port)})
        self.children.append(child)
        return child

    def tend(self) -> None:
        """Keep everything alive until asked to stop; say once when the portal answers."""
        ready = False
        while not self.asked_to_stop:
            now = time.monotonic()
            for child in self.children:
                child.tend(now)
            if not ready and answers(self.known.host, self.port, next(iter(self.known.hosts), "")):
                ready = True
                self.greet(time.monotonic() - self.began)
            time.sleep(0.25)

    def greet(self, seconds: float) -> None:
        """Say where the portal is and who may sign in."""
        say("desk", f"ready at http://{self.known.host}:{self.port} (in {seconds:.0f} s)")
        if not self.known.production:
            say("desk", f"sign in as {', '.join(DEMO_USERS)}")
            say("desk", f"password of each: {self.known.demo_password.get_secret_value()}")
        say("desk", "Ctrl-C stops everything")


def answers(host: str, port: int, name: str = "") -> bool:
    """Whether /readyz says yes, asked by a name the portal answers to."""
    asked = urllib.request.Request(f"http://{local(host)}:{port}/readyz", headers={"Host": name} if name else {})
    try:
        with urllib.request.urlopen(asked, timeout=2) as reply:  # noqa: S310 - our own server, over http
            return bool(reply.status == 200)  # noqa: PLR2004 - HTTP's own yes
    except (OSError, urllib.error.URLError, ValueError):
        return False


def local(host: str) -> str:
    """The address under which this machine reaches its own server."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - read, not bound


@contextlib.contextmanager
def only_one(known: Settings, port: int = 0) -> Iterator[None]:
    """Refuse a second supervisor over the same home; the lock goes with its process. Others may ask for its port."""
    made(known.home)
    with opened(known.home / "up.lock") as lock:
        if not try_lock(lock, fcntl.LOCK_EX):
            raise Unavailable(f"`desk up` already runs over {known.home}. Stop it first, or set DESK_HOME.")
        (known.home / PORT).write_text(f"{port or known.port}\n")
        try:
            yield
        finally:
            (known.home / PORT).unlink(missing_ok=True)


def demo_due(url: str) -> str:
    """Why a demo is to be played into the database, in words; empty when there is a whole one, or other orders."""
    db.connect(url)
    try:
        if progress.unfinished() is not None:
            return "the demo was cut off: playing on from where it stopped"
        with db.reading() as tx:
            known = tx.call("select exists (select 1 from orders)")
    finally:
        db.disconnect()
    return "" if known else f"an empty market: playing {DEMO_ORDERS} orders into it"


@click.command("up")
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of DESK_PORT (8080).")
@click.option("--no-demo", is_flag=True, help="Leave an empty database empty.")
def command(port: int | None, no_demo: bool) -> None:
    """Start everything: servers, database, demo data once, web, worker and cron."""
    known = settings()
    up = Up(known, port or known.port)
    os.chdir(ROOT)
    with only_one(known, up.port):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, up.stop)
        ended = end_orphans(up.notes)
        if ended:
            say("desk", f"ended {ended} processes that an earlier run left behind")
        must_be_free(known.host, up.port)
        with addressed(told=lambda line: say("desk", line)):
            try:
                up.once("init")
                due = "" if known.production else demo_due(settings().database_url)
                if due and not no_demo:
                    say("desk", due)
                    up.once("demo", "--orders", str(DEMO_ORDERS))
                elif "cut off" in due:
                    say("desk", "the demo was cut off and is not whole; `desk demo` plays on from where it stopped")
                for name in ("web", "worker", "cron"):
                    up.child(name)
                up.tend()
            except Stopped:
                pass
            finally:
                say("desk", "stopping")
                end_all(up.children)
    say("desk", "stopped")
