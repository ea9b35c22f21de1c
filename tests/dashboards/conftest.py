"""The dashboards on the portal, over a small market with a past, and people of every role."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from core import clock
from core.db import reading, transaction
from core.settings import settings
from dashboards.app import CSRF_COOKIE, mount
from portal.app import create_app
from portal.frame import page_frame
from portal.roles import actor_of
from portal.security import setup
from portal.security.headers import nonce
from portal.security.sessions import current_person
from tests import make
from tests.core import lives
from tests.portal.conftest import PASSWORD, Browser, hashed

NOW = lives.DAYS + timedelta(days=1)
DAYS = "?range=custom&from=2026-10-01&to=2026-10-07&tz=UTC"
ROLES = ("admin", "compliance", "finance", "auditor", "agent", "acceptor", "merchant")


def who_asks():
    person = current_person()
    return None if person is None else actor_of(person)


def party(ref):
    with reading() as tx:
        return tx.call("select id from party where ref = %s", (ref,))


@pytest.fixture(scope="module")
def boards(module_database, tmp_path_factory):
    """Two markets with a past, rolled up; a user per role, those of a party belonging to the first market."""
    before = os.environ.get("DESK_HOME")
    os.environ["DESK_HOME"] = str(tmp_path_factory.mktemp("home"))
    settings.cache_clear()
    setup.set_up()
    setup.generate_password_hash = hashed
    with clock.at(lives.DAYS):
        first, second = make.market(levels=2), make.market(currency="EUR", levels=1)
    lives.some_days(first)
    lives.some_days(second, rounds=2)
    lives.rolled_up()
    owners = {"agent": party(first.agents[0]), "acceptor": busiest(first), "merchant": party(first.merchant_ref)}
    for role in ROLES:
        setup.ensure_user(role, role, PASSWORD, party_id=owners.get(role))
    raise_alerts(first)
    app = create_app(settings())
    dash = mount(app, actor_of=who_asks, page_frame=page_frame, nonce=nonce)
    if before is not None:
        os.environ["DESK_HOME"] = before
    return SimpleNamespace(app=app, dash=dash, first=first, second=second, owners=owners)


def busiest(market):
    """The acceptor that chance gave the most orders, by its party's id: one of the three may well have none."""
    with reading() as tx:
        merchant = tx.call("select id from party where ref = %s", (market.merchant_ref,))
        return tx.call(
            "select acceptor_id from orders where merchant_id = %s and acceptor_id is not null"
            " group by acceptor_id order by count(*) desc, acceptor_id limit 1",
            (merchant,),
        )


def raise_alerts(market):
    """Figures of alerts as the rollup keeps them: three raised, one confirmed, one false."""
    with transaction() as tx:
        merchant = tx.call("select id from party where ref = %s", (market.merchant_ref,))
        tx.run(
            "insert into rollup_alert_day (day, rule, verdict, currency, merchant_id, acceptor_id, raised,"
            " false_positive, confirmed, closed, decide_seconds) values"
            " ('2026-10-05', 'NAME_MISMATCH', 'hold', 'BRL', %s, %s, 3, 1, 1, 2, 1800)",
            (merchant, market.acceptors[0].id),
        )
        tx.run(
            "insert into rollup_alert_order (days, rules, currency, merchant_id, acceptor_id, orders, usdt_units)"
            " values (array['2026-10-05'::date], array['NAME_MISMATCH'], 'BRL', %s, %s, 2, 61000000)",
            (merchant, market.acceptors[0].id),
        )


class Visitor(Browser):
    """A browser that also speaks to callbacks, with the cookie's token as Dash sends it."""

    def page(self, name, search=DAYS):
        answer = self.get(f"/dashboards/{name}{search}")
        cookie = self.client.get_cookie(CSRF_COOKIE, path="/dashboards/")
        self.spoken = unquote(cookie.value) if cookie else ""
        return answer

    def ask(self, dash, output, search=DAYS, *, token=None, **values):
        """Call the callback that has this output, as the page would."""
        spec = next(each for each in dash._callback_list if each["output"] == output)
        changed = [f"{each['id']}.{each['property']}" for each in spec["inputs"]]
        body = {
            "output": output,
            "outputs": outputs_of(output),
            "inputs": [filled(each, search, values) for each in spec["inputs"]],
            "state": [filled(each, search, values) for each in spec["state"]],
            "changedPropIds": changed[:1],
        }
        spoken = getattr(self, "spoken", "") if token is None else token
        headers = {"X-CSRFToken": spoken, "Accept": "application/json"}
        return self.client.post("/dashboards/_dash-update-component", json=body, headers=headers)

    def said(self, dash, output, search=DAYS, **values):
        answer = self.ask(dash, output, search, **values)
        assert answer.status_code == 200, answer.text[:400]
        return answer.json["response"]


def filled(each, search, values):
    usual = {"search": search, "pathname": "/dashboards/volume", "n_clicks": 1}
    return {**each, "value": values.get(each["property"], usual.get(each["property"]))}


def outputs_of(output):
    found = [
        {"id": name.rpartition(".")[0], "property": name.rpartition(".")[2]} for name in output.strip(".").split("...")
    ]
    return found if output.startswith("..") else found[0]


def served(dash):
    """The callbacks that run here, not in the browser: output and what Dash keeps of each."""
    return {output: kept for output, kept in dash.callback_map.items() if "callback" in kept}


@pytest.fixture
def visit(boards):
    """A function that returns a visitor signed in as that role; "" for nobody."""

    def come_in(role):
        visitor = Visitor(boards.app)
        if role:
            assert visitor.sign_in(role).status_code == 302
        return visitor

    return come_in


def text_of(part):
    """All the words of a component's JSON."""
    return json.dumps(part, ensure_ascii=False)
