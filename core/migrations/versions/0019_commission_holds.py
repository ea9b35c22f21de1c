"""What agents have earned is held while they are suspended or looked into; those who are suspended already too."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, show held commissions among the balances, and open a hold for whoever is shut out now."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
