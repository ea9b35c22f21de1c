"""A version is withdrawn before it begins, by one of the two who agreed on it; nothing ever goes by it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from core import clock, db
from core.actor import Right, system
from core.commissions import lives, versions, withdrawing
from core.errors import BadInput, Conflict, Forbidden, NotFound, TooLate, WrongState
from core.money import Money, fiat
from core.parties import agents, naming
from core.pricing import quotes
from tests import make
from tests.beside import other
from tests.core import review
from tests.core.test_version_begins import NEXT, RIGHTS, broken, took

ONE, TWO, THREE = (
    replace(make.person(role, *RIGHTS), user_id=n) for n, role in enumerate(("admin", "finance", "finance"), 1)
)
DAY = timedelta(days=1)
WHY = "the board changed its mind"
TABLE = {versions.FEES: "fee_schedule", versions.PLAN: "plan_version"}


@pytest.fixture
def market(database):
    return make.market(2, levels=1)


def coming(kind=versions.FEES, start=None, *, code="", terms=None, soon=False):
    """An approved version that begins in a day, at `start`, or as soon as it can; returns its number and its begin."""
    usual, rates = NEXT[kind]
    begins = None if soon else start or clock.now().replace(microsecond=0) + DAY
    ref = versions.propose(ONE, kind, code or usual, terms or rates, "the board's decision", start=begins)
    done = versions.decide(TWO, ref, approve=True, why="as decided")
    return done.version, done.effective_from


def withdrawn(version, kind=versions.FEES, *, by=ONE, code="", why=WHY):
    withdrawing.withdraw(by, kind, code or NEXT[kind][0], version, why)


def in_force(kind, at):
    with clock.at(at):
        return versions.standing(ONE, kind, NEXT[kind][0]).now.version


def stands(kind=versions.FEES):
    """All that a withdrawal may change, to show that a refused one changed nothing."""
    table = f"select md5(string_agg(t::text, '|' order by t::text)) from {TABLE[kind]} t"
    return [review.one(table), review.everything()]


def refuses(code, step, **facts):
    before = stands()
    refused = review.refuses(code, step, **facts)
    assert stands() == before
    return refused


@pytest.mark.parametrize("by", [ONE, TWO], ids=["who proposed", "who approved"])
@pytest.mark.parametrize("kind", versions.KINDS)
def test_a_withdrawn_version_never_comes_into_force_and_stays_on_record(market, kind, by):
    version, begins = coming(kind)
    assert took(market) == (1, 1)
    withdrawn(version, kind, by=by)
    with clock.at(begins + DAY):
        assert took(market) == (1, 1)
    assert [in_force(kind, at) for at in (begins, begins + DAY)] == [1, 1]
    last, first = lives.history(ONE, kind, NEXT[kind][0])
    assert (last.version.version, last.withdrawn_by, last.withdrawn_why) == (2, by.name, WHY)
    assert abs(last.version.withdrawn_at - clock.now()) < timedelta(minutes=1)
    assert (last.before, first.after) == (first.version, None)
    assert versions.standing(ONE, kind, NEXT[kind][0]) == (first.version, None)
    assert review.rows(
        "select actor, subject, reason, details ->> 'version' from audit where action = %s", f"{kind}.withdraw_version"
    ) == [(by.name, NEXT[kind][0], WHY, "2")]
    assert review.one("select count(*) from notice where topic = %s", f"{kind}.withdrawn") == 1
    assert broken() == []


@pytest.mark.parametrize("kind", versions.KINDS)
def test_no_version_is_withdrawn_while_a_proposal_waits_that_was_made_to_follow_it(database, kind):
    usual, terms = NEXT[kind]
    version, begins = coming(kind)
    ref = versions.propose(ONE, kind, usual, terms, "the next one, of the same day")
    refuses(Conflict, lambda: withdrawn(version, kind), ref=ref)
    refuses(Forbidden, lambda: withdrawn(version, kind, by=THREE), rule="one_of_its_two")
    assert versions.decide(TWO, ref, approve=True, why="as it was shown").effective_from == begins
    withdrawn(version, kind)
    assert in_force(kind, begins) == version + 1


def test_a_version_the_trail_tells_of_is_missed_when_it_is_gone(database):
    coming()
    coming(versions.PLAN)
    withdrawn(2)
    with db.transaction() as tx:
        tx.run("set local session_replication_role = replica")
        tx.run("delete from fee_schedule where version = 2")
        tx.run("delete from plan_version where version = 2")
    told = " ".join(broken())
    assert "version 2 of standard is gone, the audit trail tells its approval" in told
    assert "version 2 of standard is gone, the audit trail tells its withdrawal" in told
    assert f"version 2 of {NEXT[versions.PLAN][0]} is gone, the audit trail tells its approval" in told


def test_what_stands_beside_it_counts_in_its_place(database):
    start = clock.now().replace(microsecond=0) + DAY
    coming(start=start)
    coming(start=start + DAY)
    coming(start=start + 2 * DAY)
    withdrawn(3)
    assert [in_force(versions.FEES, start + n * DAY) for n in (-1, 0, 1, 2)] == [1, 2, 2, 4]
    lived = lives.history(ONE, versions.FEES, "standard")
    assert [(each.before and each.before.version, each.after and each.after.version) for each in lived] == [
        (2, None), (2, 4), (1, 4), (None, 2),
    ]  # fmt: skip


def test_the_one_it_took_the_moment_of_counts_again(database):
    _, begins = coming()
    assert coming(soon=True) == (3, begins), "it begins with the one before it"
    assert in_force(versions.FEES, begins) == 3
    withdrawn(3)
    assert in_force(versions.FEES, begins) == 2


def test_numbers_go_on_and_the_next_one_may_begin_earlier(database):
    version, begins = coming()
    withdrawn(version)
    assert versions.following(ONE, versions.FEES, "standard") == 3
    early = begins - timedelta(hours=2)
    assert coming(start=early) == (3, early)
    assert in_force(versions.FEES, early) == 3
    assert broken() == []


def test_a_new_code_that_was_withdrawn_is_offered_no_more_and_its_next_version_begins_when_everybody_sees_it(market):
    new = {"code": "brand-new", "terms": {"rates": {"deposit": 5}}}
    number, _ = coming(versions.PLAN, **new)
    assert "brand-new" in naming.plans(system())
    withdrawn(number, versions.PLAN, code="brand-new")
    assert "brand-new" not in naming.plans(system())
    with pytest.raises(BadInput, match="there is no commission plan 'brand-new'"):
        agents.create(system(), "late", "Late Agent", plan="brand-new", country="BR")
    coming(code="other", terms={"platform_bps": 5})
    withdrawn(1, code="other")
    with pytest.raises(BadInput, match="there is no fee schedule 'other'"):
        make.pools.create(
            system(), "p", currency="BRL", method="pix", fee_code="other", policy="uniform_random",
            min_fiat=Money(1, fiat("BRL")), max_fiat=Money(9, fiat("BRL")),
        )  # fmt: skip
    before = clock.now()
    number, begins = coming(versions.PLAN, soon=True, **new)
    assert number == 2
    assert begins > before + versions.LEAD - timedelta(seconds=1)


def test_it_takes_one_of_the_two_who_agreed_a_right_and_a_reason(database):
    coming()
    stranger = refuses(Forbidden, lambda: withdrawn(2, by=THREE), rule="one_of_its_two")
    assert "two people agreed on standard v2" in stranger.detail
    refuses(Forbidden, lambda: withdrawn(2, by=replace(ONE, rights=frozenset({Right.SEE_LEDGER}))))
    refuses(Forbidden, lambda: withdrawn(2, by=replace(system(), name=ONE.name)), rule="one_of_its_two")
    for none in ("", "no", "-----"):
        refuses(BadInput, lambda none=none: withdrawn(2, why=none), field="reason")


def test_what_is_not_there_has_begun_begins_at_once_or_was_withdrawn_is_refused(database):
    _, begins = coming()
    for unknown in (3, 0, -1, 2**40):
        refuses(NotFound, lambda unknown=unknown: withdrawn(unknown))
    refuses(NotFound, lambda: withdrawn(2, versions.PLAN))
    refuses(NotFound, lambda: withdrawn(2, code="nothing"))
    refuses(BadInput, lambda: withdrawing.withdraw(ONE, "tariff", "standard", 2, WHY), field="kind")
    refuses(TooLate, lambda: withdrawn(1))
    for late in (timedelta(0), DAY, timedelta(microseconds=1) - versions.LEAD):
        with clock.at(begins + late):
            refuses(TooLate, lambda: withdrawn(2), begins=begins.isoformat())
    with clock.at(begins - versions.LEAD):
        withdrawn(2)
    refuses(WrongState, lambda: withdrawn(2), state="withdrawn")
    assert broken() == []


def test_nobody_is_left_without_any_version(market):
    coming(code="later", terms={"platform_bps": 5}, start=clock.now().replace(microsecond=0) + DAY)
    coming(versions.PLAN, code="later", terms={"rates": {"deposit": 5}})
    brl = fiat("BRL")
    make.pools.create(
        system(), "p", currency="BRL", method="pix", fee_code="later", policy="uniform_random",
        min_fiat=Money(1, brl), max_fiat=Money(9, brl),
    )  # fmt: skip
    agents.create(system(), "early", "Early Agent", plan="later", country="BR")
    refuses(Conflict, lambda: withdrawn(1, code="later"), count=1)
    refuses(Conflict, lambda: withdrawn(1, versions.PLAN, code="later"), count=1)
    second, begins = coming(code="later", terms={"platform_bps": 6}, soon=True)
    withdrawn(second, code="later")
    third, _ = coming(code="later", terms={"platform_bps": 6}, start=begins + DAY)
    refuses(Conflict, lambda: withdrawn(1, code="later"), count=1)
    withdrawn(third, code="later")


BY_HAND = {
    "too late": ("withdrawn_at = effective_from - interval '4.9 seconds', withdrawn_by = 1, withdrawn_why = 'late'",
                 "version_withdrawn_in_time"),
    "by a third": ("withdrawn_at = now(), withdrawn_by = 3, withdrawn_why = 'mine'", "withdrawn_by_one_of_its_two"),
    "by nobody": ("withdrawn_at = now(), withdrawn_why = 'just so'", "withdrawn_by_one_of_its_two"),
    "without a reason": ("withdrawn_at = now(), withdrawn_by = 1", "withdrawn_by_one_of_its_two"),
    "with other terms": ("withdrawn_at = now(), withdrawn_by = 1, withdrawn_why = 'x', terms = '{}'", "version_stays"),
    "other terms": ("terms = '{}'", "version_stays"),
    "another begin": ("effective_from = effective_from + interval '1 day'", "version_stays"),
    "nothing at all": ("version = version", "version_stays"),
}  # fmt: skip


@pytest.mark.parametrize("kind", versions.KINDS)
@pytest.mark.parametrize("change", BY_HAND)
def test_the_database_refuses_it_by_hand(database, kind, change):
    coming(kind)
    sets, name = BY_HAND[change]
    with other() as hand, pytest.raises(psycopg.IntegrityError) as refused:  # noqa: PT012 - some are asked at the end
        hand.execute(f"update {TABLE[kind]} set {sets} where version = 2")
        hand.commit()
    assert name in refused.value.diag.constraint_name


INSERTED = """
insert into {table} ({code}, version, terms, effective_from, created_at, requested_by, approved_by,
                     withdrawn_at, withdrawn_by, withdrawn_why)
