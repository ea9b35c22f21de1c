"""The table of commission lines as an ORM class, for reading; the release of an order writes them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CommissionLine(Base):
    """What one agent earned on one order, with the plan version and rate that were frozen at its opening."""

    __tablename__ = "commission_line"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ref: Mapped[str] = mapped_column(Text)
    order_id: Mapped[int] = mapped_column(BigInteger)
    agent_id: Mapped[int] = mapped_column(BigInteger)
    level: Mapped[int] = mapped_column(SmallInteger)
    plan_version_id: Mapped[int] = mapped_column(BigInteger)
    own_bps: Mapped[int] = mapped_column(Integer)
    rate_bps: Mapped[int] = mapped_column(Integer)
    base_units: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    below_bps: Mapped[int] = mapped_column(Integer)
    period: Mapped[str] = mapped_column(Text)
    accrued_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
