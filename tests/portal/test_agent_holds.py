"""Commissions held, on the agent's page: who holds and lifts them, what everybody reads, and that a reason is asked."""

from __future__ import annotations

import re

import pytest

from core.actor import system
from core.db import reading
from core.money import USDT, Money, fiat
from core.orders import release
from core.parties import standing
from tests.portal import market
from tests.portal.market import claimed, signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    received = Money.parse("542.00", fiat("BRL"))
    release.confirm(made.acceptor.actor, claimed(made.trade), received=received, payer_name="Joao Santos")
    made.agent = made.trade.agents[0]
    return made


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def held(ref):
    with reading() as tx:
        return tx.call(
            "select l.held > 0 and g.held from ledger_account l join party p on p.id = l.party_id"
            " join agent g on g.party_id = p.id where p.ref = %s",
            (ref,),
        )


def test_an_officer_holds_and_lifts_a_commission_with_a_reason(desk):
    officer, page = signed_in(desk, "compliance"), f"/agents/show/{desk.agent}"
    assert "Hold commission" in text(officer.get(page))
    assert officer.post(f"/agents/action/hold/{desk.agent}", {"reason": ""}).status_code == 422
    assert officer.post(f"/agents/action/lift/{desk.agent}", {"reason": "nothing is"}).status_code == 409
    assert officer.post(f"/agents/action/hold/{desk.agent}", {"reason": "many of one size"}).status_code == 302
    assert held(desk.agent)
    told = text(officer.get(page))
    assert "Held by compliance Reason many of one size" in told
    assert "Payable 0.000000 USDT" in told
    mine = signed_in(desk, "agent1")
    own, home = text(mine.get(page)), text(mine.get("/"))
    assert "Commission held" in own
    assert re.search(r"Commission held since \d{4}-\d\d-\d\d [\d.,]+ USDT it is under review; what you earn", home)
    assert "many of one size" not in own + home
    assert "Commission held" not in text(officer.get("/"))
    for name in ("finance", "auditor", "agent1"):
        browser = signed_in(desk, name)
        browser.get(page)
        assert browser.post(f"/agents/action/lift/{desk.agent}", {"reason": "please"}).status_code == 403
    for no_word in ("x", "-----"):
        assert officer.post(f"/agents/action/lift/{desk.agent}", {"reason": no_word}).status_code == 422
    assert officer.post(f"/agents/action/lift/{desk.agent}", {"reason": "explained"}).status_code == 302
    assert held(desk.agent), "one person ends no hold"
    waits = officer.get(page)
    assert "compliance asked to end the hold: it waits for another person." in text(waits)
    request = re.search(r"/approvals/show/(apr_\w+)", waits.text)[1]
    assert "asked to end" not in text(signed_in(desk, "agent1").get(page)), "who asks is not the agent's to read"
    yes = {"approve": "yes", "why": "seen the shop"}
    assert "You asked for this" in text(officer.get(f"/approvals/show/{request}"))
    assert officer.post(f"/approvals/action/lift/{request}", yes).status_code == 403
    finance = signed_in(desk, "finance")
    finance.get(f"/approvals/show/{request}")
    assert finance.post(f"/approvals/action/lift/{request}", yes).status_code == 403
    other = signed_in(desk, "compliance2")
    assert "Waiting for your approval" in text(other.get("/"))
    assert request in other.get("/approvals/list/?state=waiting").text
    told = text(other.get(f"/approvals/show/{request}"))
    assert re.search(r"The hold on the commission of \S+ ends: [\d,]+\.\d{6} USDT become payable", told)
    assert "Why it is held many of one size" in told
    for no_word in ("", "x"):
        assert other.post(f"/approvals/action/lift/{request}", yes | {"why": no_word}).status_code == 422
    assert other.post(f"/approvals/action/lift/{request}", yes).status_code == 302
    assert not held(desk.agent)
    assert "Commission held" not in text(signed_in(desk, "agent1").get("/"))
    assert "is payable again" in text(other.get(f"/approvals/show/{request}"))


def test_a_suspended_agent_reads_at_home_that_its_commission_is_held_and_how_much(desk):
    standing.suspend(system(), desk.agent, "papers ran out")
    with reading() as tx:
        units = tx.call(
            "select l.available + l.held from ledger_account l join party p on p.id = l.party_id where p.ref = %s",
            (desk.agent,),
        )
    told = text(signed_in(desk, "agent1").get("/"))
    shown = re.search(r"Commission held since \S+ ([\d.,]+) USDT you are suspended; what you earn meanwhile", told)
    assert Money.parse(shown[1].replace(",", ""), USDT).units == units > 0
    assert "papers ran out" not in told
    standing.reinstate(system(), desk.agent, "papers are here")
    assert "Commission held" not in text(signed_in(desk, "agent1").get("/"))


def test_officers_see_of_the_approvals_what_is_theirs(desk):
    officer = signed_in(desk, "compliance")
    assert officer.get("/versions/").status_code == 403, "fees and plans are not an officer's"
    finance = signed_in(desk, "finance")
    finance.get("/versions/fees/new")
    form = {"code": "standard", "platform": "1.0", "least": "0", "spread": "0", "why": "dearer", "start": ""}
    finance.post("/versions/fees/new", form)
    with reading() as tx:
        proposed = tx.call("select ref from approval where kind = 'fee_schedule'")
    assert proposed
    assert proposed in finance.get("/approvals/list/?state=waiting").text
    assert proposed not in officer.get("/approvals/list/?state=waiting").text
    assert officer.get(f"/approvals/show/{proposed}").status_code == 404


def test_a_suspension_holds_and_its_end_gives_back(desk):
    admin, page = signed_in(desk, "admin"), f"/agents/show/{desk.agent}"
    admin.get(page)
    assert admin.post(f"/agents/action/suspend/{desk.agent}", {"reason": "papers expired"}).status_code == 302
    assert held(desk.agent)
    told = text(admin.get(page))
    assert "Suspended Held" in told
    assert "It ends when the agent is reinstated." in told
    assert admin.post(f"/agents/action/lift/{desk.agent}", {"reason": "not now"}).status_code == 409
    assert "Held" in text(admin.get("/agents/list/"))
    assert admin.post(f"/agents/action/reinstate/{desk.agent}", {"reason": "papers renewed"}).status_code == 302
    assert not held(desk.agent)
