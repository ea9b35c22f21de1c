"""What money, terms and decisions are told by cannot be emptied at a stroke: `truncate` fires no row's trigger."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_TABLES = (
    "party", "merchant", "acceptor", "agent", "agent_closure", "customer", "payer_account", "bank_account",
    "withdrawal_account", "ledger_account", "orders", "quote", "dispatch", "fee_schedule", "plan", "plan_version",
    "commission_line", "commission_hold", "ruleset", "evaluation", "risk_fact", "alert", "hold", "approval", "rate",
    "period_lock", "seal_block", "seal_row",
)  # fmt: skip
_FUNCTION = """
create function refuse_emptying() returns trigger language plpgsql as $$
begin
    raise exception using message = tg_table_name || ' is never emptied', errcode = 'restrict_violation';
end $$
"""


def upgrade() -> None:
    """Refuse to empty them, as it is refused for the journal and the trail since the beginning."""
    op.get_bind().exec_driver_sql(_FUNCTION)
    for table in _TABLES:
        op.execute(
            f"create trigger no_truncate before truncate on {table} for each statement execute function refuse_emptying()"
        )
