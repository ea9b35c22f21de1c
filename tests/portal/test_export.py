"""A file holds exactly the filtered rows, is no formula, says what it is, and proves itself."""

from __future__ import annotations

import csv
import hashlib
import io

from core.db import reading


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
    head, body, _footer = parsed(signed_in("compliance").get("/parcels/export.csv"))
    payers = {row[head.index("Payer")] for row in body}
    assert '\'=HYPERLINK("http://x")' in payers
    assert all(row[head.index("Amount")].replace(".", "").isdigit() for row in body)


def test_personal_data_is_masked_unless_it_may_be_revealed(signed_in):
    masked = signed_in("auditor").get("/parcels/export.csv").text
    whole = signed_in("compliance").get("/parcels/export.csv").text
    assert "Joao Santos" not in masked
    assert "6222000000" not in masked
    assert "Joao Santos" in whole


def test_an_export_is_scoped_and_audited(signed_in):
    browser = signed_in("merchant1")
    _head, body, _footer = parsed(browser.get("/parcels/export.csv"))
    assert len(body) == 40
    with reading() as tx:
        rows = tx.rows(
            "select actor, details->>'filter' from audit where action = 'list.exported' order by id desc limit 1",
        )
    assert rows == [("merchant1", "all rows")]


def test_bad_filters_are_refused_in_files_too(signed_in):
    assert signed_in("auditor").get("/parcels/export.csv?colour=red").status_code == 400
