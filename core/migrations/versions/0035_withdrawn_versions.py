"""An approved version that has not begun can be withdrawn: it keeps who, when and why, and is never in force."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

# The functions are kept with the others (functions/sound.sql); these are their first bodies.
_FUNCTIONS = """
create function version_must_stay() returns trigger language plpgsql as $$
begin
    raise exception 'a version stays as it is' using errcode = 'restrict_violation', constraint = 'version_stays';
end $$;
create function version_must_be_withdrawn_in_time() returns trigger language plpgsql as $$
begin
    raise exception 'not yet' using errcode = 'check_violation', constraint = 'version_withdrawn_in_time';
end $$
"""

# As the deferred trigger of 0032, the last one fires after `configuration_changes`, which may wait for a lock.
_TABLE = """
alter table {table} add column withdrawn_at timestamptz, add column withdrawn_by integer, add column withdrawn_why text,
    add constraint {name}_withdrawn_by_one_of_its_two check (num_nonnulls(withdrawn_at, withdrawn_by, withdrawn_why) = 0
        or (num_nulls(withdrawn_at, withdrawn_by, withdrawn_why, requested_by, approved_by) = 0
            and withdrawn_by in (requested_by, approved_by) and withdrawn_why <> ''));
create trigger version_stays before update or delete on {table} for each row execute function version_must_stay();
create trigger version_starts_approved before insert on {table} for each row when (new.withdrawn_at is not null)
    execute function version_must_stay();
create constraint trigger version_withdrawn_in_time after update on {table} deferrable initially deferred
    for each row when (new.withdrawn_at is not null) execute function version_must_be_withdrawn_in_time()
"""


def upgrade() -> None:
    """Give both tables the mark of a withdrawal; what is there stays as it is, in force or to come."""
    database = op.get_bind()
    database.exec_driver_sql(_FUNCTIONS)
    for table, name in (("fee_schedule", "fee_schedule"), ("plan_version", "plan")):
        for statement in _TABLE.format(table=table, name=name).split(";\n"):
            database.exec_driver_sql(statement)
