"""Enrolling merchants, acceptors and agents in the portal: by an administrator, each fault told at its field."""

from __future__ import annotations

import pytest

from core.db import reading, transaction
from core.parties import agents
from tests import make
from tests.portal import market
from tests.portal.market import signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    with transaction() as tx:
        made.agent = tx.call("select code from party where ref = %s", (made.trade.agents[0],))
    return made


FORM = {"code": "new-one", "name": "New One Ltd", "country": "BR", "kyc_level": "2", "agent": "", "plan": "direct"}


def stored(code):
    with reading() as tx:
        return tx.rows(
            "select p.ref, p.kind, p.name, p.country, p.kyc_level, coalesce(m.agent_id, c.agent_id, g.parent_id),"
            " l.available from party p left join merchant m on m.party_id = p.id left join acceptor c on"
            " c.party_id = p.id left join agent g on g.party_id = p.id left join ledger_account l on l.party_id = p.id"
            " where p.code = %s",
            (code,),
        )


def everything():
    """What a refused enrolment must leave as it was."""
    with reading() as tx:
        return tx.rows(
            "select (select count(*) from party), (select count(*) from ledger_account), (select count(*) from audit"
            " where action like '%%.create'), (select count(*) from outbox)"
        )


@pytest.mark.parametrize("kind", ["merchant", "acceptor", "agent"])
def test_an_administrator_enrols_a_party_below_its_agent_with_an_empty_account(desk, kind):
    browser, code = signed_in(desk, "admin"), f"fresh-{kind}"
    assert f"/{kind}s/new" in browser.get(f"/{kind}s/list/").text
    assert browser.get(f"/{kind}s/new").status_code == 200
    answer = browser.post(f"/{kind}s/new", FORM | {"code": code, "agent": desk.agent, "parent": desk.agent})
    assert answer.status_code == 302
    ((ref, stored_kind, name, country, level, above, available),) = stored(code)
    assert (stored_kind, name, country, level, available) == (kind, "New One Ltd", "BR", 2, 0)
    with reading() as tx:
        assert tx.call("select code from party where id = %s", (above,)) == desk.agent
        assert tx.call("select actor from audit where action = %s and subject = %s", (f"{kind}.create", ref)) == "admin"
    assert answer.headers["Location"].endswith(f"/{kind}s/show/{ref}")
    assert browser.get(answer.headers["Location"]).status_code == 200


FAULTS = [
    ("merchant", {"code": ""}, "code", "bad_input"),
    ("merchant", {"code": "two words"}, "code", "bad_input"),
    ("merchant", {"code": "shop-far"}, "code", "already_done"),
    ("merchant", {"name": " "}, "name", "bad_input"),
    ("merchant", {"name": "Evil\u202eName"}, "name", "bad_input"),
    ("merchant", {"name": "x" * 200}, "name", "bad_input"),
    ("merchant", {"country": ""}, "country", "bad_input"),
    ("merchant", {"country": "XX"}, "country", "bad_input"),
    ("merchant", {"country": "KP"}, "country", "barred"),
    ("acceptor", {"country": "IR"}, "country", "barred"),
    ("merchant", {"agent": "nobody"}, "agent", "not_found"),
    ("merchant", {"kyc_level": "9"}, "kyc_level", "bad_input"),
    ("merchant", {"kyc_level": "two"}, "kyc_level", "bad_input"),
    ("acceptor", {"country": ""}, "country", "bad_input"),
    ("acceptor", {"agent": "nobody"}, "agent", "not_found"),
    ("agent", {"parent": "nobody"}, "parent", "not_found"),
    ("agent", {"plan": "golden"}, "plan", "bad_input"),
    ("agent", {"plan": ""}, "plan", "bad_input"),
]


@pytest.mark.parametrize(("kind", "wrong", "at", "code"), FAULTS)
def test_what_is_wrong_is_said_at_its_field_and_nobody_is_enrolled(desk, kind, wrong, at, code):
    browser = signed_in(desk, "admin")
    browser.get(f"/{kind}s/new")
    before = everything()
    answer = browser.post(f"/{kind}s/new", FORM | {"code": "never"} | wrong)
    assert 400 <= answer.status_code < 500
    assert f'id="e-{at}"' in answer.text
    assert f"[{code}]" in answer.text
    assert "New One Ltd" in answer.text or "name" in wrong, "what was typed stays"
    assert everything() == before


def test_a_party_is_not_enrolled_below_an_agent_that_is_suspended(desk):
    from core.parties import standing

    ref = agents.create(make.system(), "shut", "Shut", plan="direct")
    standing.suspend(make.system(), ref, "is looked into")
    browser = signed_in(desk, "admin")
    browser.get("/acceptors/new")
    answer = browser.post("/acceptors/new", FORM | {"code": "below-shut", "agent": "shut"})
    assert 'id="e-agent"' in answer.text
    assert "[frozen]" in answer.text
    assert stored("below-shut") == []


@pytest.mark.parametrize("name", ["compliance", "finance", "auditor", "agent1", "acceptor1", "merchant1"])
def test_nobody_else_enrols_or_is_shown_how(desk, name):
    browser = signed_in(desk, name)
    for kind in ("merchant", "acceptor", "agent"):
        assert browser.get(f"/{kind}s/new").status_code == 403
        assert browser.post(f"/{kind}s/new", FORM | {"code": "by-another"}).status_code == 403
        assert f"/{kind}s/new" not in browser.get(f"/{kind}s/list/").text
    assert stored("by-another") == []
