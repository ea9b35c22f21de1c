"""The tables of prices, as classes for lists and screens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

Number = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
Units = Annotated[int, mapped_column(BigInteger)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class FeeSchedule(Base):
    """One version of a fee schedule; never changed."""

    __tablename__ = "fee_schedule"
    id: Mapped[Number]
    code: Mapped[str]
    version: Mapped[int]
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    effective_from: Mapped[Moment]
    requested_by: Mapped[int | None]
    approved_by: Mapped[int | None]
    created_at: Mapped[Moment]


class RateRow(Base):
    """A price of one USDT somebody saw, in units of 10⁻⁸ of the currency."""

    __tablename__ = "rate"
    id: Mapped[Number]
    currency: Mapped[str]
    price: Mapped[Units]
    source: Mapped[str]
    observed_at: Mapped[Moment]


class Quote(Base):
    """A frozen price with every line of its fee."""

    __tablename__ = "quote"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.party_id"))
    kind: Mapped[str]
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    fee_schedule_id: Mapped[int] = mapped_column(ForeignKey("fee_schedule.id"))
    currency: Mapped[str]
    fiat_units: Mapped[Units]
    rate_price: Mapped[Units]
    usdt_units: Mapped[Units]
    fee_units: Mapped[Units]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
