"""Where the servers in a box keep their files, whose they are, and who may start or stop them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE_USER = "escrowdesk"
MACHINE_STORE = Path("/var/lib/escrow-desk")
LONGEST_SOCKET = 100  # bytes; the kernel's limit is 107
RECORD = "servers.json"


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one home's servers: `root` holds pg/ and redis/, `run` holds the sockets."""

    home: Path
    root: Path
    run: Path
    uid: int
    gid: int

    def folder(self, name: str) -> Path:
        """A private folder of the servers' user under root, made when missing."""
        path = self.root / name
        private(path, self.uid, self.gid)
        return path

    def as_owner(self) -> dict[str, object]:
        """Arguments for subprocess that make a child run as the servers' user."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def place(home: Path) -> Place:
    """The place of a home's servers, made when missing and the same ever after.

    Servers never run as root: started by root they run as the owner of the data, or as a system user made
    for it. When that user cannot walk to the home (a closed folder above it), the files live in
    /var/lib/escrow-desk.
    Raises Unavailable when the home belongs to another user.
    """
    home = home.expanduser().absolute()
    made(home)
    record = read_record(home)
    root = Path(record["root"]) if record else home
    uid, gid = owner(root)
    if not record:
        root = home if os.geteuid() != 0 or reachable(home, uid, gid) else MACHINE_STORE / secrets.token_hex(6)
    if root != home:
        root.mkdir(parents=True, exist_ok=True)
    run = Path(record["run"]) if record else short(root)
    if not usable(run, uid):
        run = short(root)
        private(run, uid, gid)
    if not record or record["run"] != str(run):
        write_record(home, root, run)
    return Place(home, root, run, uid, gid)


def seen(home: Path) -> Place:
    """The place of a home's servers as it is, or as it will be beside the home: to look at, nothing is made.

    Raises Unavailable as `place` does.
    """
    home = home.expanduser().absolute()
    if read_record(home) or (home / "pg").exists():
        return place(home)
    missing = [folder for folder in (home, *home.parents) if not folder.exists()]
    made(home)  # only trying tells whether it can be
    for folder in missing:
        with contextlib.suppress(OSError):  # somebody uses it by now
            folder.rmdir()
    return Place(home, home, home / "run", os.geteuid(), os.getegid())


def made(home: Path) -> None:
    """Make the home's folder when missing. Raises Unavailable when it cannot be one."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        words = "it is a file" if isinstance(error, FileExistsError) else str(error.strerror).lower()
        raise Unavailable(f"the folder {home} cannot be made: {words}. Set DESK_HOME to a folder of yours.") from error


def owner(root: Path) -> tuple[int, int]:
    """User and group that own the servers' files there, or shall own them.

    Raises Unavailable when they are another user's and we are not root.
    """
    data = root / "pg"
    me = os.geteuid()
    if data.exists():
        stat = data.stat()
        if me == 0 and stat.st_uid != 0:
            return stat.st_uid, stat.st_gid
        if stat.st_uid != me:
            raise Unavailable(
                f"{data} belongs to user {name_of(stat.st_uid)}, as an earlier run left it. "
                "Run as that user or as root, or set DESK_HOME to another folder.",
            )
    if me != 0:
        return me, os.getegid()
    return service_user()


def name_of(uid: int) -> str:
    """The user's name, or its number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def service_user() -> tuple[int, int]:
    """User and group for servers started by root: a system user of ours, `nobody` where none can be made.

    Raises Unavailable where there is neither.
    """
    for name in (SERVICE_USER, "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
        if shutil.which("useradd"):
            command = ["useradd", "-r", "-M", "-d", "/nonexistent", "-s", "/usr/sbin/nologin", name]
            subprocess.run(command, check=False, capture_output=True)
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return entry.pw_uid, entry.pw_gid
    raise Unavailable("started as root, but there is no user to run the database as: make one named escrowdesk.")


def reachable(path: Path, uid: int, gid: int) -> bool:
    """Whether the user may walk to the path: every folder down to it can be entered."""
    for folder in (path, *path.parents):
        stat = folder.stat()
        bit = 0o100 if stat.st_uid == uid else 0o010 if stat.st_gid == gid else 0o001
        if not stat.st_mode & bit:
            return False
    return True


def short(root: Path) -> Path:
    """A folder for sockets: beside the data, or a fresh short private one when that path is too long."""
    beside = root / "run"
    if len(os.fsencode(beside / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET:
        return beside
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    above = runtime if runtime and os.geteuid() != 0 and os.access(runtime, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="desk-", dir=above))


def usable(run: Path, uid: int) -> bool:
    """Whether the folder for sockets is there, the servers' user's own and closed to others."""
    try:
        stat = run.stat()
    except OSError:
        return False
    return stat.st_uid == uid and not stat.st_mode & 0o077


def private(path: Path, uid: int, gid: int) -> None:
    """Make the folder the user's own and closed to others."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(path, uid, gid)
    path.chmod(0o700)


def read_record(home: Path) -> dict[str, str] | None:
    """Where the servers of this home were put, or None; a record copied along from another home is none."""
    try:
        record = json.loads((home / RECORD).read_text())
    except (OSError, ValueError):
        return None
    good = isinstance(record, dict) and record.get("home") == str(home) and {"root", "run"} <= record.keys()
    return record if good else None


def write_record(home: Path, root: Path, run: Path) -> None:
    """Keep where the servers of this home were put."""
    fresh = home / f"{RECORD}.{os.getpid()}"
    fresh.write_text(json.dumps({"home": str(home), "root": str(root), "run": str(run)}))
    fresh.replace(home / RECORD)


@contextlib.contextmanager
def alone(home: Path, *, seconds: float = 180) -> Iterator[None]:
    """Hold the home's lock: one starter or stopper at a time. The lock goes with its process.

    Raises Unavailable when somebody holds it longer than that.
    """
    made(home)
    with opened(home / "servers.lock") as file:
        ends = time.monotonic() + seconds
        while not try_lock(file, fcntl.LOCK_EX):
            if time.monotonic() > ends:
                raise Unavailable(f"another process has been starting or stopping the servers of {home} for long.")
            time.sleep(0.1)
        yield


def opened(path: Path) -> IO[str]:
    """The lock file, open. Raises Unavailable when it is another user's."""
    try:
        return path.open("a")
    except PermissionError as error:
        raise Unavailable(
            f"{path.parent} belongs to user {name_of(path.parent.stat().st_uid)}. "
            "Run as that user or as root, or set DESK_HOME to another folder.",
        ) from error


def try_lock(file: IO[str], kind: int) -> bool:
    """Whether the lock could be taken at once."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def readable(sources: list[Path], name: str, where: Place) -> Path:
    """The first source as the servers' user can read it: itself, or a copy kept for the machine.

    All sources stand in one folder and are copied side by side, so that the paths between them stay true.
    """
    if os.geteuid() != 0 or all(reachable(each, where.uid, where.gid) for each in sources):
        return sources[0]
    kept = MACHINE_STORE / "bin" / name
    if not kept.exists():
        fresh = kept.with_name(f"{name}.{os.getpid()}")
        for each in sources:
            shutil.copytree(each, fresh / each.name, ignore=shutil.ignore_patterns("include", "*.a", "*.pyc"))
        subprocess.run(["/bin/chmod", "-R", "a+rX", str(fresh)], check=True)
        with contextlib.suppress(OSError):  # another starter was first
            fresh.rename(kept)
        shutil.rmtree(fresh, ignore_errors=True)
    return kept / sources[0].name
