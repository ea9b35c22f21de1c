"""How long the product waits for others: no longer than it says, and who waited in vain has changed nothing."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from core import db, steps
from core.errors import Changed, Unavailable
from core.orders import deposit, release
from tests import make
from tests.core import lives, review

WAITS_SECONDS = 5
"""How long the product waits: for a lock, for a connection to be made, for one of the pool to be free."""

SHIPPED = {
    "lock_timeout": f"{WAITS_SECONDS}s",
    "statement_timeout": "1min",
    "idle_in_transaction_session_timeout": "1min",
    "TimeZone": "UTC",
}


@pytest.fixture
def market(database):
    return make.market(1)


@contextmanager
def at_least(seconds):
    """What is done takes so long: the limit is used up. No upper bound, for the machine may be busy."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began >= seconds


def test_every_connection_has_the_limits_that_are_shipped(database):
    asked = dict.fromkeys(SHIPPED)
    with db.transaction() as tx:
        assert {name: tx.call(f"show {name}") for name in asked} == SHIPPED
        assert tx.raw.info.get_parameters()["connect_timeout"] == str(WAITS_SECONDS)
    with db.reading() as tx:
        assert {name: tx.call(f"show {name}") for name in asked} == SHIPPED
    assert {name: steps.once(f"show {name}") for name in asked} == SHIPPED
    assert steps._own.connection.info.get_parameters()["connect_timeout"] == str(WAITS_SECONDS)
    assert db.engine().pool.timeout() == WAITS_SECONDS


@pytest.fixture
def kept_by_another(market):
    """An order of the market that waits for its payment, and whose row somebody else keeps locked."""
    ref = lives.opened(market)
    with psycopg.connect(db.engine().url.set(drivername="postgresql").render_as_string(hide_password=False)) as other:
        other.execute("select 1 from orders where ref = %s for update", (ref,))
        yield ref, other


def claim(market, ref):
    return deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account="BR5500000001")


def cancel(market, ref):
    return deposit.cancel(market.merchant, ref, reason="changed their mind")


def of_a_step():
    return steps.once("select pg_backend_pid()")


def of_a_transaction():
    with db.transaction() as tx:
        return tx.call("select pg_backend_pid()")


@pytest.mark.parametrize(
    ("step", "server_process", "done"),
    [(claim, of_a_step, "paid_claimed"), (cancel, of_a_transaction, "cancelled")],
    ids=["a step of its own", "a transaction"],
)
def test_who_waits_for_a_lock_in_vain_is_refused_and_has_changed_nothing(
    market, kept_by_another, step, server_process, done
):
    ref, other = kept_by_another
    before = server_process()
    with at_least(WAITS_SECONDS):
        refusal = review.refuses(Changed, lambda: step(market, ref))
    assert isinstance(refusal.__cause__, psycopg.errors.LockNotAvailable)
    assert (refusal.code, refusal.status) == ("changed", 409)
    assert server_process() == before, "its connection is used on"
    other.rollback()
    assert step(market, ref) == done
    assert review.breaks() == []


def test_a_confirmation_waits_for_a_lock_in_vain_once_and_does_not_look_again(market, kept_by_another, monkeypatch):
    ref, other = kept_by_another
    other.rollback()
    assert claim(market, ref) == "paid_claimed"
    other.execute("select 1 from orders where ref = %s for update", (ref,))
    looks = []
    seen = release.look
    monkeypatch.setattr(release, "look", lambda name: looks.append(name) or seen(name))
    with at_least(WAITS_SECONDS):
        review.refuses(Changed, lambda: lives.confirm(market, ref, "250.00"))
    assert looks == [ref]
    other.rollback()
    assert lives.confirm(market, ref, "250.00") == "completed"
    assert review.breaks() == []


def test_who_waits_for_a_connection_of_the_pool_in_vain_is_refused_and_the_next_is_not(database):
    engine = db.engine()
    with ExitStack() as held:
        for _ in range(engine.pool.size() + engine.pool._max_overflow):
            held.enter_context(engine.connect())
        with at_least(WAITS_SECONDS), pytest.raises(Unavailable) as refused, db.transaction():
            raise AssertionError("there was one more")
        assert refused.value.status == 503
    assert of_a_transaction()


def test_a_database_that_does_not_answer_is_not_waited_for_any_longer(database):
    """Somebody listens there and says nothing: to a step and to a transaction."""
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]

    def refused(ask):
        with at_least(WAITS_SECONDS), pytest.raises(Unavailable):
            ask()

    with silent, ThreadPoolExecutor(2) as crowd:
        db.connect(f"postgresql://desk@127.0.0.1:{port}/desk")
        list(crowd.map(refused, [of_a_step, of_a_transaction]))
    db.connect(database)
    assert of_a_step()
    assert of_a_transaction()
