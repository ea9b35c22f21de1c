"""What a row must be is asked by one function a table: PostgreSQL reads a CHECK's text anew at every statement."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# The functions are kept with the others (functions/sound.sql); these are their first bodies, which the constraints need.
_SOUND = (
    """create function order_sound(p_acceptor bigint, p_matched timestamptz, p_ended timestamptz, p_deadline timestamptz,
    p_fiat bigint, p_usdt bigint, p_fee bigint) returns boolean language plpgsql immutable as $$
begin
    return p_fiat > 0 and p_usdt > 0 and p_fee >= 0 and p_fee < p_usdt
       and (p_acceptor is null) = (p_matched is null) and (p_ended is null) = (p_deadline is not null);
end $$""",
    """create function account_sound(p_kind text, p_available bigint, p_escrow bigint, p_held bigint) returns boolean
language plpgsql immutable as $$
begin
    return p_kind = 'house' or (p_available >= 0 and p_escrow >= 0 and p_held >= 0);
end $$""",
    """create function load_sound(p_open int, p_day bigint) returns boolean language plpgsql immutable as $$
begin
    return p_open >= 0 and p_day >= 0;
end $$""",
    "alter table orders drop constraint order_amounts, drop constraint order_matched_has_acceptor,"
    " drop constraint order_waiting_has_deadline, add constraint order_sound check"
    " (order_sound(acceptor_id, matched_at, ended_at, deadline_at, fiat_units, usdt_units, fee_units))",
    "alter table ledger_account drop constraint account_not_overdrawn, add constraint account_not_overdrawn check"
    " (account_sound(kind, available, escrow, held))",
    "alter table pool_account_load drop constraint load_not_negative, add constraint load_not_negative check"
    " (load_sound(open_orders, day_units))",
    # A generated column is read anew at every statement, too; the steps that end an order otherwise write it.
    "alter table orders alter column apart drop expression",
)


def upgrade() -> None:
    """Replace the constraints, each in the moment it is dropped."""
    for statement in _SOUND:
        op.get_bind().exec_driver_sql(statement)
