"""An acceptor's reserve is topped up by two: one says what has arrived, another approves, and it is booked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core import approvals, audit, outbox
from core.actor import Right
from core.db import reading, transaction
from core.errors import AlreadyDone, BadAmount, Barred, NotFound, sentence
from core.ledger import accounts
from core.ledger.post import Leg, post
from core.ledger.reasons import Reason
from core.money import USDT, Money
from core.parties import particulars

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.approvals import Approval
    from core.db import Transaction

KIND: Final = "reserve_topup"
"""What a top-up is called among the requests that wait for a second person."""
_LONGEST_KEY: Final = 100


class TopUp(NamedTuple):
    """What a top-up does: how much of which arrival to whom, and the free reserve before and after, as of now."""

    ref: str
    code: str
    name: str
    amount: Money
    arrival: str
    before: Money

    @property
    def after(self) -> Money:
        """The free reserve once it is booked."""
        return self.before + self.amount

    @property
    def words(self) -> str:
        """The whole of it in one line: what is read back before it is asked for and before it is approved."""
        amount, before, after = (each.show().removesuffix(" USDT") for each in (self.amount, self.before, self.after))
        return f"{amount} USDT to acceptor {self.code}, reserve {before} -> {after}"


class Asked(NamedTuple):
    """A top-up that waits for a second person, as the acceptor's page shows it."""

    request: str
    amount: Money
    arrival: str
    by: str
    at: datetime


def check(actor: Actor, ref: str, amount: Money, key: str) -> TopUp:
    """Return what a top-up would do, without asking for it. Raises as `ask` does but for the reason."""
    actor.must(Right.TOP_UP_RESERVE)
    arrival = _arrival(amount, key)
    with reading() as tx:
        return _checked(tx, actor, ref, amount, arrival)


def ask(actor: Actor, ref: str, amount: Money, key: str, why: str) -> str:
    """Ask that USDT which has arrived in custody be booked to an acceptor's reserve; return the request's ref.

    `key` names the arrival (such as a transaction hash), in whatever case: it is asked for and booked once, to one
    acceptor. Nothing is booked before another person approves (`decide`). Raises Forbidden, NotFound, BadAmount,
    BadInput, AlreadyDone (booked, or waiting already), Barred.
    """
    actor.must(Right.TOP_UP_RESERVE)
    arrival = _arrival(amount, key)
    with transaction() as tx:
        found = _checked(tx, actor, ref, amount, arrival)
        payload = {"acceptor": ref, "code": found.code, "units": amount.units, "key": arrival}
        request = approvals.request(tx, actor, KIND, _key(arrival), payload, why)
        details = {"request": request, "usdt_units": amount.units, "key": arrival}
        audit.write(tx, actor, "reserve.ask_top_up", ref, reason=why, details=details)
    return request


def decide(actor: Actor, request: str, approve: bool, why: str) -> str | None:  # noqa: FBT001 - yes or no
    """Approve or turn down another's top-up; approved, it is booked at once: return the entry's ref, else None.

    Orders that wait for liquidity hear of it through the outbox. Raises Forbidden (fact `rule` = `four_eyes` for who
    asked), NotFound, WrongState when it was decided before, BadInput without a reason, AlreadyDone, Barred.
    """
    actor.must(Right.APPROVE_TOP_UP)
    with transaction() as tx:
        _must_be_ours(tx, request)
        done = approvals.decide(tx, actor, request, approve, why)
        ref = done.payload["acceptor"]
        if not approve:
            audit.write(tx, actor, "reserve.turn_down", ref, reason=done.decided_why, details={"request": request})
            return None
        found = _checked(tx, actor, ref, Money(done.payload["units"], USDT), done.payload["key"], lock=True)
        return _booked(tx, actor, found, done)


def withdraw(actor: Actor, request: str, why: str) -> None:
    """Take back one's own top-up while it waits. Raises Forbidden, NotFound, WrongState, BadInput without a reason."""
    actor.must(Right.TOP_UP_RESERVE)
    with transaction() as tx:
        _must_be_ours(tx, request)
        done = approvals.withdraw(tx, actor, request, why)
        ref = done.payload["acceptor"]
        audit.write(tx, actor, "reserve.withdraw", ref, reason=done.decided_why, details={"request": request})


def asked(actor: Actor, request: str) -> TopUp:
    """Return what a request's top-up does, with the reserve as it is now. Raises Forbidden, NotFound."""
    actor.must(Right.SEE_APPROVALS)
    with reading() as tx:
        _must_be_ours(tx, request)
        return _of(tx, approvals.find(tx, request))


