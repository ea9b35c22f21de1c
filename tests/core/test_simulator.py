"""The seeded market: plays by the rules of the house, the same content for a seed, and survives a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner

from core import verify
from core.db import reading
from core.errors import Conflict
from core.settings import ROOT, settings
from core.simulator import names, people, progress, run
from core.simulator.market import Course, Market
from portal.commands.demo import USERS, command

START = datetime(2026, 5, 4, tzinfo=UTC)


def ask(sql: str, *args):
    with reading() as tx:
        return tx.rows(sql, args)


def market(seed: int = 3, *, orders: int = 2000, days: int = 20) -> Market:
    return Market(seed=seed, start=START, days=days, orders=orders)


def test_a_seed_gives_the_same_orders_and_another_seed_others():
    assert market().day(4) == market().day(4)
    assert market().day(4) != market(seed=4).day(4)
    assert market().listed() == market().listed()


def test_every_order_lies_in_its_day_within_its_corridors_limits():
    play = market()
    assert sum(play.sizes) == 2000
    for number in range(20):
        for plan in play.day(number):
            assert START + timedelta(days=number) <= plan.at < START + timedelta(days=number + 1)
            asset = plan.amount.asset
            least, most = (
                type(plan.amount).parse(text, asset) for text in (plan.corridor.smallest, plan.corridor.largest)
            )
            assert least <= plan.amount <= most


def test_most_orders_are_clean_and_the_rest_goes_every_way():
    plans = [plan for number in range(20) for plan in market().day(number)]
    clean = sum(plan.course is Course.CLEAN for plan in plans)
    assert 0.85 < clean / len(plans) < 0.97
    assert {plan.course for plan in plans} == set(Course)
    assert len({plan.corridor.currency for plan in plans}) == 5
    assert any(plan.payer_name != plan.customer.name for plan in plans)


def test_a_small_market_ends_now_with_every_invariant_kept(database):
    done = CliRunner().invoke(command, ["--orders", "150", "--days", "3", "--seed", "5"])
    assert done.exit_code == 0, done.output + repr(done.exception)
    assert [finding.breaks for finding in verify.run() if finding.breaks] == []
    ((parties, levels),) = ask("select count(*), max(depth) from agent")
    assert (parties, levels) == (len(names.AGENTS), 3) == (30, 3)
    assert ask("select kind, count(*) from party group by 1 order by 1") == [
        ("acceptor", 40),
        ("agent", 30),
        ("merchant", 12),
    ]
    assert ask("select count(*), count(distinct policy) from pool") == [(5, 2)]
    states = dict(ask("select state, count(*) from orders group by 1"))
    ended_well = states["completed"]
    claimed = ask("select count(*) from orders where claimed_at is not null")[0][0]
    assert ended_well / claimed > 0.8  # the last day is eventful, and three days are few
    assert {"completed", "expired", "paid_claimed"} <= set(states)
    # Open alerts for the officers, open orders with time left for the acceptors.
    assert ask("select count(*) > 2 from alert where state = 'open'") == [(True,)]
    assert ask(
        "select count(*) > 0 from orders o join party p on p.id = o.acceptor_id"
        " where p.code = 'acceptor-01' and o.state = 'paid_claimed' and o.deadline_at > now()",
    ) == [(True,)]
    assert ask("select max(created_at) > now() - interval '15 minutes' from orders") == [(True,)]
    assert ask(
        "select count(*) from pool_merchant m join party p on p.id = m.merchant_id where p.code = 'aurora-games'"
    ) == [(5,)]
    # Users stand for their parties, the others for none.
    found = dict(
        ask(
            "select u.username, p.code from ab_user u left join user_party x on x.user_id = u.id"
            " left join party p on p.id = x.party_id"
        )
    )
    assert set(found) == set(USERS)
    assert {user: code for user, code in found.items() if code} == {
        user: code for user, (_, code) in people.DEMO_PARTIES.items()
    }
    again = CliRunner().invoke(command, ["--orders", "5", "--days", "1"])
    assert isinstance(again.exception, Conflict)
    assert "--again" in str(again.exception)
    more = CliRunner().invoke(command, ["--orders", "5", "--days", "1", "--again"])
    assert more.exit_code == 0, more.output + repr(more.exception)
    assert ask("select count(*) from party where kind = 'merchant'") == [(12,)]


CUT = """
import os, signal, sys
from core import db
from core.orders import deposit
from core.simulator import run

