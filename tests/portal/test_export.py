"""A file holds exactly the filtered rows, is no formula, says what it is, and proves itself."""

from __future__ import annotations

import csv
import hashlib
import io

import pytest

from core.db import reading
from core.reports.files import defused, plain
from tests.portal.conftest import USERS


def parsed(answer):
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    body = [row for row in rows[1:] if not row[0].startswith("# ")]
    return rows[0], body, {row[0]: row[1:] for row in rows if row[0].startswith("# ")}


def test_the_file_holds_exactly_the_filtered_rows_with_the_screens_figures(signed_in):
    answer = signed_in("auditor").get("/parcels/export.csv?currency=BRL")
    _head, body, footer = parsed(answer)
    with reading() as tx:
        fiat, usdt, count = tx.rows(
            "select sum(fiat_units)::bigint, sum(usdt_units)::bigint, count(*) "
            "from sample_parcel where currency = 'BRL'",
        )[0]
    assert len(body) == count == int(footer["# rows"][0])
    assert footer["# sum: Amount"] == [f"{fiat // 100}.{fiat % 100:02d}", "BRL"]
    assert footer["# sum: USDT"][0].replace(".", "") == str(usdt)
    assert footer["# filter"] == ["Currency: BRL"]
    assert footer["# made by"] == ["auditor (auditor)"]


def test_the_digest_is_of_every_byte_before_it(signed_in):
    data = signed_in("auditor").get("/parcels/export.csv").data
    before, _mark, after = data.rpartition(b"# sha256,")
    assert hashlib.sha256(before).hexdigest() == after.strip().decode()


def test_no_cell_becomes_a_formula_and_numbers_stay_numbers(signed_in):
    head, body, _footer = parsed(signed_in("compliance").post("/parcels/export.csv", WHY))
    payers = {row[head.index("Payer")] for row in body}
    assert '\'=HYPERLINK("http://x")' in payers
    assert all(row[head.index("Amount")].replace(".", "").isdigit() for row in body)


WHY = {"reason": "police request 12/2026"}


@pytest.mark.parametrize("name", sorted(set(USERS) - {"agent1"}))
def test_personal_data_is_masked_in_every_bodys_file(signed_in, name):
    masked = signed_in(name).get("/parcels/export.csv").text
    assert "Joao S•••••" in masked
    assert "Joao Santos" not in masked
    assert "6222000000" not in masked


def test_who_may_reveal_gets_names_in_full_for_a_reason_that_the_trail_keeps(signed_in):
    answer = signed_in("compliance").post("/parcels/export.csv?currency=BRL&state=paid_claimed", WHY)
    _head, body, footer = parsed(answer)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "Joao Santos" in answer.text
    assert footer["# names in full"] == ["police request 12/2026"]
    with reading() as tx:
        told = tx.rows("select actor, action, subject, reason, details from audit order by at desc, id desc limit 1")[0]
    assert told[:4] == ("compliance", "reveal.list", "parcels", "police request 12/2026")
    assert told[4] == {
        "filter": "State: Claimed; Currency: BRL",
        "query": [["currency", "BRL"], ["state", "paid_claimed"]],
        "rows": len(body),
        "format": "csv",
        "personal": "whole",
    }
    assert len(body) > 0


@pytest.mark.parametrize("reason", [{}, {"reason": ""}, {"reason": "-----"}, {"reason": "abc"}])
def test_without_a_reason_nobody_gets_names_in_full(signed_in, reason):
    browser, before = signed_in("compliance"), reveals_logged()
    answer = browser.post("/parcels/export.csv", reason)
    assert answer.status_code == 422
    assert "bad_input" in answer.text
    assert "Joao" not in answer.text
    assert reveals_logged() == before


def test_the_pages_script_hears_first_whether_the_reason_will_do(signed_in):
    browser, before, script = signed_in("compliance"), reveals_logged(), {"Accept": "application/json"}
    told = browser.post("/parcels/export.csv", {"reason": "-----"}, headers=script)
    assert (told.status_code, told.json["code"], told.json["field"]) == (200, "bad_input", "reason")
    assert browser.post("/parcels/export.csv", WHY, headers=script).json == {}
    assert reveals_logged() == before


