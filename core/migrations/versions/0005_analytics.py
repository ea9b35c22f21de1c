"""Analytics: order rollups know the agent an order was opened under, as the order list's row scope does."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the agent to the key of the hourly rollup."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
