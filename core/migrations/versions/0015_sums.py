"""Amounts are looked up by themselves, and a period's postings by their time."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INDEXES = (
    # Neither column ever changes, so that an order's steps still stay on its page; opening one costs two entries more.
    "create index orders_amount on orders (currency, fiat_units)",
    "create index orders_usdt on orders (usdt_units)",
    # A summary (BRIN) costs a posting next to nothing; entries arrive in the order of time.
    (
        "create index journal_entry_happened on journal_entry using brin (happened_at)"
        " with (pages_per_range = 32, autosummarize = on)"
    ),
)


def upgrade() -> None:
    """Add the indexes."""
    for index in _INDEXES:
        op.execute(index)
