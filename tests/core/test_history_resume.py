"""An import that is cut off goes on where it stopped; a long file takes no more memory than a short one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from core import verify
from core.db import reading
from core.settings import ROOT
from core.simulator.history import import_history
from tests.core.past_orders import order, write

IMPORT = """
import os, resource, sys
from pathlib import Path
from core import db
from core.simulator.history import import_history
db.connect(os.environ["DATABASE_URL"])
import_history(Path(sys.argv[1]), batch_rows=int(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


CUT_OFF = """
import os, signal
from core.simulator import history
book, booked = history._book, []

def book_and_die_in_the_fifth_batch(*given):
    book(*given)
    booked.append(1)
    if len(booked) == 5:
        os.kill(os.getpid(), signal.SIGKILL)

history._book = book_and_die_in_the_fifth_batch
"""
"""Put before the import: it dies with a batch booked and not yet committed."""


def start(path, batch_rows: int, before: str = ""):
    argv = [sys.executable, "-c", before + IMPORT, str(path), str(batch_rows)]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(argv, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE)


def orders() -> int:
    with reading() as tx:
        return tx.call("select count(*) from orders")


def test_an_import_killed_in_the_middle_is_finished_by_the_next(database, tmp_path):
    path = write(tmp_path / "past.csv", (order(n) for n in range(3000)))
    child = start(path, 100, CUT_OFF)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    before = orders()
    assert before == 400
    assert list(tmp_path.iterdir()) == [path]  # nothing was refused: no empty reject file is left behind
    counts = import_history(path)
    assert (counts.known, counts.added) == (before, 3000 - before)
    assert [finding.breaks for finding in verify.run() if finding.breaks] == []


def test_memory_does_not_grow_with_the_file(database, tmp_path):
    def kilobytes(rows: int) -> int:
        child = start(write(tmp_path / f"{rows}.csv", (order(n) for n in range(rows))), 1000)
        out, _ = child.communicate()
        assert child.returncode == 0
        return int(out)

    short = kilobytes(2000)
    assert kilobytes(9_000) < short + 8_000
