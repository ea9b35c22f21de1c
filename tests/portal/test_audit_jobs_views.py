"""The trail and the machine room on screen: what was done is found, seals and late jobs are said."""

from __future__ import annotations

import html
import re

import pytest

from core import health
from core.db import reading, transaction
from core.ledger import seal
from jobs.ledger import verify
from tests.portal import market
from tests.portal.market import opened, signed_in

PERIODS = {"ledger.fold": 5, "ledger.verify": 900, "exports.run": 0}


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


@pytest.fixture(scope="module")
def desk(module_database, one_key):
    made = market.built()
    made.order = opened(made.trade)
    made.app.extensions["desk_schedule"] = PERIODS
    return made


def test_the_trail_is_found_by_who_what_about_and_when(desk):
    browser = signed_in(desk, "auditor")
    first = browser.get("/audit/list/")
    assert first.status_code == 302, "a look without a time is about the last days, and the address says so"
    assert "from=" in first.headers["Location"]
    order = browser.get(f"/audit/list/?subject={desk.order}").text
    assert "order.open" in order
    assert "order.match" in order
    assert "merchant.create" not in order
    party = browser.get(f"/audit/list/?subject={desk.trade.merchant_ref}").text
    assert "merchant.create" in party
    assert "from=" in browser.get("/audit/list/?actor=system").headers["Location"]
    some = browser.get("/audit/list/?actor=system&action=pool&from=2020-01-01").text
    assert "pool.create" in some
    assert "order.open" not in some
    assert "No rows match" in browser.get("/audit/list/?from=2020-01-01&to=2020-01-02").text
    for wrong in ("?from=soon", "?role=admin", "?sort=actor"):
        assert browser.get(f"/audit/list/{wrong}").status_code == 400, wrong


def test_a_row_of_the_trail_shows_its_details(desk):
    with reading() as tx:
        number = tx.call("select id from audit where action = 'merchant.create' order by id limit 1")
    browser = signed_in(desk, "compliance")
    assert desk.trade.merchant_code in browser.get(f"/audit/show/{number}").text
    for wrong in ("0", "-1", "x", "99999999999999999999999999"):
        assert browser.get(f"/audit/show/{wrong}").status_code in {400, 404}, wrong


def test_parties_do_not_see_the_trail(desk):
    for name in ("agent1", "acceptor1", "merchant1"):
        browser = signed_in(desk, name)
        assert browser.get("/audit/list/?from=2020-01-01").status_code == 403
        assert browser.get("/audit/export.csv").status_code == 403


def test_the_trail_says_how_far_it_is_sealed_and_what_the_verification_said(desk):
    browser = signed_in(desk, "auditor")
    seal.advance()
    with reading() as tx:
        head = seal.head(tx, "audit")
    page = browser.get("/audit/list/?from=2020-01-01").text
    assert head.hash[:12] in page
    with health.recorded("ledger.verify") as said:
        said |= {"invariants": 17, "checked": 4321}
    assert "17 invariants, 4,321 rows" in browser.get("/audit/list/?from=2020-01-01").text
    with pytest.raises(RuntimeError), health.recorded("ledger.verify"):
        raise RuntimeError("I2: acceptor:a is off by 1")
    assert "I2: acceptor:a is off by 1" in browser.get("/audit/list/?from=2020-01-01").text


def test_a_killed_process_goes_from_the_page_as_soon_as_another_stands_in_for_it(desk):
    browser = signed_in(desk, "admin")
    health.beat("worker:killed")
    with transaction() as tx:
        tx.run("update heartbeat set at = at - interval '3 minutes' where process = 'worker:killed'")
    assert "worker:killed" in browser.get("/jobs/list/").text, "nobody has taken its place: it is missed"
    health.beat("worker:next")
    page = browser.get("/jobs/list/").text
    assert "worker:next" in page
    assert "worker:killed" not in page
    health.gone("worker:killed")
    health.gone("worker:next")


def test_the_last_check_says_what_each_promise_looked_at(desk):
    with health.recorded("ledger.verify") as said:
        said.update(verify())
    page = words(signed_in(desk, "admin").get("/jobs/list/"))
    assert "I14 no posting is dated inside a locked period after its lock none is there yet" in page
    assert "I17 no promise has this number" in page
    assert "I19 a refused request changes nothing" in page


def test_the_jobs_page_says_who_lives_what_is_late_and_what_failed(desk):
    browser = signed_in(desk, "admin")
    assert "Not heard lately: Worker, Schedule, Web" in browser.get("/jobs/list/").text
    health.beat("worker:1", {"pid": 7})
    health.beat("cron:1")
    page = browser.get("/jobs/list/").text
    assert "Not heard lately: Web." in page
    assert "Never ran" in page
    with health.recorded("ledger.fold") as said:
        said["accounts"] = 3
    page = browser.get("/jobs/list/").text
    assert "accounts: 3" in page
    with health.recorded("health.measure") as said:
        said |= {"usdt_units": {"held": 3_311_774_389}, "fold_lag_seconds": 461, "verify_holds": 1}
    page = browser.get("/jobs/list/").text
    assert "USDT: Held 3,311.774389 USDT" in page
    assert "oldest credit not added: 7 m 41 s" in page
    assert "last check held: yes" in page
    with transaction() as tx:
        tx.run("update job_run set ended_at = ended_at - interval '1 hour' where name = 'ledger.fold'")
        tx.run("update heartbeat set at = at - interval '10 minutes' where process = 'worker:1'")
    page = browser.get("/jobs/list/").text
    assert "Late" in page
    assert "Silent" in page
    assert "I2: acceptor:a is off by 1" in page, "the failed run of the verification"
    for name in ("finance", "compliance", "agent1"):
        assert signed_in(desk, name).get("/jobs/list/").status_code == 403


def test_runs_are_found_by_job_and_outcome_and_their_file_holds_the_same(desk):
    browser = signed_in(desk, "admin")
    with health.recorded("agents.volume") as said:
        said["accounts"] = 48
    with pytest.raises(RuntimeError), health.recorded("agents.volume"):
        raise RuntimeError("no slots left")
    runs = words(browser.get("/jobs/list/?name=agents.volume&outcome=done")).partition("Runs")[2]
    assert "accounts: 48" in runs.partition("Last check")[0]
    assert "no slots left" not in runs
    assert "no slots left" in words(browser.get("/jobs/list/")), "what failed is what is asked for first"
    file = browser.get("/jobs/export.csv?name=agents.volume&outcome=").text
    assert "no slots left" in file
    assert "# rows,2" in file
    assert browser.get("/jobs/list/?outcome=odd").status_code == 422
