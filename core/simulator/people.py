"""The cast of the seeded market: who takes part, enrolled, funded and online through the public commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from core.actor import Actor, Right, Scope, system
from core.db import reading, transaction
from core.errors import AlreadyDone
from core.money import USDT, Money, fiat
from core.parties import acceptors, agents, bank_accounts, keys, merchants, pools
from core.risk import rulesets
from core.simulator import names, treasury

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

DEMO_PARTIES: Final = {
    "merchant1": ("merchant", "aurora-games"),
    "merchant2": ("merchant", "bluepeak-travel"),
    "acceptor1": ("acceptor", "acceptor-01"),
    "acceptor2": ("acceptor", "acceptor-02"),
    "agent1": ("agent", "atlas"),
    "agent2": ("agent", "beacon"),
}
"""Which party each demo user signs in for: its kind and code."""

ACCEPTORS: Final = 40
RESERVE: Final = Money(20_000_000_000, USDT)
TOP_UP: Final = Money(15_000_000_000, USDT)
LOW_UNITS: Final = 9_000_000_000
"""A reserve below this is topped up at the next morning."""
_IN_ALL_POOLS: Final = 2
_ROOTS: Final = 3
_MIDDLE: Final = 9


class Corridor(NamedTuple):
    """A currency of the market: how it is paid, by whom, within which limits."""

    currency: str
    country: str
    method: str
    policy: str
    smallest: str
    largest: str
    day_limit: str
    confirm_seconds: int
    zone_hours: int


CORRIDORS: Final = (
    Corridor("BRL", "BR", "pix", "least_loaded", "20", "120000", "2000000", 900, -3),
    Corridor("CNY", "CN", "bank", "uniform_random", "30", "150000", "3000000", 3600, 8),
    Corridor("VND", "VN", "bank", "uniform_random", "100000", "500000000", "9000000000", 3600, 7),
    Corridor("EUR", "DE", "sepa", "least_loaded", "5", "20000", "400000", 7200, 1),
    Corridor("USD", "US", "bank", "uniform_random", "5", "20000", "400000", 3600, -5),
)
"""Limits are of one order, and of one account a day."""


@dataclass(frozen=True, slots=True)
class Party:
    """A party of the cast, with the actor its own key or user would give."""

    id: int
    ref: str
    code: str
    name: str
    country: str
    actor: Actor


class Cast(NamedTuple):
    """Everybody, by what they do; acceptors by the ref of the party."""

    merchants: list[Party]
    acceptors: dict[str, Party]
    agents: list[Party]


def enrol(rng: Random) -> Cast:
    """Enrol whoever is missing of the cast, with pools, bank accounts and reserves; return all of it.

    Running it again on the same database finds everybody and adds nobody.
    """
    with transaction() as tx:
        rulesets.ensure_default(tx)
    tree = _agents()
    pool_refs = {corridor.currency: _pool(corridor) for corridor in CORRIDORS}
    shops = [_merchant(number, tree, list(pool_refs.values())) for number in range(len(names.MERCHANTS))]
    crowd = [_acceptor(rng, number, tree, pool_refs) for number in range(ACCEPTORS)]
    return Cast(shops, {each.ref: each for each in crowd}, tree)


def officer(name: str) -> Actor:
    """Return a compliance officer, as the portal would."""
    rights = {Right.SEE_ORDERS, Right.SEE_ALERTS, Right.DECIDE_ALERT, Right.SEE_LEDGER, Right.REVEAL}
    return Actor(name=name, role="compliance", scope=Scope.ALL, rights=frozenset(rights))


def _agents() -> list[Party]:
    """Three roots on the country plan, nine regional agents below them, the others direct ones below those."""
    line: list[Party] = []
    for number, name in enumerate(names.AGENTS):
        if number < _ROOTS:
            plan, parent = "country", None
        elif number < _ROOTS + _MIDDLE:
            plan, parent = "regional", line[(number - _ROOTS) % _ROOTS]
        else:
            plan, parent = "direct", line[_ROOTS + (number - _ROOTS - _MIDDLE) % _MIDDLE]
        line.append(_enrolled("agent", name.lower(), f"{name} Referrals", "", _creator_of_agent(plan, parent)))
    return line


def _creator_of_agent(plan: str, parent: Party | None) -> Callable[[str, str, str], str]:
    def create(code: str, name: str, country: str) -> str:
        return agents.create(
            system("set-up"), code, name, plan=plan, parent_ref=parent.ref if parent else None, country=country
        )

    return create


def _merchant(number: int, tree: list[Party], pool_refs: list[str]) -> Party:
    code, name, country = names.MERCHANTS[number]
    # The last merchant came on its own; the one before belongs to a regional agent.
    below = _ROOTS + _MIDDLE
    referrer = None if number == len(names.MERCHANTS) - 1 else tree[below + number if number else below]
    if number == len(names.MERCHANTS) - 2:
        referrer = tree[_ROOTS + 1]

    def create(code: str, name: str, country: str) -> str:
        agent_ref = referrer.ref if referrer else None
        return merchants.create(system("set-up"), code, name, country=country, agent_ref=agent_ref, kyc_level=2)

    party = _enrolled("merchant", code, name, country, create)
    for ref in pool_refs:
        try:
            pools.admit(system("set-up"), ref, party.ref)
        except AlreadyDone:
            continue
    return party


def _pool(corridor: Corridor) -> str:
    code = f"{corridor.currency.lower()}-{corridor.method}"
    with reading() as tx:
        known: str | None = tx.call("select ref from pool where code = %s", (code,))
    if known:
        return known
    asset = fiat(corridor.currency)
    return pools.create(
        system("set-up"),
        code,
        corridor.currency,
        corridor.method,
        "standard" if corridor.method == "bank" else "lean",
        corridor.policy,
        min_fiat=Money.parse(corridor.smallest, asset),
        max_fiat=Money.parse(corridor.largest, asset),
        min_reserve=Money(50_000_000, USDT),
        confirm_seconds=corridor.confirm_seconds,
    )


def _acceptor(rng: Random, number: int, tree: list[Party], pool_refs: dict[str, str]) -> Party:
    corridor = CORRIDORS[number % len(CORRIDORS)]
    name = names.person(rng, corridor.country)
    digits = [f"{rng.randrange(10**11):011d}{n}" for n in range(len(CORRIDORS))]

    def create(code: str, name: str, country: str) -> str:
        agent = tree[_ROOTS + number % _MIDDLE]
        return acceptors.create(system("set-up"), code, name, country=country, agent_ref=agent.ref, kyc_level=2)

    party = _enrolled("acceptor", f"acceptor-{number + 1:02d}", name, corridor.country, create)
    own = [corridor] if number >= _IN_ALL_POOLS else list(CORRIDORS)
    for place, each in enumerate(own):
        _serve(party, each, pool_refs[each.currency], digits[place])
    return party


def _serve(party: Party, corridor: Corridor, pool_ref: str, digits: str) -> None:
    """Give an acceptor a bank account in a pool, fund it and let it go online; one that serves it is left alone."""
    with reading() as tx:
        rows = tx.rows(
            "select b.ref, a.id is not null from bank_account b left join pool_account a on a.bank_account_id = b.id"
            " where b.party_id = %s and b.currency = %s",
            (party.id, corridor.currency),
        )
    if rows and rows[0][1]:
        return
    if rows:  # a run was cut off between the account and its pool
        account = rows[0][0]
    else:
        bank = names.BANKS[corridor.currency][party.id % len(names.BANKS[corridor.currency])]
        account = bank_accounts.add(
            system("set-up"), party.ref, bank, party.name, digits, corridor.currency, corridor.method
        )
    treasury.fund(party.ref, RESERVE, f"first-{party.ref}")
    acceptors.set_online(party.actor, party.ref, online=True)
    limit = Money.parse(corridor.day_limit, fiat(corridor.currency))
    pools.join(system("set-up"), pool_ref, account, open_limit=25, day_limit=limit)


def _enrolled(kind: str, code: str, name: str, country: str, create: Callable[[str, str, str], str]) -> Party:
    """Return the party of that code, created if it is new; the name it was verified under stands."""
    sql = "select id, ref, code, name, country from party where kind = %s and code = %s"
    with reading() as tx:
        rows = tx.rows(sql, (kind, code))
    if not rows:
        create(code, name, country)
        with reading() as tx:
            rows = tx.rows(sql, (kind, code))
    number, ref = rows[0][:2]
    rights = keys.RIGHTS.get(kind, frozenset())
    user = next((user for user, held in DEMO_PARTIES.items() if held == (kind, code)), code)
    actor = Actor(name=user, role=kind, scope=Scope(kind), party_id=number, rights=rights)
    return Party(number, ref, rows[0][2], rows[0][3], rows[0][4], actor)
