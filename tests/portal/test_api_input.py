"""What the API is sent and does not take: each told with a code, and nothing has changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import TooMany
from core.settings import settings
from portal.api.limits import Buckets
from tests.portal import api_client
from tests.portal.api_client import PAYER, order, rows

QUOTE = {"kind": "deposit", "currency": "BRL", "amount": "250.00"}


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


def is_problem(answer, status, code):
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    assert set(answer.json) == {"type", "title", "status", "code", "detail", "facts", "request_id"}
    assert (answer.json["status"], answer.json["code"]) == (status, code)
    assert answer.headers["X-Request-Id"] == answer.json["request_id"]
    return True


@pytest.mark.parametrize(
    "amount",
    [
        "NaN", "Infinity", "-Infinity", "1e400", "1E2", "-0", "-1", "+1", "0", "0.00", "1_000", "1,5", "1 000",
        "２５０", "٢٥٠", "250.001", "0.0000001", "9223372036854775808", "9999999999999999999", "", " 250", "250 ",
        ".5", "5.", "0250", "0x10", "1" * 41,
    ],
)  # fmt: skip
def test_an_amount_is_a_plain_decimal_or_nothing(desk, amount):
    answer = desk.shop.post("/quotes", QUOTE | {"amount": amount})
    assert answer.status_code == 422, answer.text
    assert answer.json["code"] in {"bad_amount", "bad_input"}


@pytest.mark.parametrize("amount", [250, 250.0, None, True, ["250"], {"value": "250"}])
def test_an_amount_that_is_not_text_is_refused(desk, amount):
    is_problem(desk.shop.post("/quotes", QUOTE | {"amount": amount}), 422, "bad_input")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b'"text"', b"null", b"1", b"\xff\xfe{}", b'{"kind": NaN}', b'{"a": Infinity}',
        b'{"kind": "deposit", "kind": "withdrawal"}', b"[" * 60_000, b'{"n": ' + b"9" * 5000 + b"}", b"\xef\xbb\xbf{}",
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(desk, raw):
    is_problem(desk.shop.post("/quotes", raw=raw), 400, "bad_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"fee_usdt": "0"}, {"state": "completed"}, {"__proto__": "x"}, {"amount": "1\x00"}, {"kind": "\ud800"},
        {"currency": "brl"}, {"currency": "XXX"}, {"currency": "USDT"}, {"currency": ""}, {"method": ""},
        {"kind": None},
    ],
)  # fmt: skip
def test_unknown_fields_and_wrong_values_are_refused_by_name(desk, changes):
    is_problem(desk.shop.post("/quotes", raw=json.dumps(QUOTE | changes).encode()), 422, "bad_input")


def test_a_body_that_is_too_long_or_of_another_kind_is_refused(desk):
    is_problem(desk.shop.post("/quotes", raw=b" " * 70_000), 413, "too_large")
    is_problem(desk.shop.post("/quotes", QUOTE | {"kind": "x" * 1_000_000}), 413, "too_large")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    is_problem(desk.shop.post("/quotes", QUOTE, headers=form), 415, "unsupported_media")
    latin = {"Content-Type": "application/json; charset=latin-1"}
    is_problem(desk.shop.post("/quotes", QUOTE, headers=latin), 415, "unsupported_media")


@pytest.mark.parametrize(
    "text",
    ["a\u202eb", "a\u200bb", "a\nb", "\u0000", "x" * 141, " ", "\u2028"],
)
def test_names_are_one_printable_line(desk, text):
    body = order(desk.shop.quote(), customer={"id": "c-1", "name": text, "country": "BR"})
    is_problem(desk.shop.post("/deposits", body), 422, "bad_input")


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-20T10:00:00", "2026-11-20", "2026-02-30T10:00:00Z", "2026-11-20T25:00:00Z", "yesterday", "1763632800",
        "2026-11-20 10:00:00Z", "2026-11-20T10:00:00+99:00", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "",
        "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2199-01-01T00:00:00+23:59",
        "2020-02-29T10:00:00-23:59",
    ],
)  # fmt: skip
def test_a_time_without_zone_or_day_is_refused(desk, at):
    ref = desk.shop.opened()["ref"]
    answer = desk.shop.post(f"/deposits/{ref}/claim", {"payer": PAYER, "paid_at": at})
    assert is_problem(answer, 422, "bad_input")
    assert answer.json["facts"] == {"field": "paid_at"}
    assert desk.shop.get(f"/deposits/{ref}").json["state"] == "awaiting_payment"


@pytest.mark.parametrize(
    ("hours", "zone"),
    [
        (0, "Z"),
        (0, "z"),
        (-30, "Z"),
        (-160, "Z"),
        (-3, ".123456789-03:00"),
        (14, "+14:00"),
        (23, ".5+23:00"),
        (-23, "-23:00"),
    ],
)
def test_times_with_their_zone_are_read(desk, hours, zone):
    ref = desk.shop.opened()["ref"]
    at = f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}{zone}"
    assert desk.shop.post(f"/deposits/{ref}/claim", {"payer": PAYER, "paid_at": at}).status_code == 200


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-60 * 24 * 8, "before"), (-60 * 24 * 400, "before"), (10, "future"), (60 * 24 * 9, "future")],
)
def test_a_payment_lies_in_the_week_before_the_opening_or_between_it_and_the_claim(desk, minutes, words):
    ref = desk.shop.opened()["ref"]
    at = f"{datetime.now(UTC) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"
    answer = desk.shop.post(f"/deposits/{ref}/claim", {"payer": PAYER, "paid_at": at})
    assert is_problem(answer, 422, "bad_input")
    assert (answer.json["facts"], words in answer.json["detail"]) == ({"field": "paid_at"}, True)
    assert desk.shop.get(f"/deposits/{ref}").json["state"] == "awaiting_payment"


def test_nobody_gets_in_without_a_key_and_the_cookie_is_never_looked_at(desk):
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer dk_wrong"},
        {"Authorization": f"Basic {desk.shop.key}"},
        {"Authorization": f"Bearer {desk.shop.key} x"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Bearer \xff"},
        {"Cookie": "desk=whatever"},
    ):
        for method, path in (("GET", "/balances"), ("POST", "/quotes"), ("GET", "/events"), ("GET", "/deposits/x")):
            answer = desk.nobody.send(method, path, QUOTE if method == "POST" else None, headers=headers)
            assert is_problem(answer, 401, "not_signed_in")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_unknown_addresses_and_methods_are_problems_too(desk):
    is_problem(desk.shop.get("/nothing"), 404, "not_found")
    is_problem(desk.shop.send("DELETE", "/quotes"), 405, "method_not_allowed")
    is_problem(desk.shop.send("OPTIONS", "/quotes"), 405, "method_not_allowed")
    is_problem(desk.shop.get("/deposits/"), 404, "not_found")


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=%00", "limit=0", "limit=201", "limit=-1", "limit=1e2", "limit=٣", "limit=", "page=2",
     "limit=1&limit=2", "cursor=" + "A" * 500, "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5LjE", "state=completed"],
)  # fmt: skip
def test_a_query_that_cannot_be_read_is_refused(desk, query):
    if query == "limit=":
        assert desk.shop.get(f"/deposits?{query}").status_code == 200
        return
    for path in ("/deposits", "/events"):
        is_problem(desk.shop.get(f"{path}?{query}"), 422, "bad_input")


def test_what_was_refused_left_nothing_behind(desk):
    before = rows("select (select count(*) from orders), (select count(*) from quote), (select count(*) from outbox)")
    desk.shop.post("/deposits", order("quo_01JD3Q8Z7K4M2N5P"))
    desk.shop.post("/quotes", QUOTE | {"amount": "NaN"})
    desk.shop.post("/quotes", QUOTE | {"amount": "999999999999.00"})
    after = rows("select (select count(*) from orders), (select count(*) from quote), (select count(*) from outbox)")
    assert after == before


def test_a_key_may_ask_often_but_not_for_ever(desk, monkeypatch):
    monkeypatch.setitem(desk.app.extensions, "desk_api_buckets", Buckets(burst=3, per_second=0.001))
    codes = [desk.shop.get("/balances").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    refused = desk.shop.get("/balances")
    assert is_problem(refused, 429, "too_many")
    assert int(refused.headers["Retry-After"]) >= 1
    assert desk.other_shop.get("/balances").status_code == 200


def test_tokens_come_back_with_time_and_no_further_than_full():
    buckets = Buckets(burst=2, per_second=10)
    buckets.take("k", now=0)
    buckets.take("k", now=0)
    with pytest.raises(TooMany):
        buckets.take("k", now=0)
    buckets.take("k", now=0.1)
    for _ in range(2):
        buckets.take("k", now=1000)
    with pytest.raises(TooMany):
        buckets.take("k", now=1000)
