"""The next version of a fee schedule or plan begins after the transaction that stores it, or is not stored."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# The function is kept with the others (functions/sound.sql); this is its first body. The trigger's name comes after
# `configuration_changes`, which may wait for a lock: triggers of one row fire by their names.
_LATER = """create function version_must_begin_later() returns trigger language plpgsql as $$
begin
    if new.effective_from - new.created_at < clock_timestamp() - transaction_timestamp() + interval '5 seconds' then
        raise exception 'version % would begin at %, before everybody can see it', new.version, new.effective_from
            using errcode = 'check_violation', constraint = 'version_begins_later';
    end if;
    return null;
end $$"""


def upgrade() -> None:
    """Ask it of every version but a code's first, which nobody can have asked for."""
    database = op.get_bind()
    database.exec_driver_sql(_LATER.replace("%", "%%"))
    for table in ("fee_schedule", "plan_version"):
        database.exec_driver_sql(
            f"create constraint trigger version_begins_later after insert on {table}"
            " deferrable initially deferred for each row when (new.version > 1)"
            " execute function version_must_begin_later()"
        )
