"""Whom a customer is in dispute with is asked at each opening: the few open disputes have an index of their own."""

from __future__ import annotations

from alembic import op

revision = "0020a"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index. Ordinary steps leave `dispute_state` as it is, so their updates still stay on their page."""
    op.execute("create index orders_in_dispute on orders (customer_id) where dispute_state = 'open'")
