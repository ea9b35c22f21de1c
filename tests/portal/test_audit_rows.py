"""What the trail's rows of sensitive deeds say where they are read: both accounts, the party, what left with a file."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest

from core import audit
from core.actor import system
from core.db import reading, transaction
from core.parties import bank_accounts
from tests.portal import market
from tests.portal.market import held, opened, signed_in

ACCOUNT = "BR7700055566788"


@pytest.fixture(scope="module")
def desk(module_database, one_key):
    made = market.built()
    made.order = opened(made.trade, number="SHOP-7")
    return made


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def filed(desk, action):
    """Return the newest row of that action as the trail's file has it, by heading."""
    answer = signed_in(desk, "auditor").get(f"/audit/export.csv?action={action}&from=2020-01-01")
    head, first, *_rest = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    return dict(zip(head, first, strict=True))


def trail(desk, action):
    answer = signed_in(desk, "auditor").get(f"/audit/list/?action={action}&from=2020-01-01")
    row = re.search(r'<tr data-href="(/audit/show/\d+)".*?</tr>', answer.text, re.DOTALL)
    said = html.unescape(re.sub(r"<[^>]+>", " ", row[0]))
    return re.sub(r"\s+", " ", said), signed_in(desk, "auditor").get(row[1])


def test_a_change_of_the_withdrawal_account_shows_both_accounts_the_party_and_why(desk):
    old, party = desk.acceptor.bank_account, desk.acceptor.ref
    with reading() as tx:
        name, masked = tx.rows(
            "select p.name, b.masked from bank_account b join party p on p.id = b.party_id where b.ref = %s", (old,)
        )[0]
    actor = system("desk")
    new = bank_accounts.add(actor, party, "Banco Dois", name, "000111229876", "BRL", "pix")
    bank_accounts.designate(actor, new, "the old bank closes its branch")
    row, page = trail(desk, "bank_account.designate")
    for told in (row, words(page)):
        assert f"{masked} → •• 9876" in told
        assert "the old bank closes its branch" in told
    assert f'href="/acceptors/show/{party}"' in page.text
    file = filed(desk, "bank_account.designate")
    assert file["Change"] == f"{masked} → •• 9876"
    assert (file["About"], file["Also about"]) == (new, party)
    assert (file["What"], file["What, in words"]) == ("bank_account.designate", "Withdrawal account chosen")
    assert "000111229876" not in page.text


def test_a_row_of_before_that_names_the_old_account_alone_is_still_read(desk):
    with transaction() as tx:
        audit.write(
            tx, system("desk"), "bank_account.designate", "bnk_B", details={"party": "acc_X", "before": "bnk_A"}
        )
    row, page = trail(desk, "bank_account.designate")
    assert "bnk_A →" in row
    assert page.status_code == 200


def test_an_export_shows_its_filter_its_rows_and_its_form(desk):
    signed_in(desk, "finance").get("/orders/export.csv?kind=deposit&currency=BRL").get_data()
    row, _page = trail(desk, "list.exported")
    assert "filter: Currency: BRL; Kind: Deposit · 1 row · CSV" in row
    assert filed(desk, "list.exported")["Why"] == "filter: Currency: BRL; Kind: Deposit · 1 row · CSV"
    signed_in(desk, "finance").get("/agents/export.csv").get_data()
    row, page = trail(desk, "list.exported")
    with reading() as tx:
        digest = tx.call(
            "select details->>'sha256' from audit where action = 'list.exported' and subject = 'agents'"
            " order by at desc limit 1"
        )
    assert len(digest) == 64
    assert f"SHA-256 {digest[:12]}…" in row
    assert digest in page.text


def test_a_file_with_names_in_full_says_so_and_why(desk):
    signed_in(desk, "compliance").post("/orders/export.csv?kind=deposit", {"reason": "police request 12"}).get_data()
    row, _page = trail(desk, "reveal.list")
    assert "List exported with names in full" in row
    said = "police request 12 · names in full · filter: Kind: Deposit · 1 row · CSV"
    assert said in row
    assert filed(desk, "reveal.list")["Why"] == said


def test_a_step_of_an_order_says_in_the_file_from_what_to_what_it_led(desk):
    file = filed(desk, "order.match")
    assert file["Change"] in trail(desk, "order.match")[0]
    assert file["Change"] == "Created → Awaiting payment"


@pytest.mark.parametrize("by_alert", [False, True])
def test_a_reveal_says_for_which_order_or_alert_it_was_made(desk, by_alert):
    order, alert = held(desk)
    subject, base = (alert, "alerts") if by_alert else (order, "orders")
    form = {"kind": "payer_account", "reason": "the bank asks who paid"}
    officer = signed_in(desk, "compliance")
    officer.get(f"/{base}/show/{subject}")
    assert officer.post(f"/{base}/action/reveal/{subject}", form).status_code == 200
    row, page = trail(desk, "reveal.payer_account")
    file = filed(desk, "reveal.payer_account")
    assert file["About"].startswith("pay_")
    assert file["Also about"] == subject
    assert f'href="/{base}/show/{subject}"' in page.text
    assert subject[-6:] in row


def test_a_report_shows_whose_it_is_its_rows_its_form_and_its_digest(desk):
    details = {"rows": 12, "sha256": "ab" * 32, "format": "pdf", "agent": "agent-04"}
    with transaction() as tx:
        audit.write(tx, system("desk"), "report.export", "commission 2026-10", details=details)
    row, _page = trail(desk, "report.export")
    assert f"filter: agent-04 · 12 rows · PDF · SHA-256 {('ab' * 6)}…" in row


def test_a_whole_account_number_that_an_export_was_filtered_by_is_not_kept(desk):
    signed_in(desk, "compliance").get("/orders/export.csv", query_string={"q": ACCOUNT}).get_data()
    with reading() as tx:
        told = tx.rows("select details::text from audit where action = 'list.exported' order by at")
    assert not [row for (row,) in told if ACCOUNT in row]
    assert "•• 6788" in told[-1][0]
