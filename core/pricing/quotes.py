"""Quotes: a price frozen for some minutes, with every line of its fee."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import clock, ids
from core.actor import Right, Scope
from core.db import transaction
from core.errors import BadAmount, BadInput, Barred, Conflict, Frozen, NotFound
from core.money import Asset, Money, Rate, asset, fiat
from core.pricing import fees, rates, schedules

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

KINDS: Final = ("deposit",)
"""What is quoted."""

_POOLS = """
select l.id, l.ref, l.method, l.fee_code, l.min_fiat_units, l.max_fiat_units, l.quote_seconds
  from pool l join pool_merchant pm on pm.pool_id = l.id and pm.merchant_id = %s
 where l.currency = %s and l.state = 'open' and (%s::text is null or l.method = %s)
 order by l.id
"""
_STORE = """
insert into quote (ref, merchant_id, kind, pool_id, fee_schedule_id, currency, fiat_units, rate_price,
                   usdt_units, fee_units, lines, created_at, expires_at, margin_units, spread_units, bare_price,
                   volume_units)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s)
"""


class QuoteLine(NamedTuple):
    """One line of a quote; `bps` is what it was reckoned with, `note` says it in English.

    Each is part of the fee but the acceptor's spread, which is in the rate.
    """

    code: str
    amount: Money
    bps: int
    note: str

    @property
    def part_of(self) -> str:
        """What the line is a part of: the "fee" or the "rate"."""
        return "rate" if self.code == fees.SPREAD else "fee"


class QuoteView(NamedTuple):
    """A quote: `usdt` is what `fiat` buys at `rate`, less `fee` (the sum of its `lines`) is `net`."""

    ref: str
    kind: str
    merchant_ref: str
    pool_ref: str
    method: str
    currency: str
    fiat: Money
    usdt: Money
    fee: Money
    net: Money
    rate: Rate
    lines: tuple[QuoteLine, ...]
    created_at: datetime
    expires_at: datetime


class _Merchant(NamedTuple):
    id: int
    ref: str
    state: str
    volume_30d_units: int
    at: datetime


class _Pool(NamedTuple):
    id: int
    ref: str
    method: str
    fee_code: str
    least: int
    most: int
    quote_seconds: int


def quote(
    actor: Actor,
    kind: str,
    currency: Asset | str,
    amount: Money,
    *,
    method: str | None = None,
    merchant_ref: str | None = None,
) -> QuoteView:
    """Freeze a price for `amount` of fiat in an open pool the merchant may use, and return it.

    A merchant quotes for itself; who sees all rows names the merchant. The rate is the present one with the
    schedule's spread, the fee that of the version in force and the merchant's 30-day volume. Raises
    Forbidden, Barred, Frozen for a suspended merchant, NotFound, Conflict for a kind, currency or method
    that is not offered, BadAmount outside the limits or below the fee, Unavailable when no rate is fresh.
    """
    actor.must(Right.OPEN_ORDER)
    if kind not in KINDS:
        raise Conflict(
            f"'{kind[:20]}' is not offered; offered: {', '.join(KINDS)}", kind=kind[:20], offered=list(KINDS)
        )
    paid_in = currency if isinstance(currency, Asset) else fiat(currency)
    if amount.asset != paid_in or amount.units <= 0:
        raise BadAmount(f"the amount is in {paid_in}, above zero", amount=amount.text(), currency=paid_in.code)
    with transaction() as tx:
        merchant = _merchant(tx, actor, merchant_ref)
        pool = _pool(tx, merchant.id, amount, method)
        rate = rates.current(tx, paid_in)
        # The moment it is stored with: what begins between two looks at a clock would be missed by one of them.
        at = merchant.at
        terms = schedules.in_force(tx, pool.fee_code, at)
        priced = fees.price(
            terms.schedule,
            fiat=amount,
            rate=rate,
            volume_30d_units=merchant.volume_30d_units,
            method=pool.method,
        )
        view = QuoteView(
            ref=ids.new("quo"),
            kind=kind,
            merchant_ref=merchant.ref,
            pool_ref=pool.ref,
            method=pool.method,
            currency=paid_in.code,
            fiat=amount,
            usdt=priced.gross,
            fee=priced.fee,
            net=priced.net,
            rate=priced.rate,
            lines=tuple(QuoteLine(line.code, line.amount, line.bps, line.note) for line in priced.shown),
            created_at=at,
            expires_at=at + timedelta(seconds=pool.quote_seconds),
        )
        basis = (priced.margin.units, priced.spread.units, rate.units, merchant.volume_30d_units)
        _store(tx, view, merchant.id, pool.id, terms.id, basis)
    return view


def read_lines(stored: list[dict[str, Any]]) -> tuple[QuoteLine, ...]:
    """Return a quote's lines as they are stored."""
    return tuple(QuoteLine(x["code"], Money(x["units"], asset(x["asset"])), x["bps"], x["note"]) for x in stored)


def _merchant(tx: Transaction, actor: Actor, ref: str | None) -> _Merchant:
    """Return the merchant that asks, and when: by the database's clock, so that all that has begun by then is there."""
    if actor.scope is Scope.ALL and ref is None:
        raise BadInput("say for which merchant", field="merchant")
    rows = tx.rows(
        "select p.id, p.ref, p.state, m.volume_30d_units, coalesce(%s::timestamptz, clock_timestamp())"
        " from merchant m join party p on p.id = m.party_id"
        " where case when %s::text is null then p.id = %s else p.ref = %s end",
        (clock.now() if clock.controlled() else None, ref, actor.party_id, ref),
    )
    if not rows or not actor.owns(merchant_id=rows[0][0]):
        raise NotFound("there is no such merchant", ref=(ref or "")[:40])
    found = _Merchant(*rows[0])
    if found.state == "barred":
        raise Barred("this merchant is barred", ref=found.ref)
    if found.state != "active":
        raise Frozen(f"this merchant is {found.state}: it can make no new orders", ref=found.ref, state=found.state)
    return found


def _pool(tx: Transaction, merchant_id: int, amount: Money, method: str | None) -> _Pool:
    """Return the first pool whose limits hold the amount."""
    pools = [_Pool(*row) for row in tx.rows(_POOLS, (merchant_id, amount.asset.code, method, method))]
    if not pools:
        raise Conflict(
            f"no open pool takes {amount.asset}" + (f" by {method[:40]}" if method else "") + " for this merchant",
            currency=amount.asset.code,
            method=method,
        )
    for pool in pools:
        if pool.least <= amount.units <= pool.most:
            return pool
    least = Money(min(pool.least for pool in pools), amount.asset)
    most = Money(max(pool.most for pool in pools), amount.asset)
    raise BadAmount(
        f"{amount.show()} is outside the limits: {least.show()} to {most.show()}",
        least=least.text(),
        most=most.text(),
        currency=amount.asset.code,
    )


def _store(
    tx: Transaction, view: QuoteView, merchant_id: int, pool_id: int, schedule_id: int, basis: tuple[int, ...]
) -> None:
    """Store a quote; `basis` is margin, spread, bare price and the merchant's volume: what the price follows from."""
    lines = [
        {"code": x.code, "units": x.amount.units, "asset": x.amount.asset.code, "bps": x.bps, "note": x.note}
        for x in view.lines
    ]
    tx.run(
        _STORE,
        (
            view.ref,
            merchant_id,
            view.kind,
            pool_id,
            schedule_id,
            view.currency,
            view.fiat.units,
            view.rate.units,
            view.usdt.units,
            view.fee.units,
            json.dumps(lines),
            view.created_at,
            view.expires_at,
            *basis,
        ),
    )
