"""The rollup tables as ORM classes, for reading; only `core.analytics.rollup` writes them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class RollupHour(Base):
    """Orders counted by hour (UTC), kind, currency, pool, merchant, acceptor and agent (0: none)."""

    __tablename__ = "rollup_hour"

    hour: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    pool_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    acceptor_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    agent_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created: Mapped[int] = mapped_column(BigInteger)
    matched: Mapped[int] = mapped_column(BigInteger)
    claimed: Mapped[int] = mapped_column(BigInteger)
    completed: Mapped[int] = mapped_column(BigInteger)
    expired: Mapped[int] = mapped_column(BigInteger)
    cancelled: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    refunded: Mapped[int] = mapped_column(BigInteger)
    no_liquidity: Mapped[int] = mapped_column(BigInteger)
    created_usdt_units: Mapped[int] = mapped_column(BigInteger)
    usdt_units: Mapped[int] = mapped_column(BigInteger)
    fiat_units: Mapped[int] = mapped_column(BigInteger)
    fee_units: Mapped[int] = mapped_column(BigInteger)
    settle_seconds: Mapped[int] = mapped_column(BigInteger)


class RollupCommissionDay(Base):
    """Commission lines counted by the UTC day they were earned, agent, level and plan version."""

    __tablename__ = "rollup_commission_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    plan_version_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    lines: Mapped[int] = mapped_column(BigInteger)
    base_units: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[int] = mapped_column(BigInteger)


class RollupCommissionPathDay(Base):
    """Orders that paid commission, each once, by UTC day and the agents and plan versions of their lines."""

    __tablename__ = "rollup_commission_path_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    agents: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), primary_key=True)
    plan_versions: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), primary_key=True)
    orders: Mapped[int] = mapped_column(BigInteger)
    base_units: Mapped[int] = mapped_column(BigInteger)


class RollupAlertDay(Base):
    """Alerts by the UTC day they were raised, rule, verdict, currency, merchant and acceptor (0: none)."""

    __tablename__ = "rollup_alert_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(Text, primary_key=True)
    verdict: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    acceptor_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    raised: Mapped[int] = mapped_column(BigInteger)
    false_positive: Mapped[int] = mapped_column(BigInteger)
    confirmed: Mapped[int] = mapped_column(BigInteger)
    closed: Mapped[int] = mapped_column(BigInteger)
    decide_seconds: Mapped[int] = mapped_column(BigInteger)


class RollupAlertOrder(Base):
    """Orders with alerts, each once, by days and rules of its alerts, currency, merchant and acceptor (0: none)."""

    __tablename__ = "rollup_alert_order"

    days: Mapped[list[date]] = mapped_column(ARRAY(Date), primary_key=True)
    rules: Mapped[list[str]] = mapped_column(ARRAY(Text), primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    acceptor_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    orders: Mapped[int] = mapped_column(BigInteger)
    usdt_units: Mapped[int] = mapped_column(BigInteger)
