"""Approvals on screen: what was typed is read back, another person books it, nobody sees what is not theirs."""

from __future__ import annotations

import re

import pytest

from core.actor import Right
from core.compliance import alerts, queries
from core.db import reading
from core.errors import AlreadyDone
from core.money import USDT, Money
from core.parties import reserves
from portal import refusals
from tests import make
from tests.portal import market
from tests.portal.market import held, signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


def reserve(ref):
    with reading() as tx:
        return tx.call(
            "select l.available from ledger_account l join party p on p.id = l.party_id where p.ref = %s", (ref,)
        )


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def asked(desk, arrival, amount="250.5"):
    """Let finance ask for a top-up of acceptor2; return the request's ref."""
    browser, ref = signed_in(desk, "finance"), desk.other.ref
    browser.get(f"/acceptors/show/{ref}")
    form = {"amount": amount, "arrival": arrival, "why": "seen on the chain", "sure": "yes"}
    answer = browser.post(f"/acceptors/action/top_up/{ref}", form)
    assert answer.status_code == 302, text(answer)
    return answer.headers["Location"].rsplit("/", 1)[1]


def test_where_nothing_waits_the_queue_says_so_and_a_filter_that_finds_nothing_says_that(desk):
    finance = signed_in(desk, "finance")
    assert "Nothing waits for approval" in text(finance.get("/approvals/list/?state=waiting"))
    assert "No rows match" in text(finance.get("/approvals/list/?state=refused"))


def test_a_top_up_is_read_back_before_it_is_asked_for_and_booked_by_another(desk):
    finance, ref = signed_in(desk, "finance"), desk.other.ref
    finance.get(f"/acceptors/show/{ref}")
    before = reserve(ref)
    for amount in ("0", "-5", "1.0000001", "NaN", "1e3", "", "1,00"):
        form = {"amount": amount, "arrival": "tx-1", "why": "seen there", "sure": "yes"}
        assert finance.post(f"/acceptors/action/top_up/{ref}", form).status_code == 422, amount
    form = {"amount": "12,000", "arrival": "tx-1", "why": "seen on the chain"}
    back = finance.post(f"/acceptors/action/top_up/{ref}", form)
    words = f"12,000.000000 USDT to acceptor {desk.other.code}, reserve 10,000.000000 → 22,000.000000"
    assert words in text(back)
    assert reserve(ref) == before
    there = finance.post(f"/acceptors/action/top_up/{ref}", form | {"sure": "yes"})
    page = there.headers["Location"]
    own = finance.get(page)
    assert words in text(own)
    assert "Waits for another person" in text(own)
    request = page.rsplit("/", 1)[1]
    yes = {"approve": "yes", "why": "seen in custody"}
    refused = finance.post(f"/approvals/action/top_up/{request}", yes)
    assert (refused.status_code, reserve(ref)) == (403, before)
    assert request in finance.get(f"/acceptors/show/{ref}").text

    other = signed_in(desk, "finance2")
    assert "Waiting for your approval" in text(other.get("/"))
    assert words in text(other.get(page))
    assert other.post(f"/approvals/action/top_up/{request}", yes | {"why": " "}).status_code == 422
    assert other.post(f"/approvals/action/top_up/{request}", yes).status_code == 302
    assert reserve(ref) == before + 12_000_000_000
    assert other.post(f"/approvals/action/top_up/{request}", yes).status_code == 409
    again = finance.post(f"/acceptors/action/top_up/{ref}", form | {"sure": "yes", "arrival": "TX-1"})
    assert (again.status_code, "already_done" in again.text) == (409, True)


def test_a_second_request_leads_to_the_first_whoever_may_see_it(desk):
    ref, first = desk.other.ref, asked(desk, "twice-1")
    form = {"amount": "5", "arrival": "TWICE-1", "why": "seen there too", "sure": "yes"}
    finance = signed_in(desk, "finance2")
    finance.get(f"/acceptors/show/{ref}")
    again = finance.post(f"/acceptors/action/top_up/{ref}", form)
    assert again.status_code == 409
    assert f'[already_done] <a href="/approvals/show/{first}">See the request that waits</a>' in again.text
    by_script = finance.post(f"/acceptors/action/top_up/{ref}", form, headers={"Accept": "application/json"}).json
    assert by_script["code"] == "already_done"
    assert by_script["link"] == {"href": f"/approvals/show/{first}", "text": "See the request that waits"}
    waits = AlreadyDone("it waits", request=first, kind=reserves.KIND)
    who_sees = set()
    for person in ("finance2", "auditor", "compliance", "acceptor1", "merchant1"):
        browser = signed_in(desk, person)
        seen = browser.get(f"/approvals/show/{first}").status_code == 200
        with browser.client:
            browser.get("/")
            assert (refusals.link(waits) is not None) == seen, person
        who_sees |= {person} if seen else set()
    assert "finance2" in who_sees
    assert not {"acceptor1", "merchant1"} & who_sees


