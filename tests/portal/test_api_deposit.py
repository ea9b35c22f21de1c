"""A deposit through the API: quoted, opened, claimed, confirmed, paid out; each told to who may know."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain

import pytest

from core import verify
from core.db import transaction
from core.settings import settings
from tests import beside
from tests.portal import api_client
from tests.portal.api_client import PAYER, order, rows


@pytest.fixture(scope="module")
def desk(module_database, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK_HOME", str(tmp_path_factory.mktemp("home")))
        settings.cache_clear()
        return api_client.portal()


@pytest.fixture(autouse=True)
def same_home(own_home, desk, monkeypatch):
    """Every test of this module opens what the first one sealed."""
    monkeypatch.setenv("DESK_HOME", desk.home)
    settings.cache_clear()


def confirm(desk, deposit, **more):
    body = {"received": deposit["fiat_amount"], "currency": "BRL", "payer_name": PAYER["name"]}
    return desk.acceptors[deposit["acceptor"]["ref"]].post(f"/orders/{deposit['ref']}/confirm", body, **more)


def test_a_deposit_from_quote_to_payout(desk):
    quote = desk.shop.post("/quotes", {"kind": "deposit", "currency": "BRL", "amount": "250.00"})
    assert quote.status_code == 201
    assert {"ref", "kind", "currency", "fiat_amount", "usdt_amount", "fee_usdt", "rate", "lines", "expires_at"} <= set(
        quote.json
    )
    assert (quote.json["fiat_amount"], quote.json["usdt_amount"]) == ("250.00", "46.125461")
    assert sum(int(line["amount"].replace(".", "")) for line in quote.json["lines"]) == int(
        quote.json["fee_usdt"].replace(".", "")
    )
    before = desk.shop.get("/balances").json["items"][0]["available"]

    opened = desk.shop.post("/deposits", order(quote.json["ref"]))
    assert opened.status_code == 201
    deposit = opened.json
    assert (deposit["state"], deposit["next_actor"]) == ("awaiting_payment", "customer")
    assert (deposit["usdt_amount"], deposit["fee_usdt"]) == (quote.json["usdt_amount"], quote.json["fee_usdt"])
    assert set(deposit["pay_to"]) == {"bank", "account", "name", "reference"}
    assert deposit["pay_to"]["name"] == deposit["acceptor"]["name"]
    assert deposit["pay_to"]["account"].isdigit()
    assert datetime.fromisoformat(deposit["deadline_at"]).utcoffset() is not None

    claimed = desk.shop.post(
        f"/deposits/{deposit['ref']}/claim", {"payer": PAYER, "paid_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    )
    assert (claimed.status_code, claimed.json["state"]) == (200, "paid_claimed")
    assert claimed.json["pay_to"] is None

    done = confirm(desk, deposit)
    assert (done.status_code, done.json["state"], done.json["next_actor"]) == (200, "completed", "nobody")
    after = desk.shop.get("/balances").json["items"][0]["available"]
    assert units(after) - units(before) == units(deposit["usdt_amount"]) - units(deposit["fee_usdt"])
    assert desk.shop.get(f"/deposits/{deposit['ref']}").json["completed_at"]


def said(order):
    return order["state"], order["risk_state"], order["code"]


def test_a_confirmation_whose_payout_is_kept_back_says_so_and_not_why(desk):
    deposit = desk.shop.claimed()
    acceptor = desk.acceptors[deposit["acceptor"]["ref"]]
    assert said(deposit) == ("paid_claimed", "clear", None)
    body = {"received": deposit["fiat_amount"], "currency": "BRL", "payer_name": "Xiulan Wang"}
    kept = acceptor.post(f"/orders/{deposit['ref']}/confirm", body)
    assert kept.status_code == 200
    assert said(kept.json) == ("paid_claimed", "under_review", "under_review")
    assert "nothing is needed from you" in kept.json["message"]
    for party in (acceptor, desk.shop):
        shown = party.get(f"/deposits/{deposit['ref']}")
        assert said(shown.json) == ("paid_claimed", "under_review", "under_review")
        assert not [word for word in ("NAME", "held", "alert", "G3", "Wang") if word in shown.text]
    again = acceptor.post(f"/orders/{deposit['ref']}/confirm", body)
    assert (again.status_code, again.json["code"]) == (409, "under_review")


def test_an_order_that_was_refused_says_so(desk):
    quote = desk.shop.quote()
    asked = order(quote)
    asked["customer"] = {"id": f"c-{quote}", "name": PAYER["name"], "country": "KP"}
    answer = desk.shop.post("/deposits", asked)
    assert answer.status_code == 201
    assert said(answer.json) == ("refused", "refused", "refused")
    assert "none should be paid" in answer.json["message"]


def units(text):
    return int(text.replace(".", ""))


def test_the_bank_account_is_told_to_the_merchant_only_while_it_can_be_paid(desk):
    deposit = desk.shop.opened()
    acceptor = desk.acceptors[deposit["acceptor"]["ref"]]
    assert acceptor.get(f"/deposits/{deposit['ref']}").json["pay_to"] is None
    assert desk.shop.get(f"/deposits/{deposit['ref']}").json["pay_to"] == deposit["pay_to"]
    assert "pay_to" not in desk.shop.get("/deposits").json["items"][0]

    cancelled = desk.shop.post(f"/deposits/{deposit['ref']}/cancel")

    assert (cancelled.json["state"], cancelled.json["pay_to"]) == ("cancelled", None)


def test_foreign_orders_are_as_if_they_were_not_there(desk):
    deposit = desk.shop.claimed()
    ref = deposit["ref"]
    other_acceptor = next(p for r, p in desk.acceptors.items() if r != deposit["acceptor"]["ref"])
    body = {"received": "250.00", "currency": "BRL", "payer_name": "Ana Souza"}

    for answer in (
        desk.other_shop.get(f"/deposits/{ref}"),
        desk.other_shop.post(f"/deposits/{ref}/claim", {"payer": PAYER}),
        desk.other_shop.post(f"/deposits/{ref}/cancel", {}),
        other_acceptor.post(f"/orders/{ref}/confirm", body),
        desk.other_shop.post("/deposits", order(desk.shop.quote())),
        desk.shop.get("/deposits/ord_01JD3Q8Z7K4M2N5P"),
        desk.shop.get("/deposits/x"),
        desk.shop.post("/deposits/%00/claim", {"payer": PAYER}),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert desk.shop.get(f"/deposits/{ref}").json["state"] == "paid_claimed"


def test_each_key_does_what_its_kind_of_party_may(desk):
    deposit = desk.shop.claimed()
    acceptor = desk.acceptors[deposit["acceptor"]["ref"]]
    for answer in (
        desk.shop.post(
            f"/orders/{deposit['ref']}/confirm", {"received": "250.00", "currency": "BRL", "payer_name": "Ana Souza"}
        ),
        acceptor.post("/quotes", {"kind": "deposit", "currency": "BRL", "amount": "250.00"}),
        acceptor.post("/deposits", order(desk.shop.quote())),
        acceptor.post(f"/deposits/{deposit['ref']}/cancel", {}),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_a_hundred_confirmations_at_once_are_one_release(desk):
    deposit = desk.shop.claimed()
    answers = chain.from_iterable(beside.together(20, lambda: [confirm(desk, deposit) for _ in range(5)]))

    codes = [(answer.status_code, answer.json.get("code")) for answer in answers]
    assert codes.count((200, None)) == 1
    assert set(codes) <= {(200, None), (409, "wrong_state"), (409, "changed"), (503, "unavailable")}
    assert rows("select count(*) from journal_entry where key = %s", f"{deposit['ref']}:release") == [(1,)]
    assert [found.breaks for found in verify.run() if not found.holds] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"received": "249.99", "currency": "BRL", "payer_name": "Ana Souza"}, 409, "amount_differs"),
        ({"received": "250.01", "currency": "BRL", "payer_name": "Ana Souza"}, 409, "amount_differs"),
        ({"received": "250.00", "currency": "EUR", "payer_name": "Ana Souza"}, 422, "bad_input"),
        ({"received": "250", "currency": "BRL", "payer_name": ""}, 422, "bad_input"),
        ({"received": "250", "currency": "BRL"}, 422, "bad_input"),
        ({"received": "NaN", "currency": "BRL", "payer_name": "Ana Souza"}, 422, "bad_amount"),
    ],
)
def test_what_is_not_due_confirms_nothing(desk, body, status, code):
    deposit = desk.shop.claimed()
    answer = desk.acceptors[deposit["acceptor"]["ref"]].post(f"/orders/{deposit['ref']}/confirm", body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert desk.shop.get(f"/deposits/{deposit['ref']}").json["state"] == "paid_claimed"


def test_an_expired_quote_opens_nothing(desk):
    quote = desk.shop.quote()
    with transaction() as tx:
        tx.run("update quote set expires_at = created_at where ref = %s", (quote,))
    answer = desk.shop.post("/deposits", order(quote))
    assert (answer.status_code, answer.json["code"]) == (409, "quote_expired")


def test_the_same_number_of_the_merchant_is_taken_once(desk):
    first = order(desk.shop.quote())
    assert desk.shop.post("/deposits", first).status_code == 201
    again = desk.shop.post("/deposits", first | {"quote": desk.shop.quote()})
    assert (again.status_code, again.json["code"]) == (409, "already_done")


def test_withdrawals_come_later(desk):
    for method, path in (("POST", "/withdrawals"), ("GET", "/withdrawals"), ("GET", "/withdrawals/ord_x")):
        assert desk.shop.send(method, path).status_code == 404
    answer = desk.shop.post("/quotes", {"kind": "withdrawal", "currency": "BRL", "amount": "250.00"})
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert answer.json["facts"]["offered"] == ["deposit"]


def test_balances_are_the_party_s_own(desk):
    deposit = desk.shop.opened()
    acceptor = desk.acceptors[deposit["acceptor"]["ref"]]

    [own] = acceptor.get("/balances").json["items"]
    [shop] = desk.shop.get("/balances").json["items"]

    assert own["account"].startswith("acceptor:")
    assert units(own["escrow"]) >= units(deposit["usdt_amount"])
    assert shop["account"] == f"merchant:{desk.market.merchant_code}"
    assert {"account", "asset", "available", "held"} <= set(shop)
