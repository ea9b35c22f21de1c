"""An order's life in any order of steps, by anybody: what the table allows happens, all else changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core import clock, verify
from core.compliance import alerts, disputes
from core.errors import Refusal
from core.money import USDT, Money, fiat
from core.orders import deadlines, deposit, dispatch, release
from core.orders.states import TRANSITIONS
from tests import make
from tests.core import lives, review

WHY = "seen the papers, and they explain it"
STEPS = frozenset((before, after) for (before, _), after in TRANSITIONS.items())
NAMES = st.sampled_from(["Joao Silva", "Joao Silvano Pereira", "Xiulan Wang"])
SEEN = NAMES | st.just("")
DUE = ("100.00", "12000.00")
PLACES = st.integers(0, 2)
OPEN = "exists (select 1 from alert a where a.order_id = o.id and a.state = 'open')"
PENDING = "exists (select 1 from alert a where a.order_id = o.id and a.state = 'pending_second')"
ASKED = "exists (select 1 from approval p where p.subject = o.ref and p.state = 'waiting' and p.kind like 'dispute%%')"


class OrderMachine(RuleBasedStateMachine):
    """A small market, two officers, a stranger; after each step the books are verified."""

    market: ClassVar[make.Market]
    stranger: ClassVar[make.Market]
    now: ClassVar[datetime]

    def __init__(self):
        super().__init__()
        self.known = {}
        self.officers = [review.officer("ann"), review.officer("bob")]

    def advance(self, seconds):
        """Time passes for everybody, through all runs of the machine."""
        type(self).now += timedelta(seconds=seconds)

    def attempt(self, ref, step, *, at=None):
        """Try a step; a refused one has changed nothing, a done one has walked along the table."""
        before = review.everything()
        with clock.at(at or self.now):
            try:
                step()
            except Refusal:
                assert review.everything() == before
                return False
        after = review.state(ref)[0]
        assert after == self.known[ref] or (self.known[ref], after) in STEPS
        self.known[ref] = after
        return True

    def pick(self, place, wanted="true"):
        """One of the run's last three orders for which the condition holds, else one of the last three."""
        fit = review.rows(f"select o.ref from orders o where o.ref = any (%s) and {wanted}", list(self.known))
        some = sorted(ref for (ref,) in fit) or sorted(self.known)
        return some[-3:][place % len(some[-3:])]

    def received(self, ref):
        return Money(review.one("select fiat_units from orders where ref = %s", ref), fiat("BRL"))

    @initialize(amount=st.sampled_from(DUE), listed=st.booleans())
    def begins(self, amount, listed):
        self.opens(amount, listed)

    @rule(amount=st.sampled_from(DUE), listed=st.booleans())
    def opens_another(self, amount, listed):
        self.opens(amount, listed)

    def opens(self, amount, listed):
        account = "BR9900000001" if listed else f"BR98{next(make.numbers):08d}"
        with clock.at(self.now):
            ref = lives.opened(self.market, amount, customer=f"m-{next(make.numbers)}", account=account)
        state = review.state(ref)[0]
        assert state in {"awaiting_payment", "matching"}
        self.known[ref] = state
        return ref

    @rule(place=PLACES, own=st.booleans(), shared=st.booleans())
    def claims(self, place, own, shared):
        ref = self.pick(place, "o.state = 'awaiting_payment'")
        merchant = (self.market if own else self.stranger).merchant
        account = "BR9900000001" if shared else f"BR97{next(make.numbers):08d}"
        was = self.known[ref]
        done = self.attempt(
            ref, lambda: deposit.claim_paid(merchant, ref, payer_name="Joao Silva", payer_account=account)
        )
        assert done == (own and was == "awaiting_payment")

    @rule(place=PLACES, name=SEEN, short=st.integers(0, 3), seconds=st.sampled_from([0, 5, 60]), mine=st.booleans())
    def confirms(self, place, name, short, seconds, mine):
        ref = self.pick(place, "o.state = 'paid_claimed' and o.next_actor = 'acceptor'")
        self.advance(seconds)
        number = review.one("select acceptor_id from orders where ref = %s", ref)
        crowd = [each.actor for each in self.market.acceptors if (each.id == number) == mine] or [self.market.merchant]
        due = self.received(ref)
        money = due if short else Money(due.units - 1, due.asset)
        was = review.state(ref)
        done = self.attempt(ref, lambda: release.confirm(crowd[0], ref, received=money, payer_name=name))
        free = was[:1] == ("paid_claimed",) and was[3] == "acceptor"
        assert done == (free and mine and bool(short and name))

    @rule(place=PLACES, who=st.sampled_from(["merchant", "stranger", "acceptor"]))
    def cancels(self, place, who):
        ref = self.pick(place)
        actor = {
            "merchant": self.market.merchant,
            "stranger": self.stranger.merchant,
            "acceptor": self.market.acceptors[0].actor,
        }[who]
        was = self.known[ref]
        done = self.attempt(ref, lambda: deposit.cancel(actor, ref, reason="changed their mind"))
        assert done == (who == "merchant" and was in {"awaiting_payment", "matching"})

    @rule(place=PLACES, claimed=st.booleans())
    def is_late(self, place, claimed):
        ref = self.pick(place, "o.state = 'paid_claimed' and o.dispute_state = 'none'" if claimed else "true")
        deadline = review.one("select deadline_at from orders where ref = %s", ref)
        late = (deadline or self.now) + timedelta(seconds=1)
        self.attempt(ref, lambda: deadlines.expire(ref), at=late)
        assert (self.known[ref] in {"expired", "no_liquidity"}) or deadline is None or self.known[ref] == "paid_claimed"

    @rule(units=st.integers(0, 3000))
    def tops_up_and_matches(self, units):
        with clock.at(self.now):
            if units:
                money = Money(units * 1_000_000, USDT)
                make.top_up(self.market.acceptors[0].ref, money, f"m-{next(make.numbers)}")
            dispatch.match_due()
        for ref, was in self.known.items():
            state = review.state(ref)[0]
            assert state == was or (was, state) == ("matching", "awaiting_payment")
            self.known[ref] = state

    @rule(
        place=PLACES,
        officer=st.integers(0, 1),
        outcome=st.sampled_from(["release", "refuse", "dismiss"]),
        which=st.integers(0, 3),
    )
    def judges(self, place, officer, outcome, which):
        ref = self.pick(place, OPEN)
        found = review.alerts(ref)
        if found:
            alert = found[which % len(found)][0]
            actor = self.officers[officer]
            self.attempt(ref, lambda: alerts.decide(actor, alert, outcome, "explained", WHY))

    @rule(place=PLACES, officer=st.integers(0, 1), agrees=st.booleans())
    def seconds(self, place, officer, agrees):
        ref = self.pick(place, PENDING)
        actor = self.officers[officer]
        for alert, _, _, _, state in review.alerts(ref)[:1]:
            first = review.one("select requested_by from approval where subject = %s and state = 'waiting'", ref)
            done = self.attempt(ref, lambda alert=alert: alerts.second(actor, alert, agrees, "looked at it"))
            assert done == (state == "pending_second" and first != actor.name)

    @rule(place=PLACES, officer=st.integers(0, 1), outcome=st.sampled_from(["release", "refuse"]), name=SEEN)
    def rules(self, place, officer, outcome, name):
        ref = self.pick(place, "o.dispute_state = 'open'")
        said = {"received": self.received(ref), "payer_name": name}
        self.attempt(ref, lambda: disputes.decide(self.officers[officer], ref, outcome, WHY, **said))

    @rule(place=PLACES, officer=st.integers(0, 1), agrees=st.booleans())
    def seconds_ruling(self, place, officer, agrees):
        ref = self.pick(place, ASKED)
        self.attempt(ref, lambda: disputes.second(self.officers[officer], ref, agrees, "looked at it"))

    @rule(name=NAMES)
    def lives_up_to_the_payout(self, name):
        """The usual way, so that later steps are reached often."""
        ref = self.opens("100.00", listed=False)
        if self.known[ref] == "awaiting_payment":
            claim = {"payer_name": "Joao Silva", "payer_account": f"BR96{next(make.numbers):08d}"}
            assert self.attempt(ref, lambda: deposit.claim_paid(self.market.merchant, ref, **claim))
            self.advance(60)
            actor = review.acceptor_of(self.market, ref).actor
            due = self.received(ref)
            assert self.attempt(ref, lambda: release.confirm(actor, ref, received=due, payer_name=name))

    @rule(name=NAMES, outcome=st.sampled_from(["release", "refuse"]), agrees=st.booleans())
    def lives_through_a_review(self, name, outcome, agrees):
        """The usual way of an order that compliance keeps, or in dispute."""
        self.lives_up_to_the_payout(name)
        ref = self.pick(0, OPEN)
        for alert, _, _, _, state in review.alerts(ref)[-1:]:
            if state == "open":
                self.attempt(ref, lambda alert=alert: alerts.decide(self.officers[0], alert, outcome, "explained", WHY))
                self.attempt(ref, lambda alert=alert: alerts.second(self.officers[1], alert, agrees, "looked at it"))

    @invariant()
    def the_books_agree(self):
        found = [(each.invariant, each.breaks) for each in verify.run() if not each.holds and each.invariant != "I13"]
        assert found == []

    def teardown(self):
        lives.rolled_up()
        assert [each.breaks for each in verify.run() if not each.holds] == []


@pytest.fixture
def machine(module_database):
    """The machine on a market of its own, small enough that orders have to wait."""
    OrderMachine.market = make.market(2, levels=2, reserve="2300", open_limit=1000)
    OrderMachine.stranger = make.market(1)
    OrderMachine.now = clock.now()
    return OrderMachine


def play(machine, examples, steps, **more):
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_any_order_of_steps_keeps_the_books(machine):
    play(machine, 6, 15)


@pytest.mark.slow
@pytest.mark.timeout(0)  # it is meant to take minutes
def test_long_lives_in_any_order_of_steps_keep_the_books(machine):
    play(machine, 60, 40, derandomize=False)
