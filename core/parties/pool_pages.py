"""What a pool's page shows beside its row: who may use it, which accounts serve it, and which could."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core import clock
from core.actor import Right
from core.db import reading
from core.parties import days

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

MOST: Final = 200


class AdmittedMerchant(NamedTuple):
    """A merchant that may use the pool."""

    ref: str
    code: str
    name: str
    state: str


class ServingAccount(NamedTuple):
    """A bank account that serves the pool, whose it is, and what is used of its limits today (UTC)."""

    bank_ref: str
    bank: str
    masked: str
    bank_state: str
    acceptor_ref: str
    acceptor: str
    status: str
    open_orders: int
    open_limit: int
    day: days.Day
    matchable: bool


class Fitting(NamedTuple):
    """A bank account that could join the pool: an acceptor's, in use, and in no pool."""

    ref: str
    acceptor: str
    bank: str
    masked: str


class FeeVersion(NamedTuple):
    """A version of a fee schedule: which, since when, by whom asked and approved."""

    code: str
    version: int
    effective_from: datetime


_MERCHANTS = """
select p.ref, p.code, p.name, p.state from pool_merchant x join pool l on l.id = x.pool_id
  join party p on p.id = x.merchant_id where l.ref = %s order by p.code limit %s
"""
_ACCOUNTS = """
select b.ref, b.bank, b.masked, b.state, p.ref, p.code,
       case when p.state <> 'active' then p.state when c.paused <> '' then 'paused'
            when c.online and c.silent then 'silent' when c.online then 'online' else 'offline' end,
       o.open_orders, a.open_limit, case when o.day = %s then o.day_units else 0 end, a.day_limit_units,
       a.matchable, l.currency
  from pool_account a join pool l on l.id = a.pool_id join bank_account b on b.id = a.bank_account_id
  join party p on p.id = a.acceptor_id join acceptor c on c.party_id = p.id
  left join pool_account_load o on o.pool_account_id = a.id
 where l.ref = %s and a.left_at is null order by p.code, b.ref limit %s
"""
_FITTING = """
select b.ref, p.code, b.bank, b.masked from pool l
  join bank_account b on b.currency = l.currency and b.method = l.method and b.state = 'active'
  join party p on p.id = b.party_id and p.kind = 'acceptor' and p.state = 'active'
 where l.ref = %s and not exists (select 1 from pool_account a where a.bank_account_id = b.id and a.left_at is null)
 order by p.code, b.ref limit %s
"""
_FEES = """
select distinct on (code) code, version, effective_from from fee_schedule where effective_from <= %s
   and withdrawn_at is null order by code, version desc
"""


def merchants(actor: Actor, ref: str) -> list[AdmittedMerchant]:
    """Return the merchants that may use a pool. Raises Forbidden."""
    actor.must(Right.SEE_POOLS)
    with reading() as tx:
        return [AdmittedMerchant(*row) for row in tx.rows(_MERCHANTS, (ref, MOST))]


def accounts(actor: Actor, ref: str) -> list[ServingAccount]:
    """Return the bank accounts that serve a pool. Raises Forbidden."""
    actor.must(Right.SEE_POOLS)
    with reading() as tx:
        rows = tx.rows(_ACCOUNTS, (clock.now().date(), ref, MOST))
    return [ServingAccount._make((*row[:9], days.day(row[12], row[9], row[10]), row[11])) for row in rows]


def fitting(actor: Actor, ref: str) -> list[Fitting]:
    """Return the bank accounts that could join a pool now. Raises Forbidden."""
    actor.must(Right.SEE_POOLS)
    with reading() as tx:
        return [Fitting(*row) for row in tx.rows(_FITTING, (ref, MOST))]


def fees(actor: Actor) -> list[FeeVersion]:
    """Return the fee schedules by code, each in the version in force. Raises Forbidden."""
    actor.must(Right.SEE_POOLS)
    with reading() as tx:
        return [FeeVersion(*row) for row in tx.rows(_FEES, (clock.now(),))]
