"""What every desk promises: only own rows, no surprises from the address, the right sums, the right pages."""

from __future__ import annotations

import html
import re

import pytest

from core.db import reading, transaction

ROW = re.compile(r'<tr data-href="/parcels/show/([^"]+)"')


def refs(answer):
    return ROW.findall(answer.text)


def test_a_merchant_and_an_acceptor_see_their_own_rows_only(signed_in):
    for name in ("merchant1", "acceptor1"):
        seen = refs(signed_in(name).get("/parcels/list/?size=100"))
        assert len(seen) == 40
        assert all(int(ref[4:]) % 3 == 0 for ref in seen)


def test_a_scope_the_desk_does_not_know_sees_nothing(signed_in):
    answer = signed_in("agent1").get("/parcels/list/")
    assert refs(answer) == []
    assert "Nothing here yet" in answer.text


def test_foreign_rows_are_not_there_in_show_action_bulk_or_export(signed_in):
    browser = signed_in("acceptor1")
    foreign, own = "par_000001", "par_000003"
    assert browser.get(f"/parcels/show/{own}").status_code == 200
    assert browser.get(f"/parcels/show/{foreign}").status_code == 404
    assert browser.post(f"/parcels/action/open_it/{foreign}").status_code == 404
    assert browser.post("/parcels/action_post", {"action": "open_it", "rowid": [own, foreign]}).status_code == 404
    assert foreign not in browser.get("/parcels/export.csv").text
    with reading() as tx:
        assert tx.call("select state from sample_parcel where ref = %s", (foreign,)) == "paid_claimed"


def test_a_deed_takes_a_post_and_the_right_for_it(signed_in):
    browser = signed_in("acceptor1")
    assert browser.get("/parcels/action/open_it/par_000009").status_code == 405
    auditor = signed_in("auditor")
    assert auditor.post("/parcels/action/open_it/par_000009").status_code == 403
    assert auditor.post("/parcels/action_post", {"action": "open_it", "rowid": "par_000009"}).status_code == 403
    assert "Open it?" not in auditor.get("/parcels/show/par_000009").text
    done = browser.post("/parcels/action/open_it/par_000009")
    assert done.status_code == 302
    assert done.headers["Location"] == "/parcels/show/par_000009"


def test_a_refused_deed_shows_the_row_with_the_code_and_keeps_the_status(signed_in):
    browser = signed_in("acceptor1")
    answer = browser.post("/parcels/action/open_it/par_000000")
    assert answer.status_code == 409
    assert "wrong_state" in answer.text
    assert 'data-canonical="/parcels/show/par_000000"' in answer.text


def test_a_deed_on_many_is_done_to_all_or_none(signed_in):
    browser = signed_in("acceptor1")
    with transaction() as tx:
        tx.run("update sample_parcel set state = 'paid_claimed' where ref in ('par_000021', 'par_000024')")
        tx.run("update sample_parcel set state = 'completed' where ref = 'par_000027'")
    mixed = {"action": "open_it", "rowid": ["par_000021", "par_000027"]}
    assert browser.post("/parcels/action_post", mixed).status_code == 409
    with reading() as tx:
        assert tx.call("select state from sample_parcel where ref = 'par_000021'") == "paid_claimed"
    good = {"action": "open_it", "rowid": ["par_000021", "par_000024"]}
    assert browser.post("/parcels/action_post", good).status_code == 302
    with reading() as tx:
        assert (
            tx.call(
                "select count(*) from sample_parcel where ref in ('par_000021', 'par_000024') and state = 'completed'",
            )
            == 2
        )


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "_flt_0_payer=x",
        "_oc_ParcelDesk=payer&_od_ParcelDesk=asc",
        "page_ParcelDesk=-1",
        "state=nonsense",
        "sort=payer",
        "sort=merchant_id",
        "sort=-nothing",
        "size=many",
        "size=-1",
        "after=rubbish",
        "after=W10",
        "after=WyJ4IiwgInkiXQ",
        "created_at_from=yesterday",
        "created_at_from=2026-11-20T10:00:00",
        "created_at_to=9999-12-31",
        "fiat_units_min=5",
        "currency=BRL&fiat_units_min=1e3",
        "currency=BRL&fiat_units_min=NaN",
        "currency=BRL&fiat_units_min=1_000",
        "payer=" + "x" * 500,
        "payer=a%00b",
        "payer=a&payer=b",
        "rison=(a:!n",
        "q=" + "y" * 500,
    ],
)
def test_hand_edited_addresses_get_a_400_with_words(signed_in, query):
    answer = signed_in("auditor").get(f"/parcels/list/?{query}")
    assert answer.status_code == 400
    assert "bad_list" in answer.text


@pytest.mark.parametrize("key", ["nothing", "%00", "par_000003%27--", "..", "x" * 3000])
def test_odd_keys_are_not_found(signed_in, key):
    assert signed_in("auditor").get(f"/parcels/show/{key}").status_code == 404


