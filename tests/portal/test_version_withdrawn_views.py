"""A version that has not begun is withdrawn on its page by one of its two, with a reason, and stays in the table."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from core import clock
from core.verify import run as verify
from tests.portal import market
from tests.portal.market import signed_in
from tests.portal.test_version_views import FEES, PLAN, proposed, rows, words

WHY = "the board changed its mind"
PAGE = "/versions/fees/show/standard"


@pytest.fixture
def desk(database):
    made = market.built()
    made.finance, made.other = signed_in(made, "finance"), signed_in(made, "finance2")
    return made


def coming(desk, word="fees", *, days=1, **more):
    """A version proposed by finance and approved by finance2 that begins in so many days; returns its request."""
    begins = clock.now().replace(second=0, microsecond=0) + timedelta(days=days)
    form = (FEES if word == "fees" else PLAN) | {"start": f"{begins:%Y-%m-%dT%H:%M}"} | more
    request = proposed(desk.finance, word, form).rsplit("/", 1)[1]
    desk.other.get(f"/approvals/show/{request}")
    yes = {"approve": "yes", "why": "as decided"}
    assert desk.other.post(f"/approvals/action/version/{request}", yes).status_code == 302
    return request


def withdraw(browser, page=PAGE, *, version="2", reason=WHY, **more):
    browser.get(page)
    return browser.post(f"{page}/withdraw", {"version": version, "reason": reason}, **more)


def withdrawn_at():
    return rows("select version, withdrawn_at is not null from fee_schedule where code = 'standard' order by version")


@pytest.mark.parametrize("who", ["finance", "other"])
def test_one_of_the_two_withdraws_it_and_everybody_reads_who_when_and_why(desk, who):
    request = coming(desk)
    browser = getattr(desk, who)
    page = browser.get(PAGE)
    assert "v2 can be withdrawn by finance or finance2, until 10 seconds before it begins." in words(page)
    assert 'data-open="ask-withdraw-2"' in page.text
    assert "Withdraw standard v2?" in words(page)
    assert "Withdrawn, it never does: v1 counts in its place." in words(page)
    answer = withdraw(browser)
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert withdrawn_at() == [(1, False), (2, True)]
    page = browser.get(PAGE)
    told, name = words(page), {"finance": "finance", "other": "finance2"}[who]
    assert "standard v2 is withdrawn: it never comes into force." in told
    assert re.search(rf"v2 Withdrawn never it was to be from [\d :-]+ withdrawn [\d :-]+ by {name} finance", told)
    assert f"Withdrawn because: {WHY}" in told
    assert "v1 In force from the start –" in told, "its time does not end"
    assert "ask-withdraw" not in page.text
    cards = words(browser.get("/versions/"))
    assert "v2 comes into force" not in cards
    assert "2 versions" in cards
    approval = words(browser.get(f"/approvals/show/{request}"))
    assert re.search(r"standard v2 , withdrawn [\d :-]+, before it began", approval)
    assert "Approved, withdrawn since" in approval
    listed = words(browser.get("/approvals/list/?state=approved"))
    assert re.search(r"standard v2 Approved, withdrawn since", listed)
    file = browser.get("/approvals/export.csv?state=approved").text
    assert "standard v2,approved_withdrawn," in file
    assert "This becomes standard v3" in words(browser.get("/versions/fees/new?code=standard")), (
        "its number is not given again"
    )
    assert "Approved version of a fee schedule withdrawn" in words(
        signed_in(desk, "auditor").get("/audit/list/", follow_redirects=True)
    )
    assert [each.invariant for each in verify() if not each.holds] == []


def test_a_version_that_counts_reads_approved_alone(desk):
    request = coming(desk)
    for page in ("/approvals/list/?state=approved", f"/approvals/show/{request}"):
        told = words(desk.finance.get(page))
        assert "Approved" in told
        assert "withdrawn since" not in told


def test_while_a_proposal_waits_to_follow_it_the_page_says_what_comes_first(desk):
    coming(desk)
    request = proposed(desk.finance, "fees", FEES).rsplit("/", 1)[1]
    page = desk.finance.get(PAGE)
    assert "ask-withdraw" not in page.text
    assert "What waits for approval is to be withdrawn or turned down first." in words(page)
    refused = withdraw(desk.finance)
    assert refused.status_code == 409
    assert request in words(refused)
    assert withdrawn_at() == [(1, False), (2, False)]


def test_a_plan_is_withdrawn_on_its_own_page(desk):
    coming(desk, "plans", code="brand-new")
    page = "/versions/plans/show/brand-new"
    assert "Withdrawn, it never does." in words(desk.finance.get(page))
    assert withdraw(desk.finance, page, version="1").status_code == 302
    told = words(desk.other.get(page))
    assert "v1 Withdrawn never it was to be from" in told
    assert "the first version" in told
    assert "becomes brand-new v2; v1" not in words(desk.finance.get("/versions/plans/new?code=brand-new"))


def test_who_is_neither_of_the_two_reads_whom_to_ask(desk):
    coming(desk)
    for name in ("admin", "auditor"):
        page = signed_in(desk, name).get(PAGE)
        assert "v2 can be withdrawn by finance or finance2" in words(page)
        assert "ask-withdraw" not in page.text
    admin = signed_in(desk, "admin")
    answer = withdraw(admin)
    assert answer.status_code == 403
    assert "two people agreed on standard v2: only one of them may withdraw it" in words(answer)
    assert withdrawn_at() == [(1, False), (2, False)]


@pytest.mark.parametrize("name", ["auditor", "compliance", "agent1", "acceptor1", "merchant1"])
def test_who_may_not_propose_may_not_withdraw(desk, name):
    coming(desk)
    browser = signed_in(desk, name)
    browser.get("/")
    assert browser.post(f"{PAGE}/withdraw", {"version": "2", "reason": WHY}).status_code == 403
    assert withdrawn_at() == [(1, False), (2, False)]


def test_what_is_refused_is_told_on_the_page_with_its_code_and_nothing_changes(desk):
    coming(desk)
    for wrong, status, told in (
        ({"reason": " "}, 422, "the reason is missing [bad_input]"),
        ({"reason": "no"}, 422, "[bad_input]"),
        ({"version": "two"}, 422, "must be a whole number. [bad_input]"),
        ({"version": "9"}, 404, "there is no version standard v9 [not_found]"),
        ({"version": "1"}, 409, "can no longer be withdrawn; propose the next version [too_late]"),
    ):
        answer = withdraw(desk.finance, **wrong)
        assert answer.status_code == status
        assert told in words(answer)
    assert withdraw(desk.finance, "/versions/none/show/standard").status_code == 404
    assert withdraw(desk.finance, "/versions/fees/show/unknown").status_code == 404
    assert withdrawn_at() == [(1, False), (2, False)]
    withdraw(desk.finance)
    assert "was withdrawn already, at" in words(withdraw(desk.other))


def test_the_dialog_says_what_is_wrong_in_its_place(desk):
    coming(desk)
    asked = {"headers": {"Accept": "application/json"}}
    assert withdraw(desk.finance, reason="no", **asked).json["field"] == "reason"
    assert withdraw(desk.finance, **asked).json == {"to": PAGE}
    assert withdrawn_at() == [(1, False), (2, True)]


def test_without_the_page_s_own_mark_nothing_is_withdrawn(desk):
    coming(desk)
    desk.finance.get(PAGE)
    answer = desk.finance.post(f"{PAGE}/withdraw", {"version": "2", "reason": WHY, "csrf_token": "another"})
    assert answer.status_code == 400
    assert withdrawn_at() == [(1, False), (2, False)]
