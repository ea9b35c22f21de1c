"""The table of orders as a class, for lists and screens; only SQL of the commands writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Identity, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

Number = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
Big = Annotated[int, mapped_column(BigInteger)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Order(Base):
    """One deposit or withdrawal as it stands."""

    __tablename__ = "orders"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    external_ref: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    apart: Mapped[str | None] = mapped_column(Text)
    amount_state: Mapped[str]
    timeliness: Mapped[str]
    dispute_state: Mapped[str]
    risk_state: Mapped[str]
    source: Mapped[str]
    merchant_id: Mapped[Big]
    customer_id: Mapped[Big]
    agent_id: Mapped[int | None] = mapped_column(BigInteger)
    pool_id: Mapped[Big]
    quote_id: Mapped[int | None] = mapped_column(BigInteger)
    acceptor_id: Mapped[int | None] = mapped_column(BigInteger)
    pool_account_id: Mapped[int | None] = mapped_column(BigInteger)
    escrow_account_id: Mapped[int | None] = mapped_column(BigInteger)
    payer_account_id: Mapped[int | None] = mapped_column(BigInteger)
    payer_name: Mapped[str]
    declared_payer_account_id: Mapped[int | None] = mapped_column(BigInteger)
    declared_payer_name: Mapped[str | None]
    currency: Mapped[str]
    fiat_units: Mapped[Big]
    rate_price: Mapped[Big]
    usdt_units: Mapped[Big]
    fee_units: Mapped[Big]
    fee_schedule_id: Mapped[int | None] = mapped_column(BigInteger)
    split: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    received_units: Mapped[int | None] = mapped_column(BigInteger)
    pay_code: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int]
    next_actor: Mapped[str]
    deadline_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Moment]
    matched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    claimed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Waiting(Base):
    """The few orders that wait for somebody, with their deadlines: what "open" asks, at any number of orders."""

    __tablename__ = "order_waiting"
    order_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    deadline_at: Mapped[Moment]
