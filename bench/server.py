"""A PostgreSQL of the benchmark's own (the bundled one, fsync on), and pgbench on it."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from core import embedded
from core.embedded import postgres
from core.migrations import runner

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG_FILES = 60
"""More than a run of `bench.lifecycle` writes."""


class Server(NamedTuple):
    """Where the benchmark's server answers, and where its programs are."""

    url: str
    programs: Path

    def database(self, name: str) -> str:
        """Return the URL of another database of the server."""
        return re.sub(r"/\w+\?", f"/{name}?", self.url)

    def fresh(self, name: str, *, migrated: bool = True) -> str:
        """Make an empty database, migrated unless told otherwise; return its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"drop database if exists {name} with (force)")
            connection.execute(f"create database {name}")
        if migrated:
            runner.upgrade(self.database(name))
        return self.database(name)

    def steady(self) -> None:
        """Have the files of the write-ahead log there, as on a server that has run for some days and uses them again.

        A new server makes each file of 16 MB when it comes to it, and all commits wait for some 50 ms meanwhile.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"alter system set min_wal_size = '{LOG_FILES * 16}MB'")
            connection.execute("select pg_reload_conf()")
            for _ in range(LOG_FILES):
                connection.execute("select pg_logical_emit_message(false, 'bench', '')")
                connection.execute("select pg_switch_wal()")
            connection.execute("checkpoint")

    def pgbench(self, url: str, *arguments: str) -> str:
        """Run pgbench on a database; return what it printed."""
        environment = os.environ | {"LD_LIBRARY_PATH": str(self.programs.parent / "lib")}
        done = subprocess.run(
            [str(self.programs / "pgbench"), *arguments, url],
            check=True, capture_output=True, text=True, env=environment,
        )  # fmt: skip
        return done.stdout

    def simple_writes(self, url: str, connections: int, seconds: float) -> float:
        """Return the transactions per second of `pgbench -N` (its "simple update" without the hot tables)."""
        told = self.pgbench(url, "-n", "-N", "-c", str(connections), "-j", "2", "-T", str(max(1, round(seconds))))
        found = re.search(r"tps = ([\d.]+)", told)
        if found is None:
            raise RuntimeError(told)
        return float(found[1])


@contextmanager
def own() -> Iterator[Server]:
    """A server that lives while the block runs."""
    with tempfile.TemporaryDirectory(prefix="desk-bench-") as folder:
        # The servers' own user must be able to walk to it: else the data would be put elsewhere, and stay (2 GB a run).
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        os.environ["DESK_HOME"] = str(home)
        with embedded.serving(home, redis=False) as urls:
            yield Server(urls.database, postgres.binaries(embedded.place(home)))
