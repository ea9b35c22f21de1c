"""The review queue: its figures tie to the ledger, decisions need words and two officers, others see nothing."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest

from core.db import reading, transaction
from core.money import Money, fiat
from core.orders import disputing
from tests.portal import market
from tests.portal.market import claimed, held, signed_in, unchanged

ROW = re.compile(r'<tr data-href="/alerts/show/([^"]+)"')
ORDER_ROW = re.compile(r'<tr data-href="/orders/show/([^"]+)"')
GOOD = {"outcome": "release", "disposition": "explained", "narrative": "the bank line names the customer"}


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


@pytest.fixture
def stopped(desk):
    """An order held by gate G3, with its alert."""
    return held(desk)


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def alert(ref):
    with reading() as tx:
        return tx.rows("select state, outcome, disposition from alert where ref = %s", (ref,))[0]


def order(ref):
    with reading() as tx:
        return tx.rows("select state, risk_state from orders where ref = %s", (ref,))[0]


def test_the_queue_opens_with_what_waits_and_its_figures_tie_to_the_ledger(desk, stopped):
    browser = signed_in(desk, "compliance")
    assert browser.get("/alerts/list/").headers["Location"] == "/alerts/list/?stage=waiting&sort=due_at"
    page = browser.get("/alerts/list/?stage=waiting&sort=due_at")
    assert stopped[1] in ROW.findall(page.text)
    told = words(page)
    with reading() as tx:
        units = tx.call("select sum(units)::bigint from v_balances where account like '%%:held'")
    assert f"{units / 10**6:,.6f}".rstrip("0") in told
    assert "ties to the ledger" in told
    assert "Payer name differs" in told
    assert "Maria Lucia" not in told


def test_the_figure_of_what_waits_opens_the_list_it_counts(desk, stopped):
    browser = signed_in(desk, "compliance")
    with transaction() as tx:
        tx.run("update alert set due_at = due_at - interval '9 days' where ref = %s", (stopped[1],))
    home = browser.get("/")
    found = re.search(r'href="([^"]+)">\s*<div class="cap"><span>Waiting for review', home.text)
    link = html.unescape(found[1])
    assert "1 past its review time" in words(home)
    with reading() as tx:
        waiting = tx.call("select count(*) from alert where state <> 'closed'")
    assert link == "/alerts/list/?stage=waiting&sort=due_at"
    assert len(ROW.findall(browser.get(link).text)) == waiting


def test_the_figure_of_what_is_held_opens_the_very_orders(desk, stopped):
    held(desk)
    with reading() as tx:
        refs = {ref for (ref,) in tx.rows("select o.ref from hold h join orders o on o.id = h.order_id"
                                          " where h.closed_at is null")}  # fmt: skip
        units = tx.call("select sum(units)::bigint from hold where closed_at is null")
    for name in ("compliance", "auditor", "admin"):
        browser = signed_in(desk, name)
        home = browser.get("/").text
        found = re.search(r'href="([^"]+)">\s*<div class="cap"><span>Held USDT', home)
        page = browser.get(html.unescape(found[1]))
        assert set(ORDER_ROW.findall(page.text)) == refs, name
        assert f"in {len(refs)} orders" in re.sub(r"<[^>]+>", " ", home)
        assert f"{units / 10**6:,.6f}".rstrip("0") in words(page), "the sum below the list is the tile's"
    for name in ("merchant1", "finance"):
        refused = signed_in(desk, name).get("/orders/list/?hold=open")
        assert refused.status_code == 400, "what is held is officers' to filter by"


def test_open_disputes_stand_on_the_home_page_and_above_the_queue(desk):
    ref = claimed(desk.trade, number="D-1")
    told = words(signed_in(desk, "compliance").get("/"))
    assert "Open disputes now 0 none waits" in told
    assert "in dispute" not in words(signed_in(desk, "compliance").get("/alerts/list/?stage=waiting"))
    came = Money.parse("500.00", fiat(desk.trade.currency))
    disputing.contest(desk.acceptor.actor, ref, received=came, why="less has come")
    browser = signed_in(desk, "compliance")
    assert "Open disputes now 1 nearest deadline" in words(browser.get("/"))
    link = html.unescape(re.search(r'href="([^"]*dispute_state=open[^"]*)"', browser.get("/").text)[1])
    assert ref in browser.get(link).text
    queue = browser.get("/alerts/list/?stage=waiting")
    assert "1 order is in dispute and waits for two officers. Nearest deadline:" in words(queue)
    assert link in html.unescape(queue.text)
    for name in ("auditor", "finance"):
        assert "Open disputes" not in words(signed_in(desk, name).get("/")), name


def test_two_officers_release_what_is_held(desk, stopped):
    ref, name = stopped
    first, second = signed_in(desk, "compliance"), signed_in(desk, "compliance2")
    first.get(f"/alerts/show/{name}")
    assert first.post(f"/alerts/action/decide/{name}", GOOD).status_code == 302
    assert alert(name) == ("pending_second", "release", "explained")
    with unchanged(ref):
        own = first.post(f"/alerts/action/second/{name}", {"approve": "yes", "why": "I am sure"})
    assert own.status_code == 403
    assert "somebody else must decide" in words(own)
    page = words(second.get(f"/alerts/show/{name}"))
    assert "the bank line names the customer" in page
    assert "Agree and carry out" in page
    assert second.post(f"/alerts/action/second/{name}", {"approve": "yes", "why": "agreed"}).status_code == 302
    assert alert(name) == ("closed", "release", "explained")
    assert order(ref) == ("completed", "clear")
    told = words(second.get(f"/alerts/show/{name}"))
    assert re.search(r"Proposed by compliance \S+ \S+ the bank line names the customer", told)
    assert re.search(r"Confirmed by compliance2 \S+ \S+ agreed", told)
    assert "decided by compliance and compliance2" in told


def test_the_file_says_who_proposed_and_who_confirmed_with_which_words(desk, stopped):
    name = stopped[1]
    first, second = signed_in(desk, "compliance"), signed_in(desk, "compliance2")
    first.get(f"/alerts/show/{name}")
    first.post(f"/alerts/action/decide/{name}", GOOD)
    second.get(f"/alerts/show/{name}")
    second.post(f"/alerts/action/second/{name}", {"approve": "yes", "why": "seen the bank line too"})
    lines = csv.reader(io.StringIO(signed_in(desk, "compliance").get("/alerts/export.csv").data.decode("utf-8-sig")))
    heads = next(lines)
    row = dict(zip(heads[-9:], next(each for each in lines if each[0] == name)[-9:], strict=True))
    assert row.pop("Proposed at") <= row.pop("Closed at")
    assert row == {
        "State": "closed",
        "Outcome": "release",
        "Disposition": "explained",
        "Proposed by": "compliance",
        "Why it was decided so": "the bank line names the customer",
        "Closed by": "compliance2",
        "Why the second officer agreed": "seen the bank line too",
    }


def test_a_second_officer_may_turn_the_decision_down(desk, stopped):
    ref, name = stopped
    first, second = signed_in(desk, "compliance"), signed_in(desk, "compliance2")
    first.get(f"/alerts/show/{name}")
    first.post(f"/alerts/action/decide/{name}", GOOD | {"outcome": "refuse"})
    second.get(f"/alerts/show/{name}")
    with unchanged(ref):
        assert second.post(f"/alerts/action/second/{name}", {"approve": "no", "why": "look again"}).status_code == 302
    assert alert(name)[0] == "open"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (GOOD | {"narrative": "short"}, "bad_input"),
        (GOOD | {"narrative": ""}, "bad_input"),
        (GOOD | {"disposition": ""}, "bad_input"),
        (GOOD | {"outcome": "burn"}, "bad_input"),
        (GOOD | {"outcome": "dismiss"}, "wrong_state"),
        ({}, "bad_input"),
    ],
)
def test_a_decision_without_its_words_is_refused_and_changes_nothing(desk, form, code):
    if not getattr(desk, "kept", None):
        desk.kept = held(desk)
    ref, name = desk.kept
    browser = signed_in(desk, "compliance")
    browser.get(f"/alerts/show/{name}")
    with unchanged(ref):
        answer = browser.post(f"/alerts/action/decide/{name}", form)
    assert answer.status_code in {409, 422}
    assert f"[{code}]" in answer.text
    assert alert(name)[0] == "open"


def test_what_one_officer_has_taken_another_cannot_decide(desk, stopped):
    ref, name = stopped
    first, second = signed_in(desk, "compliance"), signed_in(desk, "compliance2")
    first.get(f"/alerts/show/{name}")
    assert first.post(f"/alerts/action/take/{name}").status_code == 302
    page = words(second.get(f"/alerts/show/{name}"))
    assert "with compliance" in page
    with unchanged(ref):
        assert second.post(f"/alerts/action/decide/{name}", GOOD).status_code == 409
    assert first.post(f"/alerts/action/put_back/{name}").status_code == 302
    assert second.post(f"/alerts/action/take/{name}").status_code == 302


def test_the_next_case_opens_at_once_and_is_the_officers(desk, stopped):
    browser = signed_in(desk, "compliance")
    browser.get("/alerts/list/?stage=waiting")
    where = browser.post("/alerts/next").headers["Location"]
    with reading() as tx:
        assert tx.call("select locked_by from alert where ref = %s", (where.rsplit("/", 1)[1],)) == "compliance"


def test_a_page_that_is_left_gives_its_alert_back(desk, stopped):
    first, second = signed_in(desk, "compliance"), signed_in(desk, "compliance2")
    first.get("/alerts/list/?stage=waiting")
    name = first.post("/alerts/next").headers["Location"].rsplit("/", 1)[1]
    assert f'data-reading="/alerts/reading/{name}"' in first.get(f"/alerts/show/{name}").text
    told = first.post(f"/alerts/reading/{name}").json
    assert told["mine"] is True
    assert int(told["menu"]["alerts"]["text"]) > 0
    page = second.get(f"/alerts/show/{name}")
    assert "with compliance" in words(page)
    assert "data-reading" not in page.text
    assert second.post(f"/alerts/reading/{name}").json["mine"] is False
    assert second.post(f"/alerts/left/{name}").json == {"back": False}
    assert first.post(f"/alerts/left/{name}").json == {"back": True}
    assert "with compliance" not in words(second.get(f"/alerts/show/{name}"))
    assert second.post(f"/alerts/action/take/{name}").status_code == 302
    assert second.post(f"/alerts/left/{name}").json == {"back": False}, "what is taken is kept"
    assert second.post(f"/alerts/action/put_back/{name}").status_code == 302


def test_after_a_decision_the_next_is_offered_and_nobody_has_it_before_it_is_asked_for(desk, stopped):
    ref, name = stopped
    _, mine = held(desk)
    with transaction() as tx:
        tx.run("update alert set locked_by = null, locked_until = null")
    browser = signed_in(desk, "compliance")
    browser.get(f"/alerts/show/{mine}")
    browser.post(f"/alerts/action/take/{mine}")
    answer = browser.post(f"/alerts/action/decide/{name}", GOOD | {"outcome": "refuse"})
    assert answer.headers["Location"] == f"/alerts/show/{name}"
    page = browser.get(answer.headers["Location"])
    offer = page.text[page.text.index('class="card offer"') :]
    assert f'href="/alerts/show/{mine}"' in offer[: offer.index("</section>")], "what the officer has taken comes first"
    browser.post(f"/alerts/action/put_back/{mine}")
    again = browser.get(f"/alerts/show/{name}").text
    assert 'action="/alerts/next"' in again[again.index('class="card offer"') :]
    with reading() as tx:
        assert tx.call("select count(*) from alert where locked_by = 'compliance'") == 0
    assert f'<a href="/alerts/show/{name}">{name}</a>' in page.text
    told = words(page)
    assert re.search(
        rf"Decided {name} : Refuse the order: return \S+ USDT to the reserve of acceptor\S+, who pays", told
    )
    assert "Nothing moves until another officer agrees." in told
    second = signed_in(desk, "compliance2")
    second.get(f"/alerts/show/{name}")
    for _ in range(30):  # what waits for a second officer is handed out too, but never to the first
        at = second.post("/alerts/next").headers["Location"]
        if not at.startswith("/alerts/show/") or at.endswith(name):
            break
    assert at == f"/alerts/show/{name}"
    assert second.post(f"/alerts/action/second/{name}", {"approve": "yes", "why": "agreed"}).status_code == 302
    assert order(ref) == ("refunded", "refused")


def test_when_nothing_else_waits_the_queue_says_so(desk, stopped):
    with transaction() as tx:
        tx.run(
            "update alert set locked_by = 'other', locked_until = now() + interval '1 day'"
            " where order_id <> (select id from orders where ref = %s)",
            (stopped[0],),
        )
    browser = signed_in(desk, "compliance")
    browser.get(f"/alerts/show/{stopped[1]}")
    answer = browser.post(f"/alerts/action/decide/{stopped[1]}", GOOD)
    assert answer.headers["Location"] == f"/alerts/show/{stopped[1]}"
    assert "No other alert waits for you." in words(browser.get(answer.headers["Location"]))
    with transaction() as tx:
        tx.run("update alert set locked_by = null, locked_until = null")


def test_what_will_happen_is_asked_in_words_and_amounts_before_it_is_sent(desk, stopped):
    page = html.unescape(signed_in(desk, "compliance").get(f"/alerts/show/{stopped[1]}").text)
    code = desk.trade.merchant_code
    asked = dict(re.findall(r'name="outcome" value="(\w+)" required data-confirm="([^"]+)"', page))
    assert re.fullmatch(
        rf"Release 99\.\d{{6}} USDT to merchant {code} for 542\.00 BRL \(100\.000000 USDT from the escrow of"
        r" acceptor\S+,"
        r" less the fee of 0\.\d{6} USDT\)\. Nothing moves until another officer agrees\.",
        asked["release"],
    )
    assert re.fullmatch(
        rf"Refuse the order: return 100\.000000 USDT to the reserve of acceptor\S+, who pays 542\.00 BRL"
        rf" back to the payer; merchant {code} is paid nothing\. Nothing moves until another officer agrees\.",
        asked["refuse"],
    )


def test_who_only_sees_decides_nothing_and_all_others_see_nothing(desk, stopped):
    ref, name = stopped
    with unchanged(ref):
        for who in ("admin", "auditor"):
            browser = signed_in(desk, who)
            page = browser.get(f"/alerts/show/{name}")
            assert page.status_code == 200
            assert "/alerts/action/decide" not in page.text
            for deed in ("take", "put_back", "decide", "second", "reveal"):
                assert browser.post(f"/alerts/action/{deed}/{name}", GOOD).status_code == 403
            assert browser.post("/alerts/next").status_code == 403
        for who in ("finance", "agent1", "acceptor1", "merchant1"):
            browser = signed_in(desk, who)
            for path in ("/alerts/list/", f"/alerts/show/{name}", "/alerts/export.csv"):
                assert browser.get(path).status_code == 403
    assert alert(name)[0] == "open"


@pytest.mark.parametrize(
    "query",
    [
        "stage=closed", "stage=second&sort=due_at", "stage=held", "rule=NAME_MISMATCH&verdict=hold",
        "from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z", "merchant=nobody", "currency=BRL", "q=ord_", "q=alr_",
    ],
)  # fmt: skip
def test_the_queue_is_filtered_as_its_address_says(desk, query):
    assert signed_in(desk, "auditor").get(f"/alerts/list/?{query}").status_code == 200


@pytest.mark.parametrize("key", ["none", "ord_0000000000000000", "alr_0000000000000000", "..%2f", "x" * 400])
def test_odd_keys_are_not_found(desk, key):
    assert signed_in(desk, "compliance").get(f"/alerts/show/{key}").status_code == 404


def test_the_file_of_the_queue_shows_accounts_as_the_screen_does_and_is_for_its_officers(desk, stopped):
    for name in ("compliance", "auditor"):
        answer = signed_in(desk, name).get("/alerts/export.csv")
        body = [row for row in csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))) if row[0].startswith("alr_")]
        with reading() as tx:
            rows = tx.rows(
                "select a.ref, y.masked from alert a join orders o on o.id = a.order_id"
                " join payer_account y on y.id = o.payer_account_id"
            )
        assert len(body) == len(rows) > 0
        for ref, masked in rows:
            assert masked in next(row for row in body if row[0] == ref)
        assert "Maria Lucia Rojas" not in answer.text
    for name in ("finance", "merchant1", "acceptor1", "agent1"):
        assert signed_in(desk, name).get("/alerts/export.csv").status_code == 403


def test_without_rules_in_force_the_queue_and_the_alert_say_so(desk):
    browser = signed_in(desk, "compliance")
    assert "No risk rules are in force" not in words(browser.get("/alerts/list/?stage=waiting"))
    with transaction() as tx:
        tx.run("update ruleset set state = 'retired'")
    try:
        ref, name = held(desk)
        assert "No risk rules are in force. New orders go on with a flag" in words(
            browser.get("/alerts/list/?stage=held")
        )
        told = words(browser.get(f"/alerts/show/{name}"))
        assert "gate G3, no rules in force" in told
        assert "so nothing has judged this release; it is held until officers decide" in told
        assert "so nothing has judged this order; it went on, flagged" in words(browser.get(f"/orders/show/{ref}"))
        assert name in ROW.findall(browser.get("/alerts/list/?stage=held&rule=NO_RULES").text)
        assert "under review" in words(signed_in(desk, "acceptor1").get(f"/orders/show/{ref}")).lower()
    finally:
        with transaction() as tx:
            tx.run("update ruleset set state = 'active'")
