"""Lists and the feed: page by page, none skipped, none twice, nothing of anybody else."""

from __future__ import annotations

import psycopg
import pytest

from core.db import transaction
from core.orders import feed
from tests.portal import api_client
from tests.portal.api_client import PAYER


@pytest.fixture
def desk(database):
    return api_client.portal()


def all_events(program, size=2):
    found, cursor = [], ""
    while True:
        page = program.get(f"/events?limit={size}" + (f"&cursor={cursor}" if cursor else "")).json
        found += page["items"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return found, cursor


def test_events_tell_each_step_of_the_party_s_orders_in_order(desk):
    deposit = desk.shop.claimed()
    acceptor = desk.acceptors[deposit["acceptor"]["ref"]]
    acceptor.post(
        f"/orders/{deposit['ref']}/confirm", {"received": "250.00", "currency": "BRL", "payer_name": "Ana Souza"}
    )

    found, cursor = all_events(desk.shop)

    assert [(each["type"], each["state"]) for each in found] == [
        ("order.open", "created"),
        ("order.match", "awaiting_payment"),
        ("order.claim_paid", "paid_claimed"),
        ("order.confirm", "completed"),
    ]
    assert {each["order"] for each in found} == {deposit["ref"]}
    assert all_events(acceptor)[0] == found
    assert all_events(desk.other_shop)[0] == []
    assert desk.shop.get(f"/events?cursor={cursor}").json["items"] == []
    second = desk.shop.opened()
    later = desk.shop.get(f"/events?cursor={cursor}").json["items"]
    assert [each["order"] for each in later] == [second["ref"]] * 2


def test_an_event_whose_transaction_ends_late_is_not_skipped(desk, database):
    first = desk.shop.opened()
    with psycopg.connect(database) as slow:
        slow.execute(
            "insert into notice (topic, subject, order_id, event, to_state, happened_at)"
            " select 'order.slow', ref, id, 'slow', null, now() from orders where ref = %s",
            (first["ref"],),
        )
        desk.shop.post(f"/deposits/{first['ref']}/claim", {"payer": PAYER})
        seen, cursor = all_events(desk.shop)
        assert [each["type"] for each in seen] == ["order.open", "order.match"]
        slow.commit()

    rest = desk.shop.get(f"/events?cursor={cursor}").json["items"]
    assert {each["type"] for each in rest} == {"order.slow", "order.claim_paid"}


def test_outside_nobody_is_told_why_an_order_is_looked_at(desk):
    ref = desk.shop.opened()["ref"]
    with transaction() as tx:
        for event in ("stop", "remind"):
            tx.run(
                "insert into notice (topic, subject, order_id, event, happened_at, payload)"
                " select 'order.' || %s, ref, id, %s, now(), '{\"rule\": \"R-12\"}' from orders where ref = %s",
                (event, event, ref),
            )

    answer = desk.shop.get("/events")

    assert [each["type"] for each in answer.json["items"]] == ["order.open", "order.match", "order.under_review"]
    assert "R-12" not in answer.text


def test_a_page_looks_through_a_bounded_part_of_the_feed_and_goes_on(desk, monkeypatch):
    desk.shop.opened()
    monkeypatch.setattr(feed, "WINDOW", 3)
    found, _ = all_events(desk.shop, size=50)
    assert [each["type"] for each in found] == ["order.open", "order.match"]


def test_deposits_are_listed_newest_first_page_by_page(desk):
    refs = [desk.shop.opened("20.00")["ref"] for _ in range(5)]
    found, query = [], "?limit=2"
    while query:
        page = desk.shop.get(f"/deposits{query}").json
        found += [each["ref"] for each in page["items"]]
        query = f"?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert found == refs[::-1]
    assert desk.other_shop.get("/deposits").json == {"items": [], "next_cursor": None}
