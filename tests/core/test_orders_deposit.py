"""A deposit's steps one by one: what each does, and that each refusal has its code and changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core import clock
from core.actor import Actor, Right, Scope, system
from core.db import transaction
from core.errors import (
    AlreadyDone,
    AmountDiffers,
    BadInput,
    Barred,
    Conflict,
    Forbidden,
    Frozen,
    NotFound,
    QuoteExpired,
    TooLate,
    WrongState,
)
from core.money import USDT, Money, fiat
from core.orders import deadlines, deposit, queries, release
from core.orders.deposit import DepositRequest
from core.parties import pools, standing
from core.pricing import quotes
from tests import make
from tests.core import lives, review
from tests.core.review import refuses

NOON = (datetime.now(UTC) + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def noon():
    """It is tomorrow's noon: no day ends in these stories, and what an account took of its day's limit stays taken.

    Not yesterday's: the verifier, which goes by the server's time, would find that orders have waited too long.
    """
    with clock.at(NOON):
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of this module's keys."""
    with review.kept_home(tmp_path_factory):
        yield


@pytest.fixture(autouse=True)
def own_home(home):
    """In place of a folder for each test."""


@pytest.fixture(scope="module")
def market(home, module_database):
    """A market that all stories share; each has customers of its own."""
    return make.market(2, levels=3, reserve="1000000", open_limit=1000)


@pytest.fixture(scope="module")
def stranger(market):
    """Another merchant and another acceptor of the same pool."""
    return make.market(1, reserve="1000")


def quoted(market, amount="250.00"):
    make.rate(market.currency)
    return quotes.quote(market.merchant, "deposit", market.currency, brl(amount)).ref


def brl(amount):
    return Money.parse(amount, fiat("BRL"))


def request(quote="", **more):
    number = next(make.numbers)
    usual = {
        "quote_ref": quote,
        "merchant_order_id": f"A-{number}",
        "customer_id": f"c-{number}",
        "customer_name": "Joao Silva",
        "customer_country": "BR",
        "payer_account": f"BR55{number:08d}",
        "payer_name": "Joao Silva",
    }
    return DepositRequest(**{**usual, **more})


def test_a_deposit_lives_from_quote_to_payout(market):
    reserve, escrow, _ = review.pockets(market)
    opened = deposit.open_order(market.merchant, request(quoted(market)))
    view = queries.order(market.merchant, opened.ref)
    assert (opened.state, view.state, view.next_actor) == ("awaiting_payment", "awaiting_payment", "customer")
    assert view.deadline_at - view.created_at == timedelta(minutes=15)
    pay = queries.paying(market.merchant, view).to
    assert pay.reference == opened.pay_code
    assert (pay.bank, pay.name) == review.rows(
        "select b.bank, b.holder from pool_account l join bank_account b on b.id = l.bank_account_id"
        " where l.acceptor_id = %s and l.id = %s",
        opened.acceptor_id,
        view.pool_account_id,
    )[0]
    assert review.pockets(market)[:2] == (reserve - view.usdt.units, escrow + view.usdt.units)
    with clock.at(view.created_at + timedelta(minutes=1)):
        assert (
            deposit.claim_paid(market.merchant, opened.ref, payer_name="Joao Silva", payer_account="BR55 123456")
            == "paid_claimed"
        )
    assert queries.paying(market.merchant, queries.order(market.merchant, opened.ref)).to is None
    assert review.confirm(market, opened.ref, "250.00") == "completed"
    assert review.pockets(market)[:2] == (reserve - view.usdt.units, escrow)
    entry = review.rows("select account, units from v_journal where key = %s order by units", f"{opened.ref}:release")
    assert sum(units for _, units in entry) == 0
    assert dict(entry)[f"merchant:{market.merchant_code}"] == view.usdt.units - view.fee.units
    shares = sum(units for account, units in entry if account.startswith("agent:"))
    assert dict(entry)["house:fees"] + shares == view.fee.units
    assert len([1 for account, _ in entry if account.startswith("agent:")]) == 3
    told = [row.action for row in queries.timeline(review.officer(), queries.order(review.officer(), opened.ref))]
    assert told == ["order.open", "order.match", "order.claim_paid", "order.confirm"]
    assert review.breaks() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("merchant_order_id", ""),
        ("merchant_order_id", "   "),
        ("merchant_order_id", "x" * 65),
        ("merchant_order_id", "A\x00B"),
        ("merchant_order_id", 7),
        ("customer_id", ""),
        ("customer_id", "c\n1"),
        ("customer_name", ""),
        ("customer_name", "Joao\u202eSilva"),
        ("customer_name", "x" * 141),
        ("customer_country", "BRA"),
        ("customer_country", "5F"),
        ("customer_country", "UK"),
        ("customer_country", "XX"),
        ("customer_country", "\uff22\uff32"),
        ("customer_country", "B\u200b"),
        ("customer_country", 55),
        ("payer_name", ""),
        ("payer_account", ""),
        ("payer_account", "12"),
        ("payer_account", "9" * 41),
        ("payer_account", "ЖЖЖЖЖЖ"),
        ("payer_account", "-----"),
        ("quote_ref", ""),
        ("quote_ref", "ord_0000000000000000"),
        ("quote_ref", "quo_'; drop table orders; --"),
    ],
)
def test_an_opening_that_cannot_be_read_is_refused(market, field, value):
    quote = quoted(market)
    refuses(BadInput, lambda: deposit.open_order(market.merchant, request(**{"quote_ref": quote, field: value})))


