"""The payer declared before the payment and the one named at the claim: kept apart, and both looked at by gate G3."""

from __future__ import annotations

import pytest

from core.orders import deposit
from core.risk import lists
from tests import make
from tests.core import lives, review

ANN = review.officer("ann")


@pytest.fixture(scope="module")
def market(module_database):
    """A market with room for everybody; each test has customers of its own."""
    return make.market(2, levels=1, reserve="1000000", open_limit=1000)


def who():
    return {"customer": f"c-{next(make.numbers)}"}


def at_release(ref):
    """Gate G3's verdict, the rules that fired, and what it saw."""
    verdict, reasons, features = review.rows(
        "select e.verdict, e.reasons, e.features from evaluation e join orders o on o.id = e.order_id"
        " where o.ref = %s and e.gate = 'G3'",
        ref,
    )[0]
    return verdict, [reason["text_key"] for reason in reasons], features


def payers(ref):
    """Who was named at the claim and, where that differs, at the opening: each a name and the account's ref."""
    return review.rows(
        "select o.payer_name, y.ref, o.declared_payer_name, d.ref from orders o"
        " join payer_account y on y.id = o.payer_account_id"
        " left join payer_account d on d.id = o.declared_payer_account_id where o.ref = %s",
        ref,
    )[0]


def test_the_payer_declared_at_the_opening_stays_beside_the_one_the_claim_names(market):
    account = f"BR21{next(make.numbers):08d}"
    ref = lives.opened(market, account=account, **who())
    name, declared, *others = payers(ref)
    assert (name, others) == ("Joao Silva", [None, None])
    deposit.claim_paid(market.merchant, ref, payer_name="Maria Silva", payer_account=f"BR22{next(make.numbers):08d}")
    assert payers(ref)[0] == "Maria Silva"
    assert payers(ref)[2:] == ("Joao Silva", declared)
    assert payers(ref)[1] != declared
    same = lives.opened(market, account=account, **who())
    deposit.claim_paid(market.merchant, same, payer_name="Joao Silva", payer_account=account)
    assert payers(same) == ("Joao Silva", declared, None, None)


def test_another_account_at_the_claim_does_not_hide_a_listed_one_that_was_declared(market):
    ref = review.claimed(market, **who())
    lists.list_payer(ANN, payers(ref)[3], "bank freeze notice")
    review.confirm(market, ref, "250.00")
    assert at_release(ref)[:2] == ("hold", ["PAYER_HIT.declared"])


def test_another_account_at_the_claim_does_not_hide_that_many_share_the_declared_one(market):
    account = f"BR23{next(make.numbers):08d}"
    for _ in range(2):
        ref = review.claimed(market, account=account, **who())
    review.confirm(market, ref, "250.00")
    assert at_release(ref)[:2] == ("hold", ["SHARED_PAYER.declared"])
    assert at_release(ref)[2]["declared_users_30d"] == 2
