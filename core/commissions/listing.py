"""Lists of commission lines: the row a list shows, and which lines are the actor's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core.actor import Actor, Scope
from core.commissions.queries import UNPAID
from core.commissions.tables import CommissionLine
from core.db import Base
from core.parties.tables import Agent, AgentClosure, Party, Plan, PlanVersion

if TYPE_CHECKING:
    from collections.abc import Collection

_orders = sa.table(
    "orders", sa.column("id", sa.BigInteger), sa.column("ref", sa.Text), sa.column("merchant_id", sa.BigInteger)
)
_agent, _merchant, _held = aliased(Party), aliased(Party), aliased(Agent)

# Left joins on keys only: PostgreSQL leaves out those whose columns a count or a sum does not read.
_ROWS: Final = (
    sa.select(
        CommissionLine.id, CommissionLine.ref, CommissionLine.agent_id, CommissionLine.order_id, CommissionLine.level,
        CommissionLine.rate_bps, CommissionLine.base_units, CommissionLine.units,
        CommissionLine.state.label("kept_state"),
        sa.case((_held.held & CommissionLine.state.in_(UNPAID), "held"), else_=CommissionLine.state).label("state"),
        CommissionLine.period, CommissionLine.accrued_at, CommissionLine.plan_version_id,
        _orders.c.ref.label("order_ref"), _agent.code.label("agent"), _agent.ref.label("agent_ref"),
        _merchant.code.label("merchant"), Plan.code.label("plan"), PlanVersion.version.label("plan_version"),
    )
    .outerjoin(_orders, _orders.c.id == CommissionLine.order_id)
    .outerjoin(_agent, _agent.id == CommissionLine.agent_id)
    .outerjoin(_held, _held.party_id == CommissionLine.agent_id)
    .outerjoin(_merchant, _merchant.id == _orders.c.merchant_id)
    .outerjoin(PlanVersion, PlanVersion.id == CommissionLine.plan_version_id)
    .outerjoin(Plan, Plan.id == PlanVersion.plan_id)
    .subquery("c")
)  # fmt: skip


class LineRow(Base):
    """One commission line as lists show it; read only."""

    __table__ = _ROWS
    __mapper_args__: dict[str, Any] = {"primary_key": [_ROWS.c.ref]}  # noqa: RUF012 - as SQLAlchemy reads it


def own(actor: Actor) -> sa.ColumnElement[bool]:
    """Return which lines the actor sees: all, or those of its own subtree of agents."""
    if actor.scope is Scope.ALL:
        return sa.true()
    if actor.scope is not Scope.AGENT or actor.party_id is None:
        return sa.false()
    below = sa.select(AgentClosure.descendant_id).where(AgentClosure.ancestor_id == actor.party_id)
    return _ROWS.c.agent_id.in_(below)


def of_whose(actor: Actor, which: str) -> sa.ColumnElement[bool]:
    """Return the clause "earned by the actor itself" (`own`) or "by the agents below it" (`below`)."""
    if actor.scope is not Scope.AGENT or actor.party_id is None:
        return sa.false()
    return _ROWS.c.agent_id == actor.party_id if which == "own" else _ROWS.c.agent_id != actor.party_id


def in_states(states: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the clause "in one of these states", by the kept state, which has an index; held are agents."""
    kept, held = _ROWS.c.kept_state, _ROWS.c.agent_id.in_(sa.select(Agent.party_id).where(Agent.held))
    free = sa.and_(kept.in_([each for each in states if each != "held"]), sa.or_(kept.not_in(UNPAID), sa.not_(held)))
    return sa.or_(free, sa.and_(kept.in_(UNPAID), held)) if "held" in states else free


def of_merchant(code: str) -> sa.ColumnElement[bool]:
    """Return the clause "earned on orders of the merchant with that code"."""
    return _ROWS.c.merchant == code


def of_order(ref: str) -> sa.ColumnElement[bool]:
    """Return the clause "earned on the order with that ref"."""
    return _ROWS.c.order_id == sa.select(_orders.c.id).where(_orders.c.ref == ref).scalar_subquery()


def of_plan(code: str) -> sa.ColumnElement[bool]:
    """Return the clause "earned by any version of the plan with that code"."""
    versions = sa.select(PlanVersion.id).join(Plan, Plan.id == PlanVersion.plan_id).where(Plan.code == code)
    return _ROWS.c.plan_version_id.in_(versions)


def of_version(number: str) -> sa.ColumnElement[bool]:
    """Return the clause "earned by the version with that number, in digits, of whichever plan"."""
    return _ROWS.c.plan_version_id.in_(sa.select(PlanVersion.id).where(PlanVersion.version == int(number)))
