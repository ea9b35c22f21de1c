"""What lists sum of the last 30 days reads the orders that were refunded, and no longer those that were paid."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_LATELY = """
drop index rollup_hour_lately;
create index rollup_hour_lately on rollup_hour (hour)
    include (merchant_id, acceptor_id, agent_id, created, matched, completed, refunded, usdt_units)
"""


def upgrade() -> None:
    """Make the index anew, with what is read."""
    op.execute(_LATELY)
