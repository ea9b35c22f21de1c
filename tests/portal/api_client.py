"""A program that talks to the API over HTTP, and a market for it to talk about."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

from core.actor import system
from core.db import reading
from core.parties import keys
from core.settings import settings
from portal.app import create_app
from portal.security.setup import set_up
from tests import make


class Program:
    """A caller with a key (or none) that sends JSON and a fresh Idempotency-Key with every POST."""

    def __init__(self, app, key=""):
        self.app = app
        self.key = key

    def send(self, method, path, body=None, *, once=None, raw=None, headers=None):
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if method == "POST":
            sent["Idempotency-Key"] = once or uuid.uuid4().hex
        more = {"json": body} if raw is None and body is not None else {}
        if raw is not None:
            more = {"data": raw, "content_type": "application/json"}
        sent |= headers or {}
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.app.test_client().open(f"/api/v1{path}", method=method, headers=kept, **more)

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.send("POST", path, body, **more)

    def quote(self, amount="250.00"):
        return self.post("/quotes", {"kind": "deposit", "currency": "BRL", "amount": amount}).json["ref"]

    def opened(self, amount="250.00"):
        """Open a deposit and return it."""
        answer = self.post("/deposits", order(self.quote(amount)))
        assert answer.status_code == 201, answer.text
        return answer.json

    def claimed(self, amount="250.00"):
        """Open a deposit, say it is paid, and return it."""
        body = order(self.quote(amount))
        ref = self.post("/deposits", body).json["ref"]
        answer = self.post(f"/deposits/{ref}/claim", {"payer": body["payer"]})
        assert answer.status_code == 200, answer.text
        return answer.json


PAYER = {"name": "Ana Souza", "account": "12345678"}


def order(quote, **changes):
    """The body that opens a deposit from a quote."""
    number = next(make.numbers)
    whole = {
        "quote": quote,
        "merchant_order_id": f"A-{number}",
        "customer": {"id": f"c-{number}", "name": "Ana Souza", "country": "BR"},
        "payer": PAYER | {"account": f"1234{number:06d}"},
    }
    return whole | changes


def portal():
    """A portal on the present database, with a market and a program for each of its parties."""
    set_up()
    app = create_app(settings())
    app.testing = False
    market = make.market(2, levels=2, reserve="100000")

    def program(ref):
        return Program(app, keys.create(system(), ref, "test")[1])

    other = make.market(0)
    return SimpleNamespace(
        app=app,
        home=str(settings().home),
        market=market,
        nobody=Program(app),
        shop=program(market.merchant_ref),
        other_shop=program(other.merchant_ref),
        acceptors={each.ref: program(each.ref) for each in market.acceptors},
    )


def rows(sql, *args):
    """What stands in the database."""
    with reading() as tx:
        return tx.rows(sql, args)
