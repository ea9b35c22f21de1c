"""The product's own work, as the benchmarks call it: whole deposits, and dispatches alone."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from bench import market
from core import db
from core.actor import system
from core.money import Money, fiat
from core.orders import deposit, release

if TYPE_CHECKING:
    from bench.crew import Work

QUOTES = 1500
ORDERS_OF_ONE_CUSTOMER = 4


class _Deposits:
    """Fresh requests: each customer comes a few times, pays from its own account, and is never the same twice."""

    def __init__(self, number: int) -> None:
        with db.reading() as tx:
            self.merchant = int(tx.call("select party_id from merchant"))
        self.actor = market.merchant_actor(self.merchant)
        self.quotes: list[str] = []
        self.name = f"{number}-{time.time_ns()}"
        self.count = itertools.count()
        self.received = Money(market.AMOUNT_UNITS, fiat("BRL"))

    def request(self) -> deposit.DepositRequest:
        if not self.quotes:
            self.quotes = market.quotes(self.merchant, QUOTES)
        at = next(self.count)
        customer = f"{self.name}-{at // ORDERS_OF_ONE_CUSTOMER}"
        return deposit.DepositRequest(
            self.quotes.pop(), f"A-{self.name}-{at}", customer, "Joao Santos", f"BR{customer}", "Joao Santos", "BR"
        )


def lifecycle(url: str, number: int) -> Work:  # noqa: ARG001 - the crew's signature; it has connected
    """Prepare whole deposits in three transactions: open and match and freeze, claim, confirm and release."""
    made = _Deposits(number)
    acceptor = system("acceptor")

    def work() -> tuple[float, float, float]:
        request = made.request()
        begun = time.perf_counter()
        order = deposit.open_order(made.actor, request)
        opened = time.perf_counter()
        deposit.claim_paid(made.actor, order.ref, payer_name="Joao Santos", payer_account=request.payer_account)
        claimed = time.perf_counter()
        state = release.confirm(acceptor, order.ref, received=made.received, payer_name="Joao Santos")
        released = time.perf_counter()
        if state != "completed":
            raise RuntimeError(state)
        return opened - begun, claimed - opened, released - claimed

    return work


def dispatch(url: str, number: int) -> Work:  # noqa: ARG001 - as above
    """Prepare opened and matched deposits only, for the cost of finding an acceptor in a crowd."""
    made = _Deposits(number)

    def work() -> tuple[float]:
        request = made.request()
        begun = time.perf_counter()
        order = deposit.open_order(made.actor, request)
        took = time.perf_counter() - begun
        if order.state != "awaiting_payment":
            raise RuntimeError(order.state)
        return (took,)

    return work
