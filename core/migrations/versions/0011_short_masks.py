"""Numbers of less than eight characters show one of them at most; those masked before show no more either."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SHORTEN = """
update {table} set masked = case when length(masked) = 6 then '•• ' || right(masked, 1) else '••••' end
 where length(masked) < 7 and masked like '•• %%'
"""


def upgrade() -> None:
    """Shorten what is shown of short numbers."""
    for table in ("payer_account", "bank_account"):
        op.get_bind().exec_driver_sql(_SHORTEN.format(table=table))