after_day, orders_more = map(int, sys.argv[1:])
days, opened, open_order = [0], [], deposit.open_order

def open_and_die_in_the_middle_of_the_day(*given):
    done = open_order(*given)
    if days[-1] >= after_day:
        opened.append(1)
        if len(opened) == orders_more:
            os.kill(os.getpid(), signal.SIGKILL)
    return done

deposit.open_order = open_and_die_in_the_middle_of_the_day
db.connect(os.environ["DATABASE_URL"])
run.play(orders=150, days=4, seed=5, told=lambda progress: days.append(progress.day))
"""


def cut_off(after_day: int, orders_more: int) -> None:
    """Play a market in a process of its own that is killed -9 in the middle of a day, its lanes under way."""
    child = subprocess.run([sys.executable, "-c", CUT, str(after_day), str(orders_more)], check=False, cwd=ROOT)
    assert child.returncode == -signal.SIGKILL


def live(count, past, times=1):
    """Whether so many orders are those of the past and of the last minutes: more, until each demo desk has one."""
    return times * run.LIVE <= count - past <= times * 3 * run.LIVE


def test_a_market_that_is_killed_in_the_middle_is_played_on_and_nothing_is_doubled(database):
    cut_off(1, 8)
    begun = progress.unfinished()
    whole = Market(seed=5, start=begun.start, days=4, orders=150)
    cut_off(2, 8)
    (half,) = ask("select count(*)::int from orders")
    done = CliRunner().invoke(command, ["--orders", "9999", "--days", "77", "--seed", "8"])
    assert done.exit_code == 0, done.output + repr(done.exception)
    assert f"cut off after {half[0]} orders" in done.output
    assert progress.unfinished() is None
    ((count, numbers),) = ask("select count(*)::int, count(distinct external_ref)::int from orders")
    assert count == numbers
    assert live(count, sum(len(whole.day(number)) for number in range(4)))
    assert [finding.breaks for finding in verify.run() if finding.breaks] == []
    (old,) = ask(
        "select count(*)::int from order_waiting w join orders o on o.id = w.order_id"
        " where o.created_at < now() - interval '1 day' and o.next_actor <> 'compliance'"
    )
    assert old == (0,)
    assert ask("select count(*)::int from job_run where name = 'demo' and outcome = 'done'") == [(1,)]


def test_a_market_cut_off_before_its_first_order_begins_anew(database):
    progress.begin(7, 10, 1, START, "D")
    states = run.play(orders=20, days=1, seed=9)
    assert live(sum(states.values()), 20)
    assert progress.unfinished() is None


def test_a_market_played_on_days_later_goes_up_to_now(database):
    begun = progress.begin(9, 30, 2, datetime.now(UTC) - timedelta(days=5), "D")
    market, days = run._up_to(begun, datetime.now(UTC))
    assert days == 5
    assert len(market.sizes) == 5
    assert market.day(0) == Market(seed=9, start=begun.start, days=2, orders=30).day(0)


def test_the_same_market_can_be_played_again(database):
    run.play(orders=20, days=1, seed=9)
    states = run.play(orders=20, days=1, seed=9, again=True)
    assert live(sum(states.values()), 40, times=2)


def test_production_plays_no_demo(database, monkeypatch):
    monkeypatch.setattr(type(settings()), "production", property(lambda _: True))
    with pytest.raises(Conflict, match="sandbox"):
        run.play(orders=1, days=1)


def test_connections_that_break_in_the_middle_cost_no_order(database):
    name = ask("select current_database()")[0][0]
    stop = threading.Event()
    broken = []

    def break_connections() -> None:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            for mark in (20, 60, 100, 140):
                while connection.execute("select count(*) from orders").fetchone()[0] < mark:
                    if stop.wait(0.005):
                        return
                gone = connection.execute(
                    "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity"
                    " where datname = %s and pid <> pg_backend_pid()",
                    (name,),
                )
                broken.append(gone.fetchone()[0])

    breaker = threading.Thread(target=break_connections, daemon=True)
    breaker.start()
    try:
        states = run.play(orders=160, days=2, seed=9)
    finally:
        stop.set()
        breaker.join()
    assert len(broken) == 4
    assert all(broken)
    assert live(sum(states.values()), 160)
    assert [finding.breaks for finding in verify.run() if finding.breaks] == []
