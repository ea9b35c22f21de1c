"""A customer is found by whole words of its name, in any order and without accents, by an index."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# The same expression as in core/orders/finding.py: only then is the index used.
_INDEX = (
    "create index customer_name_words on customer using gin ("
    "string_to_array(regexp_replace(lower(normalize(verified_name, NFKD)), '[\u0300-\u036f]', '', 'g'), ' '))"
)


def upgrade() -> None:
    """Add the index."""
    op.get_bind().exec_driver_sql(_INDEX)
