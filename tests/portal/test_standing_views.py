"""The standing of parties on their pages: who sets it, that a reason is asked, and where the party is refused then."""

from __future__ import annotations

import pytest

from core.actor import Right, system
from core.db import reading
from core.errors import Refusal
from core.parties import acceptors, agents, bank_accounts, keys, pools, standing
from portal.security.setup import ensure_user
from tests import make
from tests.portal import market
from tests.portal.market import PASSWORD, Browser, opened, signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    made = market.built()
    with reading() as tx:
        made.codes = dict(tx.rows("select ref, code from party"))
    return made


def state(ref):
    with reading() as tx:
        return tx.call("select state from party where ref = %s", (ref,))


def act(browser, kind, name, ref, **form):
    browser.get(f"/{kind}/show/{ref}")
    return browser.post(f"/{kind}/action/{name}/{ref}", form)


def test_each_kind_is_suspended_and_reinstated_with_a_reason_in_the_trail(desk):
    refs = {"merchants": desk.trade.merchant_ref, "acceptors": desk.acceptor.ref, "agents": desk.trade.agents[0]}
    for name in ("admin", "compliance"):
        browser = signed_in(desk, name)
        for kind, ref in refs.items():
            refused = act(browser, kind, "suspend", ref, reason="")
            assert refused.status_code == 422, kind
            assert "bad_input" in refused.text
            assert state(ref) == "active"
            assert act(browser, kind, "suspend", ref, reason="papers ran out").status_code == 302
            assert state(ref) == "suspended"
            assert "ask-reinstate" in browser.get(f"/{kind}/show/{ref}").text
            assert act(browser, kind, "suspend", ref, reason="again").status_code == 409
            assert act(browser, kind, "reinstate", ref, reason="papers renewed").status_code == 302
            assert state(ref) == "active"
            with reading() as tx:
                trail = tx.rows(
                    "select action, reason from audit where actor = %s and subject = %s and action like 'party.%%'"
                    " order by at",
                    (name, ref),
                )
            assert trail == [("party.suspended", "papers ran out"), ("party.active", "papers renewed")]


@pytest.mark.parametrize("name", ["finance", "auditor", "agent1", "acceptor1", "merchant1"])
def test_nobody_else_sets_a_standing(desk, name):
    browser = signed_in(desk, name)
    for kind, ref in (
        ("merchants", desk.trade.merchant_ref),
        ("acceptors", desk.acceptor.ref),
        ("agents", desk.trade.agents[0]),
    ):
        assert act(browser, kind, "bar", ref, reason="because").status_code in {403, 404}
        assert state(ref) == "active"
        assert "ask-bar" not in browser.get(f"/{kind}/show/{ref}").text


def test_a_suspended_merchant_opens_nothing_and_a_suspended_acceptor_gets_nothing(desk):
    browser = signed_in(desk, "compliance")
    for kind, ref in (("merchants", desk.trade.merchant_ref), ("acceptors", desk.acceptor.ref)):
        act(browser, kind, "suspend", ref, reason="is looked into")
        if kind == "merchants":
            with pytest.raises(Refusal):
                opened(desk.trade)
        else:
            waiting = opened(desk.trade)
            with reading() as tx:
                assert tx.call("select state from orders where ref = %s", (waiting,)) in {"matching", "no_liquidity"}
        act(browser, kind, "reinstate", ref, reason="all is well")


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("merchant1", "merchants", "every new quote and order is refused with the code frozen"),
        ("acceptor1", "acceptors", "no new orders are sent to you"),
        ("agent1", "agents", "your commission, and what you earn meanwhile, is held"),
    ],
)
def test_who_is_suspended_reads_so_at_home_with_what_it_means_and_not_the_officers_reason(desk, name, kind, said):
    refs = {"merchants": desk.trade.merchant_ref, "acceptors": desk.acceptor.ref, "agents": desk.trade.agents[0]}
    reader = signed_in(desk, name)
    assert "You are suspended" not in reader.get("/").text
    standing.suspend(system(), refs[kind], "a tip from the police")
    page = reader.get("/").text
    standing.reinstate(system(), refs[kind], "all is well")
    assert f"You are suspended: {said}" in page
    assert "Ask an administrator of the desk" in page
    assert "police" not in page
    assert "You are suspended" not in reader.get("/").text
    assert "You are suspended" not in signed_in(desk, "admin").get("/").text


