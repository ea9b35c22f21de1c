"""Stories that end at compliance: officers, and orders that a gate has flagged, stopped or held."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from core import clock, verify
from core.actor import Actor, Right, Scope
from core.db import reading
from core.money import Money, fiat
from core.orders import deadlines, release
from core.settings import settings
from tests import make
from tests.core import lives

START = datetime.fromisoformat("2026-10-05T08:00:00+00:00")
"""When stories begin that control the time."""

OFFICER_RIGHTS = frozenset({Right.SEE_ALERTS, Right.DECIDE_ALERT, Right.REVEAL, Right.SEE_ORDERS, Right.MANAGE_RULES})


def claimed(market, amount="250.00", **more):
    """An order claimed as paid two minutes ago, so that its confirmation lies in the past too; returns its ref."""
    with clock.at(clock.now() - timedelta(minutes=2)):
        return lives.claimed(market, amount, **more)


def officer(name=""):
    """A compliance officer with a name of its own."""
    name = name or f"officer{next(make.numbers)}"
    return Actor(name=name, role="compliance", scope=Scope.ALL, user_id=1, rights=OFFICER_RIGHTS)


def held(market, amount="250.00", **more):
    """An order whose payer has another name than its customer: confirmed, and its escrow held; returns its ref."""
    ref = claimed(market, amount, **more)
    confirm(market, ref, amount, payer_name="Xiulan Wang")
    return ref


def stopped(market, amount="250.00", **more):
    """An order kept back for review with nothing held: the payer's name is nearly the customer's; returns its ref."""
    ref = claimed(market, amount, **more)
    confirm(market, ref, amount, payer_name="Joao Silvano Pereira")
    return ref


def flagged(market, amount="12000.00", **more):
    """An order that gate G1 lets pass with a flag: a first order, and large; returns its ref."""
    return lives.opened(market, amount, **more)


def disputed(market, amount="250.00"):
    """An order in dispute: claimed as paid at `START`, and its acceptor silent; returns its ref."""
    with clock.at(START):
        ref = lives.claimed(market, amount)
    with clock.at(START + timedelta(hours=1)):
        deadlines.expire(ref)
    return ref


def confirm(market, ref, amount, *, payer_name="", seconds=60):
    """The order's acceptor confirms, a minute after the claim; its bank line bears the declared name or another."""
    acceptor = acceptor_of(market, ref)
    received = Money.parse(amount, fiat(market.currency))
    declared = one("select payer_name from orders where ref = %s", ref)
    with clock.at(claimed_at(ref) + timedelta(seconds=seconds)):
        return release.confirm(acceptor.actor, ref, received=received, payer_name=payer_name or declared)


def acceptor_of(market, ref):
    number = one("select acceptor_id from orders where ref = %s", ref)
    return next(each for each in market.acceptors if each.id == number)


def claimed_at(ref):
    return one("select claimed_at from orders where ref = %s", ref)


@contextmanager
def kept_home(tmp_path_factory):
    """One folder of keys for a whole module, whose tests open what others have sealed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK_HOME", str(tmp_path_factory.mktemp("kept")))
        settings.cache_clear()
        yield
    settings.cache_clear()


def one(sql, *args):
    """The first value of a query."""
    with reading() as tx:
        return tx.call(sql, args)


def rows(sql, *args):
    with reading() as tx:
        return tx.rows(sql, args)


def alerts(ref):
    """The alerts of an order: ref, gate, rule, verdict, state."""
    return rows(
        "select a.ref, a.gate, a.rule, a.verdict, a.state from alert a join orders o on o.id = a.order_id"
        " where o.ref = %s order by a.id",
        ref,
    )


def alert(ref, gate="G3"):
    """The ref of the order's first alert of a gate."""
    return next(row[0] for row in alerts(ref) if row[1] == gate)


def state(ref):
    """Where an order stands: state, risk, dispute, whose move."""
    return rows("select state, risk_state, dispute_state, next_actor from orders where ref = %s", ref)[0]


def pockets(market):
    """What the market's acceptors hold together, in units: reserve, escrow, held."""
    numbers = [each.id for each in market.acceptors]
    return rows(
        "select sum(available)::bigint, sum(escrow)::bigint, sum(held)::bigint from ledger_account"
        " where party_id = any (%s)",
        numbers,
    )[0]


def everything():
    """All that an order's step may change, to show that a refused one changed nothing."""
    tables = (
        "orders", "order_waiting", "ledger_account", "journal_entry", "journal_leg", "hold", "alert", "approval",
        "audit", "notice", "risk_fact", "evaluation", "dispatch", "commission_line", "pool_account_load", "customer",
        "payer_account",
    )  # fmt: skip
    rows_of = "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {} t"
    with reading() as tx:
        return {name: tx.call(rows_of.format(name)) for name in tables}


def refuses(code, step, **facts):
    """The step is refused with that code and nothing in the database has changed."""
    before = everything()
    with pytest.raises(code) as refused:
        step()
    assert type(refused.value) is code
    assert everything() == before
    for name, value in facts.items():
        assert refused.value.facts[name] == value
    return refused.value


def breaks(*, but=("I13",)):
    """What the verifier finds wrong; rollups are a job's and not brought up to date here."""
    return [(each.invariant, each.breaks) for each in verify.run() if not each.holds and each.invariant not in but]