@pytest.mark.parametrize("name", sorted(set(USERS) - {"compliance"}))
def test_who_may_not_reveal_gets_names_in_full_for_no_reason(signed_in, name):
    browser, before = signed_in(name), reveals_logged()
    assert browser.post("/parcels/export.csv", WHY).status_code == 403
    assert reveals_logged() == before
    assert "ask-names" not in browser.get("/parcels/list/").text


def test_a_list_asks_who_may_reveal_for_the_reason_and_keeps_its_filter(signed_in):
    text = signed_in("compliance").get("/parcels/list/?currency=BRL").text
    assert 'data-open="ask-names"' in text
    assert 'action="/parcels/export.csv?currency=BRL"' in text


def test_a_foreign_form_gets_no_names(signed_in):
    browser, before = signed_in("compliance"), reveals_logged()
    assert browser.client.post("/parcels/export.csv", data=WHY).status_code == 400
    assert reveals_logged() == before


def test_a_list_without_names_has_none_to_give(signed_in):
    browser = signed_in("compliance")
    assert browser.post("/pools/export.csv", WHY).status_code == 422
    assert "ask-names" not in browser.get("/pools/list/").text


def reveals_logged():
    with reading() as tx:
        return tx.call("select count(*) from audit where action = 'reveal.list'")


def test_an_export_is_scoped_and_audited(signed_in):
    browser = signed_in("merchant1")
    _head, body, _footer = parsed(browser.get("/parcels/export.csv"))
    assert len(body) == 40
    with reading() as tx:
        rows = tx.rows(
            "select actor, subject, details from audit where action = 'list.exported' order by at desc limit 1",
        )
    assert rows == [
        (
            "merchant1",
            "parcels",
            {"filter": "all rows", "query": [], "rows": 40, "format": "csv", "personal": "masked"},
        )
    ]


def test_the_trail_says_which_rows_went_and_how_many(signed_in):
    answer = signed_in("compliance").get("/parcels/export.csv?currency=BRL&state=completed&state=paid_claimed")
    _head, body, _footer = parsed(answer)
    with reading() as tx:
        told = tx.call("select details from audit where action = 'list.exported' order by at desc limit 1")
    assert told["rows"] == len(body) > 0
    assert told["filter"] == "State: Done, Claimed; Currency: BRL"
    assert told["query"] == [["currency", "BRL"], ["state", "completed"], ["state", "paid_claimed"]]
    assert told["personal"] == "masked"


def test_the_file_says_once_what_it_is(signed_in):
    answer = signed_in("auditor").get("/parcels/export.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("name", sorted(USERS))
@pytest.mark.parametrize("path", ["/parcels/export.csv", "/parcels/export.csv?currency=BRL"])
def test_a_file_and_its_row_in_the_trail_agree_for_every_role(signed_in, name, path):
    _head, body, footer = parsed(signed_in(name).get(path))
    with reading() as tx:
        told = tx.rows("select actor, details->'rows' from audit where action = 'list.exported' order by at desc")
    assert told[0] == (name, len(body)) == (name, int(footer["# rows"][0]))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\nx", "'\nx"),
        ("\0=1", "'=1"),
        ("＝1", "'＝1"),
        ("x;=1", "x;'=1"),
        ("x; -1", "x; '-1"),
        ("x|@y", "x|'@y"),
        ("x\n=1", "x\n'=1"),
        ("a=b", "a=b"),
        ("Anne-Marie; Sons", "Anne-Marie; Sons"),
        ("", ""),
    ],
)
def test_no_text_begins_a_formula_whatever_a_spreadsheet_splits_at(text, written):
    assert defused(text) == written == plain(text)


def test_bad_filters_are_refused_in_files_too(signed_in):
    assert signed_in("auditor").get("/parcels/export.csv?colour=red").status_code == 400