def test_a_quote_is_one_s_own_and_there(market, stranger):
    quote = quoted(market)
    refuses(NotFound, lambda: deposit.open_order(stranger.merchant, request(quote)))
    refuses(NotFound, lambda: deposit.open_order(market.merchant, request("quo_0000000000000000")))


def test_a_quote_opens_an_order_to_its_last_moment_and_nothing_after_it(market):
    quote = quoted(market)
    last = review.one("select expires_at from quote where ref = %s", quote)
    with clock.at(last + timedelta(microseconds=1)):
        refuses(QuoteExpired, lambda: deposit.open_order(market.merchant, request(quote)))
    with clock.at(last):
        assert deposit.open_order(market.merchant, request(quote)).state == "awaiting_payment"


def test_a_quote_and_an_order_number_serve_once(market):
    quote = quoted(market)
    first = request(quote)
    deposit.open_order(market.merchant, first)
    refuses(AlreadyDone, lambda: deposit.open_order(market.merchant, request(quote)))
    again = request(quoted(market), merchant_order_id=first.merchant_order_id)
    refuses(AlreadyDone, lambda: deposit.open_order(market.merchant, again))


def test_a_suspended_merchant_or_a_paused_pool_opens_nothing(market):
    quote = quoted(market)
    standing.suspend(system(), market.merchant_ref, "papers are missing")
    refuses(Frozen, lambda: deposit.open_order(market.merchant, request(quote)), state="suspended")
    standing.reinstate(system(), market.merchant_ref, "papers are there")
    pools.pause(system(), market.pool_ref, "the bank is down")
    refuses(Conflict, lambda: deposit.open_order(market.merchant, request(quote)), pool_state="paused")
    pools.reopen(system(), market.pool_ref, "the bank is back")
    assert deposit.open_order(market.merchant, request(quote)).state == "awaiting_payment"


def test_a_barred_customer_opens_nothing(market):
    with transaction() as tx:
        tx.run(
            "insert into customer (ref, merchant_id, external_id, verified_name, state, created_at)"
            " values ('cus_0000000000000001', %s, 'c-barred', 'Joao Silva', 'barred', now())",
            (market.merchant.party_id,),
        )
    quote = quoted(market)
    refuses(Barred, lambda: deposit.open_order(market.merchant, request(quote, customer_id="c-barred")))


