"""Four eyes: nobody decides what they requested, and nothing is decided twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from core import approvals, db
from core.actor import system
from core.errors import AlreadyDone, BadInput, Forbidden, NotFound, Refusal, WrongState

MIA, LEE = system("mia"), system("lee")


def ask(subject="ord_1", actor=MIA, reason="payer is known"):
    with db.transaction() as tx:
        return approvals.request(tx, actor, "release_held", subject, {"order": subject}, reason)


def decide(ref, actor, approve=True, why="checked the statement"):
    with db.transaction() as tx:
        return approvals.decide(tx, actor, ref, approve, why)


def trail(ref):
    with db.reading() as tx:
        return [row[0] for row in tx.rows("select action from audit where subject = %s order by id", (ref,))]


def test_a_second_person_approves_and_both_steps_are_on_record(database):
    ref = ask()
    done = decide(ref, LEE)
    assert (done.state, done.requested_by, done.decided_by) == ("approved", "mia", "lee")
    assert done.payload == {"order": "ord_1"}
    assert trail(ref) == ["approval.request", "approval.approve"]
    with db.reading() as tx:
        assert approvals.find(tx, ref) == done
        topics = tx.rows("select topic from outbox where subject = %s order by id", (ref,))
    assert topics == [("approval.requested",), ("approval.approved",)]


def test_nobody_decides_their_own_request(database):
    ref = ask()
    for verdict in (True, False):
        with pytest.raises(Forbidden) as refused:
            decide(ref, MIA, verdict)
        assert refused.value.facts["rule"] == "four_eyes"
    with db.reading() as tx:
        assert approvals.find(tx, ref).state == "waiting"
    assert trail(ref) == ["approval.request"]


def test_the_database_refuses_it_too(database):
    ref = ask()
    with pytest.raises(psycopg.errors.CheckViolation, match="approval_four_eyes"), db.transaction() as tx:
        tx.run("update approval set state = 'approved', decided_by = requested_by where ref = %s", (ref,))


def test_a_decided_request_is_not_decided_again(database):
    ref = ask()
    assert decide(ref, LEE, approve=False).state == "refused"
    with pytest.raises(WrongState):
        decide(ref, LEE)
    assert ask() != ref


def test_only_one_request_for_a_subject_waits(database):
    ref = ask()
    with pytest.raises(AlreadyDone) as refused:
        ask(actor=LEE)
    assert refused.value.facts["request"] == ref
    ask("ord_2")


def test_many_deciding_at_once_decide_once(database):
    ref = ask()

    def attempt(number):
        try:
            decide(ref, system(f"officer{number}"))
        except Refusal:
            return 0
        return 1

    with ThreadPoolExecutor(6) as crowd:
        assert sum(crowd.map(attempt, range(6))) == 1


def test_reasons_are_asked_for_and_unknown_requests_are_refused(database):
    with pytest.raises(BadInput):
        ask(reason="  ")
    ref = ask()
    with pytest.raises(BadInput):
        decide(ref, LEE, why="")
    with pytest.raises(NotFound):
        decide("apr_nothing", LEE)
