"""A logical backup brought back as docs/operations.md says: the books go on where they stood."""

from __future__ import annotations

import os
import shlex
import subprocess

import psycopg
import pytest

from core import db, embedded, verify
from core.db import reading, transaction
from core.embedded import postgres
from core.errors import Conflict
from core.ledger import post
from core.migrations import standing
from core.settings import settings
from tests import make
from tests.core import lives
from tests.docs.pages import blocks, page

TEXT = page("docs/operations.md").read_text(encoding="utf-8")
EARLIER_TRANSACTIONS = 5_000
"""More than a new server spends on a restore, so that its numbers lie behind those in the data."""


@pytest.fixture
def elsewhere(own_home):
    """The place of another server, empty and running; stopped at the end."""
    home = own_home / "elsewhere"
    embedded.start_postgres(home)
    yield home
    embedded.stop(home)


def bundled(where, program, *arguments):
    """Run one of PostgreSQL's programs."""
    folder = postgres.binaries(where)
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder.parent / "lib")}
    done = subprocess.run(
        [str(folder / program), *arguments], env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def settled():
    """Fold, count and seal everything there is."""
    lives.rolled_up()
    lives.sealed()
    with transaction() as tx:
        post.fold_all(tx)


def lived(url):
    """A market with a past: many transactions, one completed deposit, everything settled."""
    spend = "loop perform pg_current_xact_id(); commit; end loop"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"do $$ begin for i in 1..{EARLIER_TRANSACTIONS} {spend}; end $$")
    market = make.market(2, levels=2)
    lives.completed(market)
    settled()
    return market


def restored(url, where, file):
    """Dump a database and restore it on the server of that place; return the new URL."""
    bundled(where, "pg_dump", "-Fc", "-f", str(file), url)
    bundled(where, "pg_restore", "--no-owner", "-d", postgres.url(where), str(file))
    return postgres.url(where)


def bind(monkeypatch, url):
    """Let this process work on another database."""
    monkeypatch.setenv("DATABASE_URL", url)
    settings.cache_clear()
    db.connect(url)


def broken():
    """What does not hold."""
    return {each.invariant for each in verify.run() if not each.holds}


def test_books_go_on_behind_a_logical_restore(database, elsewhere, monkeypatch, tmp_path):
    market = lived(database)
    assert broken() == set()
    where = embedded.place(elsewhere)
    here = restored(database, where, tmp_path / "desk.dump")
    [sql] = [block.text for block in blocks(TEXT) if "pg_resetwal" in block.text]
    with psycopg.connect(here) as connection:
        [command] = connection.execute(sql.strip().rstrip(";")).fetchone()
    bundled(where, "vacuumdb", "--all", "--freeze", "--quiet", "-h", str(where.run), "-U", postgres.ROLE)
    embedded.stop(elsewhere)
    program, *arguments = shlex.split(command.replace("DATA", str(postgres.data_folder(where))))
    assert postgres._run(where, program, *arguments).returncode == 0
    embedded.start_postgres(elsewhere)

    bind(monkeypatch, here)
    lives.completed(market)
    settled()
    with reading() as tx:
        assert tx.call("select count(*) from orders where state = 'completed'") == 2
        assert tx.call("select count(*) from journal_leg l join ledger_account a on a.id = l.account_id"
                       " where leg_waits(l.xid, a.folded)") == 0  # fmt: skip
    assert broken() == set()


def test_books_go_on_behind_a_restore_that_was_renumbered(database, elsewhere, monkeypatch, tmp_path):
    market = lived(database)
    here = restored(database, embedded.place(elsewhere), tmp_path / "desk.dump")
    bind(monkeypatch, here)
    with pytest.raises(Conflict, match="desk renumber"):
        standing.must_count_onwards()

    assert standing.count_onwards(here) > 0
    standing.must_count_onwards()
    lives.completed(market)
    settled()
    with reading() as tx:
        assert tx.call("select count(*) from orders where state = 'completed'") == 2
    assert broken() == set()
    assert standing.count_onwards(here) == 0


def test_a_restored_server_that_counts_anew_is_found_out(database, elsewhere, monkeypatch, tmp_path):
    market = lived(database)
    bind(monkeypatch, restored(database, embedded.place(elsewhere), tmp_path / "desk.dump"))
    assert broken() == set()
    lives.completed(market)

    assert broken() >= {"I2", "I8"}