def test_only_a_merchant_opens_orders(market):
    quote = quoted(market)
    everything = Actor("root", "system", Scope.ALL, rights=frozenset(Right))
    refuses(BadInput, lambda: deposit.open_order(everything, request(quote)))
    for nosy in (market.acceptors[0].actor, review.officer()):
        refuses(Forbidden, lambda nosy=nosy: deposit.open_order(nosy, request(quote)))


@pytest.mark.parametrize("known", [False, True], ids=["by a new account", "by an account known before"])
def test_a_claim_names_payer_and_account_in_time(market, stranger, known):
    claim = {"payer_name": "Joao Silva", "payer_account": f"BR56{next(make.numbers):08d}"}
    if known:
        deposit.claim_paid(market.merchant, lives.opened(market, customer="c-earlier"), **claim)
    ref = lives.opened(market, customer=f"c-claim-{known}")

    def step(actor=market.merchant, number=ref, **more):
        return lambda: deposit.claim_paid(actor, number, **{**claim, **more})

    refuses(BadInput, step(payer_name=""))
    refuses(BadInput, step(payer_account="1"))
    refuses(BadInput, step(paid_at=clock.now() + timedelta(hours=1)), field="paid_at")
    refuses(BadInput, step(paid_at=clock.now().replace(tzinfo=None)), field="paid_at")
    refuses(BadInput, step(paid_at="2026-11-20T10:00:00Z"), field="paid_at")
    opened_at = review.one("select created_at from orders where ref = %s", ref)
    refuses(BadInput, step(paid_at=opened_at - timedelta(days=7, minutes=1)), field="paid_at")
    refuses(BadInput, step(paid_at=opened_at - timedelta(days=400)), field="paid_at")
    for far in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59+00:00"):
        refuses(BadInput, step(paid_at=datetime.fromisoformat(far)), field="paid_at")
    ahead = (clock.now() + timedelta(hours=2)).astimezone(timezone(timedelta(hours=23, minutes=59)))
    refuses(BadInput, step(paid_at=ahead), field="paid_at")
    refuses(BadInput, step(number="ord_1"))
    refuses(NotFound, step(number="ord_0000000000000000"))
    refuses(NotFound, step(actor=stranger.merchant))
    refuses(Forbidden, step(actor=review.acceptor_of(market, ref).actor))
    with clock.at(clock.now() + timedelta(minutes=16)):
        refuses(TooLate, step())
    assert step()() == "paid_claimed"
    refuses(WrongState, step())


def test_an_acceptor_confirms_its_own_order_with_what_is_due(market, stranger):
    ref = review.claimed(market, customer="c-confirm")
    acceptor = review.acceptor_of(market, ref).actor

    def step(actor=acceptor, number=ref, received=None, **more):
        said = {"received": received or brl("250.00"), "payer_name": "Joao Silva"} | more
        return lambda: release.confirm(actor, number, **said)

    refuses(AmountDiffers, step(received=brl("249.99")), due="250.00", received="249.99")
    refuses(AmountDiffers, step(received=brl("250.01")))
    refuses(BadInput, step(received=Money.parse("250.00", fiat("EUR"))))
    refuses(BadInput, step(received=Money.parse("250", USDT)))
    refuses(BadInput, step(payer_name="x" * 141), field="payer.name")
    refuses(BadInput, step(payer_name=""), field="payer.name")
    refuses(BadInput, step(payer_name=" "), field="payer.name")
    refuses(BadInput, step(payer_name=None), field="payer.name")
    refuses(NotFound, step(actor=stranger.acceptors[0].actor))
    refuses(NotFound, step(number="ord_0000000000000000"))
    refuses(Forbidden, step(actor=market.merchant))
    other = next(each.actor for each in market.acceptors if each.actor != acceptor)
    refuses(NotFound, step(actor=other))
    assert step()() == "completed"
    refuses(WrongState, step(), state="completed")


