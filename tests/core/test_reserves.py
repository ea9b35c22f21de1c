"""Reserves: a top-up is asked for by one, approved by another, and booked once for each arrival."""

from __future__ import annotations

import pytest

from core import db
from core.actor import Right
from core.commissions import versions
from core.errors import (
    AlreadyDone,
    BadAmount,
    BadInput,
    Barred,
    Forbidden,
    NotFound,
    WrongState,
)
from core.money import USDT, Money, fiat
from core.parties import reserves, standing
from core.verify import run as verify
from tests import make
from tests.core import review

RIGHTS = (Right.TOP_UP_RESERVE, Right.APPROVE_TOP_UP, Right.SEE_APPROVALS, Right.SEE_BALANCE)
ONE, TWO = make.person("finance", *RIGHTS), make.person("finance2", *RIGHTS)
CLERK = make.person("clerk", Right.TOP_UP_RESERVE)
SOME = Money.parse("12000", USDT)
CUSTODY = "select units from v_balances where account = 'house:custody'"


def one(sql, *args):
    with db.reading() as tx:
        return tx.call(sql, args)


def trail(ref):
    with db.reading() as tx:
        return [row for (row,) in tx.rows("select action from audit where subject = %s order by at, id", (ref,))]


def refused(kind, command, *args):
    before = review.everything()
    with pytest.raises(kind) as caught:
        command(*args)
    assert review.everything() == before, "what is refused changes nothing"
    return caught.value


@pytest.fixture
def acceptor(database):
    return make.market(1, reserve="3400").acceptors[0]


def test_a_top_up_is_booked_when_another_person_has_approved_it(acceptor):
    told = reserves.check(ONE, acceptor.ref, SOME, "0xabc")
    assert told.words == f"12,000.000000 USDT to acceptor {acceptor.code}, reserve 3,400.000000 -> 15,400.000000"
    request = reserves.ask(ONE, acceptor.ref, SOME, "0xabc", "seen on the chain")
    assert one(CUSTODY) == -3_400_000_000, "nothing is booked by one person"
    ((asked, what),) = reserves.all_waiting(TWO)
    assert (asked.ref, asked.requested_by, what.words) == (request, ONE.name, told.words)
    assert [each.amount for each in reserves.waiting(acceptor.actor, acceptor.ref)] == [SOME]
    own = refused(Forbidden, reserves.decide, ONE, request, True, "my own")
    assert own.facts["rule"] == "four_eyes"
    refused(Forbidden, reserves.decide, CLERK, request, True, "no right")
    entry = reserves.decide(TWO, request, approve=True, why="seen in custody")
    assert entry.startswith("jrn_")
    assert one("select units from v_balances where account = %s", f"acceptor:{acceptor.code}:reserve") == 15_400_000_000
    assert one(CUSTODY) == -15_400_000_000
    assert reserves.waiting(acceptor.actor, acceptor.ref) == []
    assert trail(request) == ["approval.request", "approval.approve"]
    assert trail(acceptor.ref)[-2:] == ["reserve.ask_top_up", "reserve.top_up"]
    assert one("select topic from outbox where subject = %s order by id desc limit 1", acceptor.ref)
    refused(WrongState, reserves.decide, TWO, request, True, "twice")
    assert [each.invariant for each in verify() if not each.holds] == []


def test_an_arrival_is_asked_for_and_booked_once_in_whatever_case_it_is_written(acceptor):
    other = make.acceptor(make.pool())
    request = reserves.ask(ONE, acceptor.ref, SOME, "0xABC1", "arrived")
    for ref in (acceptor.ref, other.ref):
        refused(AlreadyDone, reserves.ask, TWO, ref, SOME, " 0xabc1 ", "arrived")
    assert reserves.request_for(TWO, "0xAbC1") == request
    reserves.decide(TWO, request, approve=True, why="seen there")
    for ref in (acceptor.ref, other.ref):
        refused(AlreadyDone, reserves.ask, TWO, ref, SOME, "0xabc1", "arrived")


