"""Idempotency over HTTP: the first answer again, byte by byte; a mended body goes in; a crash doubles nothing."""

from __future__ import annotations

import threading
import time

import pytest

from core import idempotency
from core.errors import Unavailable
from portal.api import steps
from tests import beside
from tests.portal import api_client
from tests.portal.api_client import PAYER, order, rows


@pytest.fixture
def desk(database):
    return api_client.portal()


def orders():
    return rows("select count(*) from orders")[0][0]


def test_the_same_request_is_answered_the_same_and_done_once(desk):
    body = order(desk.shop.quote())
    first = desk.shop.post("/deposits", body, once="k-1")
    again = desk.shop.post("/deposits", dict(reversed(body.items())), once="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.content_type == first.content_type == "application/json"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert orders() == 1


def test_a_stored_refusal_is_given_again_as_it_was(desk):
    body = order(desk.shop.quote())
    desk.shop.post("/deposits", body)
    first = desk.shop.post("/deposits", body, once="k-2")
    again = desk.shop.post("/deposits", body, once="k-2")

    assert first.status_code == 409
    assert again.data == first.data
    assert again.content_type == first.content_type == "application/problem+json"
    assert again.headers["Idempotency-Replayed"] == "true"


def test_the_same_key_with_another_body_or_another_route_is_refused(desk):
    ref = desk.shop.opened()["ref"]
    body = {"payer": PAYER}
    assert desk.shop.post(f"/deposits/{ref}/claim", body, once="k-3").status_code == 200
    for path, other in (
        (f"/deposits/{ref}/claim", {"payer": PAYER | {"name": "Eva Souza"}}),
        (f"/deposits/{ref}/cancel", {}),
    ):
        answer = desk.shop.post(path, other, once="k-3")
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")


def test_a_body_refused_for_its_form_may_be_mended_and_use_the_key_again(desk):
    quote = desk.shop.quote()
    for broken in (
        order(quote, payer={"name": "Ana Souza", "account": "1"}),
        order(quote, customer={"id": "c", "name": "", "country": "BR"}),
        order("quo_01JD3Q8Z7K4M2N5P"),
    ):
        assert desk.shop.post("/deposits", broken, once="k-4").status_code in {404, 422}
    assert rows("select count(*) from idempotency_key where key = 'k-4'") == [(0,)]

    assert desk.shop.post("/deposits", order(quote), once="k-4").status_code == 201


@pytest.mark.parametrize("key", [None, "", " ", "x" * 256, "schlüssel"])
def test_a_post_without_a_key_is_refused_and_changes_nothing(desk, key):
    body = order(desk.shop.quote())
    answer = desk.shop.post("/deposits", body, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_missing")
    assert orders() == 0


def test_two_merchants_may_use_the_same_key(desk):
    body = {"kind": "deposit", "currency": "BRL", "amount": "10.00"}
    assert desk.shop.post("/quotes", body, once="same").status_code == 201
    assert "Idempotency-Replayed" not in desk.other_shop.post("/quotes", body, once="same").headers


def test_of_many_at_once_with_one_key_one_is_done_and_the_others_wait_or_get_its_answer(desk):
    body = order(desk.shop.quote())
    answers = beside.together(8, lambda: desk.shop.post("/deposits", body, once="race"))

    assert orders() == 1
    codes = {(each.status_code, each.json.get("code")) for each in answers}
    assert codes <= {(201, None), (409, "still_running")}
    assert len({each.data for each in answers if each.status_code == 201}) == 1


def test_an_order_stored_before_the_answer_was_lost_is_found_again(desk, monkeypatch):
    body, as_always = order(desk.shop.quote()), steps.queries.order

    def gone(*_args):
        raise Unavailable("the database does not answer; try again")

    monkeypatch.setattr(steps.queries, "order", gone)
    lost = desk.shop.post("/deposits", body, once="k-5")
    assert lost.status_code == 503
    assert lost.headers["Retry-After"]
    monkeypatch.setattr(steps.queries, "order", as_always)

    again = desk.shop.post("/deposits", body, once="k-5")

    assert again.status_code == 201
    assert again.json["merchant_order_id"] == body["merchant_order_id"]
    assert orders() == 1
    assert desk.shop.post("/deposits", body, once="k-5").data == again.data


@pytest.mark.parametrize("lost", ["the change", "the answer"])
def test_a_request_that_ended_while_the_database_was_away_is_done_once_soon_after_it_is_back(desk, monkeypatch, lost):
    body, back = order(desk.shop.quote()), threading.Event()

    def away(real):
        def do(*args, **more):
            if not back.is_set():
                raise Unavailable("the database does not answer; try again")
            return real(*args, **more)

        return do

    monkeypatch.setattr(idempotency, "give_back", away(idempotency.give_back))
    if lost == "the answer":
        monkeypatch.setattr(idempotency, "finish", away(idempotency.finish))
    else:
        monkeypatch.setattr(steps.deposit, "open_order", away(steps.deposit.open_order))
    first = desk.shop.post("/deposits", body, once="k-9")
    assert first.status_code == (201 if lost == "the answer" else 503)
    assert desk.shop.post("/deposits", body, once="k-9").json["code"] == "still_running"
    back.set()
    ends = time.monotonic() + idempotency.DEAD_SECONDS / 3
    while (again := desk.shop.post("/deposits", body, once="k-9")).status_code != 201:
        assert again.json["code"] == "still_running"
        assert time.monotonic() < ends
        time.sleep(0.2)
    assert again.json["merchant_order_id"] == body["merchant_order_id"]
    assert desk.shop.post("/deposits", body, once="k-9").data == again.data
    assert orders() == 1


def test_a_claim_stored_before_the_answer_was_lost_is_told_as_done(desk, monkeypatch):
    ref, as_always = desk.shop.opened()["ref"], steps.queries.order
    monkeypatch.setattr(steps.queries, "order", lambda *_: 1 // 0)
    broken = desk.shop.post(f"/deposits/{ref}/claim", {"payer": PAYER}, once="k-6")
    assert (broken.status_code, broken.json["code"]) == (500, "fault")
    monkeypatch.setattr(steps.queries, "order", as_always)

    again = desk.shop.post(f"/deposits/{ref}/claim", {"payer": PAYER}, once="k-6")

    assert (again.status_code, again.json["state"]) == (200, "paid_claimed")
    other = desk.shop.post(f"/deposits/{ref}/claim", {"payer": PAYER}, once="k-7")
    assert (other.status_code, other.json["code"]) == (409, "wrong_state")
