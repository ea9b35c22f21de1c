"""An alert keeps whose words decided it and with which words a second officer agreed; those decided before too."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COLUMNS = """
alter table alert
    add column proposed_by text,
    add column proposed_at timestamptz,
    add column confirmed_why text not null default ''
"""
BY_TWO = """
update alert a
   set proposed_by = r.requested_by, proposed_at = r.requested_at,
       confirmed_why = case when a.state = 'closed' then r.decided_why else '' end
  from approval r join orders o on o.ref = r.subject
 where o.id = a.order_id and r.kind = 'hold_decision' and r.payload -> 'alerts' ? a.ref
   and r.state = case when a.state = 'closed' then 'approved' else 'waiting' end
   and a.state in ('closed', 'pending_second')
"""
BY_ONE = (
    "update alert set proposed_by = closed_by, proposed_at = closed_at where state = 'closed' and proposed_by is null"
)
_CHECK = """
alter table alert add constraint alert_second_is_another
    check (confirmed_why = '' or (proposed_by is not null and closed_by is not null and proposed_by <> closed_by))
"""


def upgrade() -> None:
    """Add the columns and fill them from the requests for a second officer."""
    for statement in (_COLUMNS, BY_TWO, BY_ONE, _CHECK):
        op.get_bind().exec_driver_sql(statement)
