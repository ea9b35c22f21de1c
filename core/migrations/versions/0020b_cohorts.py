"""What first orders from a country usually are: reckoned daily, each reckoning its own rows."""

from __future__ import annotations

from alembic import op

revision = "0020b"
down_revision = "0019a"
branch_labels = None
depends_on = None

_TABLE = """
create table cohort (
    country       text not null,
    at            timestamptz not null,
    median_units  bigint not null constraint cohort_median_positive check (median_units > 0),
    customers     integer not null,
    primary key (country, at)
)
"""


def upgrade() -> None:
    """Add the table; it is filled by the job `risk.cohorts`."""
    op.execute(_TABLE)
