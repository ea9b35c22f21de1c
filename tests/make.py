"""Builders: a small market that works, made through the public commands only."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from core.actor import Actor, Right, Scope, system
from core.db import reading, transaction
from core.money import USDT, Money, Rate, fiat
from core.parties import acceptors, agents, bank_accounts, keys, merchants, pools, reserves
from core.pricing import rates
from core.risk import rulesets

numbers = itertools.count(1)

RATES = {"BRL": "5.42", "CNY": "7.11", "VND": "25400", "EUR": "0.92", "USD": "1.001"}
METHODS = {"BRL": "pix", "CNY": "bank", "VND": "bank", "EUR": "sepa", "USD": "bank"}
COUNTRIES = {"BRL": "BR", "CNY": "CN", "VND": "VN", "EUR": "DE", "USD": "US"}
NAMES = (
    "Joao Silva",
    "Wei Zhang",
    "Linh Nguyen",
    "Ana Souza",
    "Carlos Lima",
    "Marta Rocha",
    "Paulo Dias",
    "Rui Melo",
)


class Acceptor(NamedTuple):
    """A funded acceptor online, with one bank account in the market's pool."""

    id: int
    ref: str
    code: str
    name: str
    actor: Actor
    bank_account: str
    pool_account: int


class Market(NamedTuple):
    """One merchant, one pool, its acceptors; agents from the merchant's own up to the root."""

    merchant: Actor
    merchant_ref: str
    merchant_code: str
    pool_ref: str
    currency: str
    method: str
    acceptors: list[Acceptor]
    agents: list[str]


def market(
    n: int = 3,
    *,
    currency: str = "BRL",
    reserve: str = "10000",
    levels: int = 0,
    policy: str = "uniform_random",
    min_reserve: str = "1",
    day_limit: str = "100000000",
    open_limit: int = 20,
    quote_seconds: int = 600,
) -> Market:
    """A merchant that may use one open pool with `n` funded acceptors online, and a fresh rate.

    `reserve` is each acceptor's, in USDT; `levels` (0 to 3) is how many agents stand above the merchant.
    """
    method = METHODS[currency]
    with transaction() as tx:
        rulesets.ensure_default(tx)
    pool_ref = pool(currency, policy=policy, min_reserve=min_reserve, quote_seconds=quote_seconds)
    tree = branch(levels)
    code = f"shop{next(numbers)}"
    ref = merchants.create(
        system(), code, f"Shop {code}", country=COUNTRIES[currency], agent_ref=tree[0] if tree else None
    )
    pools.admit(system(), pool_ref, ref)
    rate(currency)
    crowd = [
        acceptor(pool_ref, currency=currency, reserve=reserve, day_limit=day_limit, open_limit=open_limit)
        for _ in range(n)
    ]
    return Market(merchant_actor(ref), ref, code, pool_ref, currency, method, crowd, tree)


def pool(
    currency: str = "BRL",
    *,
    policy: str = "uniform_random",
    min_reserve: str = "1",
    quote_seconds: int = 600,
) -> str:
    """An open pool for amounts from 1 to 1,000,000,000; returns its ref."""
    asset = fiat(currency)
    return pools.create(
        system(),
        f"pool{next(numbers)}",
        currency,
        METHODS[currency],
        "standard",
        policy,
        min_fiat=Money.parse("1", asset),
        max_fiat=Money.parse("1000000000", asset),
        min_reserve=Money.parse(min_reserve, USDT, allow_zero=True),
        quote_seconds=quote_seconds,
    )


def acceptor(
    pool_ref: str,
    *,
    currency: str = "BRL",
    reserve: str = "10000",
    day_limit: str = "100000000",
    open_limit: int = 20,
    online: bool = True,
) -> Acceptor:
    """An acceptor with a bank account in the pool, its reserve topped up, online."""
    number = next(numbers)
    code, name = f"acceptor{number}", NAMES[number % len(NAMES)]
    ref = acceptors.create(system(), code, name, country=COUNTRIES[currency])
    account = bank_account(ref, name, currency=currency)
    limit = Money.parse(day_limit, fiat(currency))
    pool_account = pools.join(system(), pool_ref, account, open_limit=open_limit, day_limit=limit)
    units = Money.parse(reserve, USDT, allow_zero=True)
    if units:
        top_up(ref, units, f"first-{number}")
    actor = acceptor_actor(ref)
    if online:
        acceptors.set_online(actor, ref, online=True)
    return Acceptor(actor.party_id or 0, ref, code, name, actor, account, pool_account)


def top_up(ref: str, amount: Money, key: str) -> str:
    """Book what has arrived for an acceptor's reserve, by two people; returns the entry's ref."""
    request = reserves.ask(system("asks"), ref, amount, key, "has arrived")
    return reserves.decide(system("approves"), request, approve=True, why="seen in custody") or ""


def bank_account(party_ref: str, holder: str, *, currency: str = "BRL") -> str:
    """A bank account of a party with a number of its own; returns its ref."""
    number = f"{next(numbers):012d}"
    return bank_accounts.add(system(), party_ref, "Banco Um", holder, number, currency, METHODS[currency])


def branch(levels: int) -> list[str]:
    """Agents in one line; returns their refs from the lowest up to the root."""
    plans = ("country", "regional", "direct")[3 - levels :] if levels else ()
    line: list[str] = []
    for plan in plans:
        number = next(numbers)
        parent = line[0] if line else None
        line.insert(0, agents.create(system(), f"agent{number}", f"Agent {number}", plan=plan, parent_ref=parent))
    return line


def rate(currency: str, price: str = "") -> None:
    """A rate for the currency, observed now."""
    with transaction() as tx:
        rates.observe(tx, currency, Rate.parse(price or RATES[currency], fiat(currency)), "test")


def merchant_actor(ref: str) -> Actor:
    """The actor that a merchant's API key gives."""
    return party_actor(ref, "merchant")


def acceptor_actor(ref: str) -> Actor:
    """The actor that an acceptor's API key gives."""
    return party_actor(ref, "acceptor")


def party_actor(ref: str, kind: str) -> Actor:
    with reading() as tx:
        number = tx.call("select id from party where ref = %s and kind = %s", (ref, kind))
    return Actor(name=ref, role=kind, scope=Scope(kind), party_id=number, rights=keys.RIGHTS[kind])


def person(role: str, *rights: Right) -> Actor:
    """Somebody who sees all rows and has these rights only."""
    return Actor(name=f"{role}{next(numbers)}", role=role, scope=Scope.ALL, user_id=1, rights=frozenset(rights))
