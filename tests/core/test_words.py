"""Text people type: nothing that hides, turns or breaks it gets in by any command, and nothing changes."""

from __future__ import annotations

import unicodedata
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import words
from core.actor import system
from core.compliance import alerts, disputes, reveals
from core.errors import BadInput
from core.money import USDT, Money, fiat
from core.orders import deposit, release
from core.parties import acceptors, agents, bank_accounts, keys, merchants, pools, reserves, standing
from core.pricing import quotes
from core.reports import requests
from core.risk import lists, rulesets
from tests import make
from tests.core import lives, review

HARMFUL = {
    "turned": "paid \u202elaitnedifnoc to all",
    "isolated": "paid by \u2066friend\u2069 of all",
    "zero width": "paid by a fri\u200bend of all",
    "no blank": "paid by\ufeff a friend of all",
    "soft hyphen": "paid by a fri\u00adend of all",
    "nul": "paid by a friend\0 of all",
    "escape": "paid by \x1b[31ma friend of all",
    "separator": "paid by a friend\u2028of all",
    "half": "paid by a friend \ud800 of all",
    "private": "paid by a friend \ue000 of all",
    "tag": "paid by a friend \U000e0041 of all",
    "filler": "paid by a friend \u3164 of all",
    "stacked": "paid by a fri" + "\u0301" * 9 + "end of all",
}
BRL = fiat("BRL")
MARKET = ("currency", "pool_ref", "merchant", "acceptors", "agents")


@pytest.mark.parametrize("text", HARMFUL.values(), ids=HARMFUL)
@pytest.mark.parametrize("read", [words.line, words.name, words.exact, words.prose])
def test_what_hides_or_turns_text_is_refused_and_named(read, text):
    with pytest.raises(BadInput, match=r"reason has a character that hides, turns or breaks text: U\+") as refused:
        read(text, "reason", longest=200)
    assert refused.value.facts["field"] == "reason"
    at = refused.value.facts["place"]
    assert refused.value.facts["character"] == f"U+{ord(text[at - 1]):04X}"


