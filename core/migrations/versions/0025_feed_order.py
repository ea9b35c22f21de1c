"""The feed reads the trail's events in the order of its index: by transaction, then by number."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew, with the number in it."""
    op.execute("drop index audit_xid")
    op.execute("create index audit_xid on audit (xid, id)")
