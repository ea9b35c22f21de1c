"""Brings a database to the present schema: migrations, then the functions, under one advisory lock."""

from __future__ import annotations

import hashlib
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from core.db import driver_url

HERE = Path(__file__).parent
INIT_LOCK = 0x0DE5C  # pg_advisory_lock key: one initialiser at a time


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """Return the revision the code expects the database to have."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def knows(revision: str) -> bool:
    """Return whether the code has a migration of that number."""
    return any(each.revision == revision for each in ScriptDirectory.from_config(_config()).walk_revisions())


def functions() -> list[Path]:
    """Return the files of SQL functions, in the order they are applied."""
    return [HERE / "functions" / f"{name}.sql" for name in ("ledger", "risk", "orders")] + sorted(
        path for path in (HERE / "functions").glob("*.sql") if path.stem not in {"ledger", "risk", "orders"}
    )


def upgrade(url: str) -> None:
    """Migrate the database at `url` to the head; running it twice, or twice at once, is safe."""
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("select pg_advisory_lock(%s)", (INIT_LOCK,))
        try:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _replace_functions(connection)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.exec_driver_sql("select pg_advisory_unlock(%s)", (INIT_LOCK,))
            connection.commit()
    engine.dispose()


def _replace_functions(connection: sa.Connection) -> None:
    """Apply the function files when their text has changed since last time."""
    texts = [path.read_text(encoding="utf-8") for path in functions()]
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    connection.exec_driver_sql("create table if not exists schema_functions (digest text not null)")
    if connection.exec_driver_sql("select digest from schema_functions").scalar() == digest:
        return
    for text in texts:
        connection.exec_driver_sql(text.replace("%", "%%"))
    connection.exec_driver_sql("delete from schema_functions")
    connection.exec_driver_sql("insert into schema_functions values (%s)", (digest,))
