"""Idempotency over HTTP: the first answer again, byte by byte; a mended body goes in; a crash doubles nothing."""

from __future__ import annotations

import threading
import time

import pytest

from core import idempotency
from core.db import transaction
from core.errors import Changed, Forbidden, NotFound, Unavailable
from core.money import Money, fiat
from core.orders import release
from portal.api import steps
from tests import beside, make
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


@pytest.fixture
def lost(desk, monkeypatch):
    """Send a request whose change is stored and whose answer is lost; return what came instead."""

    def send(program, path, body, *, once, refusal=Unavailable):
        def gone(*_args):
            raise refusal("not to be had just now")

        with monkeypatch.context() as patch:
            patch.setattr(steps.queries, "order", gone)
            answer = program.post(path, body, once=once)
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        return answer

    return send


@pytest.mark.parametrize("refusal", [Unavailable, Changed, NotFound, Forbidden])
def test_a_key_whose_change_may_be_stored_belongs_to_its_first_body(desk, lost, refusal):
    first, other = order(desk.shop.quote()), order(desk.shop.quote())
    lost(desk.shop, "/deposits", first, once="k-10", refusal=refusal)

    refused = desk.shop.post("/deposits", other, once="k-10")
    assert (refused.status_code, refused.json["code"]) == (422, "idempotency_key_reused")
    again = desk.shop.post("/deposits", first, once="k-10")
    assert (again.status_code, again.json["merchant_order_id"]) == (201, first["merchant_order_id"])
    assert orders() == 1


def test_a_passing_refusal_of_the_second_try_gives_the_key_to_no_other_body(desk, lost, monkeypatch):
    first = order(desk.shop.quote())
    lost(desk.shop, "/deposits", first, once="k-11")

    def busy(*_args):
        raise Changed("somebody else is changing this right now")

    with monkeypatch.context() as patch:
        patch.setattr(steps.deposit, "open_order", busy)
        patch.setattr(steps.feed, "own_order", busy)
        assert desk.shop.post("/deposits", first, once="k-11").json["code"] == "changed"
    assert desk.shop.post("/deposits", order(desk.shop.quote()), once="k-11").json["code"] == "idempotency_key_reused"
    assert desk.shop.post("/deposits", first, once="k-11").status_code == 201
    assert orders() == 1


@pytest.mark.parametrize(
    "meanwhile",
    [
        "update quote set expires_at = created_at + interval '1 millisecond'",
        "update party set state = 'suspended' where kind = 'merchant'",
        "update customer set state = 'barred'",
    ],
)
def test_an_order_that_was_stored_is_found_again_whatever_would_refuse_it_now(desk, lost, meanwhile):
    body = order(desk.shop.quote())
    lost(desk.shop, "/deposits", body, once="k-12")
    with transaction() as tx:
        tx.run(meanwhile)

    again = desk.shop.post("/deposits", body, once="k-12")
    assert (again.status_code, again.json["merchant_order_id"]) == (201, body["merchant_order_id"])
    never = desk.shop.post("/deposits", body, once="k-13")
    assert never.status_code in {403, 409}


def confirmation(deposit, name=PAYER["name"]):
    return {"received": deposit["fiat_amount"], "currency": "BRL", "payer_name": name}


def test_a_claim_whose_answer_was_lost_is_told_as_done_when_the_acceptor_has_confirmed_meanwhile(desk, lost):
    deposit = desk.shop.opened()
    path, body = f"/deposits/{deposit['ref']}/claim", {"payer": PAYER}
    lost(desk.shop, path, body, once="k-14")
    acceptor = desk.acceptors[deposit["acceptor"]["ref"]]
    done = acceptor.post(f"/orders/{deposit['ref']}/confirm", confirmation(deposit, "Ana Souza"))
    assert done.json["state"] == "completed"

    again = desk.shop.post(path, body, once="k-14")
    assert (again.status_code, again.json["state"]) == (200, "completed")
    assert desk.shop.post(path, body, once="k-14").data == again.data


@pytest.mark.parametrize("name", ["Boris Petrov", "Ana Souza Lima Costa"])
def test_a_confirmation_that_waits_for_officers_is_told_as_taken_after_its_answer_was_lost(desk, lost, name):
    deposit = desk.shop.claimed()
    acceptor = desk.acceptors[deposit["acceptor"]["ref"]]
    path, body = f"/orders/{deposit['ref']}/confirm", confirmation(deposit, name)
    lost(acceptor, path, body, once="k-15")

    again = acceptor.post(path, body, once="k-15")
    assert (again.status_code, again.json["state"], again.json["code"]) == (200, "paid_claimed", "under_review")
    assert acceptor.post(path, body, once="k-15").data == again.data
    fresh = acceptor.post(path, body, once="k-16")
    assert (fresh.status_code, fresh.json["code"]) == (409, "under_review")


def test_a_step_that_others_took_is_not_told_as_one_s_own(desk, monkeypatch):
    deposit = desk.shop.claimed()
    acceptor = desk.acceptors[deposit["acceptor"]["ref"]]
    path, body = f"/orders/{deposit['ref']}/confirm", confirmation(deposit)

    def away(*_args, **_more):
        raise Unavailable("the database does not answer; try again")

    with monkeypatch.context() as patch:
        patch.setattr(steps.release, "confirm", away)
        assert acceptor.post(path, body, once="k-17").status_code == 503
    received = Money.parse(deposit["fiat_amount"], fiat("BRL"))
    release.confirm(make.system(), deposit["ref"], received=received, payer_name=PAYER["name"])

    again = acceptor.post(path, body, once="k-17")
    assert (again.status_code, again.json["code"]) == (409, "wrong_state")
    assert acceptor.post(path, body, once="k-17").data == again.data


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
