"""The end of a payer's number, as it is shown, is looked up by an index."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.get_bind().exec_driver_sql("create index payer_account_masked on payer_account (masked)")