def test_a_paused_acceptor_reads_at_home_why_it_gets_no_orders(desk):
    acceptors.pause(system(), desk.acceptor.ref, "new papers are due")
    page = signed_in(desk, "acceptor1").get("/").text
    acceptors.resume(system(), desk.acceptor.ref, "they came")
    assert "The desk has taken you out of matching: new papers are due. No new orders are sent to you" in page
    assert "taken you out of matching" not in signed_in(desk, "acceptor1").get("/").text


def test_an_acceptors_desk_says_in_the_words_of_its_home_why_no_orders_come(desk):
    reader, admin = signed_in(desk, "acceptor1"), signed_in(desk, "admin")
    asked = [(reader, "/desk/"), (admin, f"/desk/of/{desk.acceptor.ref}")]
    assert not any("You are suspended" in browser.get(address).text for browser, address in asked)
    assert reader.get("/desk/live.json").json["standing"] == ""
    assert "You get new orders while this page is open" in reader.get("/desk/").text
    standing.suspend(system(), desk.acceptor.ref, "a tip from the police")
    acceptors.pause(system(), desk.acceptor.ref, "new papers are due")
    pages = [browser.get(address).text for browser, address in asked]
    news, home = reader.get("/desk/live.json").json, reader.get("/").text
    acceptors.resume(system(), desk.acceptor.ref, "they came")
    standing.reinstate(system(), desk.acceptor.ref, "all is well")
    for words in (
        "You are suspended: no new orders are sent to you. Open ones go on",
        "The desk has taken you out of matching: new papers are due. No new orders are sent to you",
    ):
        assert [words in text for text in (*pages, news["standing"], home)] == [True] * 4
    assert "No new orders come: the notice above says why." in news["html"]
    assert "Suspended" in news["state"], "the heading's badge follows"
    assert news["state"] in pages[0]
    assert "Suspended" not in reader.get("/desk/live.json").json["state"]
    assert "police" not in pages[0] + news["standing"]
    assert "You get new orders while this page is open" not in pages[0]
    assert reader.get("/desk/live.json").json["standing"] == ""


def test_no_pool_takes_in_who_is_suspended(desk):
    shop = make.merchants.create(system(), "shut-shop", "Shut", country="BR")
    standing.suspend(system(), shop, "papers")
    with pytest.raises(Refusal) as caught:
        pools.admit(system(), desk.trade.pool_ref, shop)
    assert caught.value.code == "frozen"


def test_who_is_barred_is_out_at_once_and_gets_in_no_more(desk):
    browser, admin, far = signed_in(desk, "merchant2"), signed_in(desk, "admin"), "merchants"
    with reading() as tx:
        ref = tx.call("select ref from party where code = 'shop-far'")
    _key_ref, key = keys.create(system(), ref, "")
    assert browser.get("/").status_code == 200
    assert act(admin, far, "bar", ref, reason="forged papers").status_code == 302
    assert browser.get("/").headers.get("Location", "").startswith("/login/")
    answer = Browser(desk.app).sign_in("merchant2", PASSWORD)
    assert (answer.status_code, "You are barred, and for good" in answer.text) == (403, True)
    assert "forged papers" not in answer.text
    wrong = Browser(desk.app).sign_in("merchant2", PASSWORD[::-1])
    assert (wrong.status_code, "You are barred" in wrong.text) == (401, False), "told to who has the password alone"
    with pytest.raises(Refusal) as caught:
        keys.authenticate(key)
    assert caught.value.code == "barred"
    assert act(admin, far, "reinstate", ref, reason="sorry").status_code == 409
    page = admin.get(f"/merchants/show/{ref}").text
    assert not any(f"ask-{name}" in page for name in ("suspend", "reinstate", "bar"))


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("merchant", "your balance stays yours: ask an administrator"),
        ("acceptor", "no new orders are sent to you. Open orders are not undone, and your reserve stays yours"),
        ("agent", "your commission, with what orders opened before still earn, is held and not paid out"),
    ],
)
def test_whoever_is_barred_reads_what_that_means_where_it_signs_in(desk, kind, says):
    more = {"plan": "direct"} if kind == "agent" else {"country": "BR"}
    ref = {"merchant": make.merchants, "acceptor": acceptors, "agent": agents}[kind].create(
        system(), f"out-{kind}", "Out of It", **more
    )
    with reading() as tx:
        number = tx.call("select id from party where ref = %s", (ref,))
    ensure_user(f"out-{kind}", kind, PASSWORD, last_name="Out", party_id=number)
    assert Browser(desk.app).sign_in(f"out-{kind}").status_code == 302
    standing.bar(system(), ref, "forged papers")
    browser = Browser(desk.app)
    answer = browser.sign_in(f"out-{kind}")
    assert (answer.status_code, says in answer.text, "forged" in answer.text) == (403, True, False)
    assert browser.get("/").headers["Location"].startswith("/login/")


