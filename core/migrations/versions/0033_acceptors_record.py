"""The facts of an acceptor are found by their kind, so that whether it has a dispute is one look."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew, with the kind before the time."""
    op.execute("drop index risk_fact_acceptor")
    op.execute(
        "create index risk_fact_acceptor on risk_fact (acceptor_id, kind, happened_at)"
        " where kind in ('order_completed', 'order_disputed', 'confirm_without_bank_line')"
    )
