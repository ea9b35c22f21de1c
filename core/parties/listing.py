"""Lists of merchants, acceptors and bank accounts: the row a list shows, and which rows are the actor's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core import clock
from core.actor import Actor, Right, Scope
from core.db import Base
from core.parties.tables import (
    Acceptor,
    AgentClosure,
    BankAccount,
    Merchant,
    Party,
    Pool,
    PoolAccount,
    PoolAccountLoad,
    PoolMerchant,
    WithdrawalAccount,
)

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import Subquery

MONTH: Final = timedelta(days=30)
"""Volumes and rates of a list are those of the 30 days before now."""


def _month_ago() -> datetime:
    return clock.now() - MONTH


_since = sa.bindparam("month_ago", callable_=_month_ago, type_=sa.DateTime(timezone=True))
_ENDS: Final = ("completed", "expired", "cancelled", "refused", "refunded", "no_liquidity")
_COUNTED: Final = ("created", "matched", *_ENDS, "usdt_units")
_hours = sa.table(
    "rollup_hour",
    *(sa.column(name, sa.BigInteger) for name in (*_COUNTED, "merchant_id", "acceptor_id")),
    sa.column("hour", sa.DateTime(timezone=True)),
)
_orders = sa.table(
    "orders",
    sa.column("merchant_id", sa.BigInteger),
    sa.column("acceptor_id", sa.BigInteger),
    sa.column("created_at", sa.DateTime(timezone=True)),
)
_account = sa.table(
    "ledger_account",
    *(sa.column(name, sa.BigInteger) for name in ("id", "party_id", "available", "escrow", "held")),
    sa.column("asset", sa.Text),
    sa.column("folded"),
)
_leg = sa.table(
    "journal_leg", sa.column("account_id", sa.BigInteger), sa.column("units", sa.BigInteger), sa.column("xid")
)


def _month(party: str) -> Subquery:
    """Return the sums of the last 30 days by merchant or acceptor; left out where no column of it is read."""
    sums = (sa.cast(sa.func.sum(_hours.c[name]), sa.BigInteger).label(name) for name in _COUNTED)
    number = _hours.c[party].label("party_id")
    return sa.select(number, *sums).where(_hours.c.hour >= _since).group_by(number).subquery()


def _last_order(party: str) -> sa.ScalarSelect[Any]:
    newest = sa.select(_orders.c.created_at).where(_orders.c[party] == Party.id)
    return newest.order_by(_orders.c.created_at.desc()).limit(1).correlate(Party).scalar_subquery()


def _units(amount: Any) -> Any:
    return sa.cast(sa.func.coalesce(amount, 0), sa.BigInteger)


# Credits that wait to be folded belong to what an account holds: the same sum as in v_balances.
_waiting = (
    sa.select(_units(sa.func.sum(_leg.c.units)))
    .where(_leg.c.account_id == _account.c.id, sa.func.leg_waits(_leg.c.xid, _account.c.folded))
    .correlate(_account)
    .scalar_subquery()
)
_agent = aliased(Party)
_by_merchant, _by_acceptor = _month("merchant_id"), _month("acceptor_id")
_matched_by_all = sa.select(sa.func.sum(_hours.c.matched)).where(_hours.c.hour >= _since, _hours.c.acceptor_id != 0)


def _ended(month: Subquery) -> Any:
    """Return how many orders ended: conversion is of these, as those still open have neither come nor gone."""
    return sum((month.c[name] for name in _ENDS[1:]), month.c[_ENDS[0]])


def _bps(part: Any, whole: Any) -> Any:
    """Return a share in basis points, nothing of nothing; what began before the window makes no share above all."""
    return sa.case((whole > 0, sa.cast(sa.func.least(part * 10_000 / whole, 10_000), sa.Integer)))


_MERCHANTS: Final = (
    sa.select(
        Party.id, Party.ref, Party.code, Party.name, Party.state, Party.country, Party.kyc_level, Party.created_at,
        Merchant.agent_id, _agent.code.label("agent"),
        (_account.c.available + _waiting).label("balance_units"),
        _units(_by_merchant.c.usdt_units).label("volume_units"), _units(_by_merchant.c.created).label("created_30d"),
        _units(_by_merchant.c.completed).label("completed_30d"),
        _units(_ended(_by_merchant)).label("ended_30d"),
        _bps(_by_merchant.c.completed, _ended(_by_merchant)).label("conversion_bps"),
        _last_order("merchant_id").label("last_order_at"),
    )
    .select_from(Party)
    .join(Merchant, Merchant.party_id == Party.id)
    .outerjoin(_agent, _agent.id == Merchant.agent_id)
    .outerjoin(_account, sa.and_(_account.c.party_id == Party.id, _account.c.asset == "USDT"))
    .outerjoin(_by_merchant, _by_merchant.c.party_id == Party.id)
    .subquery("m")
)  # fmt: skip


class MerchantRow(Base):
    """One merchant as lists show it: its balance now, what it did in 30 days; read only."""

    __table__ = _MERCHANTS
    __mapper_args__: dict[str, Any] = {"primary_key": [_MERCHANTS.c.ref]}  # noqa: RUF012 - as SQLAlchemy reads it


def _load(column: Any) -> Any:
    slots = sa.select(_units(sa.func.sum(column))).select_from(PoolAccount)
    joined = slots.join(PoolAccountLoad, PoolAccountLoad.pool_account_id == PoolAccount.id)
    return (
        joined.where(PoolAccount.acceptor_id == Party.id, PoolAccount.left_at.is_(None))
        .correlate(Party)
        .scalar_subquery()
    )


_STATUS = sa.case(
    (Party.state != "active", Party.state),
    (Acceptor.paused != "", "paused"),
    (Acceptor.online & Acceptor.silent, "silent"),
    (Acceptor.online, "online"),
    else_="offline",
)
_ACCEPTORS: Final = (
    sa.select(
        Party.id, Party.ref, Party.code, Party.name, Party.state, Party.country, Party.kyc_level, Party.created_at,
        Acceptor.agent_id, _agent.code.label("agent"), Acceptor.online, Acceptor.paused, Acceptor.seen_at,
        _STATUS.label("status"),
        (_account.c.available + _waiting).label("reserve_units"), _account.c.escrow.label("escrow_units"),
        _account.c.held.label("held_units"),
        _load(PoolAccountLoad.open_orders).label("open_orders"), _load(PoolAccount.open_limit).label("open_limit"),
        _units(_by_acceptor.c.usdt_units).label("volume_units"), _units(_by_acceptor.c.matched).label("matched_30d"),
        _units(_by_acceptor.c.completed).label("completed_30d"), _units(_by_acceptor.c.refunded).label("refunded_30d"),
        # Of what has ended: an order that is paid and waits is no failure.
        _bps(_by_acceptor.c.completed, _by_acceptor.c.completed + _by_acceptor.c.refunded).label("success_bps"),
        _bps(_by_acceptor.c.matched, _matched_by_all.scalar_subquery()).label("share_bps"),
        _last_order("acceptor_id").label("last_order_at"),
    )
    .select_from(Party)
    .join(Acceptor, Acceptor.party_id == Party.id)
    .outerjoin(_agent, _agent.id == Acceptor.agent_id)
    .outerjoin(_account, sa.and_(_account.c.party_id == Party.id, _account.c.asset == "USDT"))
    .outerjoin(_by_acceptor, _by_acceptor.c.party_id == Party.id)
    .subquery("a")
)  # fmt: skip


class AcceptorRow(Base):
    """One acceptor as lists show it: its three pockets, its load, what it did in 30 days; read only."""

    __table__ = _ACCEPTORS
    __mapper_args__: dict[str, Any] = {"primary_key": [_ACCEPTORS.c.ref]}  # noqa: RUF012 - as SQLAlchemy reads it


_BANK_ACCOUNTS: Final = (
    sa.select(
        BankAccount.id, BankAccount.ref, BankAccount.party_id, BankAccount.bank, BankAccount.holder,
        BankAccount.currency, BankAccount.method, BankAccount.masked, BankAccount.state, BankAccount.frozen_why,
        BankAccount.created_at, Party.code.label("party"), Party.ref.label("party_ref"),
        Party.kind.label("party_kind"), Party.name.label("party_name"),
        (WithdrawalAccount.bank_account_id == BankAccount.id).label("withdrawal"),
        Pool.code.label("pool"), PoolAccount.id.label("pool_account_id"),
    )
    .join(Party, Party.id == BankAccount.party_id)
    .outerjoin(WithdrawalAccount, WithdrawalAccount.party_id == BankAccount.party_id)
    .outerjoin(PoolAccount, sa.and_(PoolAccount.bank_account_id == BankAccount.id, PoolAccount.left_at.is_(None)))
    .outerjoin(Pool, Pool.id == PoolAccount.pool_id)
    .subquery("b")
)  # fmt: skip


class BankAccountRow(Base):
    """One bank account as lists show it, its number masked; read only."""

    __table__ = _BANK_ACCOUNTS
    __mapper_args__: dict[str, Any] = {"primary_key": [_BANK_ACCOUNTS.c.ref]}  # noqa: RUF012 - as SQLAlchemy reads it


def _in_pool(number: Any, *clauses: Any) -> Any:
    of_pool = (
        sa.select(number)
        .select_from(PoolAccount)
        .where(PoolAccount.pool_id == Pool.id, PoolAccount.left_at.is_(None), *clauses)
    )
    return of_pool.correlate(Pool).scalar_subquery()


_POOLS: Final = sa.select(
    *(
        getattr(Pool, name)
        for name in (
            "id", "ref", "code", "currency", "method", "fee_code", "policy", "policy_version", "min_fiat_units",
            "max_fiat_units", "min_reserve_units", "pay_seconds", "confirm_seconds", "quote_seconds", "silent_seconds",
            "state", "created_at",
        )
    ),
    sa.select(sa.func.count())
    .select_from(PoolMerchant)
    .where(PoolMerchant.pool_id == Pool.id)
    .correlate(Pool)
    .scalar_subquery()
    .label("merchants"),
    _in_pool(sa.func.count()).label("accounts"),
    _in_pool(sa.func.count(), PoolAccount.matchable, Pool.state == "open").label("matchable"),
).subquery("l")  # fmt: skip


class PoolRow(Base):
    """One pool as lists show it: what it takes and how it matches, who may use it, who serves it; read only."""

    __table__ = _POOLS
    __mapper_args__: dict[str, Any] = {"primary_key": [_POOLS.c.ref]}  # noqa: RUF012 - as SQLAlchemy reads it


def own_merchants(actor: Actor) -> sa.ColumnElement[bool]:
    """Return which merchants the actor sees: all, itself, or those its subtree of agents refers."""
    return _own(actor, _MERCHANTS.c, Scope.MERCHANT)


def own_acceptors(actor: Actor) -> sa.ColumnElement[bool]:
    """Return which acceptors the actor sees: all, itself, or those its subtree of agents refers."""
    return _own(actor, _ACCEPTORS.c, Scope.ACCEPTOR)


def own_bank_accounts(actor: Actor) -> sa.ColumnElement[bool]:
    """Return which bank accounts the actor sees: all, or those of its own party."""
    if actor.scope is Scope.ALL:
        return sa.true()
    if actor.party_id is None or actor.scope not in {Scope.MERCHANT, Scope.ACCEPTOR}:
        return sa.false()
    return _BANK_ACCOUNTS.c.party_id == actor.party_id


def of_party(row: Any, kind: str, code: str) -> sa.ColumnElement[bool]:
    """Return the clause "of the merchant, acceptor or (directly) agent with that code".

    `row` is a mapped row that has the parties' numbers, such as `merchant_id`.
    """
    number = sa.select(Party.id).where(Party.kind == kind, Party.code == code).scalar_subquery()
    found: sa.ColumnElement[bool] = row.__table__.c[f"{kind}_id"] == number
    return found


def sees_balances(actor: Actor) -> bool:
    """Return whether the actor may see what others hold: agents see volumes, not other people's money."""
    return actor.may(Right.SEE_BALANCE) and actor.scope is not Scope.AGENT


def _own(actor: Actor, columns: Any, itself: Scope) -> sa.ColumnElement[bool]:
    if actor.scope is Scope.ALL:
        return sa.true()
    if actor.party_id is None:
        return sa.false()
    if actor.scope is itself:
        mine: sa.ColumnElement[bool] = columns.id == actor.party_id
        return mine
    if actor.scope is Scope.AGENT:
        below = sa.select(AgentClosure.descendant_id).where(AgentClosure.ancestor_id == actor.party_id)
        referred: sa.ColumnElement[bool] = columns.agent_id.in_(below)
        return referred
    return sa.false()
