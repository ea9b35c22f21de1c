"""Each agent's volume of its plan's window, kept by a job: what chooses its tier when an order is opened."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# `volume_at` is when it was reckoned; `volume_until` when the window ends and the volume begins at nothing again
# (null: never, it rolls).
_COLUMNS = """
alter table agent
    add column deposit_volume_units bigint not null default 0,
    add column volume_at timestamptz,
    add column volume_until timestamptz,
    add constraint agent_volume check (deposit_volume_units >= 0)
"""


def upgrade() -> None:
    """Add the columns; the job fills them."""
    op.execute(_COLUMNS)
