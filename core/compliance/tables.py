"""The tables an officer works on, as classes for lists and screens; only SQL of the commands writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base

Number = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
Big = Annotated[int, mapped_column(BigInteger)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Ruleset(Base):
    """A version of the rules' parameters; never changed but for its state."""

    __tablename__ = "ruleset"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int]
    state: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    requested_by: Mapped[str]
    approved_by: Mapped[str | None]
    effective_from: Mapped[Moment]
    created_at: Mapped[Moment]


class Evaluation(Base):
    """What a gate saw of an order and what the rules said."""

    __tablename__ = "evaluation"
    id: Mapped[Number]
    order_id: Mapped[Big]
    gate: Mapped[str]
    ruleset_id: Mapped[int | None] = mapped_column(ForeignKey("ruleset.id"))
    verdict: Mapped[str]
    score: Mapped[int]
    features: Mapped[dict[str, Any]] = mapped_column(JSON)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    at: Mapped[Moment]
    ruleset: Mapped[Ruleset | None] = relationship(viewonly=True)


class Alert(Base):
    """A rule that fired on an order and wants an officer's judgement."""

    __tablename__ = "alert"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[Big]
    evaluation_id: Mapped[int | None] = mapped_column(ForeignKey("evaluation.id"))
    gate: Mapped[str]
    rule: Mapped[str]
    ruleset_id: Mapped[int | None] = mapped_column(ForeignKey("ruleset.id"))
    verdict: Mapped[str]
    score: Mapped[int]
    reason: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    disposition: Mapped[str]
    outcome: Mapped[str]
    narrative: Mapped[str]
    case_ref: Mapped[str | None]
    locked_by: Mapped[str | None]
    locked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    raised_at: Mapped[Moment]
    due_at: Mapped[Moment]
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_by: Mapped[str | None]
    proposed_by: Mapped[str | None]
    proposed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    confirmed_why: Mapped[str]
    evaluation: Mapped[Evaluation | None] = relationship(viewonly=True)


class Hold(Base):
    """A part of an acceptor's escrow that compliance keeps back; open until it is closed."""

    __tablename__ = "hold"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[Big]
    account_id: Mapped[Big]
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alert.id"))
    units: Mapped[Big]
    opened_at: Mapped[Moment]
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str]
    alert: Mapped[Alert | None] = relationship(viewonly=True)