def waiting(actor: Actor, ref: str) -> list[Asked]:
    """Return the top-ups of an acceptor that wait for a second person, the oldest first. Raises Forbidden, NotFound."""
    actor.must(Right.SEE_BALANCE)
    with reading() as tx:
        if not particulars.owns(actor, particulars.find(tx, ref, "acceptor")):
            raise NotFound(sentence("there is no acceptor %(ref)s", ref=ref[:40]), ref=ref[:40])
        rows = tx.rows(
            "select ref, (payload ->> 'units')::bigint, payload ->> 'key', requested_by, requested_at from approval"
            " where kind = %s and state = 'waiting' and payload ->> 'acceptor' = %s order by id",
            (KIND, ref),
        )
    return [Asked(row[0], Money(row[1], USDT), *row[2:]) for row in rows]


def all_waiting(actor: Actor) -> list[tuple[Approval, TopUp]]:
    """Return every top-up that waits, the oldest first, with what each does as of now. Raises Forbidden."""
    actor.must(Right.SEE_APPROVALS)
    with reading() as tx:
        refs = tx.rows("select ref from approval where kind = %s and state = 'waiting' order by id", (KIND,))
        return [(each, _of(tx, each)) for each in (approvals.find(tx, ref) for (ref,) in refs)]


def request_for(actor: Actor, key: str) -> str | None:
    """Return the waiting request for an arrival, if there is one. Raises Forbidden, BadInput."""
    actor.must(Right.SEE_APPROVALS)
    arrival = particulars.read_words(key, "arrival", longest=_LONGEST_KEY)
    with reading() as tx:
        found = approvals.waiting(tx, KIND, _key(arrival))
    return found.ref if found else None


def _arrival(amount: Money, key: str) -> str:
    if amount.asset != USDT or amount.units <= 0:
        raise BadAmount(sentence("a reserve is topped up with USDT, more than zero"), amount=amount.text())
    return particulars.read_words(key, "arrival", longest=_LONGEST_KEY)


def _key(arrival: str) -> str:
    """Return the arrival's key in the journal, the same in whatever case it is written."""
    return f"topup:{arrival.casefold()}"


def _checked(tx: Transaction, actor: Actor, ref: str, amount: Money, arrival: str, *, lock: bool = False) -> TopUp:
    """Return what the top-up does, else refuse: nobody of the actor's, barred, or booked already."""
    found, party = _found(tx, ref, amount, arrival, lock=lock)
    if not particulars.owns(actor, party):
        raise NotFound(sentence("there is no acceptor %(ref)s", ref=ref[:40]), ref=ref[:40])
    if party.state == "barred":
        raise Barred(sentence("%(code)s is barred: its money is not taken", code=party.code), ref=ref)
    # An arrival booked when its key still named the acceptor counts too; today's key the database itself keeps.
    earlier = tx.call(
        "select coalesce((select ref from journal_entry where key = %s), (select j.ref from party p"
        " join journal_entry j on j.key = p.ref || ':topup:' || %s where p.kind = 'acceptor' limit 1))",
        (_key(arrival), arrival),
    )
    if earlier:
        raise AlreadyDone(
            sentence("%(arrival)s has been booked by %(earlier)s", arrival=arrival, earlier=earlier), entry=earlier
        )
    return found


def _of(tx: Transaction, request: Approval) -> TopUp:
    said = request.payload
    return _found(tx, said["acceptor"], Money(said["units"], USDT), said["key"])[0]


def _found(
    tx: Transaction, ref: str, amount: Money, arrival: str, *, lock: bool = False
) -> tuple[TopUp, particulars.PartyRow]:
    party = particulars.find(tx, ref, "acceptor", lock=lock)
    free = accounts.balance(tx, accounts.of_party(tx, party.id)).available
    return TopUp(ref, party.code, party.name, amount, arrival, Money(free, USDT)), party


def _booked(tx: Transaction, actor: Actor, found: TopUp, done: Approval) -> str:
    units = found.amount.units
    party = particulars.find(tx, found.ref, "acceptor")
    entry = post(
        tx,
        key=_key(found.arrival),
        reason=Reason.RESERVE_TOPUP,
        legs=[
            Leg(accounts.of_party(tx, party.id), "available", units),
            Leg(accounts.house(tx, "custody"), "available", -units),
        ],
        actor=actor.name,
    )
    details = {
        "entry": entry, "usdt_units": units, "key": found.arrival, "asked_by": done.requested_by, "request": done.ref,
    }  # fmt: skip
    audit.write(tx, actor, "reserve.top_up", found.ref, reason=done.decided_why, details=details)
    outbox.tell(tx, "reserve.topped_up", found.ref, payload={"entry": entry, "usdt_units": units})
    return entry


def _must_be_ours(tx: Transaction, request: str) -> None:
    if approvals.find(tx, request).kind != KIND:
        raise NotFound(sentence("there is no top-up %(request)s", request=request[:40]), ref=request[:40])
