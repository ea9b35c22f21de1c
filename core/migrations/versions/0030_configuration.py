"""A number that changes with what an opening reads of parties, pools, plans and rules: who knows it need not read."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0028a"
branch_labels = None
depends_on = None

# Of each table what `order_open_look` reads, and which pools a merchant may use, which ends its quotes. What else changes
# there (a merchant's sum of the month, say) is not counted.
_READ = {
    "party": "insert or delete or update of state, code, country",
    "merchant": "insert or delete or update of agent_id",
    "agent": "insert or delete or update of plan_id, deposit_volume_units, volume_at, volume_until",
    "agent_closure": "insert or delete or update",
    "plan_version": "insert or delete or update",
    "pool": "insert or delete or update of state, policy, policy_version, pay_seconds",
    "pool_merchant": "delete",
    "ruleset": "insert or delete or update",
}

# The number is a time, so that a database brought back from a dump never says a number that stood for something else.
_TABLE = """
create table configuration (one boolean primary key default true check (one), number bigint not null);
insert into configuration (number) values ((extract(epoch from clock_timestamp()) * 1e6)::bigint);
create function configuration_changed() returns trigger language plpgsql as $$
begin
    -- Once a transaction: whoever reads sees all that it changed, and the new number, in the same moment.
    if current_setting('desk.configuration_counted', true) = 'yes' then return null; end if;
    perform set_config('desk.configuration_counted', 'yes', true);
    update configuration set number = greatest(number + 1, (extract(epoch from clock_timestamp()) * 1e6)::bigint);
    return null;
end $$
"""


def upgrade() -> None:
    """Make the number and count from now on: at the end of a transaction, so that nobody waits for it in the middle."""
    database = op.get_bind()
    database.exec_driver_sql(_TABLE)
    for table, changes in _READ.items():
        database.exec_driver_sql(
            f"create constraint trigger configuration_changes after {changes} on {table}"
            " deferrable initially deferred for each row execute function configuration_changed()"
        )
