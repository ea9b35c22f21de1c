"""One demo at a time: the second is refused at once, and the lock goes with the process that holds it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from core.db import reading
from core.errors import Conflict
from core.settings import ROOT
from core.simulator.alone import alone
from portal.commands.demo import command
from tests.beside import until

HOLD = """
import os, sys
from core import db
from core.simulator.alone import alone
db.connect(os.environ["DATABASE_URL"])
with alone():
    print("holds", flush=True)
    sys.stdin.read()
"""


def free():
    try:
        with alone():
            return True
    except Conflict:
        return False


def test_a_second_demo_is_refused_at_once_and_changes_nothing(database):
    with alone():
        done = CliRunner().invoke(command, ["--orders", "5", "--days", "1"])
        again = CliRunner().invoke(command, ["--orders", "5", "--days", "1", "--again"])
    for each in (done, again):
        assert isinstance(each.exception, Conflict), each.output
        assert "another `desk demo`" in str(each.exception)
    with reading() as tx:
        assert tx.rows("select (select count(*) from job_run), (select count(*) from orders)") == [(0, 0)]
    assert free()


def test_a_demo_that_fails_gives_the_lock_up(database):
    with pytest.raises(ZeroDivisionError), alone():
        raise ZeroDivisionError
    assert free()


def test_the_lock_goes_with_a_process_that_is_killed(database):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout.readline() == b"holds\n"
    assert not free()
    child.kill()
    child.communicate()
    until(free, "the lock outlives its process")
