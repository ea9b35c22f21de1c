"""The market that the benchmarks run on, and the quotes its orders are made from."""

from __future__ import annotations

import json
from pathlib import Path

from core import db
from core.actor import Actor, Right, Scope, system
from core.parties import agents, merchants
from core.risk import rulesets

AMOUNT_UNITS = 25_000
USDT_UNITS = 44_483_985


def build(url: str, *, acceptors: int = 200, policy: str = "uniform_random") -> int:
    """Fill a fresh database with a market; return the merchant's id.

    The rule about very quick confirmations only scores here: a benchmark confirms at once, which would raise
    an alert for each order. It is evaluated all the same.
    """
    db.connect(url)
    with db.transaction() as tx:
        rulesets.ensure_default(tx)
        params = tx.call("select params from ruleset")
        params["params"]["M_CONFIRM"]["outcome"] = "score"
        tx.run("update ruleset set params = %s", (json.dumps(params),))
    top = agents.create(system(), "agent-top", "Agent Top", plan="country")
    below = agents.create(system(), "agent-below", "Agent Below", plan="direct", parent_ref=top)
    merchants.create(system(), "shop", "Shop", country="BR", agent_ref=below)
    crowd = Path(__file__).with_name("crowd.sql").read_text(encoding="utf-8")
    with db.engine().connect() as connection:
        raw = connection.connection.driver_connection
        raw.autocommit = True
        raw.execute(crowd.replace("{acceptors}", str(acceptors)).replace("{policy}", policy))
        raw.execute("insert into pool_merchant select (select id from pool), (select party_id from merchant)")
        raw.autocommit = False
    with db.reading() as tx:
        return int(tx.call("select party_id from merchant"))


def quotes(merchant_id: int, count: int) -> list[str]:
    """Store `count` quotes of 250.00 BRL; return their refs."""
    with db.transaction() as tx:
        rows = tx.rows(
            "insert into quote (ref, merchant_id, kind, pool_id, fee_schedule_id, currency, fiat_units, rate_price,"
            " usdt_units, fee_units, lines, created_at, expires_at, margin_units)"
            " select 'quo_' || left(upper(translate(gen_random_uuid()::text, '-', '')), 16), %s, 'deposit', p.id,"
            " (select min(id) from fee_schedule), 'BRL', %s, 562000000, %s, 266903, '[]', now(),"
            " now() + interval '1 hour', 266903"
            " from generate_series(1, %s), pool p returning ref",
            (merchant_id, AMOUNT_UNITS, USDT_UNITS, count),
        )
    return [ref for (ref,) in rows]


def merchant_actor(merchant_id: int) -> Actor:
    """Return the merchant's API as an actor."""
    return Actor("shop/api", "merchant", Scope.MERCHANT, merchant_id, rights=frozenset(Right))
