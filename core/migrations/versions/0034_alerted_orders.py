"""Alerts follow the acceptor of their order in the rollup, and orders with alerts are kept once each."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give alerted orders a rollup, and count both again up to where the rollups are."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
