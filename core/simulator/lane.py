"""One part of the market played in the order of time: each order step by step, by public commands only."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from core import clock
from core.errors import AlreadyDone, Refusal, WrongState
from core.orders import deadlines, deposit, dispatch, feed, queries, release
from core.orders.states import State
from core.pricing import quotes
from core.simulator import progress
from core.simulator.market import Course
from core.simulator.patience import patiently

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.simulator.market import Plan
    from core.simulator.people import Cast, Party
    from core.simulator.progress import Stopped

_AFTER_DEADLINE = timedelta(seconds=20)
_NEXT_LOOK = timedelta(seconds=45)


class Open(NamedTuple):
    """An order of ours that is under way."""

    ref: str
    merchant: Party
    plan: Plan
    acceptor_ref: str
    deadline_at: datetime


class Lane:
    """Plays its merchants' orders; several lanes play side by side, a day at a time."""

    def __init__(self, cast: Cast, prefix: str) -> None:
        """Take the cast; `prefix` starts every order number, so that runs do not meet.

        What a run that was cut off has opened is known by its numbers, and gone on with instead of opened again.
        """
        self.cast = cast
        self.prefix = prefix
        self.done: Counter[str] = Counter()
        self._due: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._turn = itertools.count()
        self._number = itertools.count(1)
        self._opened = progress.opened(prefix)
        self._stopped = progress.under_way(prefix) if self._opened else {}

    def add(self, plan: Plan) -> bool:
        """Take an order to be opened at its time; return whether it is still to be opened."""
        number = f"{self.prefix}-{(place := next(self._number)):06d}"
        if place > self._opened:
            self._at(plan.at, lambda _: self._open(plan, number))
            return True
        stopped = self._stopped.pop(number, None)
        if stopped is not None:
            self._at(stopped.since, lambda _: self._go_on_from(stopped, plan))
        return False

    @property
    def busy(self) -> bool:
        """Whether anything is still to be done."""
        return bool(self._due)

    def play(self, until: datetime) -> None:
        """Play what is due up to a moment, each step at its own time; a step that is refused is counted."""
        while self._due and self._due[0][0] <= until:
            at, _, step = heapq.heappop(self._due)
            clock.set_to(at)
            try:
                step(at)
            except Refusal as refusal:
                self.done[f"refused: {refusal.code}"] += 1
        clock.set_to(None)

    def open(self, plan: Plan, number: str = "") -> Open | None:
        """Open an order now; return it if an acceptor was found. Steps that follow are the caller's."""
        while not number:
            place = next(self._number)
            number = f"{self.prefix}-{place:06d}" if place > self._opened else ""
        merchant = self.cast.merchants[plan.merchant]
        actor, customer = merchant.actor, plan.customer
        quote = patiently(lambda: quotes.quote(actor, "deposit", plan.corridor.currency, plan.amount))
        request = deposit.DepositRequest(
            quote_ref=quote.ref,
            merchant_order_id=number,
            customer_id=customer.external_id,
            customer_name=customer.name,
            payer_account=plan.payer_account,
            payer_name=plan.payer_name,
            customer_country=customer.country,
        )

        def once() -> tuple[str, str, str, datetime | None]:
            try:
                opened = deposit.open_order(actor, request)
            except AlreadyDone:
                # The database went away after it had stored our order and before it could say so.
                ref = feed.own_order(actor, number, quote.ref)
                if ref is None:
                    raise
                return _standing(merchant, ref)
            known = self.cast.acceptors.items()
            acceptor = next((ref for ref, each in known if each.actor.party_id == opened.acceptor_id), "")
            return opened.ref, opened.state, acceptor, opened.deadline_at

        ref, state, acceptor, deadline_at = patiently(once)
        self.done["opened"] += 1
        if state == State.MATCHING:
            self._at(clock.now() + _NEXT_LOOK, lambda at: self._look_again(ref, merchant, plan, at))
        elif state != State.AWAITING_PAYMENT or deadline_at is None:
            self.done[str(state)] += 1
        else:
            return Open(ref, merchant, plan, acceptor, deadline_at)
        return None

    def claim(self, order: Open) -> None:
        """Say that an order is paid."""
        plan = order.plan
        with suppress(WrongState):  # said already, when the database went away before it could answer
            patiently(
                lambda: deposit.claim_paid(
                    order.merchant.actor, order.ref, payer_name=plan.payer_name, payer_account=plan.payer_account
                )
            )
        self.done["claimed"] += 1

    def confirm(self, order: Open) -> None:
        """Let the acceptor say that the fiat has come."""
        actor, plan = self.cast.acceptors[order.acceptor_ref].actor, order.plan
        state = patiently(lambda: release.confirm(actor, order.ref, received=plan.amount, payer_name=plan.payer_name))
        self.done["completed" if state is State.COMPLETED else "stopped"] += 1

    def _at(self, moment: datetime, step: Callable[[datetime], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._turn), step))

    def _open(self, plan: Plan, number: str) -> None:
        order = self.open(plan, number)
        if order is not None:
            self._go_on(order)

    def _go_on_from(self, stopped: Stopped, plan: Plan) -> None:
        """Go on with an order that a run before had opened."""
        merchant = self.cast.merchants[plan.merchant]
        if stopped.state == State.MATCHING:
            self._at(clock.now() + _NEXT_LOOK, lambda at: self._look_again(stopped.ref, merchant, plan, at))
        elif stopped.deadline_at is not None:
            order = Open(stopped.ref, merchant, plan, stopped.acceptor_ref, stopped.deadline_at)
            if stopped.state == State.PAID_CLAIMED:
                self._wait_for_acceptor(order, stopped.since)
            else:
                self._go_on(order)

    def _look_again(self, ref: str, merchant: Party, plan: Plan, at: datetime) -> None:
        """An order that waits in the queue: matched by now, tried again, or given up at its deadline."""
        patiently(dispatch.match_due)
        _, state, acceptor, deadline_at = patiently(lambda: _standing(merchant, ref))
        if state == State.AWAITING_PAYMENT and deadline_at is not None:
            self._go_on(Open(ref, merchant, plan, acceptor, deadline_at))
        elif state == State.MATCHING and deadline_at is not None:
            if deadline_at < at:
                self._expire(ref)
            else:
                self._at(at + _NEXT_LOOK, lambda later: self._look_again(ref, merchant, plan, later))

    def _go_on(self, order: Open) -> None:
        """Plan the next steps of a matched order."""
        plan, now = order.plan, clock.now()
        if plan.course is Course.ABANDONED:
            self._at(order.deadline_at + _AFTER_DEADLINE, lambda _: self._expire(order.ref))
        elif plan.course is Course.CANCELLED:
            self._at(now + timedelta(seconds=plan.claim_after), lambda _: self._cancel(order))
        else:
            self._at(now + timedelta(seconds=plan.claim_after), lambda at: self._claimed(order, at))

    def _claimed(self, order: Open, at: datetime) -> None:
        self.claim(order)
        self._wait_for_acceptor(order, at)

    def _wait_for_acceptor(self, order: Open, at: datetime) -> None:
        if order.plan.course is Course.SILENT:
            wait = timedelta(seconds=order.plan.corridor.confirm_seconds)
            self._at(at + wait + _AFTER_DEADLINE, lambda _: self._expire(order.ref))
        else:
            self._at(at + timedelta(seconds=order.plan.confirm_after), lambda _: self.confirm(order))

    def _cancel(self, order: Open) -> None:
        patiently(lambda: deposit.cancel(order.merchant.actor, order.ref, reason="customer changed its mind"))
        self.done["cancelled"] += 1

    def _expire(self, ref: str) -> None:
        state = patiently(lambda: deadlines.expire(ref))
        self.done["disputed" if state is State.PAID_CLAIMED else str(state)] += 1


def _standing(merchant: Party, ref: str) -> tuple[str, str, str, datetime | None]:
    """Return an order's ref, state, acceptor's ref (or nothing) and deadline."""
    view = queries.order(merchant.actor, ref)
    return view.ref, view.state, view.acceptor.ref if view.acceptor else "", view.deadline_at