def test_what_is_turned_down_or_withdrawn_is_not_booked(desk):
    before = reserve(desk.other.ref)
    first, second = asked(desk, "down-1"), asked(desk, "down-2")
    other = signed_in(desk, "finance2")
    other.get(f"/approvals/show/{first}")
    no = {"approve": "no", "why": "not in custody"}
    assert other.post(f"/approvals/action/top_up/{first}", no).status_code == 302
    assert "Turned down" in text(other.get(f"/approvals/show/{first}"))
    assert other.post(f"/approvals/action/withdraw/{second}", {"why": "not mine"}).status_code == 403
    mine = signed_in(desk, "finance")
    mine.get(f"/approvals/show/{second}")
    assert mine.post(f"/approvals/action/withdraw/{second}", {"why": "a wrong hash"}).status_code == 302
    assert "Withdrawn" in text(mine.get(f"/approvals/show/{second}"))
    assert reserve(desk.other.ref) == before


def test_the_figure_of_what_waits_for_ones_approval_opens_the_very_requests(desk):
    request = asked(desk, "tile-1")
    seen = {}
    for name in ("finance", "finance2"):
        browser = signed_in(desk, name)
        tile = re.search(r'href="([^"]+)">\s*<div class="cap"><span>Waiting for your approval.*?"big">(\d+)',
                         browser.get("/").text, re.DOTALL)  # fmt: skip
        page = browser.get(tile[1])
        assert page.text.count("<tr data-href") == int(tile[2]), name
        seen[name] = request in page.text, "Nothing waits for your approval" in text(page)
    assert seen == {"finance": (False, True), "finance2": (True, False)}
    assert request in signed_in(desk, "finance").get("/approvals/list/?state=waiting").text
    assert "Nothing waits for your approval" in text(signed_in(desk, "auditor").get("/approvals/list/?decides=you"))
    assert signed_in(desk, "finance").get("/approvals/list/?decides=others").status_code == 400


def test_who_counts_the_money_sees_what_waits_and_only_that(desk):
    request = asked(desk, "seen-1")
    for name in ("finance2", "admin", "auditor"):
        browser = signed_in(desk, name)
        assert request in browser.get("/approvals/list/?state=waiting").text
        page = text(browser.get(f"/approvals/show/{request}"))
        assert ("Approve" in page) is (name == "finance2"), name
    auditor = signed_in(desk, "auditor")
    auditor.get(f"/approvals/show/{request}")
    yes = {"approve": "yes", "why": "I read only"}
    assert auditor.post(f"/approvals/action/top_up/{request}", yes).status_code == 403
    acceptor = text(signed_in(desk, "acceptor2").get(f"/acceptors/show/{desk.other.ref}"))
    assert "Top-ups that wait for approval" in acceptor
    assert "finance" not in acceptor, "an acceptor reads what waits, and not who asked"
    _, alert = market.held(desk)
    officer = signed_in(desk, "compliance")
    officer.get(f"/alerts/show/{alert}")
    said = {"outcome": "refuse", "disposition": "explained", "narrative": "the payer is another person"}
    assert officer.post(f"/alerts/action/decide/{alert}", said).status_code == 302
    with reading() as tx:
        hidden = tx.call("select ref from approval where kind = 'hold_decision'")
    assert signed_in(desk, "finance").get(f"/approvals/show/{hidden}").status_code == 404


def test_the_reserve_before_and_after_is_that_of_the_moment_it_is_approved_at(desk):
    request = asked(desk, "moment-1", "100")
    make.top_up(desk.other.ref, Money.parse("1", USDT), "in between")
    free = reserve(desk.other.ref) // 10**6
    page = text(signed_in(desk, "finance2").get(f"/approvals/show/{request}"))
    assert f"reserve {free:,}" in page


def test_what_waits_for_a_second_officer_is_told_here_to_who_may_see_it_and_leads_there(desk):
    page = "/approvals/list/?state=waiting"
    line = "wait for a second officer"
    officer = make.person("compliance", Right.DECIDE_ALERT, Right.SEE_ALERTS)
    before = queries.counts(officer).second
    assert (line in text(signed_in(desk, "compliance2").get(page)).replace("waits", "wait")) == bool(before)
    _order, name = held(desk)
    alerts.decide(officer, name, "release", "explained", "the payer is the customer's mother; papers seen")
    count = queries.counts(officer).second
    assert count > before
    for reader in ("compliance2", "admin", "auditor"):
        answer = signed_in(desk, reader).get(page)
        assert f"{count} alert{'s' if count > 1 else ''} with held USDT" in text(answer), reader
        assert "/alerts/list/?stage=second" in answer.text, reader
    assert "second officer" not in text(signed_in(desk, "finance").get(page))