def test_an_order_is_confirmed_only_after_the_claim(market):
    ref = lives.opened(market, customer="c-early")
    acceptor = review.acceptor_of(market, ref).actor
    seen = {"received": brl("250.00"), "payer_name": "Joao Silva"}
    refuses(WrongState, lambda: release.confirm(acceptor, ref, **seen), state="awaiting_payment")


def test_a_cancelled_order_returns_the_reserve_and_the_limits(market):
    before = review.pockets(market), loads(market)
    ref = lives.opened(market, customer="c-cancel")
    assert loads(market) != before[1]
    refuses(BadInput, lambda: deposit.cancel(market.merchant, ref, reason=" "))
    refuses(BadInput, lambda: deposit.cancel(market.merchant, ref, reason="x" * 281))
    refuses(Forbidden, lambda: deposit.cancel(review.acceptor_of(market, ref).actor, ref, reason="no"))
    assert deposit.cancel(market.merchant, ref, reason="changed their mind") == "cancelled"
    assert (review.pockets(market), loads(market)) == before
    refuses(WrongState, lambda: deposit.cancel(market.merchant, ref, reason="again"))
    refuses(
        WrongState,
        lambda: deposit.claim_paid(market.merchant, ref, payer_name="Joao Silva", payer_account="BR5512345678"),
    )
    assert review.breaks() == []


def test_paid_cannot_be_taken_back(market):
    ref = lives.claimed(market, customer="c-paid")
    refuses(WrongState, lambda: deposit.cancel(market.merchant, ref, reason="changed their mind"))


def test_an_unpaid_order_expires_once_and_gives_everything_back(market):
    before = review.pockets(market), loads(market)
    ref = lives.opened(market, customer="c-slow")
    assert deadlines.expire(ref) == "awaiting_payment", "not before its time"
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert ref in deadlines.due()
        assert deadlines.expire(ref) == "expired"
        assert deadlines.expire(ref) == "expired"
        assert ref not in deadlines.due()
        late = {"payer_name": "Maria Silva", "payer_account": "11122233344"}
        refuses(TooLate, lambda: deposit.claim_paid(market.merchant, ref, **late))
    assert (review.pockets(market), loads(market)) == before
    assert review.breaks() == []


def test_a_silent_acceptor_s_order_goes_to_the_dispute_desk_with_its_reserve_frozen(market):
    before = review.pockets(market)
    ref = lives.claimed(market, customer="c-silent")
    frozen = review.pockets(market)
    assert frozen[1] > before[1]
    with clock.at(clock.now() + timedelta(minutes=20)):
        assert ref in deadlines.due()
        assert deadlines.expire(ref) == "paid_claimed"
    assert review.state(ref) == ("paid_claimed", "clear", "open", "compliance")
    assert review.pockets(market) == frozen


def test_a_completed_order_leaves_the_slot_but_not_the_day_s_amount(market):
    before = loads(market)
    ref = lives.completed(market, customer="c-day")
    after = loads(market)
    assert sum(row[1] for row in after) == sum(row[1] for row in before)
    assert sum(row[2] for row in after) - sum(row[2] for row in before) == 25000
    assert queries.order(market.merchant, ref).state == "completed"


def test_others_see_no_order_that_is_not_theirs(market, stranger):
    ref = lives.opened(market, customer="c-own")
    mine = review.acceptor_of(market, ref).actor
    other = next(each.actor for each in market.acceptors if each.actor != mine)
    for owner in (market.merchant, mine, review.officer()):
        assert queries.order(owner, ref).ref == ref
    for nosy in (stranger.merchant, stranger.acceptors[0].actor, other):
        with pytest.raises(NotFound):
            queries.order(nosy, ref)
    assert ref not in {view.ref for view in queries.page(stranger.merchant)}
    assert ref in {view.ref for view in queries.page(market.merchant)}


def loads(market):
    """What is reserved of each account's limits: account, open orders, the day's amount."""
    return review.rows(
        "select pool_account_id, open_orders, day_units from pool_account_load where pool_account_id = any (%s)"
        " order by pool_account_id",
        [each.pool_account for each in market.acceptors],
    )
