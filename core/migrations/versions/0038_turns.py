"""A customer's openings take turns: what a gate counted of it must still be all when the order is stored."""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give each customer the number that each of its openings raises; room on the page keeps the change in place."""
    op.execute("alter table customer add column turn integer not null default 0")
    op.execute("alter table customer set (fillfactor = 85)")