def test_unknown_deeds_are_not_found(signed_in):
    browser = signed_in("acceptor1")
    assert browser.post("/parcels/action/delete/par_000003").status_code == 404
    assert browser.post("/parcels/action_post", {"action": "muldelete", "rowid": "par_000003"}).status_code == 404
    assert browser.post("/parcels/action_post", {"action": "open_it"}).status_code == 422


def test_the_page_size_is_clamped(signed_in):
    assert len(refs(signed_in("auditor").get("/parcels/list/?size=5000"))) == 100


@pytest.mark.parametrize(
    "sort", ["-created_at", "created_at", "deadline_at", "-deadline_at", "-usdt_units", "ref", "-ref"]
)
def test_paging_shows_every_row_once_in_any_order(signed_in, sort):
    browser = signed_in("auditor")
    seen, href = [], f"?sort={sort}&size=17"
    while href:
        answer = browser.get(f"/parcels/list/{href}")
        assert answer.status_code == 200
        seen += refs(answer)
        found = re.search(r'href="(\?[^"]*)" rel="next"', answer.text)
        href = html.unescape(found.group(1)) if found else ""
    assert len(seen) == 120
    assert len(set(seen)) == 120


def test_paging_stays_right_while_rows_arrive(fresh):
    browser = fresh.browser()
    browser.sign_in("auditor")
    first = browser.get("/parcels/list/?size=50")
    following = html.unescape(re.search(r'href="(\?[^"]*)" rel="next"', first.text).group(1))
    with transaction() as tx:
        tx.run(
            "insert into sample_parcel "
            "select 'par_new', state, currency, fiat_units, usdt_units, payer, account, "
            "merchant_id, acceptor_id, created_at + interval '1 day', deadline_at "
            "from sample_parcel where ref = 'par_000000'",
        )
    second = browser.get(f"/parcels/list/{following}")
    assert not set(refs(first)) & set(refs(second))
    assert "par_new" not in refs(second)


def test_the_footer_sums_what_is_filtered_per_currency(signed_in):
    answer = signed_in("auditor").get("/parcels/list/?currency=BRL&payer=joao")
    with reading() as tx:
        fiat, usdt, count = tx.rows(
            "select sum(fiat_units)::bigint, sum(usdt_units)::bigint, count(*) from sample_parcel "
            "where currency = 'BRL' and lower(payer) like 'joao%%'",
        )[0]
    text = html.unescape(re.sub(r"<[^>]+>", "", answer.text))
    assert f"{count} rows" in re.sub(r"\s+", " ", text)
    assert f"{fiat / 100:,.2f} BRL" in text
    assert f"{usdt / 10**6:,.6f} USDT" in text
    assert "VND" not in text.split("rows")[-1]


def test_counting_stops_at_ten_thousand_and_sums_wait_to_be_asked(fresh):
    with transaction() as tx:
        tx.run(
            "insert into sample_parcel "
            "select 'bulk_' || n, 'completed', 'BRL', 100, 1000000, 'Bulk', '1', 1, 1, "
            "now() - n * interval '1 second', null from generate_series(1, 10050) n",
        )
    browser = fresh.browser()
    browser.sign_in("auditor")
    answer = browser.get("/parcels/list/")
    assert "10,000+" in answer.text
    assert "Add up all rows" in answer.text
    asked = browser.get("/parcels/list/?sums=all&payer=bulk")
    assert "10,050.000000" in asked.text


def test_filters_are_chips_and_the_address_holds_them_all(signed_in):
    answer = signed_in("auditor").get("/parcels/list/?state=completed&state=paid_claimed&payer=li&q=par_0000")
    text = html.unescape(answer.text)
    assert "State: Done, Claimed" in text or "State: Claimed, Done" in text
    assert "Payer: li…" in text
    assert all(row for row in refs(answer))


def test_wildcards_in_a_search_are_plain_letters(signed_in):
    assert refs(signed_in("auditor").get("/parcels/list/?payer=%25")) == []


def test_what_people_wrote_is_shown_as_text_and_masked(signed_in):
    answer = signed_in("auditor").get("/parcels/list/?size=100")
    assert "<script>alert" not in answer.text
    assert "Joao S•••••" in html.unescape(answer.text)
    assert "Santos" not in answer.text
    assert "6222000000" not in answer.text


def test_a_page_costs_no_sql_for_permissions(desk, signed_in):
    import sqlalchemy as sa

    from core import db

    browser = signed_in("auditor")
    browser.get("/parcels/list/")
    said = []
    sa.event.listen(db.engine(), "before_cursor_execute", lambda *args: said.append(args[2]))
    browser.get("/parcels/list/")
    assert not [text for text in said if "ab_permission" in text or "ab_role" in text]
    assert len(said) == 4