select {code}, 9, terms, effective_from, created_at, 1, 2, now(), 1, 'never was' from {table} where version = 2
"""


@pytest.mark.parametrize("kind", versions.KINDS)
def test_the_database_keeps_what_was_withdrawn(database, kind):
    version, _ = coming(kind)
    withdrawn(version, kind)
    table = TABLE[kind]
    code = {"fee_schedule": "code", "plan_version": "plan_id"}[table]
    for sql in (
        f"update {table} set withdrawn_at = null, withdrawn_by = null, withdrawn_why = null where version = 2",
        f"update {table} set withdrawn_why = 'another reason' where version = 2",
        f"delete from {table} where version = 2",
        INSERTED.format(table=table, code=code),
    ):
        with other() as hand, pytest.raises(psycopg.errors.RestrictViolation) as refused:
            hand.execute(sql)
        assert refused.value.diag.constraint_name == "version_stays"


def test_whoever_looks_for_what_is_in_force_leaves_out_the_withdrawn():
    """No reader may forget it: each statement that compares a version's begin says so."""
    root = Path(db.__file__).parent
    files = [*root.rglob("*.py"), *(root / "migrations" / "functions").glob("*.sql")]
    asked = [
        (path.name, re.sub(r"\s+", " ", found[0]))
        for path in files
        if path.parent.name != "versions"
        for found in re.finditer(
            r"effective_from (?:<= (?:%|p_at|r\.|q\.|o\.)|> p_at).{0,160}", path.read_text("utf-8"), re.DOTALL
        )
    ]
    assert len(asked) >= 13
    assert [each for each in asked if "withdrawn_at is null" not in each[1]] == []


def test_quotes_made_before_keep_their_price(market):
    make.rate("BRL")
    asked = (market.merchant, "deposit", "BRL", Money.parse("5420", fiat("BRL")))
    before = quotes.quote(*asked)
    version, begins = coming()
    withdrawn(version)
    assert quotes.quote(*asked).fee == before.fee
    with clock.at(begins):
        make.rate("BRL")
        assert quotes.quote(*asked).fee == before.fee
