"""A commission line of an agent whose commission is held says so in the view for auditors; who may read it still may."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None

_READERS = "select distinct grantee from information_schema.role_table_grants where table_name = 'v_commission_lines'"

# `held` is nothing a line itself remembers: it is so while the agent's hold is open, and again what it was afterwards.
_VIEW = """
create view v_commission_lines as
select c.ref as line_ref, o.ref as order_ref, p.code as agent, c.level, pl.code || ' v' || v.version as plan_version,
       c.rate_bps, c.base_units, c.units,
       case when g.held and c.state in ('pending', 'approved', 'payable') then 'held' else c.state::text end as state,
       c.period
  from commission_line c
  join orders o on o.id = c.order_id
  join party p on p.id = c.agent_id
  join plan_version v on v.id = c.plan_version_id join plan pl on pl.id = v.plan_id
  left join agent g on g.party_id = c.agent_id
"""


def upgrade() -> None:
    """Make the view anew, as its state is a wider type now, and let the same roles read it."""
    database = op.get_bind()
    readers = [row[0] for row in database.exec_driver_sql(f"{_READERS} and grantee <> current_user")]
    op.execute("drop view v_commission_lines")
    op.execute(_VIEW)
    quote = database.dialect.identifier_preparer.quote
    for name in readers:
        op.execute(f"grant select on v_commission_lines to {name if name == 'PUBLIC' else quote(name)}")