@pytest.mark.parametrize(
    ("read", "text", "kept"),
    [
        (words.line, "  paid\tby \n a   friend ", "paid by a friend"),
        (words.line, "王\u3000小明", "王 小明"),
        (words.name, "Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
        (words.name, "نرگس می\u200cآید", "نرگس میآید"),
        (words.name, "O’Brien-Ñandú, Jr.", "O’Brien-Ñandú, Jr."),
        (words.exact, " A  1/x ", "A  1/x"),
        (words.prose, "first\r\nsecond \rthird\tend\n\n", "first\nsecond\nthird end"),
        (words.prose, "👨\u200d👩\u200d👧 paid, they say", "👨👩👧 paid, they say"),
    ],
)
def test_what_people_write_is_kept(read, text, kept):
    assert read(text, "x", longest=100) == kept


@pytest.mark.parametrize("text", ["", "   ", "\n", None, 7, ["x"], "x" * 101, "\u3000"])
@pytest.mark.parametrize("read", [words.line, words.name, words.prose])
def test_nothing_and_too_much_are_refused(read, text):
    with pytest.raises(BadInput):
        read(text, "x", longest=100)


@pytest.mark.parametrize("text", ["", "x", " y ", "-----", "12345", "xxxxx", "...???", "王" * 5, "\u0301" * 9, None])
def test_a_reason_is_told_in_words(text):
    for lines in (True, False):
        with pytest.raises(BadInput) as refused:
            words.reason(text, longest=100, lines=lines)
        assert refused.value.facts["field"] == "reason"


@pytest.mark.parametrize("text", ["explained", "客户已解释", "l'a expliqué", "объяснил", "letter 7 of 12.3."])
def test_a_reason_may_be_short_in_any_writing(text):
    assert words.reason(f" {text} ", longest=100) == text


@given(st.text())
def test_whatever_is_kept_can_be_seen_and_is_kept_again(text):
    for read in (words.line, words.name, words.prose, words.exact):
        try:
            kept = read(text, "x", longest=500)
        except BadInput:
            continue
        assert read(kept, "x", longest=500) == kept
        assert not {unicodedata.category(each) for each in kept.replace("\n", "")} & {
            "Cc",
            "Cf",
            "Cs",
            "Co",
            "Zl",
            "Zp",
        }


@pytest.fixture(autouse=True)
def own_home():
    """In place of a folder for each test: what one has sealed, another opens."""


@pytest.fixture(scope="module")
def here(module_database, tmp_path_factory):
    """A market with something for every command that takes words."""
    with review.kept_home(tmp_path_factory):
        # Enough acceptors: a customer is not matched with those it is in dispute with.
        made = make.market(5, levels=1, reserve="100000")
        market = SimpleNamespace(**{name: getattr(made, name) for name in MARKET})
        market.held, market.second = review.held(market), review.held(market)
        market.disputed, market.ruled = review.disputed(market), review.disputed(market)
        market.waiting = lives.opened(market)
        market.claimed = review.claimed(market)
        ann = review.officer("ann")
        alerts.decide(ann, review.alert(market.second), "release", "explained", "the bank statement names them")
        disputes.decide(ann, market.ruled, "refuse", "nothing has come to the bank")
        market.officer = review.officer("bob")
        market.account = review.one("select ref from bank_account order by id limit 1")
        market.payer = review.one("select ref from payer_account order by id limit 1")
        market.customer = review.one("select ref from customer order by id limit 1")
        market.key, _secret = keys.create(system(), market.acceptors[0].ref, "till")
        market.topped = reserves.ask(system(), market.acceptors[0].ref, Money.parse("5", USDT), "k-1", "arrived")
        market.draft = rulesets.draft(review.officer("cid"), {}, "as it was")
        market.shop = review.one("select ref from party where id = %s", market.merchant.party_id)
        market.quote = quotes.quote(market.merchant, "deposit", BRL, Money.parse("250.00", BRL)).ref
        yield market


def asked(market, **more):
    plain = {
        "quote_ref": market.quote, "merchant_order_id": "A-words", "customer_id": "c-w", "customer_name": "Joao",
        "payer_account": "BR7712348812", "payer_name": "Joao", "customer_country": "BR",
    }  # fmt: skip
    return deposit.open_order(market.merchant, deposit.DepositRequest(**plain | more))


def person(market):
    return make.person("finance", *system().rights)


COMMANDS = {
    "open: merchant_order_id": lambda m, text: asked(m, merchant_order_id=text),
    "open: customer.id": lambda m, text: asked(m, customer_id=text),
    "open: customer.name": lambda m, text: asked(m, customer_name=text),
    "open: payer.name": lambda m, text: asked(m, payer_name=text),
    "open: payer.account": lambda m, text: asked(m, payer_account=text),
    "claim": lambda m, text: deposit.claim_paid(m.merchant, m.waiting, payer_name=text, payer_account="BR7712348812"),
    "claim: account": lambda m, text: deposit.claim_paid(m.merchant, m.waiting, payer_name="J", payer_account=text),
    "cancel": lambda m, text: deposit.cancel(m.merchant, m.waiting, reason=text),
    "confirm": lambda m, text: release.confirm(
        review.acceptor_of(m, m.claimed).actor, m.claimed, received=Money.parse("250.00", BRL), payer_name=text
    ),
    "decide": lambda m, text: alerts.decide(m.officer, review.alert(m.held), "release", "explained", text),
    "second": lambda m, text: alerts.second(m.officer, review.alert(m.second), approve=True, why=text),
    "dispute": lambda m, text: disputes.decide(m.officer, m.disputed, "refuse", text),
    "dispute: second": lambda m, text: disputes.second(m.officer, m.ruled, approve=True, why=text),
    "reveal": lambda m, text: reveals.reveal(m.officer, "customer", m.customer, text, m.held),
    "reveal: number": lambda m, text: reveals.reveal(m.officer, "bank_account", m.account, text, m.account),
    "list payer": lambda m, text: lists.list_payer(m.officer, "BR7712348812", text),
    "unlist payer": lambda m, text: lists.unlist_payer(m.officer, "BR7712348812", text),
    "ruleset": lambda m, text: rulesets.draft(m.officer, {}, text),
    "ruleset: activate": lambda m, text: rulesets.activate(m.officer, m.draft, text),
    "merchant": lambda _m, text: merchants.create(system(), "words-1", text, country="BR"),
    "merchant: code": lambda _m, text: merchants.create(system(), text, "Words", country="BR"),
    "acceptor": lambda _m, text: acceptors.create(system(), "words-2", text, country="BR"),
    "agent": lambda _m, text: agents.create(system(), "words-3", text, plan="direct"),
    "agent: reparent": lambda m, text: agents.reparent(system(), m.agents[0], None, text),
    "pause": lambda m, text: acceptors.pause(system(), m.acceptors[0].ref, text),
    "resume": lambda m, text: acceptors.resume(system(), m.acceptors[0].ref, text),
    "top up": lambda m, text: reserves.ask(system(), m.acceptors[0].ref, Money.parse("1", USDT), text, "arrived"),
    "top up: why": lambda m, text: reserves.ask(system(), m.acceptors[0].ref, Money.parse("1", USDT), "k-2", text),
    "top up: second": lambda m, text: reserves.decide(system("second"), m.topped, approve=True, why=text),
    "top up: withdraw": lambda m, text: reserves.withdraw(system(), m.topped, text),
    "suspend": lambda m, text: standing.suspend(system(), m.shop, text),
    "reinstate": lambda m, text: standing.reinstate(system(), m.shop, text),
    "bar": lambda m, text: standing.bar(system(), m.shop, text),
    "pool: pause": lambda m, text: pools.pause(system(), m.pool_ref, text),
    "pool: reopen": lambda m, text: pools.reopen(system(), m.pool_ref, text),
    "account: bank": lambda m, text: bank_accounts.add(system(), m.shop, text, "x", "12345678", "BRL", "pix"),
    "account: holder": lambda m, text: bank_accounts.add(system(), m.shop, "Itau", text, "12345678", "BRL", "pix"),
    "account: number": lambda m, text: bank_accounts.add(system(), m.shop, "Itau", "x", text, "BRL", "pix"),
    "account: freeze": lambda m, text: bank_accounts.freeze(system(), m.account, text),
    "account: unfreeze": lambda m, text: bank_accounts.unfreeze(system(), m.account, text),
    "key": lambda m, text: keys.create(system(), m.shop, text),
    "key: end": lambda m, text: keys.end(system(), m.key, text),
    "export": lambda m, text: requests.request(person(m), "commission", {"agent": text}),
}
SHAPED = {"merchant: code", "account: number"}
"""Fields of a shape of their own, that letters and digits alone fit."""


@pytest.mark.parametrize("text", HARMFUL.values(), ids=HARMFUL)
def test_no_command_takes_it_and_nothing_changes(here, text):
    before = review.rows("select (select count(*) from audit), (select count(*) from outbox)")
    for command, do in COMMANDS.items():
        with pytest.raises(BadInput) as refused:
            do(here, text)
        told = command in SHAPED or "hides, turns or breaks text" in refused.value.detail
        assert told, (command, refused.value.detail)
    assert review.rows("select (select count(*) from audit), (select count(*) from outbox)") == before
