"""Everything there is, asked for by name in every route by those it does not belong to; and posts nobody meant."""

from __future__ import annotations

import re

import pytest

from core.actor import system
from core.db import reading
from core.parties import keys
from tests.portal import market
from tests.portal.market import claimed, held, opened, signed_in
from tests.portal.routes import ROWS

STRANGERS = ("merchant2", "acceptor2")
NOT_THERE = {403, 404, 422}
"""A form is read before its order is looked for: that it is wrong (422) tells nothing of the order."""
AS_A_SCRIPT = {"Accept": "application/json"}
"""Asked like this, a refusal comes without a page around it: most of the time of a refused post goes into the page."""
PARTS = re.compile(r"<(?:(\w+):)?(\w+)>")


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    made.open, made.claimed = opened(made.trade), claimed(made.trade)
    made.held = held(made)
    keys.create(system(), made.trade.merchant_ref, "till")
    market.signed_in(made, "finance").get("/commissions/list/")
    return made


def everything():
    """Some refs of every table that has any, and codes and numbers of parties and users."""
    with reading() as tx:
        tables = tx.rows(
            "select table_name from information_schema.columns where column_name = 'ref' and table_schema = 'public'"
            " and table_name in (select table_name from information_schema.tables where table_type = 'BASE TABLE')",
        )
        refs = [ref for (table,) in tables for (ref,) in tx.rows(f'select ref from "{table}" order by id desc limit 1')]
        refs += [code for (code,) in tx.rows("select code from party order by id limit 3")]
        refs += [str(number) for (number,) in tx.rows("select id from ab_user order by id limit 2")]
    return refs


def own_of(name):
    """What belongs to a user's party: itself, its bank accounts, its keys, the pools it may use are told by others."""
    with reading() as tx:
        return {
            row[0]
            for row in tx.rows(
                "with mine as (select p.id, p.ref, p.code from party p join user_party u on u.party_id = p.id"
                " join ab_user a on a.id = u.user_id where a.username = %s)"
                " select ref from mine union select code from mine"
                " union select b.ref from bank_account b join mine m on m.id = b.party_id",
                (name,),
            )
        }


def state():
    with reading() as tx:
        return tx.rows(
            "select (select count(*) from audit), (select count(*) from outbox), (select count(*) from journal_leg),"
            " (select md5(string_agg(o::text, '' order by o.id)) from orders o),"
            " (select md5(string_agg(p::text, '' order by p.id)) from party p),"
            " (select md5(string_agg(b::text, '' order by b.id)) from bank_account b),"
            " (select md5(string_agg(u::text, '' order by u.id)) from ab_user u)",
        )


@pytest.mark.parametrize("name", STRANGERS)
def test_no_page_shows_a_stranger_what_is_anothers(desk, name):
    browser, own = signed_in(desk, name), own_of(name)
    rows = [row for row in ROWS if row.method == "GET" and PARTS.search(row.rule) and "dashboards" not in row.rule]
    refs = [ref for ref in everything() if ref not in own]
    assert len(refs) > 10
    for row in rows:
        if row.rule.startswith(("/static/", "/api/", "/commissions/report/")):
            continue
        for ref in refs:
            answer = browser.get(PARTS.sub(ref, row.rule))
            assert answer.status_code in {403, 404}, f"{row.rule} {ref}: {answer.status_code}"
            others = {each for each in refs if each != ref and "_" in each and each in answer.text}
            assert not others, f"{row.rule} {ref} tells of {others}"


@pytest.mark.parametrize("name", STRANGERS)
def test_no_post_of_a_stranger_touches_what_is_anothers(desk, name):
    browser, own = signed_in(desk, name), own_of(name)
    refs = [ref for ref in everything() if ref not in own]
    before = state()
    deeds = {each for view in desk.app.appbuilder.baseviews for each in getattr(view, "deeds", ())}
    assert len(deeds) > 10
    for row in ROWS:
        if row.method != "POST" or row.rule.startswith(("/api/", "/dashboards/", "/login", "/logout", "/account")):
            continue
        form = {"reason": "because I can", "why": "because I can", "outcome": "release", "narrative": "because I can",
                "disposition": "explained", "kind": "payer", "amount": "542.00", "online": "1", "payer_name": "x",
                "approve": "yes", "received": "542.00"}  # fmt: skip
        for ref in refs:
            # Each address and deed is asked as by a page for one ref, and as by its script for all the others.
            headers = AS_A_SCRIPT if ref != refs[0] else {}
            paths = [PARTS.sub(ref, row.rule)] if PARTS.search(row.rule) else []
            if "<string:name>" in row.rule:
                paths = [PARTS.sub(ref, row.rule.replace("<string:name>", deed)) for deed in deeds]
            for path in paths:
                answer = browser.post(path, form, headers=headers)
                assert answer.status_code in NOT_THERE, f"{path}: {answer.status_code}"
            if row.rule.endswith("/action_post"):
                for deed in deeds:
                    answer = browser.post(row.rule, {"action": deed, "rowid": ref, **form}, headers=headers)
                    assert answer.status_code in NOT_THERE, f"{row.rule} {deed} {ref}: {answer.status_code}"
    assert state() == before


@pytest.mark.parametrize("token", ["", "forged", "another's"])
def test_no_form_is_taken_without_the_token_of_its_own_session(desk, token):
    others = signed_in(desk, "admin").token if token == "another's" else token
    before = state()
    for name in ("admin", "compliance", "acceptor1", "merchant1"):
        browser = signed_in(desk, name)
        posts = [row for row in ROWS if row.method == "POST" and not row.rule.startswith(("/api/", "/dashboards/"))]
        assert len(posts) > 20
        for row in posts:
            path = PARTS.sub("2" if "<int:" in row.rule else desk.held[0], row.rule)
            answer = browser.client.post(path, data={"csrf_token": others})
            assert answer.status_code == 400, f"{name} {row.rule}: {answer.status_code}"
        assert browser.get("/account/").status_code == 200, "still signed in"
    assert state() == before


def test_forms_of_another_kind_or_size_are_refused(desk):
    browser = signed_in(desk, "compliance")
    path = f"/alerts/action/decide/{desk.held[1]}"
    before = state()
    for body, kind in (
        (b"{}", "application/json"),
        (b"--x\r\n", "multipart/form-data"),
        (b"\xff\xfe", "text/plain"),
        (b"a=1&" * 400_000, "application/x-www-form-urlencoded"),
        (b"x" * (9 * 1024 * 1024), "application/octet-stream"),
    ):
        token = {"X-CSRFToken": browser.token}
        answer = browser.client.post(path, data=body, content_type=kind, headers=token)
        assert answer.status_code in {400, 413, 422}, f"{kind}: {answer.status_code}"
    assert state() == before
