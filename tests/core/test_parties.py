"""Parties: enrolled by those who may, in a tree without rings, online only when they may take orders."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import db
from core.actor import Actor, Right, Scope, system
from core.errors import (
    AlreadyDone,
    BadInput,
    Conflict,
    Forbidden,
    Frozen,
    NotFound,
    Refusal,
    WrongState,
)
from core.parties import acceptors, agents, merchants, standing
from tests import make

MANAGER = make.person("admin", Right.MANAGE_PARTIES)


def one(sql, *args):
    with db.reading() as tx:
        return tx.call(sql, args)


def written():
    """How many rows all tables that commands write have, together."""
    return one(
        "select (select count(*) from party) + (select count(*) from audit) + (select count(*) from outbox)"
        " + (select count(*) from ledger_account) + (select count(*) from journal_leg)"
        " + (select count(*) from bank_account) + (select count(*) from agent_closure)",
    )


def refused(kind, command, *args, **named):
    """The command is refused with that error and has changed nothing; returns the error."""
    before = written()
    with pytest.raises(kind) as error:
        command(*args, **named)
    assert written() == before
    return error.value


def story(ref):
    """The actions on record for a ref, beside the topics told."""
    with db.reading() as tx:
        actions = tx.rows("select action from audit where subject = %s order by id", (ref,))
        topics = tx.rows("select topic from outbox where subject = %s order by id", (ref,))
    return [row[0] for row in actions], [row[0] for row in topics]


def test_a_merchant_is_enrolled_with_an_account_and_a_trail(database):
    agent = agents.create(MANAGER, "ana", "Ana Costa", plan="direct")
    ref = merchants.create(MANAGER, "shop", "Shop Ltda", country="BR", agent_ref=agent)
    assert ref.startswith("mer_")
    assert one("select units from v_balances where account = 'merchant:shop'") == 0
    assert one("select count(*) from merchant where agent_id is not null") == 1
    assert story(ref) == (["merchant.create"], ["merchant.created"])


CANNOT_BE = [
    ("", "Shop", "BR", 1),
    ("a b", "Shop", "BR", 1),
    ("shop:1", "Shop", "BR", 1),
    ("x" * 41, "Shop", "BR", 1),
    ("shop", "  ", "BR", 1),
    ("shop", "a\x00b", "BR", 1),
    ("shop", "x" * 121, "BR", 1),
    ("shop", "Shop", "XX", 1),
    ("shop", "Shop", "UK", 1),
    ("shop", "Shop", "BR", 4),
    ("shop", "Shop", "BR", True),
]


def test_particulars_that_cannot_be_are_refused(database):
    for code, name, country, kyc in CANNOT_BE:
        refused(BadInput, merchants.create, MANAGER, code, name, country=country, kyc_level=kyc)


def test_only_those_who_manage_parties_enrol_them(database):
    nobody = make.person("compliance", Right.SEE_MERCHANTS)
    refused(Forbidden, merchants.create, nobody, "shop", "Shop", country="BR")
    refused(Forbidden, acceptors.create, nobody, "acc", "Acc", country="BR")
    refused(Forbidden, agents.create, nobody, "agt", "Agt", plan="direct")


def test_a_code_is_taken_once_per_kind(database):
    merchants.create(MANAGER, "same", "One", country="BR")
    refused(AlreadyDone, merchants.create, MANAGER, "same", "Two", country="BR")
    acceptors.create(MANAGER, "same", "Three", country="BR")


def test_an_unknown_or_suspended_agent_refers_nobody(database):
    refused(NotFound, merchants.create, MANAGER, "shop", "Shop", country="BR", agent_ref="agt_nobody")
    agent = agents.create(MANAGER, "ana", "Ana Costa", plan="direct")
    standing.suspend(MANAGER, agent, "under investigation")
    refused(Frozen, merchants.create, MANAGER, "shop", "Shop", country="BR", agent_ref=agent)


def test_an_acceptor_goes_online_by_itself_and_not_for_others(database):
    market = make.market(2)
    mine, other = market.acceptors
    acceptors.set_online(mine.actor, mine.ref, online=False)
    assert not one("select online from acceptor where party_id = %s", mine.id)
    refused(NotFound, acceptors.set_online, mine.actor, other.ref, online=False)
    refused(Forbidden, acceptors.set_online, market.merchant, mine.ref, online=True)
    assert story(mine.ref)[0][-2:] == ["acceptor.online", "acceptor.offline"]


def test_saying_online_twice_is_one_event(database):
    acceptor = make.market(1).acceptors[0]
    before = story(acceptor.ref)
    acceptors.set_online(acceptor.actor, acceptor.ref, online=True)
    assert story(acceptor.ref) == before


def test_a_suspended_acceptor_cannot_go_online(database):
    acceptor = make.market(1).acceptors[0]
    acceptors.set_online(acceptor.actor, acceptor.ref, online=False)
    standing.suspend(MANAGER, acceptor.ref, "papers have expired")
    refused(Frozen, acceptors.set_online, acceptor.actor, acceptor.ref, online=True)
    standing.reinstate(MANAGER, acceptor.ref, "papers renewed")
    acceptors.set_online(acceptor.actor, acceptor.ref, online=True)


def test_a_bar_has_no_end(database):
    acceptor = make.market(1).acceptors[0]
    standing.bar(MANAGER, acceptor.ref, "forged papers")
    refused(WrongState, standing.reinstate, MANAGER, acceptor.ref, "sorry")
    refused(WrongState, standing.bar, MANAGER, acceptor.ref, "again")


def closure_breaks():
    """Where the stored closure or depth differs from what the parents say."""
    with db.reading() as tx:
        return tx.rows(
            "with recursive up as (select party_id as d, party_id as a, 0 as n from agent union all"
            " select up.d, g.parent_id, up.n + 1 from up join agent g on g.party_id = up.a"
            " where g.parent_id is not null)"
            " select coalesce(up.d, c.descendant_id), coalesce(up.a, c.ancestor_id) from up"
            " full join agent_closure c on c.descendant_id = up.d and c.ancestor_id = up.a"
            " and c.distance = up.n"
            " where up.d is null or c.descendant_id is null"
            " union all select g.party_id, g.depth from agent g"
            " where g.depth <> (select count(*) from agent_closure c where c.descendant_id = g.party_id)",
        )


def test_the_tree_keeps_who_stands_above_whom(database):
    root = agents.create(MANAGER, "root", "Root", plan="country")
    middle = agents.create(MANAGER, "middle", "Middle", plan="regional", parent_ref=root)
    leaf = agents.create(MANAGER, "leaf", "Leaf", plan="direct", parent_ref=middle)
    other = agents.create(MANAGER, "other", "Other", plan="country")
    assert closure_breaks() == []
    agents.reparent(MANAGER, middle, other, "moved to another country")
    assert closure_breaks() == []
    assert one("select g.depth from agent g join party p on p.id = g.party_id where p.ref = %s", leaf) == 3
    agents.reparent(MANAGER, middle, None, "on its own")
    assert closure_breaks() == []
    assert story(middle)[0] == ["agent.create", "agent.reparent", "agent.reparent"]


def test_nobody_stands_below_itself(database):
    root = agents.create(MANAGER, "root", "Root", plan="country")
    leaf = agents.create(MANAGER, "leaf", "Leaf", plan="direct", parent_ref=root)
    refused(Conflict, agents.reparent, MANAGER, root, leaf, "a ring")
    refused(Conflict, agents.reparent, MANAGER, root, root, "a ring")
    refused(WrongState, agents.reparent, MANAGER, leaf, root, "same place")
    refused(BadInput, agents.reparent, MANAGER, leaf, None, " ")
    refused(NotFound, agents.reparent, MANAGER, "agt_nobody", None, "who is it")


def test_two_moves_at_once_close_no_ring(database):
    one_, two = (agents.create(MANAGER, code, code, plan="direct") for code in ("one", "two"))

    def move(pair):
        try:
            agents.reparent(MANAGER, *pair, "a swap")
        except Refusal:
            return 0
        return 1

    with ThreadPoolExecutor(2) as crowd:
        assert sum(crowd.map(move, [(one_, two), (two, one_)])) == 1
    assert closure_breaks() == []


def test_the_tree_does_not_grow_without_end(database):
    parent = None
    for level in range(agents.DEEPEST):
        parent = agents.create(MANAGER, f"a{level}", f"Agent {level}", plan="direct", parent_ref=parent)
    refused(BadInput, agents.create, MANAGER, "deep", "Deep", plan="direct", parent_ref=parent)
    refused(BadInput, agents.create, MANAGER, "odd", "Odd", plan="no such plan")


@pytest.fixture(scope="module")
def forest(module_database):
    """Seven agents, all roots."""
    return [agents.create(MANAGER, f"f{number}", f"F {number}", plan="direct") for number in range(7)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6)), max_size=8))
def test_any_moves_leave_a_true_closure(forest, moves):
    for who, under in moves:
        try:
            agents.reparent(MANAGER, forest[who], None if under is None else forest[under], "shuffle")
        except (Conflict, WrongState):
            continue
    assert closure_breaks() == []


def test_an_actor_without_a_party_owns_nothing(database):
    acceptor = make.market(1).acceptors[0]
    stray = Actor(name="stray", role="acceptor", scope=Scope.NONE, rights=frozenset({Right.SET_ONLINE}))
    refused(NotFound, acceptors.set_online, stray, acceptor.ref, online=False)
    assert system().owns(acceptor_id=acceptor.id)
