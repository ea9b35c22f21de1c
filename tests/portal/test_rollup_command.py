"""`desk rollup`: figures brought up to date, and counted again when a row is wrong."""

from __future__ import annotations

from click.testing import CliRunner

from core.db import reading, transaction
from core.verify.rollups import rollups
from portal.commands.rollup import command
from tests import make
from tests.core import lives


def desk(*words):
    answer = CliRunner().invoke(command, words, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer


def test_a_wrong_row_is_named_and_counted_again(database):
    market = make.market(1, levels=1)
    lives.completed(market)
    desk()
    lives.rolled_up()
    with transaction() as tx:
        tx.run("update rollup_hour set completed = completed + 1")
        tx.run("update agent set deposit_volume_units = 0")
    answer = desk("--rebuild")
    assert "rollup_hour" in answer.stderr
    assert "2 rows were wrong" in answer.stdout
    lives.rolled_up()
    with reading() as tx:
        assert rollups(tx).breaks == []
    assert "0 rows were wrong" in desk("--rebuild").stdout
