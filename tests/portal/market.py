"""A small market behind the portal: demo users tied to real parties, and orders taken through their steps."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

from core.db import transaction
from core.money import Money, fiat
from core.orders import deposit, release
from core.pricing import quotes
from core.settings import settings
from portal.app import create_app
from portal.security import setup
from portal.security.setup import ensure_user, set_up
from tests import make
from tests.portal.conftest import PASSWORD, Browser, hashed

USERS = {
    "admin": "admin", "compliance": "compliance", "compliance2": "compliance", "finance": "finance",
    "finance2": "finance", "auditor": "auditor", "agent1": "agent", "acceptor1": "acceptor",
    "acceptor2": "acceptor", "merchant1": "merchant", "merchant2": "merchant",
}  # fmt: skip


def built():
    """Return the portal's app and a market: acceptor1 takes all orders, acceptor2 is offline."""
    set_up()
    setup.generate_password_hash = hashed
    trade = make.market(1, levels=2, reserve="100000")
    other = make.acceptor(trade.pool_ref, online=False)
    stranger = make.party_actor(make.merchants.create(make.system(), "shop-far", "Far", country="BR"), "merchant")
    with transaction() as tx:
        agent_id = tx.call("select id from party where ref = %s", (trade.agents[0],))
    owners = {
        "agent1": agent_id, "acceptor1": trade.acceptors[0].id, "acceptor2": other.id,
        "merchant1": trade.merchant.party_id, "merchant2": stranger.party_id,
    }  # fmt: skip
    for name, role in USERS.items():
        ensure_user(name, role, PASSWORD, last_name="Demo", party_id=owners.get(name))
    app = create_app(settings())
    app.testing = False
    return SimpleNamespace(app=app, trade=trade, acceptor=trade.acceptors[0], other=other)


def signed_in(desk, name):
    """Return a browser in which that user has signed in."""
    browser = Browser(desk.app)
    assert browser.sign_in(name).status_code == 302
    return browser


def opened(trade, amount="542.00", *, number="", customer="", name="Joao Santos", account=""):
    """Open a deposit that was matched, of a customer and an account of its own; return its ref."""
    mine = next(make.numbers)
    quote = quotes.quote(trade.merchant, "deposit", trade.currency, Money.parse(amount, fiat(trade.currency)))
    account, customer = account or account_of(mine), customer or f"c{mine}"
    asked = deposit.DepositRequest(quote.ref, number or f"A-{mine}", customer, name, account, name, "BR")
    return deposit.open_order(trade.merchant, asked).ref


def account_of(number):
    """Return an account number nobody else pays from."""
    return f"BR77{number:011d}"


def claimed(trade, payer="Joao Santos", account="", **more):
    """Open a deposit and say that it was paid; return its ref."""
    account = account or account_of(next(make.numbers))
    ref = opened(trade, account=account, **more)
    deposit.claim_paid(trade.merchant, ref, payer_name=payer, payer_account=account)
    return ref


def held(desk, amount="542.00"):
    """Bring an order to where gate G3 holds its USDT: the payer's name is another's. Return its and its alert's ref."""
    ref = claimed(desk.trade, payer="Maria Lucia Rojas", amount=amount)
    received = Money.parse(amount, fiat(desk.trade.currency))
    release.confirm(desk.acceptor.actor, ref, received=received, payer_name="Maria Lucia Rojas")
    with transaction() as tx:
        alert = tx.call(
            "select a.ref from alert a join orders o on o.id = a.order_id where o.ref = %s and a.gate = 'G3'"
            " order by a.id limit 1",
            (ref,),
        )
    return ref, alert


@contextmanager
def unchanged(*refs):
    """Hold that no order named here changes within the block, nor anything in the ledger."""
    before = _stand(refs)
    yield
    assert _stand(refs) == before


def _stand(refs):
    with transaction() as tx:
        orders = tx.rows(
            "select ref, state, version, risk_state from orders where ref = any(%s) order by ref", (list(refs),)
        )
        return orders, tx.call("select count(*) from journal_entry")
