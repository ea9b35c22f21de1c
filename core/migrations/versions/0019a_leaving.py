"""A bank account may leave a pool: its open orders go on with it, and it may join that pool or another again."""

from __future__ import annotations

from alembic import op

revision = "0019a"
down_revision = "0020a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment at which an account left; those that serve have none."""
    op.execute("alter table pool_account add column left_at timestamptz")
