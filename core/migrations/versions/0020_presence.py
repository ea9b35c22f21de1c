"""The payer declared and the payer claimed are two facts; a gate may have judged without rules; acceptors' heartbeats."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and let an evaluation stand without a ruleset."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
