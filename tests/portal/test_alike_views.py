"""A crowd of alerts alike on screen: told above the queue, dismissed together, a sample left to another officer."""

from __future__ import annotations

import html
import re

import pytest

from core.db import reading
from tests.core import review
from tests.portal import market
from tests.portal.market import signed_in

GOOD = {"disposition": "explained", "narrative": "its program confirms at once when the bank tells it"}


@pytest.fixture
def desk(database):
    made = market.built()
    made.refs = [quick(made) for _ in range(6)]
    return made


def quick(desk):
    """An order its acceptor confirmed within seconds; returns the alert's ref."""
    ref = review.claimed(desk.trade, customer=f"c-{next(market.make.numbers)}")
    review.confirm(desk.trade, ref, "250.00", seconds=4)
    return review.alert(ref)


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def states(refs):
    with reading() as tx:
        return sorted(row[0] for row in tx.rows("select state from alert where ref = any (%s)", (refs,)))


def test_an_officer_dismisses_a_crowd_with_one_reason_and_a_colleague_sees_one_of_it(desk):
    officer = signed_in(desk, "compliance")
    queue = officer.get("/alerts/list/?stage=waiting&sort=due_at")
    assert f"6 alerts alike: Odd confirmation, acceptor {desk.acceptor.code}." in words(queue)
    page = f"/alerts/alike/{desk.refs[0]}"
    assert page in queue.text
    assert all(ref in officer.get(page).text for ref in desk.refs)
    assert page.rsplit("/", 1)[0] in officer.get(f"/alerts/show/{desk.refs[3]}").text
    for wrong in ({}, GOOD, GOOD | {"rowid": desk.refs[:1]}, {"rowid": desk.refs, "disposition": "explained"}):
        assert officer.post(page, wrong).status_code == 422
    assert states(desk.refs) == ["open"] * 6
    for name in ("admin", "auditor", "finance"):
        assert signed_in(desk, name).get(page).status_code == 403
        assert "alerts alike" not in words(signed_in(desk, name).get("/"))
    answer = officer.post(page, GOOD | {"rowid": desk.refs})
    assert answer.status_code == 302
    assert states(desk.refs) == ["closed"] * 5 + ["pending_second"]
    told = words(officer.get(answer.headers["Location"]))
    assert "6 alerts are decided. Dismissed: 5; for another officer, chosen by chance: 1." in told
    colleague = signed_in(desk, "compliance2")
    colleague.get("/alerts/list/?stage=waiting&sort=due_at")
    assert colleague.post("/alerts/next").headers["Location"].rsplit("/", 1)[1] in desk.refs
