"""What an order and a load must be is asked by a trigger and by two domains: neither is read from text at every statement."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_SOUND = (
    # The trigger's function is kept with the others (functions/sound.sql); this is its first body.
    """create function order_must_be_sound() returns trigger language plpgsql as $$
begin
    if new.fiat_units > 0 and new.usdt_units > 0 and new.fee_units >= 0 and new.fee_units < new.usdt_units
       and (new.acceptor_id is null) = (new.matched_at is null) and (new.ended_at is null) = (new.deadline_at is not null) then
        return new;
    end if;
    raise exception 'order % is not sound', new.ref using errcode = 'check_violation', constraint = 'order_sound';
end $$""",
    "create trigger order_sound before insert or update on orders for each row execute function order_must_be_sound()",
    "alter table orders drop constraint order_sound",
    "drop function order_sound(bigint, timestamptz, timestamptz, timestamptz, bigint, bigint, bigint)",
    "create domain load_count as int constraint load_not_negative check (value >= 0)",
    "create domain load_units as bigint constraint load_not_negative check (value >= 0)",
    "alter table pool_account_load drop constraint load_not_negative,"
    " alter column open_orders type load_count, alter column day_units type load_units",
    "drop function load_sound(int, bigint)",
)


def upgrade() -> None:
    """Put the one in force before the other is dropped."""
    for statement in _SOUND:
        op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
