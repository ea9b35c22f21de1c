"""The feed reads the trail's events in the order of its index; open disputes have one index and not two."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the feed's index anew, with the number in it; every insert of an order asks each partial index for its part."""
    op.execute("drop index audit_xid")
    op.execute("create index audit_xid on audit (xid, id)")
    op.execute("drop index orders_in_dispute")
