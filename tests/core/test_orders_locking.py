"""Openings that meet at the same reserves: nobody waits in a circle, and what changed while one waited is heeded."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from core.orders import opening
from core.parties import acceptors
from tests import beside, make
from tests.core import lives, review


@pytest.fixture
def asks(monkeypatch):
    """Have a customer's opening ask these acceptors in this order."""
    look, course, turns = opening.look, opening.course, {}

    def named(merchant_id, quote_ref, customer, blind):
        return look(merchant_id, quote_ref, customer, blind) | {"named": customer}

    def ordered(row, **more):
        found = course(row, **more)
        places = [found["acceptors"].index(each.id) for each in turns[row["named"]]]
        return found | {name: [found[name][at] for at in places] for name in ("pool_accounts", "accounts", "acceptors")}

    monkeypatch.setattr(opening, "look", named)
    monkeypatch.setattr(opening, "course", ordered)
    return turns


def wait(held, *deeds):
    """Until all of them wait for a lock of somebody else's than whoever asks."""
    sql = (
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        " and not pg_backend_pid() = any (pg_blocking_pids(pid))"
    )

    def all_wait():
        assert all(deed.is_alive() for deed in deeds), [deed.answer() for deed in deeds if not deed.is_alive()]
        held.execute("select pg_stat_clear_snapshot()")
        return held.execute(sql).fetchone()[0] == len(deeds)

    beside.until(all_wait, "they never waited for a lock")


def test_two_openings_that_hold_what_is_too_little_for_them_do_not_wait_for_each_other(database, asks):
    market = make.market(3)
    low, middle, high = market.acceptors
    asks["small"], asks["large"] = [low, middle, high], [middle, low, high]
    with ExitStack() as stack:
        at_low, at_middle, at_high = held = [stack.enter_context(beside.other()) for _ in market.acceptors]
        for each, acceptor in zip(held, market.acceptors, strict=True):
            each.execute("select 1 from ledger_account where party_id = %s for no key update", (acceptor.id,))
        small = beside.Deed(lambda: lives.opened(market, "250.00", customer="small"))
        wait(stack.enter_context(beside.other()), small)
        large = beside.Deed(lambda: lives.opened(market, "400.00", customer="large"))
        wait(stack.enter_context(beside.other()), small, large)
        # 300 are left of the day: too little for the large one, which has it locked where it waited for it.
        load = "update pool_account_load set day = current_date, day_units = %s where pool_account_id = %s"
        at_middle.execute(load, (10_000_000_000 - 30_000, middle.pool_account))
        at_middle.commit()
        wait(at_middle, small, large)
        # Nothing is left of the lowest: the small one has it locked for nothing now, and goes on to the next.
        at_low.execute(load, (10_000_000_000, low.pool_account))
        at_low.commit()
        at_high.rollback()
    took = [review.acceptor_of(market, each.answer()).ref for each in (small, large)]
    assert took == [middle.ref, high.ref]
    assert load_of(low, middle) == [(0, 10_000_000_000), (1, 10_000_000_000 - 5_000)]
    assert review.breaks() == []


def load_of(*acceptors_):
    sql = "select open_orders, day_units from pool_account_load where pool_account_id = %s"
    return [review.rows(sql, each.pool_account)[0] for each in acceptors_]


def test_an_acceptor_that_goes_offline_while_an_opening_waits_for_it_gets_no_order(database, monkeypatch):
    market = make.market(1)
    mine = market.acceptors[0]
    with beside.stalled_at(monkeypatch, {"acceptor.offline"}) as (written, go_on):
        going = beside.Deed(lambda: acceptors.set_online(mine.actor, mine.ref, online=False))
        assert written.wait(beside.PATIENCE_SECONDS)
        opening_ = beside.Deed(lambda: lives.opened(market))
        with beside.other() as looking:
            wait(looking, opening_)
        go_on.set()
        assert going.answer() is None
    assert review.state(opening_.answer())[0] == "matching"
