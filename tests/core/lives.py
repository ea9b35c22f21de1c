"""Whole lives of deposits, lived through the public commands, for tests of what is counted afterwards."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from core import clock
from core.analytics import rollup
from core.db import reading
from core.ledger import seal
from core.money import Money, fiat
from core.orders import deadlines, deposit, release
from core.orders.deposit import DepositRequest
from core.pricing import quotes
from tests import make

DAYS = datetime.fromisoformat("2026-10-05T08:00:00+00:00")
"""When the lives begin that need a past."""


def opened(market, amount="250.00", *, customer="c-1", name="Joao Silva", account="", country="BR"):
    """An order just opened; returns its ref."""
    number = next(make.numbers)
    make.rate(market.currency)
    quote = quotes.quote(market.merchant, "deposit", market.currency, Money.parse(amount, fiat(market.currency)))
    request = DepositRequest(
        quote_ref=quote.ref,
        merchant_order_id=f"A-{number}",
        customer_id=customer,
        customer_name=name,
        customer_country=country,
        payer_account=account or f"BR55{number:08d}",
        payer_name=name,
    )
    return deposit.open_order(market.merchant, request).ref


def claimed(market, amount="250.00", *, name="Joao Silva", **more):
    """An order whose customer says it has paid; returns its ref."""
    ref = opened(market, amount, name=name, **more)
    number = next(make.numbers)
    deposit.claim_paid(market.merchant, ref, payer_name=name, payer_account=f"BR77{number:08d}")
    return ref


def completed(market, amount="250.00", **more):
    """An order paid out; returns its ref."""
    ref = claimed(market, amount, **more)
    confirm(market, ref, amount)
    return ref


def confirm(market, ref, amount="250.00"):
    """The order's acceptor confirms; the name on its bank line is the one that the customer has declared."""
    with reading() as tx:
        acceptor_id, declared = tx.rows("select acceptor_id, payer_name from orders where ref = %s", (ref,))[0]
    acceptor = next(each for each in market.acceptors if each.id == acceptor_id)
    received = Money.parse(amount, fiat(market.currency))
    return release.confirm(acceptor.actor, ref, received=received, payer_name=declared)


def some_days(market, *, rounds=3):
    """A past of every kind of end, an hour and more apart; returns the refs of the completed ones."""
    done = []
    for turn in range(rounds):
        start = DAYS + timedelta(hours=7 * turn)
        who = {"customer": f"c-{turn}"}
        with clock.at(start):
            refs = [claimed(market, f"{100 + 10 * turn + n}.00", **who) for n in range(2)]
            unpaid = opened(market, "60.00", customer=f"u-{turn}")
            gone = opened(market, "70.00", customer=f"g-{turn}")
        with clock.at(start + timedelta(minutes=4)):
            deposit.cancel(market.merchant, gone, reason="the customer changed their mind")
        for n, ref in enumerate(refs):
            with clock.at(start + timedelta(minutes=6 + 5 * n)):
                confirm(market, ref, f"{100 + 10 * turn + n}.00")
        with clock.at(start + timedelta(hours=2)):
            deadlines.expire(unpaid)
        done += refs
    return done


def settle(advance, waits):
    """Advance until nothing waits: another database's open transaction may hold the watermark a moment."""
    total = advance()
    for _ in range(400):
        with reading() as tx:
            if not tx.call(waits):
                return total
        time.sleep(0.05)
        total += advance()
    raise AssertionError("a transaction elsewhere stays open")


def rolled_up():
    """Bring the rollups up to date."""
    return settle(
        rollup.advance,
        "select exists (select 1 from outbox where xid >= (select done_to from watermark where name = 'rollup'))"
        " or exists (select 1 from alert where xid >= (select done_to from watermark where name = 'rollup_alert'))",
    )


def sealed():
    """Seal everything there is."""
    return settle(
        seal.advance,
        "select exists (select 1 from journal_entry where xid >= (select done_to from watermark where name"
        " = 'seal_journal'))"
        " or exists (select 1 from audit where xid >= (select done_to from watermark where name ="
        " 'seal_audit'))",
    )
