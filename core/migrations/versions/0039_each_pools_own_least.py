"""Who may be matched is told pool by pool: by that pool's own least reserve, and whether or not it is paused just now."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# The rule as functions/parties.sql has it. Until now a paused pool's accounts were marked too, and an account went by the
# highest least reserve of all the pools of its acceptor.
FLAGS = """
update pool_account pa set matchable = x.can
  from (select p.id, (p.left_at is null and l.available >= pool.min_reserve_units and a.online and not a.silent
                      and a.paused = '' and party.state = 'active' and b.state = 'active') as can
          from pool_account p join ledger_account l on l.id = p.account_id join pool on pool.id = p.pool_id
          join acceptor a on a.party_id = p.acceptor_id join party on party.id = a.party_id
          join bank_account b on b.id = p.bank_account_id) x
 where pa.id = x.id and pa.matchable <> x.can
"""


def upgrade() -> None:
    """Mark every account anew."""
    op.execute("set constraints all immediate")
    op.execute(FLAGS)
