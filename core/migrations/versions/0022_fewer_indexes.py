"""Fewer indexes on what an order writes; rare ends, stopped and disputed orders are looked up among the few that are so."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and its indexes, drop or replace those that cost more than they give."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
