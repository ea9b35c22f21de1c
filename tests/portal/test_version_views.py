"""Fees and plans on screen: proposed by one of finance, approved by another beside what is in force, and only then."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from core import clock
from core.db import reading
from core.money import Money, fiat
from core.pricing import quotes
from core.verify import run as verify
from tests.portal import market
from tests.portal.market import signed_in

FEES = {
    "code": "standard", "platform": "1.20", "tiers": "100,000: 0.5\n1000000: 0.40 %", "least": "0.05", "most": "",
    "methods": "card: 0.3", "spread": "0", "start": "", "why": "the board decided",
}  # fmt: skip
PLAN = {
    "code": "brand-new", "rate_deposit": "0.15", "tiers_deposit": "50000: 0.2", "rate_withdrawal": "", "zone": "UTC",
    "tiers_withdrawal": "", "rate_acceptor_volume": "", "tiers_acceptor_volume": "", "mode": "marginal",
    "window": "rolling_30d", "start": "", "why": "new agents",
}  # fmt: skip


@pytest.fixture
def desk(database):
    made = market.built()
    made.fee = lambda: quotes.quote(made.trade.merchant, "deposit", "BRL", Money.parse("5420", fiat("BRL"))).fee.units
    return made


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def rows(sql):
    with reading() as tx:
        return tx.rows(sql)


def proposed(browser, word, form):
    browser.get(f"/versions/{word}/new")
    answer = browser.post(f"/versions/{word}/new", form)
    assert answer.status_code == 302, words(answer)
    return answer.headers["Location"]


def test_who_approves_fees_below_the_commissions_is_told_what_the_engine_then_does(desk):
    finance, other = signed_in(desk, "finance"), signed_in(desk, "finance2")
    ((plan, bps),) = rows(
        "select p.code, max((v.terms->'rates'->>'deposit')::int) from plan_version v join plan p on p.id = v.plan_id"
        " where p.id in (select plan_id from agent) group by p.code order by 2 desc limit 1"
    )
    enough = proposed(finance, "fees", FEES)
    assert "commissions never exceed" not in words(other.get(enough))
    finance.post(enough.replace("show", "action/withdraw"), {"why": "a lower one"})
    low = proposed(finance, "fees", FEES | {"tiers": "100,000: 0.5\n1000000: 0.02 %"})
    told = (
        "From a merchant's volume of 1,000,000.000000 USDT in 30 days on the platform's part of the fee is 0.02 %,"
        f" and plan {plan} v1 pays agents up to {bps / 100:.2f} % of an order: commissions never exceed the platform's"
        " part. They are then cut to it in proportion, and the platform keeps nothing."
    )
    assert told in words(other.get(low))
    assert other.post(low.replace("show", "action/version"), {"approve": "yes", "why": "as decided"}).status_code == 302
    assert "commissions never exceed" not in words(other.get(low)), "it is decided"
    plain = proposed(finance, "fees", FEES | {"platform": "0.03", "tiers": ""})
    assert f"The platform's part of the fee is 0.03 %, and plan {plan} v1 pays agents" in words(other.get(plain))


def test_a_schedule_is_proposed_by_one_and_in_force_when_another_has_approved_it(desk):
    before, finance = desk.fee(), signed_in(desk, "finance")
    assert "Propose a new version" in words(finance.get("/versions/"))
    form = finance.get("/versions/fees/new?code=standard").text
    assert 'value="0.60"' in form, "the form begins with the terms in force"
    page = proposed(finance, "fees", FEES)
    request = page.rsplit("/", 1)[1]
    assert "Waits for another person" in words(finance.get(page))
    listed = finance.get("/versions/")
    assert "v2 waits for approval, asked by finance:" in words(listed)
    assert f'href="{page}"' in listed.text
    finance.get("/versions/fees/new")
    again = finance.post("/versions/fees/new", FEES)
    assert again.status_code == 409
    assert f'[already_done] <a href="{page}">See the request that waits</a>' in again.text
    yes = {"approve": "yes", "why": "as decided"}
    assert finance.post(f"/approvals/action/version/{request}", yes).status_code == 403
    other = signed_in(desk, "finance2")
    told = words(other.get(page))
    assert "Platform fee 0.60 % 1.20 %" in told
    assert "standard v2 , within 10 seconds of its approval" in told
    assert desk.fee() == before
    assert other.post(f"/approvals/action/version/{request}", yes).status_code == 302
    assert desk.fee() == before, "it begins some seconds after"
    ((begins,),) = rows("select effective_from from fee_schedule where code = 'standard' and version = 2")
    shown = f"{begins:%Y-%m-%d %H:%M:%S}"
    told = words(other.get(page))
    assert f"standard v2 is in force from {shown} on" in told, "what the deed says"
    assert f"standard v2 , from {shown} on" in told
    with clock.at(begins):
        assert desk.fee() == 2 * before
        assert "2 versions" in words(finance.get("/versions/"))
        told = words(finance.get("/versions/fees/show/standard"))
        assert f"v2 In force {shown} finance approved by finance2 Platform fee 0.60 % → 1.20 %" in told
        assert f"v1 Before from the start until {shown} – the first version" in told
    assert f"v2 comes into force {shown}" in words(finance.get("/versions/"))
    assert "Before, v1 Proposed Platform fee 0.60 % 1.20 %" in words(other.get(page))
    ((terms,),) = rows("select terms from fee_schedule where code = 'standard' and version = 2")
    assert terms == {
        "platform_bps": 120, "min_fee_units": 50_000, "max_fee_units": None, "spread_bps": 0,
        "tiers": [[100_000_000_000, 50], [1_000_000_000_000, 40]], "method_bps": {"card": 30},
    }  # fmt: skip
    assert [each.invariant for each in verify() if not each.holds] == []


def test_every_version_stands_in_the_table_with_its_time_its_two_people_and_what_it_changed(desk):
    finance, other = signed_in(desk, "finance"), signed_in(desk, "finance2")
    assert "Versions 1" in words(finance.get("/versions/fees/show/standard"))
    start = clock.now().replace(second=0, microsecond=0) + timedelta(days=3)
    for platform, moment in (("1.10", start), ("1.20", ""), ("1.20", start + timedelta(days=1))):
        form = FEES | {"platform": platform, "start": f"{moment:%Y-%m-%dT%H:%M}" if moment else ""}
        request = proposed(finance, "fees", form).rsplit("/", 1)[1]
        other.get(f"/approvals/show/{request}")
        yes = {"approve": "yes", "why": "as decided"}
        assert other.post(f"/approvals/action/version/{request}", yes).status_code == 302
    page = other.get("/versions/fees/show/standard")
    told, (second, third) = words(page), (f"{start + timedelta(days=n):%Y-%m-%d %H:%M}:00" for n in (0, 1))
    assert f'data-href="/approvals/show/{request}"' in page.text
    assert re.findall(r"v\d (?:To come|Never in force|In force)", told) == [
        "v4 To come", "v3 To come", "v2 Never in force", "v1 In force",
    ]  # fmt: skip
    assert f"v4 To come {third} finance approved by finance2 the same terms" in told
    assert f"v3 To come {second} until {third} finance approved by finance2 Platform fee 1.10 % → 1.20 %" in told
    assert "v2 Never in force v3 began with it" in told
    cards = words(other.get("/versions/"))
    assert f"v3 comes into force {second}" in cards
    assert "v2 comes into force" not in cards
    assert other.get("/versions/fees/show/unknown").status_code == 404
    assert other.get("/versions/none/show/standard").status_code == 404


def test_a_new_plan_begins_at_its_moment(desk):
    admin = signed_in(desk, "admin")
    start = clock.now() + timedelta(days=3)
    page = proposed(admin, "plans", PLAN | {"start": f"{start:%Y-%m-%dT%H:%M}"})
    finance = signed_in(desk, "finance")
    assert f"from {start:%Y-%m-%d %H:%M}:00 on" in words(finance.get(page))
    answer = finance.post(f"/approvals/action/version/{page.rsplit('/', 1)[1]}", {"approve": "yes", "why": "agreed"})
    assert answer.status_code == 302
    ((terms, begins),) = rows(
        "select v.terms, v.effective_from from plan_version v join plan p on p.id = v.plan_id"
        " where p.code = 'brand-new'"
    )
    assert terms["rates"] == {"deposit": 15}
    assert terms["tiers"] == {"deposit": [[50_000_000_000, 20]]}
    assert (terms["tier_mode"], terms["window"]) == ("marginal", "rolling_30d")
    assert begins == start.replace(second=0, microsecond=0)
    assert "v1 comes into force" in words(finance.get("/versions/"))
    after = proposed(admin, "plans", PLAN)
    told = words(finance.get(after))
    assert f"brand-new v2 , from {start:%Y-%m-%d %H:%M}:00 on" in told, "none begins before the one before it"
    filled = admin.get("/versions/plans/new?code=brand-new").text
    assert 'value="brand-new"' in filled
    assert 'value="0.15"' in filled, "the terms of the one before it, though that is still to come"
    assert "empty: with v1." in filled
    early = words(admin.post("/versions/plans/new", PLAN | {"start": f"{start - timedelta(days=1):%Y-%m-%dT%H:%M}"}))
    assert f"version 1 comes into force at {start:%Y-%m-%d %H:%M}:00; the next one later [bad_input]" in early
    form = words(admin.post("/versions/plans/new", PLAN | {"why": " "}))
    assert f"becomes brand-new v2, and begins no earlier than v1, which comes into force {start:%Y-%m-%d %H:%M}" in form


RATE = "The rate must be from 0.00 % to 10.00 %. [bad_input]"
TIER = "The rate of each tier must be from 0.00 % to 10.00 %. [bad_input]"
RISING = "Each tier must begin at a higher volume than the one before it. [bad_input]"
PARTS = "is not two parts with one colon between them"
NO_RATE = "is not a rate in per cent with two decimals at most, such as 0.60 %. [bad_amount]"
STORED = re.compile(r"\b(\w*_(bps|units)|\w+_(mode|zone)|bps|rates must|tiers\.\w)")
"""What terms are called where they are stored: nobody who fills a form has typed it."""


@pytest.mark.parametrize(
    ("word", "change", "field", "told"),
    [
        ("fees", {"platform": "50"}, "platform", RATE),
        ("fees", {"platform": "a lot"}, "platform", f"'a lot' {NO_RATE}"),
        ("fees", {"platform": "0.125"}, "platform", f"'0.125' {NO_RATE}"),
        ("fees", {"platform": ""}, "platform", "Type a rate in per cent, such as 0.60 %. [bad_amount]"),
        ("fees", {"spread": "10.01"}, "spread", RATE),
        ("fees", {"tiers": "1000"}, "tiers", PARTS),
        ("fees", {"tiers": "1000: 0.5\n500: 0.4"}, "tiers", RISING),
        ("fees", {"tiers": "1000: 50"}, "tiers", TIER),
        ("fees", {"tiers": "\n".join(f"{n}: 1" for n in range(51))}, "tiers", "There may be at most 50 tiers."),
        ("fees", {"tiers": "100000 0.5"}, "tiers", PARTS),
        ("fees", {"tiers": "100000: 0.5: 0.4"}, "tiers", PARTS),
        ("fees", {"methods": "card: x"}, "methods", f"'x' {NO_RATE}"),
        ("fees", {"methods": "card: 11"}, "methods", "The fee of each payment method must be from 0.00 % to 10.00 %."),
        ("fees", {"methods": f"{41 * 'c'}: 1"}, "methods", "The name of a payment method has 1 to 40 characters."),
        ("fees", {"methods": "card: 1\ncard: 2"}, "methods", "'card' has two rates; say one."),
        ("fees", {"methods": "card 3"}, "methods", PARTS),
        ("fees", {"methods": "card: 0.3\nbank transfer 1"}, "methods", PARTS),
        ("plans", {"tiers_deposit": "100000 0.5"}, "tiers_deposit", PARTS),
        ("plans", {"tiers_deposit": "5: 10.01"}, "tiers_deposit", TIER),
        ("plans", {"tiers_deposit": "5: 1\n5: 2"}, "tiers_deposit", RISING),
        ("plans", {"rate_deposit": "11"}, "rate_deposit", RATE),
        (
            "fees",
            {"least": "5", "most": "1"},
            "most",
            "The highest fee must not be below the least fee, 5.000000 USDT.",
        ),
        ("fees", {"start": "2020-01-01T00:00"}, "start", "in the future, and not in the past"),
        ("fees", {"start": "soon"}, "start", "Choose a day and a time."),
        ("fees", {"why": " "}, "why", "the reason is missing"),
        ("fees", {"code": "a b"}, "code", "a code is 1 to 40 letters"),
        ("plans", {"rate_deposit": "", "tiers_deposit": ""}, "rate_deposit", "Give the rate of at least one product."),
        ("plans", {"rate_deposit": ""}, "rate_deposit", "Tiers need the product's own rate."),
        ("plans", {"zone": "Mars/Olympus"}, "zone", "'Mars/Olympus' is no time zone"),
        ("plans", {"mode": "both"}, "mode", "Choose one of the list."),
        ("plans", {"window": "both"}, "window", "Choose one of the list."),
        ("plans", {"tiers_withdrawal": "5: 1"}, "rate_withdrawal", "Tiers need the product's own rate."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_in_the_forms_words_and_nothing_is_asked_for(
    module_desk, word, change, field, told
):
    browser = signed_in(module_desk, "finance")
    browser.get(f"/versions/{word}/new")
    answer = browser.post(f"/versions/{word}/new", (FEES if word == "fees" else PLAN) | change)
    assert answer.status_code == 422, words(answer)
    said = re.search(rf'id="e-{field}">(.*?)</span>', answer.text, re.DOTALL)
    assert said, words(answer)
    assert told in html.unescape(said[1])
    assert not STORED.search(re.sub("<[^>]+>", "", said[1]))
    assert rows("select count(*) from approval where kind <> 'reserve_topup'") == [(0,)]


@pytest.fixture(scope="module")
def module_desk(module_database):
    return market.built()


def test_others_read_or_see_nothing(module_desk):
    for name, page, form in (("auditor", 200, 403), ("compliance", 403, 403), ("merchant1", 403, 403)):
        browser = signed_in(module_desk, name)
        assert browser.get("/versions/").status_code == page
        assert browser.get("/versions/fees/new").status_code == form
        assert browser.post("/versions/fees/new", FEES).status_code == form
    assert signed_in(module_desk, "finance").get("/versions/none/new").status_code == 404
