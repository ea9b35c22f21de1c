"""The foundation: parties, ledger, orders, risk, commissions, rollups and the read-only views."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTS = ("parties", "ledger", "orders", "risk", "commissions", "views", "house")


def upgrade() -> None:
    """Create everything."""
    for part in PARTS:
        sql = Path(__file__).with_name(f"0001_{part}.sql").read_text(encoding="utf-8")
        op.get_bind().exec_driver_sql(sql.replace("%", "%%") if "%" in sql else sql)
