"""What lists sum of the last 30 days reads how orders ended, as conversion is of those."""

from __future__ import annotations

from alembic import op

revision = "0028a"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew, with what is read."""
    op.execute("drop index rollup_hour_lately")
    op.execute(
        "create index rollup_hour_lately on rollup_hour (hour) include (merchant_id, acceptor_id, agent_id, created,"
        " matched, completed, expired, cancelled, refused, refunded, no_liquidity, usdt_units)"
    )
