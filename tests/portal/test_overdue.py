"""A review past its time says so since when, how often it was asked for again, and when it is next."""

from __future__ import annotations

import html
import re
from datetime import timedelta

from core import clock
from core.actor import Right
from core.compliance import queries
from core.db import reading
from core.money import Money, fiat
from core.orders import deadlines, disputing
from tests import make
from tests.portal import market
from tests.portal.market import claimed, held, signed_in


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def said(moment):
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def test_a_review_that_is_overdue_says_so_and_when_it_is_asked_for_again(database):
    desk = market.built()
    ref, name = held(desk)
    page, order_page = f"/alerts/show/{name}", f"/orders/show/{ref}"
    assert "Overdue" not in words(signed_in(desk, "compliance").get(page))
    with reading() as tx:
        due, deadline = tx.rows(
            "select a.due_at, o.deadline_at from alert a join orders o on o.id = a.order_id where a.ref = %s", (name,)
        )[0]
    with clock.at(due + timedelta(minutes=1)):
        told = words(signed_in(desk, "compliance").get(page))
        assert f"Overdue: this alert's own review time ended at {said(due)}" in told
        assert f"The order's deadline is {said(deadline)} : the review is asked for again then" in told
    with clock.at(deadline + timedelta(minutes=1)):
        deadlines.expire(ref)
        browser = signed_in(desk, "compliance")
        with reading() as tx:
            coming = tx.call("select deadline_at from orders where ref = %s", (ref,))
        told = words(browser.get(page))
        asked = f"The review was asked for again 1 time, and will be at {said(coming)}"
        both = f"this alert's own review time ended at {said(due)} , the order's deadline was {said(deadline)}"
        assert f"Overdue: {both} . {asked}" in told, "two clocks, and whose each is"
        missed = f"the order's deadline was {said(deadline)} , and the review is asked for again at {said(coming)}"
        assert missed in told
        told = words(browser.get(order_page))
        assert f"Overdue: the order's deadline was {said(deadline)} . {asked}" in told
        assert "Overdue, asked for again" in told
        assert missed in told
        assert "Overdue" not in words(signed_in(desk, "merchant1").get(order_page))


def test_a_dispute_that_is_overdue_is_so_on_the_home_page_too(database):
    desk = market.built()
    ref = claimed(desk.trade, number="D-1")
    came = Money.parse("500.00", fiat(desk.trade.currency))
    disputing.contest(desk.acceptor.actor, ref, received=came, why="less has come")
    officer = make.person("compliance", Right.SEE_ALERTS)
    due = queries.counts(officer).dispute_due
    with clock.at(due + timedelta(hours=1)):
        deadlines.expire(ref)
        assert queries.counts(officer).dispute_due == due, "asking for it again does not take the missed deadline away"
        browser = signed_in(desk, "compliance")
        assert re.search(r"Open disputes now 1 nearest deadline \u221201:00:0\d", words(browser.get("/")))
        assert f"Overdue: the order's deadline was {said(due)}" in words(browser.get(f"/orders/show/{ref}"))
