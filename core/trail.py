"""The audit trail as lists read it: one row each, found by who, what, about what and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class AuditRow(Base):
    """One row of the trail; only `core.audit` and the orders' own steps write it, nobody changes it."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    booked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor: Mapped[str]
    role: Mapped[str]
    user_id: Mapped[int | None]
    action: Mapped[str]
    subject: Mapped[str]
    order_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    details: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    trace_id: Mapped[str]


_orders = sa.table("orders", sa.column("id", BigInteger), sa.column("ref", sa.Text))


def about(subject: str) -> sa.ColumnElement[bool]:
    """Return the clause "about what has that ref"; an order's whole timeline belongs to it.

    Each way of naming a subject has its own index: looked up one by one, not in one condition with "or".
    """
    number = sa.select(AuditRow.id)
    order = sa.select(_orders.c.id).where(_orders.c.ref == subject).scalar_subquery()
    ways = (
        number.where(AuditRow.to_state.is_(None), AuditRow.subject == subject),
        number.where(AuditRow.order_id == order),
    )
    return AuditRow.id.in_(sa.union_all(*ways))
