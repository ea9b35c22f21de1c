"""Compliance: finding what was decided lately without reading all alerts."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index that the desk's figures of the last 30 days read."""
    op.get_bind().exec_driver_sql("create index alert_closed on alert (closed_at) where state = 'closed'")
