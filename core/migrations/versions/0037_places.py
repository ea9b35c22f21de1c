"""A pool's accounts have places from 1 on without a gap, so that a draw among them is fair (decision 0036)."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Number the accounts that serve each pool in the order in which they joined; those that left have no place."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
