"""The tables of parties, their accounts and pools, as classes for lists and screens."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base

Number = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
Units = Annotated[int, mapped_column(BigInteger)]
Small = Annotated[int, mapped_column(SmallInteger)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Party(Base):
    """A merchant, acceptor or agent: what all three have."""

    __tablename__ = "party"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    country: Mapped[str]
    kyc_level: Mapped[Small]
    state: Mapped[str]
    created_at: Mapped[Moment]


class Plan(Base):
    """A commission plan; its terms are in its versions."""

    __tablename__ = "plan"
    id: Mapped[Number]
    code: Mapped[str] = mapped_column(unique=True)


class PlanVersion(Base):
    """The terms of a plan from a moment on; never changed, but for a withdrawal before that moment."""

    __tablename__ = "plan_version"
    id: Mapped[Number]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    version: Mapped[int]
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    effective_from: Mapped[Moment]
    requested_by: Mapped[int | None]
    approved_by: Mapped[int | None]
    created_at: Mapped[Moment]
    withdrawn_at: Mapped[Moment | None]
    plan: Mapped[Plan] = relationship(viewonly=True)


class Agent(Base):
    """A referrer's place in the tree; `depth` 1 is a root."""

    __tablename__ = "agent"
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id"), primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.party_id"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    depth: Mapped[Small]
    held: Mapped[bool]
    party: Mapped[Party] = relationship(viewonly=True, lazy="joined")
    plan: Mapped[Plan] = relationship(viewonly=True)
    parent: Mapped[Agent | None] = relationship(viewonly=True, remote_side=[party_id])


class AgentClosure(Base):
    """Every pair of an agent and one below it (itself at distance 0)."""

    __tablename__ = "agent_closure"
    ancestor_id: Mapped[int] = mapped_column(ForeignKey("agent.party_id"), primary_key=True)
    descendant_id: Mapped[int] = mapped_column(ForeignKey("agent.party_id"), primary_key=True)
    distance: Mapped[Small]


class Merchant(Base):
    """A platform or shop that needs payments, and who referred it."""

    __tablename__ = "merchant"
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id"), primary_key=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.party_id"))
    volume_30d_units: Mapped[Units]
    party: Mapped[Party] = relationship(viewonly=True, lazy="joined")
    agent: Mapped[Agent | None] = relationship(viewonly=True)


class Acceptor(Base):
    """A liquidity provider: whether it takes orders now, and why not."""

    __tablename__ = "acceptor"
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id"), primary_key=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.party_id"))
    online: Mapped[bool]
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    beat_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    silent: Mapped[bool]
    paused: Mapped[str]
    party: Mapped[Party] = relationship(viewonly=True, lazy="joined")
    agent: Mapped[Agent | None] = relationship(viewonly=True)


class Customer(Base):
    """A merchant's end user, as the merchant knows it."""

    __tablename__ = "customer"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.party_id"))
    external_id: Mapped[str]
    verified_name: Mapped[str]
    country: Mapped[str]
    kyc_level: Mapped[Small]
    state: Mapped[str]
    created_at: Mapped[Moment]
    merchant: Mapped[Merchant] = relationship(viewonly=True)


class PayerAccount(Base):
    """An account customers pay from: sealed, found by its blind index, shown masked."""

    __tablename__ = "payer_account"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    blind: Mapped[bytes] = mapped_column(unique=True)
    sealed: Mapped[bytes]
    masked: Mapped[str]
    first_seen_at: Mapped[Moment]
    listed: Mapped[str]


class BankAccount(Base):
    """A party's own bank account: sealed, found by its blind index, shown masked."""

    __tablename__ = "bank_account"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    bank: Mapped[str]
    holder: Mapped[str]
    currency: Mapped[str]
    method: Mapped[str]
    blind: Mapped[bytes]
    sealed: Mapped[bytes]
    masked: Mapped[str]
    state: Mapped[str]
    frozen_why: Mapped[str]
    created_at: Mapped[Moment]
    party: Mapped[Party] = relationship(viewonly=True)


class WithdrawalAccount(Base):
    """Which one of its bank accounts a party is paid out to."""

    __tablename__ = "withdrawal_account"
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id"), primary_key=True)
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_account.id"))
    designated_at: Mapped[Moment]


class Pool(Base):
    """A group of acceptors' bank accounts with one currency, method, fee schedule and matching policy."""

    __tablename__ = "pool"
    id: Mapped[Number]
    ref: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str]
    method: Mapped[str]
    fee_code: Mapped[str]
    policy: Mapped[str]
    policy_version: Mapped[int]
    places: Mapped[int]
    min_fiat_units: Mapped[Units]
    max_fiat_units: Mapped[Units]
    min_reserve_units: Mapped[Units]
    pay_seconds: Mapped[int]
    confirm_seconds: Mapped[int]
    silent_seconds: Mapped[int]
    quote_seconds: Mapped[int]
    state: Mapped[str]
    created_at: Mapped[Moment]


class PoolMerchant(Base):
    """A merchant that may use a pool."""

    __tablename__ = "pool_merchant"
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.party_id"), primary_key=True)


class PoolAccount(Base):
    """One bank account of an acceptor that serves a pool, with its limits."""

    __tablename__ = "pool_account"
    id: Mapped[Number]
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    acceptor_id: Mapped[int] = mapped_column(ForeignKey("acceptor.party_id"))
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_account.id"), unique=True)
    account_id: Mapped[Units]
    place: Mapped[int | None]
    weight: Mapped[int]
    open_limit: Mapped[int]
    day_limit_units: Mapped[Units]
    matchable: Mapped[bool]
    left_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    pool: Mapped[Pool] = relationship(viewonly=True)
    bank_account: Mapped[BankAccount] = relationship(viewonly=True)
    load: Mapped[PoolAccountLoad] = relationship(viewonly=True)


class PoolAccountLoad(Base):
    """What is reserved of a pool account's limits: open orders, and the fiat of `day`."""

    __tablename__ = "pool_account_load"
    pool_account_id: Mapped[int] = mapped_column(ForeignKey("pool_account.id"), primary_key=True)
    open_orders: Mapped[int]
    day: Mapped[date]
    day_units: Mapped[Units]