def test_an_agent_is_moved_by_an_administrator_and_open_orders_keep_their_shares(desk):
    lower, root = desk.trade.agents
    before = opened(desk.trade)

    def split(ref):
        with reading() as tx:
            return tx.call("select split from orders where ref = %s", (ref,))

    frozen = split(before)
    browser = signed_in(desk, "admin")
    assert "keep the shares" in browser.get(f"/agents/show/{lower}").text
    assert act(browser, "agents", "move", root, parent=desk.codes[lower], reason="a ring").status_code == 409
    assert act(browser, "agents", "move", lower, parent="nobody", reason="it is lost").status_code == 404
    assert act(browser, "agents", "move", lower, parent="", reason="").status_code == 422
    assert act(browser, "agents", "move", lower, parent="", reason="works alone now").status_code == 302
    with reading() as tx:
        assert (
            tx.call("select parent_id from agent g join party p on p.id = g.party_id where p.ref = %s", (lower,))
            is None
        )
    assert split(before) == frozen
    assert len(split(opened(desk.trade))) < len(frozen)
    back = {"parent": desk.codes[root], "reason": "together again"}
    assert act(signed_in(desk, "finance"), "agents", "move", lower, **back).status_code == 302
    for name in ("compliance", "auditor", "agent1"):
        assert act(signed_in(desk, name), "agents", "move", lower, parent="", reason="as agreed").status_code == 403


@pytest.mark.parametrize("who", ["acceptor1", "merchant1"])
def test_whose_withdrawal_account_is_frozen_reads_it_at_home_without_the_officers_reason(desk, who):
    ref = {"acceptor1": desk.acceptor.ref, "merchant1": desk.trade.merchant_ref}[who]
    with reading() as tx:
        name = tx.call("select name from party where ref = %s", (ref,))
    number, officer = f"00{len(who)}77731{ord(who[0])}", make.person("compliance", Right.FREEZE_BANK_ACCOUNT)
    accounts = [
        bank_accounts.add(system("desk"), ref, "Banco Um", name, number + end, "BRL", "pix") for end in ("1111", "2222")
    ]
    if who == "acceptor1":  # the merchant's first account is its withdrawal account already
        bank_accounts.designate(system("desk"), accounts[0], "as they asked")
    bank_accounts.freeze(officer, accounts[1], "a review of its payers")
    browser = signed_in(desk, who)
    assert "frozen your withdrawal account" not in browser.get("/").text, "another account of theirs is no news"
    bank_accounts.freeze(officer, accounts[0], "a review of its payers")
    page = browser.get("/").text
    assert "The desk has frozen your withdrawal account, Banco Um •• 1111: nothing is paid out to it." in page
    assert f'href="/bank-accounts/show/{accounts[0]}"' in page
    assert "a review" not in page
    assert "frozen your withdrawal account" not in signed_in(desk, "admin").get("/").text
    bank_accounts.unfreeze(officer, accounts[0], "the review is over")
    assert "frozen your withdrawal account" not in browser.get("/").text
