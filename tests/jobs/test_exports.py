"""Exports: written once by a job, resumed after a crash, open to their owner alone and for a while."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from core import clock, health
from core.actor import Actor, Right, Scope, system
from core.db import reading, transaction
from core.errors import BadInput, Forbidden, NotFound, TooMany, WrongState
from core.reports import leases, requests, writing
from jobs import catalog
from tests import beside, make
from tests.core import lives

pytestmark = pytest.mark.usefixtures("database")

AGENT = Actor(
    "agent1", "agent", Scope.AGENT, party_id=None, user_id=7,
    rights=frozenset({Right.EXPORT, Right.SEE_COMMISSIONS}),
)  # fmt: skip


@pytest.fixture(autouse=True)
def writer(monkeypatch):
    """A report that writes who asked for it."""

    def write(actor, filters, path, told):
        path.write_text(f"{actor.name},{actor.scope},{filters}\n")
        told(1)
        return 1

    monkeypatch.setattr("core.reports.requests.test_writer", write, raising=False)
    monkeypatch.setitem(writing.WRITERS, "commission", "core.reports.requests:test_writer")
    return write


def state(ref: str) -> tuple[str, int]:
    with reading() as tx:
        return tx.rows("select state, attempts from export_file where ref = %s", (ref,))[0]


def writer_dies(ref: str) -> None:
    assert requests.claim(ref)
    with transaction() as tx:
        tx.run("update export_file set leased_until = clock_timestamp() - interval '1 second' where ref = %s", (ref,))


def test_what_was_asked_for_is_written_and_opened_by_who_asked():
    ref = requests.request(AGENT, "commission", {"period": "2026-10"})
    assert requests.due() == [ref]

    catalog.run("exports.run", [ref])
    path, export = requests.open_file(AGENT, ref)

    assert path.read_text() == "agent1,agent,{'period': '2026-10'}\n"
    assert export.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (export.state, export.rows_done) == ("done", 1)
    assert [each.ref for each in requests.own(AGENT)] == [ref]
    with reading() as tx:
        actions = tx.rows("select action from audit where subject = %s order by id", (ref,))
    assert actions == [("export.request",), ("export.open",)]


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        (replace(AGENT, user_id=8), NotFound),
        (replace(AGENT, role="finance"), NotFound),
        (replace(AGENT, scope=Scope.ALL), NotFound),
        (replace(AGENT, party_id=5), NotFound),
        (replace(AGENT, rights=frozenset({Right.EXPORT})), Forbidden),
        (replace(AGENT, rights=frozenset({Right.SEE_COMMISSIONS})), Forbidden),
    ],
)
def test_nobody_else_opens_it_nor_the_owner_without_the_right(other, refusal):
    ref = requests.request(AGENT, "commission", {})
    catalog.run("exports.run", [ref])

    with pytest.raises(refusal):
        requests.open_file(other, ref)


def test_a_writer_that_died_is_followed_by_another_three_times_at_most():
    ref = requests.request(AGENT, "commission", {})
    writer_dies(ref)
    assert requests.due() == [ref]
    catalog.run("exports.run", [ref])
    assert state(ref) == ("done", 2)

    poison = requests.request(AGENT, "commission", {})
    for _ in range(requests.MOST_ATTEMPTS):
        writer_dies(poison)
    catalog.run("exports.run", [poison])

    assert state(poison) == ("failed", 3)
    assert requests.due() == []


def test_two_writers_at_once_are_one_and_a_second_run_does_nothing():
    ref = requests.request(AGENT, "commission", {})
    assert requests.claim(ref)
    assert requests.claim(ref) is None
    catalog.run("exports.run", [ref])
    assert state(ref) == ("running", 1)


def test_a_cancelled_export_is_not_written_and_leaves_no_half_file():
    ref = requests.request(AGENT, "commission", {})
    work = requests.claim(ref)
    requests.cancel(AGENT, ref)

    with pytest.raises(WrongState):
        writing.write(work)

    assert list(requests.folder().iterdir()) == []
    with pytest.raises(WrongState):
        requests.open_file(AGENT, ref)
    with pytest.raises(WrongState):
        requests.cancel(AGENT, ref)
    with pytest.raises(NotFound):
        requests.cancel(replace(AGENT, user_id=8), ref)


def test_a_report_that_refuses_ends_as_failed_and_says_why(monkeypatch):
    def refuse(*_args):
        raise BadInput("there is no such period")

    monkeypatch.setattr("core.reports.requests.test_writer", refuse)
    ref = requests.request(AGENT, "commission", {})
    with pytest.raises(BadInput):
        catalog.run("exports.run", [ref])

    [export] = requests.own(AGENT)
    assert (export.state, export.error) == ("failed", "there is no such period")


def overtaken(ref: str) -> None:
    """Let the lease of an export end, and somebody else write it."""
    with transaction() as tx:
        tx.run("update export_file set leased_until = clock_timestamp() - interval '1 second' where ref = %s", (ref,))
    assert requests.claim(ref).attempt == 2


def test_a_writer_that_lost_its_lease_does_not_fail_the_export_of_who_has_it(monkeypatch):
    ref = requests.request(AGENT, "commission", {})

    def refuse(*_args):
        overtaken(ref)
        raise BadInput("there is no such period")

    monkeypatch.setattr("core.reports.requests.test_writer", refuse)
    with pytest.raises(BadInput):
        catalog.run("exports.run", [ref])

    assert state(ref) == ("running", 2)
    with reading() as tx:
        assert tx.call("select count(*) from outbox where topic = 'export.failed'") == 0


def test_a_writer_that_lost_its_lease_leaves_the_file_of_who_has_it(monkeypatch):
    ref = requests.request(AGENT, "commission", {})
    theirs = requests.folder() / f"{ref}.csv"

    def write(_actor, _filters, path, _told):
        overtaken(ref)
        theirs.write_text("theirs\n")
        path.write_text("ours\n")
        return 1

    monkeypatch.setattr("core.reports.requests.test_writer", write)
    catalog.run("exports.run", [ref])

    assert state(ref) == ("running", 2)
    assert [each.read_text() for each in requests.folder().iterdir()] == ["theirs\n"]


def leased_until(ref: str):
    with reading() as tx:
        return tx.call("select leased_until from export_file where ref = %s", (ref,))


def test_a_writer_that_says_nothing_for_long_keeps_its_lease_while_it_writes(monkeypatch):
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    ref = requests.request(AGENT, "commission", {})

    def write(_actor, _filters, path, _told):
        first = leased_until(ref)
        beside.until(lambda: leased_until(ref) > first, "the lease was not renewed")
        second = leased_until(ref)
        beside.until(lambda: leased_until(ref) > second, "the lease was renewed once only")
        path.write_text("done\n")
        return 0

    monkeypatch.setattr("core.reports.requests.test_writer", write)
    catalog.run("exports.run", [ref])
    assert state(ref) == ("done", 1)


def test_a_lease_that_another_has_is_not_renewed_by_who_lost_it():
    ref = requests.request(AGENT, "commission", {})
    first = requests.claim(ref)
    assert requests.renew(first)
    overtaken(ref)
    until = leased_until(ref)
    assert not requests.renew(first)
    assert leased_until(ref) == until


def test_what_a_killed_writer_left_is_begun_anew_within_a_minute():
    sweep = catalog.CATALOG["exports.sweep"]
    ref = requests.request(AGENT, "commission", {})
    assert requests.claim(ref)
    assert requests.due() == []
    with transaction() as tx:
        tx.run(
            "update export_file set leased_until = leased_until - make_interval(secs => %s)",
            (catalog.MINUTE - sweep.every,),
        )
    assert requests.due() == [ref]
    assert 3 * leases.RENEW_SECONDS < requests.LEASE_SECONDS, "a lease outlives renewals that fail"


def test_files_past_their_time_are_gone():
    ref = requests.request(AGENT, "commission", {})
    catalog.run("exports.run", [ref])
    path, _ = requests.open_file(AGENT, ref)

    with clock.at(clock.now() + requests.KEPT + timedelta(seconds=1)):
        with pytest.raises(NotFound):
            requests.open_file(AGENT, ref)
        catalog.run("exports.sweep")

    assert not path.exists()
    assert health.runs(system())[0].details == {"due": 0, "removed": 1}


def test_what_cannot_be_asked_for_is_refused_and_nothing_is_stored():
    for actor, kind, filters, refusal in (
        (AGENT, "secrets", {}, BadInput),
        (AGENT, "commission", {"x": object()}, BadInput),
        (AGENT, "orders", {}, Forbidden),
        (replace(AGENT, rights=frozenset()), "commission", {}, Forbidden),
        (replace(AGENT, user_id=None), "commission", {}, BadInput),
    ):
        with pytest.raises(refusal):
            requests.request(actor, kind, filters)
    assert requests.due() == []

    for _ in range(requests.MOST_WAITING):
        requests.request(AGENT, "commission", {})
    with pytest.raises(TooMany):
        requests.request(AGENT, "commission", {})


def test_a_merchant_gets_its_own_orders_and_no_others(writer):
    market = make.market(1)
    refs = {lives.completed(market), lives.opened(market)}
    lives.opened(make.market(1))
    shop = replace(market.merchant, user_id=9, rights=frozenset({Right.EXPORT, Right.SEE_ORDERS}))

    ref = requests.request(shop, "orders", {"format": "csv"})
    catalog.run("exports.run", [ref])
    path, export = requests.open_file(shop, ref)

    lines = [line for line in path.read_text().splitlines() if not line.startswith(("#", "order,"))]
    assert {line.split(",")[0] for line in lines} == refs
    assert (export.rows_done, path.suffix) == (2, ".csv")