def test_an_arrival_booked_under_its_acceptors_own_key_stays_booked(acceptor):
    make.top_up(acceptor.ref, SOME, "0xABC1")
    with db.transaction() as tx:  # as it was kept before arrivals were the house's
        tx.run("alter table journal_entry disable trigger append_only")
        tx.run("update journal_entry set key = %s where key = 'topup:0xabc1'", (f"{acceptor.ref}:topup:0xABC1",))
        tx.run("alter table journal_entry enable trigger append_only")
    refused(AlreadyDone, reserves.ask, ONE, acceptor.ref, SOME, "0xABC1", "arrived")


def test_what_is_turned_down_or_withdrawn_is_not_booked_and_may_be_asked_for_anew(acceptor):
    first = reserves.ask(ONE, acceptor.ref, SOME, "0xabc", "arrived")
    assert reserves.decide(TWO, first, approve=False, why="not in custody") is None
    second = reserves.ask(ONE, acceptor.ref, Money.parse("120", USDT), "0xabc", "the amount was wrong")
    refused(Forbidden, reserves.withdraw, TWO, second, "not mine")
    reserves.withdraw(ONE, second, "another acceptor's")
    refused(WrongState, reserves.decide, TWO, second, True, "too late")
    refused(WrongState, reserves.withdraw, ONE, second, "again")
    assert one(CUSTODY) == -3_400_000_000
    assert trail(acceptor.ref)[-4:] == [
        "reserve.ask_top_up", "reserve.turn_down", "reserve.ask_top_up", "reserve.withdraw",
    ]  # fmt: skip


def test_who_is_barred_in_between_gets_nothing(acceptor):
    request = reserves.ask(ONE, acceptor.ref, SOME, "0xabc", "arrived")
    standing.bar(make.system(), acceptor.ref, "forged papers")
    refused(Barred, reserves.decide, TWO, request, True, "seen there")
    refused(Barred, reserves.ask, ONE, acceptor.ref, SOME, "0xdef", "arrived")


def test_a_top_up_that_cannot_be_changes_nothing(acceptor):
    for kind, who, ref, amount, key, why in (
        (BadAmount, ONE, acceptor.ref, Money(0, USDT), "k", "as agreed"),
        (BadAmount, ONE, acceptor.ref, Money(-5, USDT), "k", "as agreed"),
        (BadAmount, ONE, acceptor.ref, Money(5, fiat("BRL")), "k", "as agreed"),
        (BadInput, ONE, acceptor.ref, Money(5, USDT), " ", "as agreed"),
        (BadInput, ONE, acceptor.ref, Money(5, USDT), "k", " "),
        (NotFound, ONE, "acc_nobody", Money(5, USDT), "k", "as agreed"),
        (Forbidden, acceptor.actor, acceptor.ref, Money(5, USDT), "k", "as agreed"),
    ):
        refused(kind, reserves.ask, who, ref, amount, key, why)
    refused(NotFound, reserves.decide, TWO, "apr_none", True, "as agreed")


def test_a_request_is_decided_at_its_own_door_only(acceptor):
    pricing = (Right.MANAGE_PRICING, Right.APPROVE_PRICING)
    three, four = make.person("finance", *RIGHTS, *pricing), make.person("finance2", *RIGHTS, *pricing)
    top_up = reserves.ask(three, acceptor.ref, SOME, "T-door", "arrived")
    terms = {"platform_bps": 30}
    proposal = versions.propose(three, versions.FEES, "standard", terms, "the board's decision")
    for stray, door in ((proposal, reserves), (top_up, versions)):
        refused(NotFound, door.decide, four, stray, True, "looks right")
        refused(NotFound, door.decide, four, stray, False, "looks wrong")
        refused(NotFound, door.withdraw, three, stray, "a slip")
    refused(NotFound, reserves.asked, four, proposal)
    refused(NotFound, reserves.decide, four, "apr_0000000000000000", True, "there is none")
